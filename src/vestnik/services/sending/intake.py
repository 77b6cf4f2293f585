"""Drafts → group commits: duplicates, holds, rows, hand-over.

While one commit runs, drafts gather; the next commit takes them together: one balance update for
each account, one many-row insert for each table, one fsync, and then everybody is answered.
Whoever comes urgent goes first, then clients in turn.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from vestnik.domain.ids import Ids
from vestnik.domain.message import Status
from vestnik.domain.refusals import (
    BadNumber,
    MessageForbidden,
    Refusal,
    StoreUnavailable,
    Undeliverable,
)
from vestnik.services.messages.draft import Accepted, Draft
from vestnik.services.sending.acceptance import Batch, Decision, Decisions, accept, landed
from vestnik.services.sending.wire_ids import WireIds
from vestnik.store.engine import CommitUnknown, DataRefused, Store

log = structlog.get_logger(__name__)

BATCH_ROWS = 2_000
_WAITING = int(Status.WAITING)
WAITING_ROWS_MAX = 50_000  # beyond this doors wait: memory is bounded
# What a request is told when its only recipient is refused.
_REFUSALS: dict[int, type[Refusal]] = {
    Status.BAD_NUMBER: BadNumber,
    Status.FORBIDDEN: MessageForbidden,
    Status.UNREACHABLE: Undeliverable,
    Status.UNDELIVERABLE: Undeliverable,
}


class Dispatchers(Protocol):
    """Who may be handed messages that are only now being committed."""

    def reserve(self, carrier_id: int) -> bool:
        """Take a place of the carrier's free window; False when there is none."""

    def give_back(self, carrier_id: int) -> None:
        """The place is not needed after all."""

    def lease_until(self) -> int:
        """When the lease of what is handed over now ends."""

    def fly(self, drafts: list[Draft], lease: int) -> None:
        """These are durable: send the recipients that were handed over, who are leased until then,
        and look for the others."""


@dataclass(slots=True)
class _Lanes:
    """Drafts that wait, a line for each client."""

    urgent: OrderedDict[int, deque[Draft]]
    others: OrderedDict[int, deque[Draft]]
    passed_over: bool = False  # the last batch had no room for the first of the others

    def put(self, draft: Draft) -> None:
        lanes = self.urgent if draft.urgent else self.others
        lane = lanes.get(draft.client.id)
        if lane is None:
            lane = lanes[draft.client.id] = deque()
        lane.append(draft)

    def take(self, rows_max: int) -> list[Draft]:
        """Whole drafts, clients in turn, up to so many rows; a bigger draft goes alone.

        Urgent ones go first, but not for ever: when a batch had no room for the others, the next
        begins with one of them.
        """
        taken: list[Draft] = []
        begins_with_other = self.passed_over and bool(self.others)
        if begins_with_other:
            taken.append(_next(self.others))
        rows = sum(len(draft.recipients) for draft in taken)
        self.passed_over = False
        for lanes in (self.urgent, self.others):
            while lanes:
                size = len(next(iter(lanes.values()))[0].recipients)
                if taken and rows + size > rows_max:
                    self.passed_over = bool(self.others) and not begins_with_other
                    return taken
                taken.append(_next(lanes))
                rows += size
        return taken

    def __bool__(self) -> bool:
        return bool(self.urgent or self.others)


def _next(lanes: OrderedDict[int, deque[Draft]]) -> Draft:
    """Take the first draft of the client whose turn it is."""
    client_id, lane = next(iter(lanes.items()))
    draft = lane.popleft()
    lanes.move_to_end(client_id)
    if not lane:
        del lanes[client_id]
    return draft


