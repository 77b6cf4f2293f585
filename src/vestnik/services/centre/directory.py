"""What validation needs, whole in memory: clients, routes, rates, numbering.

A `Directory` never changes; a change in the store makes a new one.  Every function that changes
what it holds calls `store.settings.raise_version` in the same transaction.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vestnik.domain.client import Client
from vestnik.domain.exchange import Exchange
from vestnik.domain.numbering import Numbering, builtin
from vestnik.domain.rate import Payer, Rates, payers
from vestnik.domain.route import Carrier, Route, Routes
from vestnik.services.centre import names
from vestnik.services.centre.names import Names
from vestnik.services.centre.numbering import Plan, whole
from vestnik.services.centre.terms import Terms
from vestnik.services.clients.currencies import exchange_of
from vestnik.store import blacklist, carriers, clients, rented, settings
from vestnik.store.engine import Store, Transaction

DEFAULT_SENDER = "Vestnik"
VIRTUAL = "virtual"  # the carrier, and the channel, of a fresh centre


@dataclass(frozen=True, slots=True)
class Directory:
    """The centre at one version of its settings.

    `by_login` has logins in lower case, `secrets` each client's argon2 hashes, `keys` the client of
    each API key's keyed hash.  `carriers` holds those switched off too; `routes` lead to none of
    them.  `payers` is who pays for a client's messages, nearest first.  `numbers` is whose each own
    number is.  `names` are sender names, signatures and texts for operators (names.py);
    with `registration` senders must be registered.  `blacklisted` are the clients that have a black
    list, `exchange` is what currencies are worth.  `links_base` is the public address of short
    links; empty: links stay as they are.
    """

    version: int
    clients: dict[int, Client]
    by_login: dict[str, int]
    secrets: dict[int, tuple[str, ...]]
    keys: dict[bytes, int]
    carriers: dict[int, Carrier]
    routes: Routes
    rates: Rates
    numbering: Numbering
    payers: dict[int, tuple[Payer, ...]]
    settings: dict[str, str]
    default_sender: str
    key_secret: bytes
    numbers: dict[str, int]
    names: Names = field(default_factory=Names)
    registration: bool = False
    blacklisted: frozenset[int] = frozenset()
    exchange: Exchange = field(default_factory=Exchange)
    links_base: str = ""
    _terms: dict[int, Terms] = field(init=False, repr=False, compare=False, default_factory=dict)

    def terms(self, client: Client) -> Terms:
        """What all messages of this client have in common."""
        known = self._terms.get(client.id)
        if known is None or known.client is not client:
            known = self._terms[client.id] = Terms(
                client,
                self.payers[client.id],
                self.default_sender,
                signs=client.id in self.names.signatures,
                blocks=client.id in self.blacklisted,
            )
        return known


def numbers_of(everybody: Iterable[Client]) -> dict[str, int]:
    """The owner of each number that accounts call their own; the first one keeps it."""
    owners: dict[str, int] = {}
    for client in everybody:
        for number in client.limits.numbers.split(","):
            if number.strip():
                owners.setdefault(number.strip(), client.id)
    return owners


async def read(tx: Transaction, default_sender: str = DEFAULT_SENDER) -> Directory:
    """The directory as this transaction sees it, the numbering included."""
    found = await _read_small(tx, default_sender, builtin())
    return replace(found, numbering=await whole(tx, found.settings))


class Current:
    """The present directory of a process.

    Call the object's `current` for each request; `refresh` is called once a second and may be
    called by anyone who has just changed something.
    """

    def __init__(
        self,
        store: Store,
        default_sender: str = DEFAULT_SENDER,
        *,
        registration: bool = False,
        links_base: str = "",
    ) -> None:
        self._store = store
        self._default_sender = default_sender
        self._registration, self._links_base = registration, links_base
        self._value: Directory | None = None
        self._plan = Plan(store)
        self._refreshing = asyncio.Lock()

    @property
    def value(self) -> Directory:
        assert self._value is not None, "the directory was never read"
        return self._value

    def current(self) -> Directory:
        return self.value

    async def refresh(self) -> bool:
        """Read the directory again if it has changed; True when there is a new one.

        Raises StoreUnavailable; the last directory then stays in use.
        """
        async with self._refreshing:
            known = self._value
            if known is not None and await self._store.read(settings.version) == known.version:
                return False
            found = await self._store.read(_read_small, self._default_sender, builtin())
            plan = await self._plan.follow(found.settings)
            self._value = replace(
                found,
                numbering=plan,
                registration=self._registration,
                links_base=self._links_base,
            )
            return True


async def _read_small(
    tx: Transaction, default_sender: str, known_numbering: Numbering
) -> Directory:
    everything = await settings.everything(tx)
    everybody = {client.id: client for client in await clients.everybody(tx)}
    hashes: dict[int, tuple[str, ...]] = {}
    keys: dict[bytes, int] = {}
    for secret in await clients.all_secrets(tx):
        if secret.kind == clients.KEY:
            keys[bytes.fromhex(secret.hash)] = secret.client_id
        else:
            hashes[secret.client_id] = (*hashes.get(secret.client_id, ()), secret.hash)
    all_carriers = {carrier.id: carrier for carrier in await carriers.all_carriers(tx)}
    return Directory(
        version=int(everything.get(settings.VERSION, "0")),
        clients=everybody,
        by_login={client.login: client.id for client in everybody.values()},
        secrets=hashes,
        keys=keys,
        carriers=all_carriers,
        routes=_routes(await carriers.all_routes(tx), all_carriers),
        rates=Rates(await carriers.all_rates(tx)),
        numbering=known_numbering,
        payers={client.id: payers(client, everybody) for client in everybody.values()},
        numbers=numbers_of(everybody.values()) | await rented.rented(tx),
        names=await names.read(tx),
        blacklisted=await blacklist.clients_with(tx),
        settings=everything,
        exchange=exchange_of(everything),
        default_sender=default_sender,
        key_secret=bytes.fromhex(everything.get(settings.KEY_SECRET, "")),
    )


def _routes(routes: list[Route], all_carriers: dict[int, Carrier]) -> Routes:
    """Routes to the carriers in use; `virtual` takes the rest while it is the only carrier."""
    enabled = {carrier.id for carrier in all_carriers.values() if carrier.enabled}
    usable = [route for route in routes if route.carrier_id in enabled]
    alone = len(all_carriers) == 1 and next(iter(all_carriers.values()))
    default = alone.id if alone and alone.name == VIRTUAL and alone.id in enabled else 0
    return Routes(usable, default)
