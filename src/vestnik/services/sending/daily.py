"""Limits that guard money and subscribers, judged inside the accept transaction (status.md).

Daily limits are counted in the store and in the batch itself, so that nodes and restarts change
nothing; black lists are asked for all drafts of a batch at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from vestnik.domain.client import Client
from vestnik.domain.contact import Book
from vestnik.domain.message import Err, Flag, Kind, Status
from vestnik.services.contacts import blacklist
from vestnik.services.messages.draft import Recipient
from vestnik.store import daily, statistics
from vestnik.store.engine import Transaction

_WAITING, _MAIL, _MASS = int(Status.WAITING), Kind.MAIL, int(Flag.MASS)
KEPT_MS = 2 * 86_400_000  # for how long a count is kept: a day, wherever it begins


class Judged(Protocol):
    """Recipients that are judged together: of a draft, or of a chunk of one that was stored.

    `accounts` pay, nearest to the client first, and `holds` is what is held of each; `address` is
    the caller's; `blocks` says that the client has a black list.
    """

    @property
    def client(self) -> Client: ...
    @property
    def recipients(self) -> Sequence[Recipient]: ...
    @property
    def accounts(self) -> tuple[int, ...]: ...
    @property
    def holds(self) -> dict[int, int]: ...
    @property
    def day(self) -> int: ...
    @property
    def address(self) -> str: ...
    @property
    def flags(self) -> int: ...
    @property
    def blocks(self) -> bool: ...


@dataclass(slots=True)
class _Day:
    """A client's day: from `least` to `most` messages were accepted before this batch, `own` by it.

    To know how many means to read them all.  That is put off until those on record, of which some
    were refused, leave no room; what was `counted` is kept, and they are few from then on.
    """

    digest: bytes
    on_record: int
    least: int
    most: int
    own: int = 0
    counted: bool = False


class Today:
    """What clients, numbers and addresses have had today, in the store and of this batch."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._of_client: dict[tuple[int, int], _Day] = {}
        self._of_number: dict[tuple[int, int, str], int] = {}
        self._of_text: dict[tuple[int, int, str, str], int] = {}
        self._from_address: dict[tuple[int, bytes], tuple[int, int]] = {}

    async def limit(self, draft: Judged) -> None:
        """Forbid the recipients that are too many."""
        limits = draft.client.limits
        if limits.number_limit:
            await self._limit_number(draft, limits.number_limit)
        if limits.text_limit:
            await self._limit_text(draft, limits.text_limit)
        # After those: what is refused uses up no day.
        if limits.day_limit:
            await self._limit_day(draft, limits.day_limit)
        if limits.address_limit and draft.address:
            await self._limit_address(draft, limits.address_limit)

    async def keep(self, now: int) -> None:
        """Write down what only this class counts."""
        for (client_id, digest), (before, count) in self._from_address.items():
            if count != before:
                until = now + KEPT_MS
                await daily.keep_from_address(self._tx, client_id, digest, count, until)
        for (client_id, _), day in self._of_client.items():
            if day.counted:
                counted = daily.Count(day.on_record, day.least)
                await daily.keep_count(self._tx, client_id, day.digest, counted, now + KEPT_MS)

    async def _limit_day(self, draft: Judged, limit: int) -> None:
        day = await self._day(draft)
        for recipient in draft.recipients:
            if recipient.status != _WAITING:
                continue
            if day.least < limit - day.own <= day.most:
                day.least = await daily.accepted(self._tx, draft.client.id, draft.day)
                day.most, day.counted = day.least, True
            if day.most + day.own >= limit:
                forbid(draft, recipient, Err.DAILY_LIMIT)
            else:
                day.own += 1

    async def _day(self, draft: Judged) -> _Day:
        key = (draft.client.id, draft.day)
        if key not in self._of_client:
            digest = blake2b(str(draft.day).encode(), digest_size=16, person=b"day").digest()
            on_record = await statistics.on_record(self._tx, *key)
            last = await daily.last_count(self._tx, draft.client.id, digest)
            most = last.accepted + on_record - last.on_record
            self._of_client[key] = _Day(digest, on_record, last.accepted, most)
        return self._of_client[key]

    async def _limit_address(self, draft: Judged, most: int) -> None:
        said = f"{draft.day} {draft.address}".encode()
        key = (draft.client.id, blake2b(said, digest_size=16, person=b"address").digest())
        if key not in self._from_address:
            known = await daily.from_address(self._tx, *key)
            self._from_address[key] = (known, known)
        before, count = self._from_address[key]
        for recipient in draft.recipients:
            if recipient.status == _WAITING and count >= most:
                forbid(draft, recipient, Err.DAILY_LIMIT)
            count += int(recipient.status == _WAITING)
        self._from_address[key] = (before, count)

    async def _limit_number(self, draft: Judged, most: int) -> None:
        for recipient in draft.recipients:
            key = (draft.client.id, draft.day, recipient.phone)
            if key not in self._of_number:
                self._of_number[key] = await daily.to_number(self._tx, *key)
            if self._of_number[key] >= most:
                forbid(draft, recipient, Err.NUMBER_LIMIT)
            self._of_number[key] += int(recipient.status == _WAITING)

    async def _limit_text(self, draft: Judged, most: int) -> None:
        for recipient in draft.recipients:
            key = (draft.client.id, draft.day, recipient.phone, recipient.text)
            if key not in self._of_text:
                self._of_text[key] = await daily.with_text(self._tx, *key)
            if self._of_text[key] >= most:
                forbid(draft, recipient, Err.NUMBER_LIMIT)
            self._of_text[key] += int(recipient.status == _WAITING)


async def block(tx: Transaction, drafts: Sequence[Judged]) -> None:
    """Forbid recipients on black lists (phones.md, `add_black`)."""
    listed = [
        (draft, recipient, _asked(draft, recipient))
        for draft in drafts
        if draft.blocks
        for recipient in draft.recipients
        if recipient.status == _WAITING
    ]
    if not listed:
        return
    found = await blacklist.blocked(tx, [asked for _, _, asked in listed])
    for draft, recipient, asked in listed:
        if asked in found:
            forbid(draft, recipient, Err.NUMBER_BARRED)


def _asked(draft: Judged, recipient: Recipient) -> blacklist.Asked:
    book = Book.MAILS if recipient.kind is _MAIL else Book.PHONES
    return blacklist.Asked(draft.client.id, recipient.phone, bool(draft.flags & _MASS), book)


def forbid(draft: Judged, recipient: Recipient, err: int) -> None:
    """Refuse a recipient that nothing else was wrong with."""
    if recipient.status != _WAITING:
        return
    recipient.status, recipient.err = Status.FORBIDDEN, err
    for account, lost in zip(draft.accounts, (recipient.price, *recipient.shares), strict=False):
        if lost > 0:
            draft.holds[account] -= lost
    recipient.price, recipient.shares = 0, ()
