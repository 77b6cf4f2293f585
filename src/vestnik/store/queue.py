"""What is not finished: one narrow row for each message until its end.

Every statement that moves a row is guarded by the stage it expects and, for workers, by owner and
fence: a row that does not answer to the guard is left alone.
"""

from collections.abc import Sequence
from enum import IntEnum

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

queue, messages, texts = schema.queue, schema.messages, schema.texts


class Stage(IntEnum):
    """Where a message stands in our queue."""

    WAITING = 0
    SENDING = 1
    SENT = 2
    UNKNOWN = 3
    PAUSED = 4


def stands(stage: Stage) -> sa.ColumnElement[bool]:
    """As a literal, or PostgreSQL cannot use the partial index."""
    return queue.c.stage == sa.literal_column(str(int(stage)))


PUT = insert_into(
    queue,
    "client_id",
    "message_id",
    "carrier_id",
    "priority",
    "stage",
    "next_at",
    "expires_at",
    "window_from",
    "window_to",
    "zone",
    "owner",
    "fence",
)

# The first lane past a client: its own due rows come first in the index.
LANE = Statement(
    sa.select(queue.c.client_id, queue.c.next_at)
    .where(
        queue.c.carrier_id == sa.bindparam("carrier"),
        queue.c.priority == sa.bindparam("urgency"),
        queue.c.client_id > sa.bindparam("after"),
        stands(Stage.WAITING),
    )
    .order_by(queue.c.client_id, queue.c.next_at)
    .limit(sa.literal_column("1"))
)
_due = (
    sa.select(queue.c.client_id, queue.c.message_id)
    .where(
        queue.c.carrier_id == sa.bindparam("carrier"),
        queue.c.priority == sa.bindparam("urgency"),
        queue.c.client_id == sa.bindparam("client"),
        queue.c.next_at <= sa.bindparam("now"),
        stands(Stage.WAITING),
    )
    .order_by(queue.c.next_at, queue.c.message_id)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")  # run once: PostgreSQL may run a subquery again, past its limit
)
CLAIM = Statement(
    sa.update(queue)
    .values(
        stage=sa.literal_column(str(int(Stage.SENDING))),
        owner=sa.bindparam("claimer"),
        fence=queue.c.fence + 1,
        next_at=sa.bindparam("lease"),
    )
    .where(sa.tuple_(queue.c.client_id, queue.c.message_id).in_(sa.select(_due)))
    .returning(queue.c.client_id, queue.c.message_id)
)

_claimed = rows("claimed", client_id=BigInteger, id=BigInteger)
FLIGHTS = Statement(
    sa.select(
        messages.c.client_id,
        messages.c.id,
        messages.c.wire_id,
        messages.c.phone,
        messages.c.day,
        messages.c.flags,
        messages.c.sender,
        sa.func.coalesce(messages.c.text, texts.c.text, "").label("text"),
        messages.c.options,
        messages.c.parts,
        messages.c.mccmnc,
        messages.c.status,
        messages.c.sent_at,
        messages.c.carrier_id,
        messages.c.uncertain,
        messages.c.account_id,
        messages.c.purse,
        messages.c.price,
        messages.c.held,
        messages.c.cost,
        messages.c.money,
        queue.c.priority,
        queue.c.expires_at,
        queue.c.window_from,
        queue.c.window_to,
        queue.c.zone,
        queue.c.fence,
        queue.c.attempt,
        queue.c.route_step,
        messages.c.mailing_id,
    ).select_from(
        _claimed.join(
            messages,
            (messages.c.client_id == _claimed.c.client_id) & (messages.c.id == _claimed.c.id),
        )
        .join(
            queue,
            (queue.c.client_id == messages.c.client_id) & (queue.c.message_id == messages.c.id),
        )
        .outerjoin(
            texts, (texts.c.client_id == messages.c.client_id) & (texts.c.id == messages.c.text_id)
        )
    ),
    many=True,
)

