"""A request becomes a draft: texts read, numbers checked, routes and prices found.

No database: everything is validated against the directory in memory.  A long list is worked
through in slices with a turn of the loop between, so a single send never waits for it.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from hashlib import blake2b
from itertools import islice
from typing import Protocol

from vestnik.domain import schedule
from vestnik.domain.client import Client
from vestnik.domain.contact import Book
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag, Kind, Status
from vestnik.domain.refusals import (
    BadNumber,
    BadParameters,
    MessageForbidden,
    Refusal,
    Undeliverable,
)
from vestnik.services.centre.directory import Directory
from vestnik.services.messages import bulk
from vestnik.services.messages.draft import Accepted, Draft, Fate, Order, Recipient
from vestnik.services.sending.composing import SLICE, Composer
from vestnik.services.sending.flood import Floods
from vestnik.services.sending.intake import Intake
from vestnik.store import dedup

WHOLE_MAX = 10_000  # recipients that go into one commit; it holds the writer for about 0.1 s
DAY_S = 86_400

_WAITING, _MASS = int(Status.WAITING), int(Flag.MASS)

REFUSALS: dict[int, type[Refusal]] = {
    Status.BAD_NUMBER: BadNumber,
    Status.FORBIDDEN: MessageForbidden,
    Status.UNREACHABLE: Undeliverable,
    Status.UNDELIVERABLE: Undeliverable,
}


_group = re.compile(r"(?<![^,;\s])[Gg]\d+(?![^,;\s])", re.ASCII)  # one among phones (text.md)


class Groups(Protocol):
    """The groups of contacts: see services/contacts/books.py."""

    async def expanded(
        self, client: Client, lines: Iterable[ListLine], most: int, book: int = ...
    ) -> list[ListLine]:
        """Lines with numbers where groups stood; one that does not exist stays as written."""


class Sending:
    """Prices and sends; one object serves every door of the process."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        intake: Intake,
        zone: tzinfo,
        groups: Groups | None = None,
    ) -> None:
        self._directory = directory
        self._intake = intake
        self._groups = groups
        self._floods = Floods()
        self._zone = zone  # of the centre: its days are those of sums and daily limits

    async def send(self, order: Order) -> Accepted:
        """Accept an order; returns once it is durable.

        Raises the refusals of send.md: those about one lonely recipient, and InsufficientFunds,
        carry the id under which the refused message is on record.
        """
        draft = await self._draft(order, flood=True)
        accepted = await self._intake.submit(draft)
        # What was answered counts, not the draft: a repeated key has its first answer.
        lonely = accepted.recipients[0] if len(accepted.recipients) == 1 else None
        if lonely is not None and lonely.status is not None:
            raise REFUSALS[lonely.status](message_id=accepted.wire_id)
        return accepted

    async def price(self, order: Order) -> Accepted:
        """What the order would cost; writes nothing."""
        draft = await self._draft(order, flood=False)
        return Accepted(
            wire_id="",
            count=draft.count,
            cost=draft.cost,
            balance=None,
            recipients=fates(draft),
        )

    async def _draft(self, order: Order, *, flood: bool) -> Draft:
        if self._groups is not None and isinstance(order.lines, (list, tuple)):
            await self._expand(order, self._groups)
        maker = Composer(order, self._directory(), self._floods if flood else None)
        own_id = order.wire_id if order.client.limits.unique_ids else ""
        list_ = _List([p.account_id for p in maker.chain], own_id)
        recipients = maker.recipients()
        while True:
            if not list_.take(recipients, SLICE):
                break
            await asyncio.sleep(0)  # others' turn
        if not list_.total:
            raise BadParameters("phones: no recipient is given")
        if not list_.chunks:
            maker.spread(list_.recipients)
        elif order.period:
            raise BadParameters(f"period: a list of more than {WHOLE_MAX} is not sent in portions")
        elif maker.limits.daily or self._blocks(order):
            raise BadParameters(
                f"an account with a daily limit or a black list sends at most {WHOLE_MAX} in one"
                " request"
            )
        return self._assembled(order, maker, list_)

    async def _expand(self, order: Order, groups: Groups) -> None:
        """Put the members of groups in their place; BadParameters for one that there is not."""
        if not any(_group.search(line.phones) for line in order.lines):
            return
        book = Book.MAILS if order.kind is Kind.MAIL else Book.PHONES
        most = order.client.limits.rows_per_request
        order.lines = await groups.expanded(order.client, order.lines, most, book)
        for line in order.lines:
            if left := _group.search(line.phones):
                raise BadParameters(f"phones: there is no group {left[0]}")

    def _assembled(self, order: Order, maker: "Composer", list_: "_List") -> Draft:
        digest, kind, remembered_s = _dedup_key(order, list_.own)
        list_.close()
        total = list_.total
        mass = total > SLICE or bool(order.flags & _MASS)
        if mass and maker.limits.no_mass:
            raise MessageForbidden("this account may not send mass or advertising messages")
        return Draft(
            client=order.client,
            recipients=list_.recipients,
            accounts=tuple(p.account_id for p in maker.chain),
            holds=list_.holds,
            wire_id=order.wire_id,
            urgent=total == 1 and not mass,
            priority=0 if total == 1 and not mass else 1 if total <= SLICE else 2,
            options=maker.options,
            zone=maker.zone_name,
            window=maker.window,
            day=schedule.day_number(order.now_ms, self._zone),
            now=order.now_ms,
            origin=order.origin,
            test=maker.test,
            digest=digest,
            digest_kind=kind,
            digest_s=remembered_s,
            params_digest=order.params_digest,
            answered=asyncio.get_running_loop().create_future(),
            chunks=list_.chunks,
            packed=list_.packed,
            packed_parts=list_.packed_parts,
            packed_cost=list_.packed_cost,
            flags=order.flags | (_MASS if mass else 0),
            address=order.address,
            code=order.code,
            blocks=self._blocks(order),
        )

    def _blocks(self, order: Order) -> bool:
        """The client has a black list."""
        return order.client.id in self._directory().blacklisted


