"""The transaction that accepts a batch of drafts.

Locks are taken in one order: duplicates, then accounts, then sums.  Drafts are decided in order of
arrival, in memory: one that does not fit its account is refused whole and the next may still fit.
"""

from dataclasses import dataclass

import msgspec

from vestnik.domain.message import Status
from vestnik.domain.refusals import BadParameters, Duplicate, InsufficientFunds, Refusal
from vestnik.services.messages import bulk, purses
from vestnik.services.messages.draft import Accepted, Draft, Fate, Recipient
from vestnik.services.messages.rows import MessageRows, sheet_of
from vestnik.services.sending import daily
from vestnik.services.sending.wire_ids import block_for
from vestnik.store import counters, dedup, ledger, mailings, messages
from vestnik.store.engine import Transaction, Values

_WAITING, _UNDELIVERABLE = int(Status.WAITING), int(Status.UNDELIVERABLE)
_IDENTICAL = dedup.Kind.IDENTICAL


@dataclass(slots=True)
class Batch:
    """Drafts that commit together.  `short` is how many wire ids each client lacks, `entry_ids`
    are ids for ledger entries.  `decisions` are those of the last run of the transaction."""

    drafts: list[Draft]
    now: int
    node: int
    owner: int
    lease: int
    entry_ids: list[int]
    short: dict[int, int]
    decisions: "Decisions | None" = None


@dataclass(slots=True)
class Decision:
    """What became of one draft; `first` is the decision of the same key earlier in the batch."""

    wire_id: str
    written: bool = False
    first: "Decision | None" = None
    accepted: Accepted | None = None
    refusal: Refusal | None = None


@dataclass(slots=True)
class Decisions:
    """What became of a batch, and the wire ids it took and did not use."""

    of: list[Decision]
    left: dict[int, range]


async def accept(tx: Transaction, batch: Batch) -> Decisions:
    """Decide and write a batch of drafts."""
    decisions = await _number(tx, batch)
    await _refuse_duplicates(tx, batch, decisions.of)
    accounts = await ledger.lock(tx, _payers(batch.drafts))
    rows = MessageRows()
    decided: list[tuple[Draft, Decision]] = []
    await daily.block(tx, batch.drafts)
    today = daily.Today(tx)
    for draft, decision in zip(batch.drafts, decisions.of, strict=True):
        if decision.first is not None:
            _repeat(decision)
        elif decision.refusal is None and decision.accepted is None:
            if draft.client.limits.daily:
                await today.limit(draft)
            _decide(draft, decision, accounts)
            decided.append((draft, decision))
    for draft, decision in decided:
        if draft.chunks and decision.refusal is None:
            await _store_list(tx, rows, draft, decision)
        rows.add(
            sheet_of(draft, decision.wire_id, batch.now, owner=batch.owner, lease=batch.lease),
            draft.recipients,
            fits=decision.refusal is None,
        )
    await today.keep(batch.now)
    await dedup.answer(tx, _answers(decided))
    await ledger.book(tx, purses.entries(rows.holds, batch.entry_ids, batch.now))
    await rows.write(tx, batch.node)
    batch.decisions = decisions
    return decisions


async def landed(tx: Transaction, batch: Batch) -> bool:
    """A commit whose answer was lost did take place: its messages are there."""
    named = [(d.client.id, r.id) for d in batch.drafts for r in d.recipients[:1]]
    stored = [d.mailing_id for d in batch.drafts if d.mailing_id]
    return bool(await messages.standing(tx, named)) or await mailings.any_of(tx, stored)


async def _number(tx: Transaction, batch: Batch) -> Decisions:
    """Give the drafts that lack one their wire id."""
    wanted = [(client, block_for(lacking)) for client, lacking in batch.short.items()]
    left = await counters.reserve(tx, counters.WIRE, wanted)
    of: list[Decision] = []
    for draft in batch.drafts:
        wire_id = draft.wire_id
        if not wire_id:
            numbers = left[draft.client.id]
            wire_id, left[draft.client.id] = str(numbers[0]), numbers[1:]
        of.append(Decision(wire_id))
    return Decisions(of, left)


