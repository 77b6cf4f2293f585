"""What a client may spend."""

from collections.abc import Callable
from dataclasses import dataclass

from vestnik.domain.client import Client
from vestnik.services.centre.directory import Directory
from vestnik.store import ledger
from vestnik.store.engine import Store


@dataclass(frozen=True, slots=True)
class Statement:
    """Micro-units of a currency; `available` is without `credit`, as a client sees its balance."""

    available: int
    currency: str
    credit: int


class Billing:
    """The money of clients, as it stands in the store."""

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory

    async def statement(self, client: Client) -> Statement:
        """What stands on the account that pays for the client."""
        payer = self._directory().payers[client.id][0].account_id
        account = await self._store.read(ledger.account, payer)
        assert account is not None, f"client {client.id} has no account {payer}"
        return Statement(account.posted - account.held, account.currency, account.credit)