class _List:
    """The recipients of an order.  Up to WHOLE_MAX they stay as they are and go into one commit;
    a longer list is packed into chunks as it is read, so that memory stays flat."""

    def __init__(self, accounts: list[int], own_id: str) -> None:
        self.recipients: list[Recipient] = []
        # The client's own id and every number, where an id may be used but once.
        self.own = blake2b(own_id.encode(), digest_size=16, person=b"own id") if own_id else None
        self.chunks: list[bytes] = []
        self.holds = {accounts[0]: 0}
        self.packed = self.packed_parts = self.packed_cost = 0
        self._accounts = accounts

    @property
    def total(self) -> int:
        return self.packed + len(self.recipients)

    def take(self, recipients: Iterator[Recipient], most: int) -> bool:
        """Add up to so many; False when there are no more."""
        slice_ = list(islice(recipients, most))
        for recipient in slice_:
            if self.own is not None:
                self.own.update(b"\n" + recipient.phone.encode())
            if recipient.status == _WAITING:
                self._hold(recipient)
        self.recipients += slice_
        room = bulk.CHUNK_ROWS if self.chunks else WHOLE_MAX
        if len(self.recipients) > room:
            whole = len(self.recipients) // room * room
            self._pack(self.recipients[:whole])
            del self.recipients[:whole]
        return len(slice_) == most

    def close(self) -> None:
        """Nobody follows."""
        if self.chunks and self.recipients:
            self._pack(self.recipients)
            self.recipients = []

    def _hold(self, recipient: Recipient) -> None:
        """What accept takes: from the payer its price, from an ancestor only its loss."""
        accounts, holds = self._accounts, self.holds
        holds[accounts[0]] += recipient.price
        if not recipient.shares:
            return
        for account, share in zip(accounts[1:], recipient.shares, strict=False):
            if share > 0:
                holds[account] = holds.get(account, 0) + share

    def _pack(self, recipients: list[Recipient]) -> None:
        for at in range(0, len(recipients), bulk.CHUNK_ROWS):
            self.chunks.append(bulk.pack(recipients[at : at + bulk.CHUNK_ROWS]))
        self.packed += len(recipients)
        fine = [r for r in recipients if r.status <= Status.DELIVERED]
        self.packed_parts += sum(r.parts for r in fine)
        self.packed_cost += sum(r.price for r in fine)


def fates(draft: Draft) -> list[Fate]:
    """What each recipient of a draft is told."""
    return [
        Fate(r.phone, r.mccmnc, 0, r.status, r.err)
        if r.status >= Status.UNDELIVERABLE
        else Fate(r.phone, r.mccmnc, r.price, None, 0)
        for r in draft.recipients
    ]


def _dedup_key(order: Order, own: blake2b | None) -> tuple[bytes | None, dedup.Kind, int]:
    """What makes this request the same as another, and for how many seconds."""
    limits = order.client.limits
    if order.idempotency_key:
        digest = blake2b(order.idempotency_key.encode(), digest_size=16, person=b"idempotency")
        return digest.digest(), dedup.Kind.KEY, DAY_S
    if own is not None:
        return own.digest(), dedup.Kind.UNIQUE_ID, DAY_S
    if limits.identical_s:
        return order.params_digest, dedup.Kind.IDENTICAL, limits.identical_s
    return None, dedup.Kind.IDENTICAL, 0
