"""What clients are yet to be told, and the outboxes it waits in.

No row is leased: the unit is the outbox of a client and a transport, so a million waiting receipts
cost one insert and one delete each.
"""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, SmallInteger, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.domain.ids import NODES, PER_MS
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

news, outboxes = schema.news, schema.outboxes

PUT = insert_into(news)
WAITING = Statement(
    sa.select(
        news.c.client_id,
        news.c.rank,
        news.c.id,
        news.c.kind,
        news.c.message_id,
        news.c.payload,
        news.c.tries,
        news.c.at,
        news.c.next_at,
    )
    .where(
        news.c.client_id == sa.bindparam("client"),
        news.c.transport == sa.bindparam("way"),
        sa.tuple_(news.c.rank, news.c.id)
        > sa.tuple_(
            sa.bindparam("after_rank", type_=SmallInteger),
            sa.bindparam("after_id", type_=BigInteger),
        ),
    )
    .order_by(news.c.rank, news.c.id)
    .limit(sa.bindparam("most"))
)
_told = rows("told", client_id=BigInteger, transport=Text, rank=SmallInteger, id=BigInteger)
DROP = Statement(
    sa.delete(news).where(
        sa.tuple_(news.c.client_id, news.c.transport, news.c.rank, news.c.id).in_(
            sa.select(_told.c.client_id, _told.c.transport, _told.c.rank, _told.c.id)
        )
    ),
    many=True,
)
DELAY = Statement(
    sa.update(news)
    .values(next_at=sa.bindparam("until"), tries=news.c.tries + 1)
    .where(
        news.c.client_id == sa.bindparam("client"),
        news.c.transport == sa.bindparam("way"),
        news.c.rank == sa.bindparam("urgency"),
        news.c.id == sa.bindparam("which"),
    )
)
# The next client past one with news by a transport.
NEXT_CLIENT = Statement(
    sa.select(news.c.client_id)
    .where(news.c.transport == sa.bindparam("way"), news.c.client_id > sa.bindparam("after"))
    .order_by(news.c.client_id)
    .limit(sa.literal_column("1"))
)
_stale = (
    sa.select(news.c.client_id, news.c.transport, news.c.rank, news.c.id)
    .where(news.c.transport == sa.bindparam("way"), news.c.at < sa.bindparam("before"))
    .limit(sa.bindparam("most"))
)
_some = (
    sa.select(sa.literal_column("1"))
    .select_from(news)
    .where(
        news.c.client_id == sa.bindparam("client"),
        news.c.transport == sa.bindparam("way"),
    )
    .limit(sa.bindparam("most"))
    .subquery("some")
)
COUNT = Statement(sa.select(sa.func.count()).select_from(_some))
_least = (
    sa.select(news.c.client_id, news.c.transport, news.c.rank, news.c.id)
    .where(
        news.c.client_id == sa.bindparam("client"),
        news.c.transport == sa.bindparam("way"),
    )
    .order_by(news.c.rank.desc(), news.c.id)
    .limit(sa.bindparam("most"))
)
DROP_LEAST = Statement(
    sa.delete(news).where(
        sa.tuple_(news.c.client_id, news.c.transport, news.c.rank, news.c.id).in_(_least)
    )
)
DROP_OLD = Statement(
    sa.delete(news).where(
        sa.tuple_(news.c.client_id, news.c.transport, news.c.rank, news.c.id).in_(_stale)
    )
)

_box = insert(outboxes).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in outboxes.c}
)
LEASE = Statement(
    _box.on_conflict_do_update(
        index_elements=["client_id", "transport"],
        set_={"owner": _box.excluded.owner, "lease": _box.excluded.lease},
        where=(outboxes.c.owner == sa.bindparam("me", type_=BigInteger))
        | (outboxes.c.lease <= sa.bindparam("now", type_=BigInteger)),
    ).returning(outboxes.c.client_id, outboxes.c.paused_until, outboxes.c.failures),
    many=True,
)
PAUSE = Statement(
    sa.update(outboxes)
    .values(paused_until=sa.bindparam("until"), failures=sa.bindparam("so_many"))
    .where(
        outboxes.c.client_id == sa.bindparam("client"), outboxes.c.transport == sa.bindparam("way")
    )
)

# An owner is an id, so it tells its node.
FREE = Statement(
    sa.update(outboxes)
    .values(lease=sa.literal_column("0"))
    .where(
        outboxes.c.lease > sa.literal_column("0"),
        outboxes.c.owner % sa.bindparam("wheel") // sa.bindparam("step") == sa.bindparam("node"),
    )
)


async def put(tx: Transaction, made: Sequence[Values]) -> None:
    """Write news, as tuples of the table's columns."""
    await tx.many(PUT, made)


async def waiting(
    tx: Transaction, transport: str, client_id: int, after: tuple[int, int], most: int
) -> Sequence[Row]:
    """A client's news past a (rank, id), in order, those not due among them:
    (client, rank, id, kind, message, payload, tries, at, next at)."""
    return await tx.all(
        WAITING,
        client=client_id,
        way=transport,
        after_rank=after[0],
        after_id=after[1],
        most=most,
    )


async def drop(tx: Transaction, told: Sequence[Values]) -> None:
    """These were taken: (client, transport, rank, id)."""
    await tx.many(DROP, sorted(told))


async def delay(tx: Transaction, key: Values, until: int) -> None:
    """Not before then, and one try more."""
    client_id, transport, rank, news_id = key
    await tx.run(DELAY, client=client_id, way=transport, urgency=rank, which=news_id, until=until)


async def clients(tx: Transaction, transport: str) -> list[int]:
    """Who has news waiting, found by stepping through the index."""
    found: list[int] = []
    after = -1
    while row := await tx.one(NEXT_CLIENT, way=transport, after=after):
        after = int(row[0])
        found.append(after)
    return found


async def drop_old(tx: Transaction, transport: str, before: int, most: int) -> int:
    """Drop a slice of news nobody took in time; returns how many."""
    return await tx.run(DROP_OLD, way=transport, before=before, most=most)


async def count(tx: Transaction, transport: str, client_id: int, most: int) -> int:
    """How much news a client has, counted no further than `most`."""
    row = await tx.one(COUNT, way=transport, client=client_id, most=most)
    return int(row[0]) if row else 0


async def drop_least(tx: Transaction, transport: str, client_id: int, most: int) -> int:
    """Drop a client's least urgent and oldest news; returns how many."""
    return await tx.run(DROP_LEAST, way=transport, client=client_id, most=most)


async def lease(
    tx: Transaction, transport: str, client_ids: Collection[int], owner: int, now: int, until: int
) -> Sequence[Row]:
    """Take or keep outboxes; those that are ours now: (client, paused until, failures)."""
    boxes = [(client, transport, owner, until, 0, 0) for client in sorted(client_ids)]
    return await tx.many(LEASE, boxes, me=owner, now=now)


async def free(tx: Transaction, node: int) -> int:
    """End the leases of every run of a node; returns how many."""
    return await tx.run(FREE, wheel=NODES * PER_MS, step=PER_MS, node=node)


async def pause(tx: Transaction, transport: str, client_id: int, until: int, failures: int) -> None:
    """The client's address is dead for now: its outbox waits, its rows spend no tries."""
    await tx.run(PAUSE, way=transport, client=client_id, until=until, so_many=failures)
