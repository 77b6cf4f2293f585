"""Queue rows whose time is over, whose fate nobody knows, or whose carrier is away."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer

from vestnik.domain.ids import NODES, PER_MS
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.queue import Stage, stands
from vestnik.store.statement import Statement, rows

MAX, PRIORITY_MAX = (1 << 53) - 1, (1 << 15) - 1  # above all ids and moments, and all priorities
LANES_MAX = 200  # of one look


class Place(NamedTuple):
    """Where a waiting row stands in the order in which rows are claimed."""

    carrier_id: int
    priority: int
    client_id: int
    next_at: int
    message_id: int


class Stretch(NamedTuple):
    """The places behind `after`, up to `last` and with it."""

    after: Place
    last: Place


START, END = Place(0, 0, 0, 0, 0), Place(MAX, PRIORITY_MAX, MAX, MAX, MAX)
EVERYWHERE = Stretch(START, END)
_AFTER = tuple(f"after_{name}" for name in Place._fields)
_LAST = tuple(f"last_{name}" for name in Place._fields)

queue, messages = schema.queue, schema.messages
waiting, sending, unknown = stands(Stage.WAITING), stands(Stage.SENDING), stands(Stage.UNKNOWN)

_lost = rows("lost", client_id=BigInteger, message_id=BigInteger, next_at=BigInteger)
LOSE = Statement(
    sa.update(queue)
    .values(stage=sa.literal_column(str(int(Stage.UNKNOWN))), next_at=_lost.c.next_at)
    .where(
        queue.c.client_id == _lost.c.client_id,
        queue.c.message_id == _lost.c.message_id,
        sending,
    ),
    many=True,
)

_again = rows("again", client_id=BigInteger, message_id=BigInteger)
RESEND = Statement(
    sa.update(queue)
    .values(stage=sa.literal_column("0"), next_at=sa.bindparam("at"), attempt=queue.c.attempt + 1)
    .where(
        queue.c.client_id == _again.c.client_id,
        queue.c.message_id == _again.c.message_id,
        unknown,
    ),
    many=True,
)
_keys = (queue.c.client_id, queue.c.message_id, queue.c.expires_at, queue.c.carrier_id)
RUN_OUT = Statement(
    sa.select(*_keys)
    .where(queue.c.stage == sa.bindparam("where"), queue.c.next_at <= sa.bindparam("now"))
    .where(queue.c.stage != sa.literal_column("0"))
    .order_by(queue.c.next_at)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
LEFT_BEHIND = Statement(
    sa.select(*_keys)
    .where(sending, queue.c.owner.between(sa.bindparam("first"), sa.bindparam("last")))
    .where(queue.c.owner % sa.bindparam("wheel") // sa.bindparam("step") == sa.bindparam("node"))
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
# No index tells what expires first: each message would pay for it when it is accepted.  But nothing
# expires before it is due, and the index of what is to be claimed tells that: it is walked lane by
# lane, past all that is for a later time.
_place = sa.tuple_(
    queue.c.carrier_id, queue.c.priority, queue.c.client_id, queue.c.next_at, queue.c.message_id
)
_stretch = (
    waiting,
    _place > sa.tuple_(*map(sa.bindparam, _AFTER)),
    _place <= sa.tuple_(*map(sa.bindparam, _LAST)),
)
NEXT = Statement(
    sa.select(*_place.clauses)
    .where(*_stretch)
    .order_by(*_place.clauses)
    .limit(sa.literal_column("1"))
    .offset(sa.bindparam("others"))
)
FIRST_EXPIRY = Statement(
    sa.select(sa.func.count(), sa.func.min(queue.c.expires_at)).select_from(queue).where(*_stretch)
)
EXPIRED = Statement(
    sa.select(*_keys)
    .where(*_stretch, queue.c.expires_at <= sa.bindparam("now"))
    .order_by(*_place.clauses)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
WAITING_AT = Statement(
    sa.select(
        queue.c.client_id,
        queue.c.message_id,
        messages.c.type,
        messages.c.sender,
        messages.c.phone,
        messages.c.mccmnc,
    )
    .join(
        messages,
        (messages.c.client_id == queue.c.client_id) & (messages.c.id == queue.c.message_id),
    )
    .where(
        queue.c.carrier_id == sa.bindparam("carrier"),
        queue.c.priority == sa.bindparam("urgency"),
        queue.c.client_id == sa.bindparam("client"),
        queue.c.next_at <= sa.bindparam("until"),
        waiting,
    )
    .order_by(queue.c.next_at, queue.c.message_id)
    .limit(sa.bindparam("most"))
)
_reroute = rows(
    "reroute",
    client_id=BigInteger,
    message_id=BigInteger,
    old=BigInteger,
    carrier_id=BigInteger,
    route_step=Integer,
)
REROUTE = Statement(
    sa.update(queue)
    .values(carrier_id=_reroute.c.carrier_id, route_step=_reroute.c.route_step)
    .where(
        queue.c.client_id == _reroute.c.client_id,
        queue.c.message_id == _reroute.c.message_id,
        queue.c.carrier_id == _reroute.c.old,
        waiting,
    ),
    many=True,
)


async def lose(tx: Transaction, lost: Sequence[Values]) -> None:
    """Nobody knows what became of these: (client, message, give up at)."""
    await tx.many(LOSE, sorted(lost))


async def resend(tx: Transaction, named: Sequence[tuple[int, int]], at: int) -> None:
    """Put unknown rows back to wait."""
    await tx.many(RESEND, sorted(named), at=at)


async def run_out(tx: Transaction, stage: Stage, now: int, most: int) -> Sequence[Row]:
    """Rows of a stage whose time is over: (client, message, expires, carrier)."""
    return await tx.all(RUN_OUT, where=int(stage), now=now, most=most)


async def left_behind(tx: Transaction, node: int, owner: int, most: int) -> Sequence[Row]:
    """Rows that an earlier run of this node was sending: (client, message, expires, carrier).

    An owner is an id, so it tells its node and when its run began.
    """
    return await tx.all(
        LEFT_BEHIND,
        first=1,
        last=owner - 1,
        wheel=NODES * PER_MS,
        step=PER_MS,
        node=node,
        most=most,
    )


async def look(tx: Transaction, now: int, after: Place, most: int) -> tuple[list[Stretch], Place]:
    """Look through the next rows that are due, so many at most or those of LANES_MAX lanes.

    Returns the stretches in which some have expired, and how far it came: END, or a place to go
    on from.
    """
    found: list[Stretch] = []
    for _ in range(LANES_MAX):
        head = await tx.one(NEXT, **_bounds(Stretch(after, END)), others=0)
        if head is None:
            return found, END
        lane_end = Place(head[0], head[1], head[2], MAX, MAX)
        if head[3] <= now:
            due = Stretch(after, lane_end._replace(next_at=now))
            last = await tx.one(NEXT, **_bounds(due), others=most - 1)
            looked = due if last is None else Stretch(after, Place(*last))
            row = await tx.one(FIRST_EXPIRY, **_bounds(looked))
            rows_seen, first = row or (0, None)
            if first is not None and first <= now:
                found.append(looked)
            if last is not None:
                return found, looked.last
            most -= rows_seen
        after = lane_end
    return found, after


async def expired(tx: Transaction, now: int, within: Stretch, most: int) -> Sequence[Row]:
    """Waiting rows that are past their validity: (client, message, expires, carrier)."""
    return await tx.all(EXPIRED, **_bounds(within), now=now, most=most)


def _bounds(within: Stretch) -> dict[str, int]:
    return dict(zip((*_AFTER, *_LAST), (*within.after, *within.last), strict=True))


async def waiting_at(
    tx: Transaction, carrier_id: int, priority: int, client_id: int, until: int, most: int
) -> Sequence[Row]:
    """Rows of a lane that are due by then: (client, message, type, sender, phone, mccmnc)."""
    return await tx.all(
        WAITING_AT,
        carrier=carrier_id,
        urgency=priority,
        client=client_id,
        until=until,
        most=most,
    )


async def reroute(tx: Transaction, moves: Sequence[Values]) -> None:
    """Give waiting rows to another carrier: (client, message, old carrier, new, route step)."""
    await tx.many(REROUTE, sorted(moves))
