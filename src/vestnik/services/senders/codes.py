"""A digital sender name is confirmed by a code that is sent to it (senders.md, 3.1).

The code goes out as any SMS of the account that asks, and is paid as one.  That it was sent is on
record before it leaves: no crash and no second request makes the account pay twice.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Protocol

from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag
from vestnik.domain.message import Kind as MessageKind
from vestnik.domain.refusals import (
    BadNumber,
    BadParameters,
    CodeSent,
    InsufficientFunds,
    MessageForbidden,
    NotPossible,
    Refusal,
    Undeliverable,
    WrongCode,
)
from vestnik.domain.sender import Kind, Status, telephone
from vestnik.services.messages.draft import Accepted, Order
from vestnik.services.senders import names as senders
from vestnik.store import sender_codes as table
from vestnik.store import senders as names
from vestnik.store import settings
from vestnik.store.engine import Store, Transaction
from vestnik.store.senders import Sender

AGAIN_MS = 8 * 3_600_000  # before another code is sent to the same number
VALID_MS = 24 * 3_600_000
TRIES_MAX = 5
DIGITS = 6
SITE_MAX = 50  # characters of the site's address in the text

_TEXTS: Mapping[str, str] = {
    "ru": "Код подтверждения имени отправителя{site}: {code}",
    "en": "Confirmation code of the sender name{site}: {code}",
}


class Directory(Protocol):
    """See services/centre/directory.py."""

    @property
    def default_sender(self) -> str: ...
    @property
    def key_secret(self) -> bytes: ...


Send = Callable[[Order], Awaitable[Accepted]]


class SenderCodes:
    """Sends codes and takes them.

    `send` accepts an order like any door's; `language` is that of the text; `draw` makes a code.
    """

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        send: Send,
        refresh: Callable[[], Awaitable[object]],
        language: str,
        draw: Callable[[], str] | None = None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._send = send
        self._refresh = refresh
        self._text = _TEXTS[language]
        self._draw = draw or _draw

    async def send(self, payer: Client, owner: Client, text: str, site: str, now_ms: int) -> None:
        """Send a code to a number that is to be a name of `owner`; `payer` pays for the message.

        Raises BadNumber, CodeSent within eight hours, Undeliverable when the message is refused for
        whatever reason, NotPossible for a name that the moderator refused.
        """
        phone = telephone(text)
        code = self._draw()
        digest = self._digest(owner, phone, code)
        await self._store.write(_take, owner.id, phone, digest, now_ms)
        try:
            await self._send(self._order(payer, phone, code, site, now_ms))
        except (BadNumber, Undeliverable, MessageForbidden, InsufficientFunds) as refusal:
            await self._store.write(table.drop, owner.id, phone, now_ms)
            words = "no money" if isinstance(refusal, InsufficientFunds) else str(refusal)
            raise Undeliverable(f"the code cannot be delivered to this number: {words}") from None
        except Refusal:
            await self._store.write(table.drop, owner.id, phone, now_ms)
            raise

    async def check(self, owner: Client, text: str, code: str, now_ms: int) -> None:
        """Confirm a name by its code; it is made if there was none.

        Raises BadNumber, BadParameters without a code, WrongCode also when none was sent, the code
        is a day old or was guessed at five times; NotPossible for a name that was refused.
        """
        phone = telephone(text)
        if not code.strip():
            raise BadParameters("code is missing")
        digest = self._digest(owner, phone, code.strip())
        if not await self._store.write(_check, owner.id, phone, digest, now_ms):
            raise WrongCode
        await self._refresh()

    def _digest(self, owner: Client, phone: str, code: str) -> str:
        said = f"{owner.id}:{phone}:{code}".encode()
        key = self._directory().key_secret
        return blake2b(said, digest_size=16, key=key, person=b"sender code").hexdigest()

    def _order(self, payer: Client, phone: str, code: str, site: str, now_ms: int) -> Order:
        words = "".join(c for c in site if c.isprintable()).strip()[:SITE_MAX]
        text = self._text.format(site=f" {words}" if words else "", code=code)
        said = f"{payer.id}:{phone}:{code}".encode()
        return Order(
            client=payer,
            kind=MessageKind.SMS,
            lines=[ListLine(phone, text)],
            params_digest=blake2b(said, digest_size=16, person=b"sender code").digest(),
            now_ms=now_ms,
            sender=self._directory().default_sender,
            flags=Flag.SECRET,
        )


def _draw() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


async def _take(tx: Transaction, client_id: int, phone: str, digest: str, now_ms: int) -> None:
    _not_refused(await names.named(tx, client_id, phone))
    if not await table.take(tx, client_id, phone, digest, now_ms, now_ms - AGAIN_MS):
        raise CodeSent


async def _check(tx: Transaction, client_id: int, phone: str, digest: str, now_ms: int) -> bool:
    """Whether the code is right; a wrong try is counted, so this one commits."""
    code = await table.one(tx, client_id, phone)
    if code is None or not code.digest:
        return False
    if code.sent_at <= now_ms - VALID_MS or code.tries >= TRIES_MAX:
        return False
    if not hmac.compare_digest(code.digest, digest):
        await table.tried(tx, client_id, phone)
        return False
    sender = await names.named(tx, client_id, phone)
    _not_refused(sender)
    if sender is None:
        await senders.make(tx, client_id, phone, Kind.DIGITAL, Status.APPROVED, now_ms)
    else:
        approved = replace(sender, status=Status.APPROVED, reason="", changed_at=now_ms)
        await names.change(tx, approved)
    await table.used(tx, client_id, phone)
    await settings.raise_version(tx)
    return True


async def forget_old(tx: Transaction, now_ms: int) -> int:
    """Drop codes that open nothing any more, and whose numbers may get another."""
    return await table.forget(tx, now_ms - max(AGAIN_MS, VALID_MS))


def _not_refused(sender: Sender | None) -> None:
    """A code confirms whose number it is; it does not overrule the moderator."""
    if sender is not None and sender.status == Status.REFUSED:
        raise NotPossible("the name was refused")
