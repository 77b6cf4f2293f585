"""What became of messages that were handed to a carrier.

Outcomes are values; `record` turns a batch of them into stages, statuses, money and parts, in one
commit.  Only rows that still answer to this run's owner and fence are changed.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec

from vestnik.domain import schedule
from vestnik.domain.message import Err, Flag, Kind, Outgoing, Refs, Status
from vestnik.services.messages import chains, reports
from vestnik.services.messages.draft import Draft, Recipient
from vestnik.services.messages.purses import FLAGS
from vestnik.services.messages.settlement import Money, Setting, Settlement, Standing
from vestnik.store import messages, overdue, queue
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.queue import Stage

DAY_MS = 86_400_000
ATTEMPTS_MAX = 10
# To look up a member of an enumeration takes a quarter of a microsecond; these are met at each
# message.
_SENDING, _SENT = int(Stage.SENDING), int(Stage.SENT)
_STATUS_WAITING, _STATUS_SENT, _BINARY = int(Status.WAITING), int(Status.SENT), Kind.BINARY
BACKOFF_S = (5, 15, 60, 300, 900)


class Taken(msgspec.Struct, frozen=True):
    """The carrier has every part; `final` where nothing more will be reported."""

    refs: Refs
    final: Status | None = None


class Postponed(msgspec.Struct, frozen=True):
    """Surely not taken, and worth another try: when, at which carrier, how far along its routes."""

    next_at: int
    carrier_id: int
    route_step: int
    refs: Refs = ()


class Lost(msgspec.Struct, frozen=True):
    """It will not be sent any more."""

    status: Status
    err: int
    refs: Refs = ()


class Unknown(msgspec.Struct, frozen=True):
    """Octets may have left and nobody answered."""

    refs: Refs = ()


Outcome = Taken | Postponed | Lost | Unknown


class Flight(msgspec.Struct):
    """A message that is being sent."""

    message: Outgoing
    standing: Standing
    carrier_id: int
    fence: int
    attempt: int
    route_step: int
    expires_at: int
    window: tuple[int, int] | None = None
    zone: str = ""


def flight_of_row(row: Row, carrier_id: int, taken: frozenset[int]) -> Flight:
    """From a row of `queue.claim`."""
    (client_id, id_, wire_id, phone, day, flags, sender, text, options, parts, mccmnc) = row[:11]
    (status, sent_at, had_carrier, uncertain, account, purse, price, held, cost, money) = row[11:21]
    (priority, expires_at, window_from, window_to, zone, fence, attempt, route_step) = row[21:29]
    return Flight(
        Outgoing(
            client_id,
            id_,
            Kind(flags & Flag.TYPE),
            phone,
            sender,
            text,
            parts,
            _options(
                Kind(flags & Flag.TYPE), text, msgspec.json.decode(options) if options else {}
            ),
            expires_at,
            priority == 0,
            attempt,
            taken,
        ),
        Standing(
            client_id,
            id_,
            wire_id,
            phone,
            day,
            flags,
            sender,
            parts,
            mccmnc,
            status,
            0,
            sent_at,
            sent_at,
            had_carrier,
            uncertain,
            account,
            purse,
            price,
            held,
            cost,
            money,
            row[29],
            _SENDING,
        ),
        carrier_id,
        fence,
        attempt,
        route_step,
        expires_at,
        None if window_from is None else (window_from, window_to),
        zone,
    )


def flight_of_draft(draft: Draft, recipient: Recipient, options: dict[str, object]) -> Flight:
    """From a recipient that was handed over at accept."""
    sent_at = max(recipient.due, draft.now)
    purse = draft.purse if recipient.price else 0
    return Flight(
        Outgoing(
            draft.client.id,
            recipient.id,
            recipient.kind,
            recipient.phone,
            recipient.sender,
            recipient.text,
            recipient.parts,
            _options(recipient.kind, recipient.text, options),
            recipient.expires,
            draft.urgent,
            0,
        ),
        Standing(
            draft.client.id,
            recipient.id,
            draft.wire_id,
            recipient.phone,
            draft.day,
            draft.flags | recipient.kind | FLAGS[purse],
            recipient.sender,
            recipient.parts,
            recipient.mccmnc,
            _STATUS_WAITING,
            0,
            draft.now,
            sent_at,
            0,
            0,
            draft.accounts[0],
            purse,
            recipient.price,
            recipient.price,
            0,
            Money.HELD if recipient.charged else Money.NONE,
            None,
            _SENDING,
        ),
        recipient.carrier_id,
        1,
        0,
        0,
        recipient.expires,
    )


def _options(kind: Kind, text: str, options: dict[str, object]) -> dict[str, object]:
    """The text of a binary message is its octets in hex; channels find them among the options."""
    return options | {"data": text} if kind is _BINARY else options


def opening(flight: Flight, now: int) -> int:
    """When the hours in which its client wants it sent begin: now, if they have."""
    if flight.window is None:
        return now
    opens, closes = (minutes // 60 for minutes in flight.window)
    return schedule.due(f"{opens}-{closes}", now, ZoneInfo(flight.zone))


def backoff_ms(attempt: int) -> int:
    """How long to wait before the next round of tries."""
    return BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)] * 1000


@dataclass(slots=True)
class _Plan:
    """The rows of one batch of outcomes."""

    moves: list[Values] = field(default_factory=list)
    ends: list[Values] = field(default_factory=list)
    parts: list[Values] = field(default_factory=list)


async def record(tx: Transaction, batch: Sequence[tuple[Flight, Outcome]], setting: Setting) -> int:
    """Write what became of flights; returns how many answered to the guard.

    Reports that came before their part's id was known are applied in the same commit.
    """
    plan = _Plan()
    settlement = setting.settlement()
    standings = {f.standing.key: copy(f.standing) for f, _ in batch}  # it may run again
    await chains.load(tx, standings.values())
    for flight, outcome in batch:
        goes_on = isinstance(outcome, Lost) and chains.following(
            standings[flight.standing.key], setting.directory
        )
        _plan_queue(plan, flight, outcome, setting.now if goes_on else None)
    answered = await queue.record(tx, setting.owner, plan.moves)
    answered |= await queue.finish(tx, setting.owner, plan.ends)
    kept = [(f, o) for f, o in batch if f.standing.key in answered]
    for flight, outcome in kept:
        _settle(settlement, standings[flight.standing.key], flight, outcome, setting)
        plan.parts += _part_rows(flight, outcome, setting.now)
    await messages.put_parts(tx, plan.parts)
    await settlement.write(tx, setting.node, setting.new_id)
    unknown = [f for f, o in kept if isinstance(o, Unknown)]
    again = [f.standing.key for f in unknown if setting.resends(f.carrier_id)]
    await overdue.resend(tx, again, setting.now + backoff_ms(0))
    await reports.apply_early(tx, [(p[3], p[4]) for p in plan.parts], setting)
    joined = [f for f, o in kept if isinstance(o, Taken) and f.message.taken]
    await reports.review(tx, [(f.standing.key, f.carrier_id) for f in joined], setting)
    return len(answered)


def _plan_queue(plan: _Plan, flight: Flight, outcome: Outcome, again: int | None) -> None:
    """What becomes of a queue row; `again` is when a message that is lost tries its next step."""
    key = (flight.standing.client_id, flight.standing.id, flight.fence)
    give_up = flight.expires_at + DAY_MS
    match outcome:
        case Taken(final=None):
            move = (_SENT, give_up, flight.attempt, flight.route_step, flight.carrier_id)
        case Unknown():
            move = (Stage.UNKNOWN, give_up, flight.attempt, flight.route_step, flight.carrier_id)
        case Postponed():
            move = (
                Stage.WAITING,
                outcome.next_at,
                flight.attempt + 1,
                outcome.route_step,
                outcome.carrier_id,
            )
        case _ if again is not None:
            move = (Stage.WAITING, again, 0, 0, flight.carrier_id)
        case _:
            plan.ends.append(key)
            return
    plan.moves.append((*key, int(move[0]), *move[1:]))


def _settle(
    settlement: Settlement, message: Standing, flight: Flight, outcome: Outcome, setting: Setting
) -> None:
    on_sent = setting.taken_on_sent(message)
    match outcome:
        case Taken(final=None):
            _left(settlement, message, flight.carrier_id, setting.now)
            settlement.stand(message, _STATUS_SENT)
            if on_sent:
                settlement.capture(message)
        case Taken(final=final):
            _left(settlement, message, flight.carrier_id, setting.now)
            settlement.stand(message, final if final is not None else Status.DELIVERED)
            settlement.capture(message)
        case Unknown():
            _left(settlement, message, flight.carrier_id, setting.now)
            message.uncertain = 1
            settlement.stand(message, Status.SENT)
        case Lost(status=status, err=err, refs=refs):
            taken = len(refs) + len(flight.message.taken)
            if taken:
                _left(settlement, message, flight.carrier_id, setting.now)
                status, err = Status.UNDELIVERABLE, Err.INCOMPLETE
            if settlement.fall_back(message):
                return
            settlement.stand(message, status, err)
            if taken and on_sent:
                settlement.capture(message, parts=taken)
            else:
                settlement.release(message)
        case Postponed():
            pass  # the client sees no change


def _left(settlement: Settlement, message: Standing, carrier_id: int, now: int) -> None:
    """Some of it, at least, has gone to the carrier."""
    settlement.touch(message)
    message.carrier_id = carrier_id
    message.sent_at = now


def _part_rows(flight: Flight, outcome: Outcome, now: int) -> Iterator[Values]:
    message = flight.standing
    for part, ref in outcome.refs:
        yield (message.client_id, message.id, part, flight.carrier_id, ref, 0, 0, now)


def after_failure(
    flight: Flight,
    *,
    retry: bool,
    pause_s: float,
    status: Status,
    err: int,
    refs: Refs,
    plan: tuple[int, ...],
    away: AbstractSet[int],
    now: int,
) -> Outcome:
    """What to do with a message that surely did not leave whole.

    Throttled: the same carrier, after its pause, as long as the message is valid.  Otherwise the
    next route; past the last one a new round after a back-off, until ATTEMPTS_MAX tries are spent.
    Carriers that are `away` are passed over: a message sent there would come back at once, without
    a back-off, and spend its tries on the others.
    """
    if not retry or (not pause_s and flight.attempt + 1 >= ATTEMPTS_MAX):
        return Lost(status, err, refs)
    begun = bool(refs or flight.message.taken)  # its other parts must follow the same way
    if pause_s or begun:
        wait = int(pause_s * 1000) or backoff_ms(flight.attempt)
        return Postponed(now + wait, flight.carrier_id, flight.route_step, refs)
    ways = [step for step, carrier in enumerate(plan) if carrier not in away]
    for step in ways:
        if step > flight.route_step:
            return Postponed(now, plan[step], step)
    first = ways[0] if ways else 0
    carrier_id = plan[first] if plan else flight.carrier_id
    rounds = flight.attempt // max(1, len(ways))
    return Postponed(now + backoff_ms(rounds), carrier_id, first)