class Intake:
    """The one way into the store for messages."""

    def __init__(
        self,
        store: Store,
        ids: Ids,
        node: int,
        owner: int,
        dispatchers: Dispatchers,
        ring_mailings: Callable[[], None],
    ) -> None:
        self._store = store
        self._ids = ids
        self._node = node
        self._owner = owner
        self._dispatchers = dispatchers
        self._ring_mailings = ring_mailings
        self._wire_ids = WireIds()
        self._lanes = _Lanes(OrderedDict(), OrderedDict())
        self._rows_waiting = 0
        self._bell = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def submit(self, draft: Draft) -> Accepted:
        """Commit a draft; returns when it is durable, and waits for room before.

        Raises as the future of `put`.
        """
        while self._rows_waiting > WAITING_ROWS_MAX:
            await self._room.wait()
        return await self.put(draft)

    def put(self, draft: Draft) -> "asyncio.Future[Accepted]":
        """Commit a draft with the next batch; the future is done when it is durable.

        It fails with Duplicate, with InsufficientFunds or what is wrong with the only recipient,
        both with the id, with BadParameters (an Idempotency-Key used for something else), and with
        StoreUnavailable when nothing was promised, which is also raised once the centre closes.
        """
        if self._closed:
            raise StoreUnavailable("the centre is shutting down; try again in a moment")
        self._rows_waiting += len(draft.recipients)
        if self._rows_waiting > WAITING_ROWS_MAX:
            self._room.clear()
        self._lanes.put(draft)
        self._bell.set()
        return draft.answered

    async def run(self) -> None:
        """Commit what gathers, until `close`."""
        while not self._closed or self._lanes:
            if not self._lanes:
                self._bell.clear()
                await self._bell.wait()
                continue
            drafts = self._lanes.take(BATCH_ROWS)
            await self._commit(drafts)
            self._rows_waiting -= sum(len(d.recipients) for d in drafts)
            if self._rows_waiting <= WAITING_ROWS_MAX:
                self._room.set()

    def close(self) -> None:
        """Take no more drafts; `run` ends when those that wait are committed."""
        self._closed = True
        self._bell.set()

    async def _commit(self, drafts: list[Draft]) -> None:
        try:
            batch = self._batch(drafts)
        except StoreUnavailable as reason:
            self._undo(drafts, reason)
            return
        try:
            decisions = await self._store.write(accept, batch)
        except DataRefused as reason:
            await self._one_by_one(drafts, reason)
        except StoreUnavailable as reason:
            self._undo(drafts, reason)
        except CommitUnknown:
            await self._after_unknown(batch)
        except Exception as reason:
            log.exception("a batch of drafts could not be committed", drafts=len(drafts))
            await self._one_by_one(drafts, reason)
        else:
            self._answer(batch, decisions)

    def _batch(self, drafts: list[Draft]) -> Batch:
        now = max(draft.now for draft in drafts)
        ids = iter(self._ids.take(now, sum(len(draft.recipients) for draft in drafts)))
        for draft in drafts:
            for recipient, message_id in zip(draft.recipients, ids, strict=False):
                recipient.id = message_id
            if draft.chunks:
                draft.mailing_id = self._ids.take(draft.now)[0]
        self._hand_over(drafts)
        return Batch(
            drafts=drafts,
            now=self._store.now(),
            node=self._node,
            owner=self._owner,
            lease=self._dispatchers.lease_until(),
            entry_ids=self._ids.take(self._store.now(), sum(len(d.accounts) for d in drafts)),
            short=self._wire_ids.give(drafts),
        )

    def _hand_over(self, drafts: list[Draft]) -> None:
        """Let due recipients fly at once, as far as their carriers' windows have room."""
        now, reserve = self._store.now(), self._dispatchers.reserve
        for draft in drafts:
            for recipient in draft.recipients:
                recipient.handed = (
                    recipient.due <= now
                    and recipient.status == _WAITING
                    and draft.window is None
                    and not recipient.options
                    and reserve(recipient.carrier_id)
                )

    def _give_back(self, draft: Draft, *, refused_only: bool = False) -> None:
        for recipient in draft.recipients:
            if recipient.handed and not (refused_only and recipient.status == _WAITING):
                recipient.handed = False
                self._dispatchers.give_back(recipient.carrier_id)

    def _answer(self, batch: Batch, decisions: Decisions) -> None:
        self._wire_ids.keep(decisions.left)
        flying: list[Draft] = []
        for draft, decision in zip(batch.drafts, decisions.of, strict=True):
            draft.wire_id = decision.wire_id
            if decision.written and decision.refusal is None:
                self._give_back(draft, refused_only=True)
                flying.append(draft)
            else:
                self._give_back(draft)
            if draft.answered.done():  # its client has gone; the message stays
                continue
            _tell(draft.answered, decision)
        self._dispatchers.fly(flying, batch.lease)
        if any(draft.chunks for draft in flying):
            self._ring_mailings()

    async def _one_by_one(self, drafts: list[Draft], reason: Exception) -> None:
        """The batch failed for the data of one of them: each goes alone, the bad one fails."""
        for draft in drafts:
            self._give_back(draft)
        if len(drafts) == 1:
            _fail(drafts[0], reason)
            return
        for draft in drafts:
            await self._commit([draft])

    def _undo(self, drafts: list[Draft], reason: Exception) -> None:
        for draft in drafts:
            self._give_back(draft)
            _fail(draft, reason)

    async def _after_unknown(self, batch: Batch) -> None:
        """The answer of the commit was lost: look the ids up, never repeat blindly."""
        try:
            took_place = await self._store.write(landed, batch)
        except (StoreUnavailable, CommitUnknown) as reason:
            self._undo(batch.drafts, StoreUnavailable(str(reason)))
            return
        if took_place and batch.decisions is not None:
            self._answer(batch, batch.decisions)
        else:
            lost = StoreUnavailable("the store was lost while committing; nothing was accepted")
            self._undo(batch.drafts, lost)


def _tell(answered: "asyncio.Future[Accepted]", decision: Decision) -> None:
    if decision.refusal is not None:
        answered.set_exception(decision.refusal)
        return
    accepted = decision.accepted
    assert accepted is not None, decision
    # What was answered counts, not the draft: a repeated key has its first answer.
    lonely = accepted.recipients[0] if len(accepted.recipients) == 1 else None
    if lonely is None or lonely.status is None:
        answered.set_result(accepted)
    else:
        answered.set_exception(_REFUSALS[lonely.status](message_id=accepted.wire_id))


def _fail(draft: Draft, reason: Exception) -> None:
    if not draft.answered.done():
        draft.answered.set_exception(reason)
