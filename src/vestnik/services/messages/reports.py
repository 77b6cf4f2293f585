"""Reports of carriers → parts, messages, money.

A report that is not newer changes nothing: that is the guard against carriers that repeat.  What
matches no part yet is kept, and applied by the commit that learns the part's id.
"""

from collections.abc import Sequence

import msgspec

from vestnik.domain import look_up
from vestnik.domain.message import Err, Kind, Report, Status
from vestnik.services.messages import chains
from vestnik.services.messages.settlement import Setting, Settlement, Standing, standing_of
from vestnik.store import messages, queue
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.queue import Stage

BOUNCES = range(1, 5)  # why a letter comes back after it was taken (status.md)
BESIDE_MS, BESIDE_MAX = 60_000, 500  # no two commits run beside one another for longer
_LEFT, _WAITING = frozenset({int(Stage.SENT), int(Stage.UNKNOWN)}), int(Stage.WAITING)
PHONE_TAIL = 9  # carriers write the same number with and without its country code


class Heard(msgspec.Struct, frozen=True):
    """A report and the carrier it came from; `kept_id` when it has waited in the store."""

    carrier_id: int
    report: Report
    kept_id: int = 0


class _Part(msgspec.Struct):
    """A part that a report speaks of."""

    client_id: int
    message_id: int
    number: int


async def apply(tx: Transaction, heard: Sequence[Heard], setting: Setting) -> None:
    """Apply a batch of reports; those that match nothing yet are kept."""
    final = [h for h in heard if h.report.status.final]
    matched, unmatched = await _match(tx, final)
    await messages.keep_receipts(tx, [_kept_row(h, setting) for h in unmatched if not h.kept_id])
    if matched:
        await _apply_matched(tx, matched, setting)
    await messages.drop_receipts(tx, sorted({h.kept_id for h, _ in matched if h.kept_id}))


async def apply_early(tx: Transaction, refs: Sequence[tuple[int, str]], setting: Setting) -> None:
    """Apply kept reports of parts that have just become known."""
    await _apply_kept(tx, await messages.early(tx, refs), setting)


async def apply_late(tx: Transaction, setting: Setting) -> int:
    """Apply kept reports whose parts became known in a commit that ran beside theirs.

    Returns how many were looked at.
    """
    kept = await messages.early_since(tx, setting.now - BESIDE_MS, BESIDE_MAX)
    await _apply_kept(tx, kept, setting)
    return len(kept)


async def _apply_kept(tx: Transaction, kept: Sequence[Row], setting: Setting) -> None:
    heard = [  # in the order they came
        Heard(
            carrier,
            Report(ref, phone, Status(status), err, at, raw, look_up.read(raw) or None),
            kept_id,
        )
        for kept_id, carrier, ref, phone, status, err, raw, at in sorted(map(tuple, kept))
    ]
    if heard:
        await apply(tx, heard, setting)


async def _match(
    tx: Transaction, heard: Sequence[Heard]
) -> tuple[list[tuple[Heard, _Part]], list[Heard]]:
    """Find the part of each report: the newest with its id whose phone fits."""
    refs = sorted({(h.carrier_id, h.report.ref) for h in heard})
    known: dict[tuple[int, str], list[tuple[int, int, int, str]]] = {}
    for carrier, ref, client, message, part, phone in await messages.by_ref(tx, refs):
        known.setdefault((carrier, ref), []).append((message, client, part, phone))
    matched: list[tuple[Heard, _Part]] = []
    unmatched: list[Heard] = []
    for h in heard:
        fitting = [
            place
            for place in known.get((h.carrier_id, h.report.ref), [])
            if _same_phone(place[3], h.report.phone)
        ]
        if fitting:  # a carrier may give all parts of a message one id
            newest = max(fitting)[0]
            matched += [
                (h, _Part(client, message, part))
                for message, client, part, _ in fitting
                if message == newest
            ]
        else:
            unmatched.append(h)
    return matched, unmatched


def _same_phone(ours: str, theirs: str) -> bool:
    return not theirs or ours[-PHONE_TAIL:] == theirs[-PHONE_TAIL:]


def _kept_row(heard: Heard, setting: Setting) -> Values:
    report = heard.report
    return (
        setting.new_id(),
        heard.carrier_id,
        report.ref,
        report.phone,
        int(report.status),
        report.err,
        (look_up.written(report.hlr) if report.hlr else report.raw)[:1000],
        setting.now,
        report.at,
    )