async def _refuse_duplicates(tx: Transaction, batch: Batch, of: list[Decision]) -> None:
    """Find what was asked before, in the store and earlier in this batch."""
    asked: dict[tuple[int, bytes], tuple[Draft, Decision]] = {}
    for draft, decision in zip(batch.drafts, of, strict=True):
        if draft.digest is None:
            continue
        first = asked.setdefault((draft.client.id, draft.digest), (draft, decision))
        if first[1] is decision:
            continue
        if draft.digest_kind is _IDENTICAL:
            decision.refusal = Duplicate()
        elif _differs(draft, first[0].params_digest):
            decision.refusal = _other_parameters()
        else:
            decision.first = first[1]
    fresh = await dedup.claim(
        tx,
        [
            (*key, int(d.digest_kind), batch.now + d.digest_s * 1000, d.params_digest, "")
            for key, (d, _) in asked.items()
        ],
        batch.now,
    )
    repeats: list[tuple[Draft, Decision]] = []
    for key, (draft, decision) in asked.items():
        if key in fresh:
            continue
        if draft.digest_kind is _IDENTICAL:
            decision.refusal = Duplicate()
        else:
            repeats.append((draft, decision))
    await _give_first_answers(tx, repeats)


async def _give_first_answers(tx: Transaction, repeats: list[tuple[Draft, Decision]]) -> None:
    if not repeats:
        return
    keys = list({(d.client.id, d.digest or b"") for d, _ in repeats})
    known = {(r[0], bytes(r[1])): (r[2], r[3]) for r in await dedup.answers(tx, keys)}
    for draft, decision in repeats:
        params, answer = known[draft.client.id, draft.digest or b""]
        if _differs(draft, bytes(params or b"")):
            decision.refusal = _other_parameters()
        else:
            _read_answer(answer, decision)


def _differs(draft: Draft, first_params: bytes) -> bool:
    """An Idempotency-Key stands for one set of parameters, an own id for whatever it says."""
    return draft.digest_kind is dedup.Kind.KEY and draft.params_digest != first_params


def _other_parameters() -> BadParameters:
    return BadParameters("this Idempotency-Key was used for a request with other parameters")


def _repeat(decision: Decision) -> None:
    """The same key came twice in one batch: the later one gets the answer of the first."""
    assert decision.first is not None
    decision.wire_id = decision.first.wire_id
    decision.refusal, decision.accepted = decision.first.refusal, decision.first.accepted


def _payers(drafts: list[Draft]) -> list[purses.Key]:
    found: set[purses.Key] = set()
    for draft in drafts:
        losing = [account for account, amount in draft.holds.items() if amount]
        found |= purses.wanted(draft.accounts[0], losing)
    return list(found)


def _decide(draft: Draft, decision: Decision, accounts: dict[purses.Key, ledger.Account]) -> None:
    """A draft fits if every account it touches has enough for its hold, and only as a whole.

    Whichever purse pays, the client is told what its first one has, as balance.php tells it.
    """
    decision.written = True
    purse = purses.hold(draft.accounts[0], draft.holds.items(), accounts)
    if purse is None:
        decision.refusal = InsufficientFunds(message_id=decision.wire_id)
        return
    draft.purse = purse  # should the transaction run again, the last run is right
    payer = accounts[draft.accounts[0], purses.FIRST]
    decision.accepted = Accepted(
        decision.wire_id,
        draft.count,
        draft.cost,
        payer.posted - payer.held,
        [_fate(r) for r in draft.recipients],
        draft.test,
        draft.code,
    )


def _fate(recipient: Recipient) -> Fate:
    if recipient.status >= _UNDELIVERABLE:
        return Fate(recipient.phone, recipient.mccmnc, 0, recipient.status, recipient.err)
    return Fate(recipient.phone, recipient.mccmnc, recipient.price, None, 0)


async def _store_list(tx: Transaction, rows: MessageRows, draft: Draft, decision: Decision) -> None:
    """A request too big for one commit is stored to be expanded; its whole hold is taken now."""
    await bulk.store(tx, draft, decision.wire_id)
    for key, amount in purses.holds_of(draft):
        held = rows.holds.setdefault(key, [0, 0])
        held[0] += amount
        held[1] += draft.total


def _answers(decided: list[tuple[Draft, Decision]]) -> list[Values]:
    """What is answered again to those who repeat their key."""
    return [
        (draft.client.id, draft.digest, _write_answer(decision))
        for draft, decision in decided
        if draft.digest is not None and draft.digest_kind is not _IDENTICAL
    ]


def _write_answer(decision: Decision) -> str:
    kept = {"wire_id": decision.wire_id, "accepted": decision.accepted}
    return msgspec.json.encode(kept).decode()


class _Kept(msgspec.Struct):
    wire_id: str
    accepted: Accepted | None


def _read_answer(answer: str, decision: Decision) -> None:
    kept = msgspec.json.decode(answer, type=_Kept)
    decision.wire_id, decision.accepted = kept.wire_id, kept.accepted
    if kept.accepted is None:
        decision.refusal = InsufficientFunds(message_id=kept.wire_id)
