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

from vestnik.domain.client import Client
from vestnik.domain.contact import Book
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag, Kind, Status
from vestnik.domain.refusals import BadParameters
from vestnik.services.centre.directory import Directory
from vestnik.services.messages import bulk
from vestnik.services.messages.draft import Accepted, Draft, Fate, Order, Recipient
from vestnik.services.sending.composing import SLICE, Composer
from vestnik.services.sending.drafting import drafted, hold
from vestnik.services.sending.flood import Floods
from vestnik.services.sending.intake import Intake
from vestnik.services.sending.singles import Singles, is_single

WHOLE_MAX = 10_000  # recipients that go into one commit; it holds the writer for about 0.1 s

_WAITING, _MASS = int(Status.WAITING), int(Flag.MASS)

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
        self._singles = Singles(directory, self._floods, zone, intake)

    async def send(self, order: Order) -> Accepted:
        """Accept an order; returns once it is durable.

        Raises the refusals of send.md: those about one lonely recipient, and InsufficientFunds,
        carry the id under which the refused message is on record.
        """
        if is_single(order):
            return await self._singles.add(order)
        draft = await self._draft(order, flood=True)
        return await self._intake.submit(draft)

    def begin(self, order: Order) -> "asyncio.Future[Accepted]":
        """`send` for those who do not wait: the future is done once the order is durable."""
        if is_single(order):
            return self._singles.add(order)
        return asyncio.ensure_future(self.send(order))

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
        terms = maker.terms
        list_ = _List(terms.accounts, order.wire_id if terms.limits.unique_ids else "")
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
        list_.close()
        draft = drafted(
            maker,
            list_.recipients,
            list_.holds,
            asyncio.get_running_loop().create_future(),
            self._zone,
            total=list_.total,
            own=list_.own,
        )
        draft.chunks, draft.packed = list_.chunks, list_.packed
        draft.packed_parts, draft.packed_cost = list_.packed_parts, list_.packed_cost
        return draft

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


class _List:
    """The recipients of an order.  Up to WHOLE_MAX they stay as they are and go into one commit;
    a longer list is packed into chunks as it is read, so that memory stays flat."""

    def __init__(self, accounts: tuple[int, ...], own_id: str) -> None:
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
                hold(self.holds, self._accounts, recipient)
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