async def _apply_matched(
    tx: Transaction, matched: list[tuple[Heard, _Part]], setting: Setting
) -> None:
    keys = sorted({(p.client_id, p.message_id) for _, p in matched})
    standings = {s.key: s for s in map(standing_of, await messages.standing(tx, keys))}
    await chains.load(tx, standings.values())
    states = await _part_states(tx, [k for k in keys if standings[k].parts > 1])
    settlement = setting.settlement()
    ended: list[tuple[int, int]] = []
    changed: list[Values] = []
    for heard, part in matched:
        message = standings[part.client_id, part.message_id]
        report = heard.report
        fate: tuple[Status, int] | None = (report.status, report.err)
        if message.parts > 1:
            of_message = states[message.key]
            if not _newer(of_message.get(part.number), report.status):
                continue
            of_message[part.number] = (report.status, report.err)
            fate = _whole_fate(message, of_message, heard.carrier_id, setting)
        if report.hlr and message.stage is not None:
            settlement.find(message, report.hlr)
        changed.append((*message.key, part.number, int(report.status), report.err, setting.now))
        if fate is not None and _end(settlement, message, *fate):
            ended.append(message.key)
    await messages.set_parts(tx, list({c[:3]: c for c in changed}.values()))
    await queue.remove(tx, ended)
    await settlement.write(tx, setting.node, setting.new_id)


async def review(
    tx: Transaction, joined: Sequence[tuple[tuple[int, int], int]], setting: Setting
) -> None:
    """Judge messages whose last parts have just been taken by the reports of their first ones.

    `joined` are messages by (client, id), each with its carrier.
    """
    carrier_of = dict(joined)
    states = await _part_states(tx, list(carrier_of))
    settlement = setting.settlement()
    ended: list[tuple[int, int]] = []
    standings = list(map(standing_of, await messages.standing(tx, list(carrier_of))))
    await chains.load(tx, standings)
    for message in standings:
        carrier = carrier_of[message.key]
        fate = _whole_fate(message, states[message.key], carrier, setting)
        if fate is not None and _end(settlement, message, *fate):
            ended.append(message.key)
    await queue.remove(tx, ended)
    await settlement.write(tx, setting.node, setting.new_id)


def _newer(known: tuple[Status, int] | None, status: Status) -> bool:
    """A part's report says something new: only "expired" may still become "delivered"."""
    if known is None or not known[0].final:
        return True
    return known[0] is Status.EXPIRED and status.reached


async def _part_states(
    tx: Transaction, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], dict[int, tuple[Status, int]]]:
    states: dict[tuple[int, int], dict[int, tuple[Status, int]]] = {k: {} for k in keys}
    for client, message, part, status, err, _ in await messages.parts_of(tx, keys):
        states[client, message][part] = (Status(status), err)
    return states


def _whole_fate(
    message: Standing, states: dict[int, tuple[Status, int]], carrier_id: int, setting: Setting
) -> tuple[Status, int] | None:
    """What the parts' reports make of a long message; None while it is open."""
    carrier = setting.directory.carriers.get(carrier_id)
    rule = carrier.receipt_parts if carrier else "all"
    if rule in ("first", "last"):
        waits = message.stage == Stage.WAITING and len(states) < message.parts
        state = states.get(1 if rule == "first" else message.parts)
        return state if state and state[0].final and not waits else None
    for status, err in states.values():
        if status.final and not status.reached:
            return status, err
    if len(states) == message.parts and all(status.reached for status, _ in states.values()):
        return Status.DELIVERED, 0
    return None


def _end(settlement: Settlement, message: Standing, status: Status, err: int) -> bool:
    """Give a message its end; returns whether its queue row goes.

    After its end it may still be delivered late, read, or returned, all without money.
    """
    if message.stage is None:
        if _may_follow(message, status, err):
            settlement.stand(message, status, err)
        return False
    if message.stage in _LEFT:
        if not status.reached and settlement.fall_back(message):
            return False
        _settle_end(settlement, message, status, err)
        return True
    if message.stage == _WAITING and status.reached:  # of an earlier copy
        _settle_end(settlement, message, status, err)
        return True
    return False


def _may_follow(message: Standing, status: Status, err: int) -> bool:
    """What can happen to a message after its end."""
    if message.status == Status.EXPIRED or message.err == Err.NO_STATUS:
        return status.reached
    if message.status != Status.DELIVERED:
        return False
    if message.type == Kind.MAIL and status is Status.UNDELIVERABLE:
        return err in BOUNCES
    return status in (Status.READ, Status.CLICKED)


def _settle_end(settlement: Settlement, message: Standing, status: Status, err: int) -> None:
    settlement.stand(message, status, err)
    if status.reached:
        settlement.capture(message)
    else:
        settlement.release(message)
    message.stage = None