_move = rows(
    "move",
    client_id=BigInteger,
    message_id=BigInteger,
    fence=BigInteger,
    stage=SmallInteger,
    next_at=BigInteger,
    attempt=Integer,
    route_step=Integer,
    carrier_id=BigInteger,
)
RECORD = Statement(
    sa.update(queue)
    .values(
        stage=_move.c.stage,
        next_at=sa.case(  # what waits is due at the end of its validity, or nobody would see it
            (
                (_move.c.stage == sa.literal_column(str(int(Stage.WAITING))))
                & (_move.c.next_at > queue.c.expires_at),
                queue.c.expires_at,
            ),
            else_=_move.c.next_at,
        ),
        attempt=_move.c.attempt,
        route_step=_move.c.route_step,
        carrier_id=_move.c.carrier_id,
    )
    .where(
        queue.c.client_id == _move.c.client_id,
        queue.c.message_id == _move.c.message_id,
        queue.c.fence == _move.c.fence,
        queue.c.owner == sa.bindparam("claimer"),
        stands(Stage.SENDING),
    )
    .returning(queue.c.client_id, queue.c.message_id),
    many=True,
)
_end = rows("finish", client_id=BigInteger, message_id=BigInteger, fence=BigInteger)
FINISH = Statement(
    sa.delete(queue)
    .where(
        sa.tuple_(queue.c.client_id, queue.c.message_id, queue.c.fence).in_(
            sa.select(_end.c.client_id, _end.c.message_id, _end.c.fence)
        ),
        queue.c.owner == sa.bindparam("claimer"),
        stands(Stage.SENDING),
    )
    .returning(queue.c.client_id, queue.c.message_id),
    many=True,
)
_over = rows("over", client_id=BigInteger, message_id=BigInteger)
REMOVE = Statement(
    sa.delete(queue).where(
        sa.tuple_(queue.c.client_id, queue.c.message_id).in_(
            sa.select(_over.c.client_id, _over.c.message_id)
        )
    ),
    many=True,
)
SENT_AT_CARRIER = Statement(
    sa.select(queue.c.client_id, queue.c.message_id)
    .where(
        queue.c.carrier_id == sa.bindparam("carrier"),
        stands(Stage.SENT),
        sa.tuple_(queue.c.client_id, queue.c.message_id)
        > sa.tuple_(sa.bindparam("client"), sa.bindparam("after")),
    )
    .order_by(queue.c.client_id, queue.c.message_id)
    .limit(sa.bindparam("most"))
)
DEPTH = Statement(
    sa.select(queue.c.carrier_id, queue.c.stage, sa.func.count()).group_by(
        queue.c.carrier_id, queue.c.stage
    )
)

PRIORITIES = (0, 1, 2)  # urgent single messages, requests of a few, mailings


async def put(tx: Transaction, made: Sequence[Values]) -> None:
    """Write queue rows, as tuples of PUT's columns."""
    await tx.many(PUT, made)


async def lanes(tx: Transaction, carrier_id: int, priority: int, now: int) -> list[int]:
    """Clients with due rows at a carrier, found by stepping through the claim index."""
    found: list[int] = []
    after = -1
    while True:
        row = await tx.one(LANE, carrier=carrier_id, urgency=priority, after=after)
        if row is None:
            return found
        after = row[0]
        if row[1] <= now:
            found.append(after)


async def due(tx: Transaction, carrier_id: int, now: int) -> bool:
    """Something is due at a carrier."""
    for priority in PRIORITIES:
        if await lanes(tx, carrier_id, priority, now):
            return True
    return False


async def claim(
    tx: Transaction, carrier_id: int, owner: int, now: int, lease: int, most: int, turn: int
) -> Sequence[Row]:
    """Take due rows of a carrier, urgent first, then clients in turn from the one past `turn`.

    Returns what a flight needs of each, see FLIGHTS, in the order they are to leave.
    """
    taken: list[tuple[int, int]] = []
    for priority in PRIORITIES:
        clients = await lanes(tx, carrier_id, priority, now)
        clients = [c for c in clients if c > turn] + [c for c in clients if c <= turn]
        while clients and len(taken) < most:
            share = max(1, (most - len(taken)) // len(clients))
            still: list[int] = []
            for client in clients:
                room = min(share, most - len(taken))
                if not room:
                    break
                got = await tx.all(
                    CLAIM,
                    carrier=carrier_id,
                    urgency=priority,
                    client=client,
                    now=now,
                    most=room,
                    claimer=owner,
                    lease=lease,
                )
                taken += sorted((row[0], row[1]) for row in got)
                if len(got) == room:
                    still.append(client)
            clients = still
    found = {(row[0], row[1]): row for row in await tx.many(FLIGHTS, taken)}
    return [found[key] for key in taken]


async def record(tx: Transaction, owner: int, moves: Sequence[Values]) -> set[tuple[int, int]]:
    """Move rows that are being sent, as tuples of RECORD's columns; returns those that answered."""
    return {(r[0], r[1]) for r in await tx.many(RECORD, sorted(moves), claimer=owner)}


async def finish(tx: Transaction, owner: int, ends: Sequence[Values]) -> set[tuple[int, int]]:
    """End rows that are being sent: (client, message, fence); returns those that answered."""
    return {(r[0], r[1]) for r in await tx.many(FINISH, sorted(ends), claimer=owner)}


async def remove(tx: Transaction, named: Sequence[tuple[int, int]]) -> None:
    """End rows whose messages are locked already."""
    await tx.many(REMOVE, sorted(named))


async def sent_at(
    tx: Transaction, carrier_id: int, after: tuple[int, int], most: int
) -> Sequence[Row]:
    """Rows at a carrier that wait for their reports, by key: (client, message)."""
    return await tx.all(
        SENT_AT_CARRIER, carrier=carrier_id, client=after[0], after=after[1], most=most
    )


async def flights(tx: Transaction, named: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """What a flight needs of messages named by (client, id)."""
    return await tx.many(FLIGHTS, named)


async def depth(tx: Transaction) -> Sequence[Row]:
    """How many rows stand where: (carrier, stage, rows)."""
    return await tx.all(DEPTH)
