"""Short links and how often they are clicked."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

links, clicks = schema.links, schema.clicks

# `clicked` of a link.
NOT_CLICKED, CLICKED, TOLD = range(3)

PUT = insert_into(links, "code", "client_id", "id", "message_id", "digest", "link", "created_at")
_ONE = Statement(
    sa.select(links.c.client_id, links.c.id, links.c.message_id, links.c.link).where(
        links.c.code == sa.bindparam("which")
    )
)
_BY_ID = Statement(
    sa.select(links.c.id).where(
        links.c.client_id == sa.bindparam("client"), links.c.id == sa.bindparam("which")
    )
)
_BY_LINK = Statement(
    sa.select(links.c.id)
    .where(
        links.c.client_id == sa.bindparam("client"),
        links.c.digest == sa.bindparam("hashed"),
        links.c.link == sa.bindparam("address"),
    )
    .order_by(links.c.id.desc())
    .limit(sa.literal_column("1"))
)


def _counted(first_day: str) -> sa.ColumnElement[int]:
    return sa.func.coalesce(
        sa.func.sum(
            sa.case(
                (clicks.c.day >= sa.bindparam(first_day, type_=Integer), clicks.c.clicks),
                else_=sa.literal_column("0"),
            )
        ),
        sa.literal_column("0"),
    )


_yesterday = sa.case(
    (clicks.c.day == sa.bindparam("yesterday", type_=Integer), clicks.c.clicks),
    else_=sa.literal_column("0"),
)
_counts = sa.select(
    sa.func.coalesce(sa.func.sum(clicks.c.clicks), sa.literal_column("0")),
    _counted("month_begins"),
    _counted("today"),
    sa.func.coalesce(sa.func.sum(_yesterday), sa.literal_column("0")),
)
_CLICKS_OF_ID = Statement(
    _counts.where(
        clicks.c.client_id == sa.bindparam("client"), clicks.c.link_id == sa.bindparam("which")
    )
)
_CLICKS_OF_LINK = Statement(
    _counts.select_from(
        links.join(
            clicks, (clicks.c.client_id == links.c.client_id) & (clicks.c.link_id == links.c.id)
        )
    ).where(
        links.c.client_id == sa.bindparam("client"),
        links.c.digest == sa.bindparam("hashed"),
        links.c.link == sa.bindparam("address"),
    )
)
_click = insert(clicks).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in clicks.c}
)
_COUNT = Statement(
    _click.on_conflict_do_update(
        index_elements=["client_id", "link_id", "day"],
        set_={"clicks": clicks.c.clicks + _click.excluded.clicks},
    ),
    many=True,
)
_marked = rows("marked", code=Text)
_MARK = Statement(
    sa.update(links)
    .values(clicked=sa.literal_column(str(CLICKED)))
    .where(
        links.c.code.in_(sa.select(_marked.c.code)),
        links.c.clicked == sa.literal_column(str(NOT_CLICKED)),
    ),
    many=True,
)
_TELL = Statement(
    sa.update(links)
    .values(clicked=sa.literal_column(str(TOLD)))
    .where(links.c.code.in_(sa.select(_marked.c.code))),
    many=True,
)
_UNTOLD = Statement(
    sa.select(links.c.code, links.c.client_id, links.c.message_id, links.c.created_at)
    .where(
        links.c.clicked == sa.literal_column(str(CLICKED)),
        links.c.code > sa.bindparam("after", type_=Text),
    )
    .order_by(links.c.code)
    .limit(sa.bindparam("most"))
)
_OLD = Statement(
    sa.select(links.c.code, links.c.client_id, links.c.id)
    .where(links.c.created_at < sa.bindparam("before"))
    .order_by(links.c.created_at)
    .limit(sa.bindparam("most"))
)
_DROP = Statement(sa.delete(links).where(links.c.code.in_(sa.select(_marked.c.code))), many=True)
_gone = rows("gone", client_id=BigInteger, link_id=BigInteger)
_DROP_CLICKS = Statement(
    sa.delete(clicks).where(
        sa.tuple_(clicks.c.client_id, clicks.c.link_id).in_(
            sa.select(_gone.c.client_id, _gone.c.link_id)
        )
    ),
    many=True,
)


async def put(tx: Transaction, made: Sequence[Values]) -> None:
    """Store links: (code, client, id, message or 0, digest, link, created at)."""
    await tx.many(PUT, made)


async def one(tx: Transaction, code: str) -> Row | None:
    """(client, id, message or 0, link) of a code."""
    return await tx.one(_ONE, which=code)


async def by_id(tx: Transaction, client_id: int, link_id: int) -> int | None:
    """The id again, if the client has such a link."""
    row = await tx.one(_BY_ID, client=client_id, which=link_id)
    return row[0] if row else None


async def by_link(tx: Transaction, client_id: int, digest: int, link: str) -> int | None:
    """The id of the client's newest link that leads there."""
    row = await tx.one(_BY_LINK, client=client_id, hashed=digest, address=link)
    return row[0] if row else None


async def clicks_of(
    tx: Transaction, client_id: int, link_id: int, month_begins: int, today: int
) -> Row:
    """Clicks of a link: all, since the day on which the month begins, today, yesterday."""
    row = await tx.one(
        _CLICKS_OF_ID,
        client=client_id,
        which=link_id,
        month_begins=month_begins,
        today=today,
        yesterday=today - 1,
    )
    assert row is not None
    return row


async def clicks_there(
    tx: Transaction, client_id: int, digest: int, link: str, month_begins: int, today: int
) -> Row:
    """Clicks of all of a client's links that lead to an address, as `clicks_of`."""
    row = await tx.one(
        _CLICKS_OF_LINK,
        client=client_id,
        hashed=digest,
        address=link,
        month_begins=month_begins,
        today=today,
        yesterday=today - 1,
    )
    assert row is not None
    return row


async def count(tx: Transaction, made: Sequence[Values]) -> None:
    """Add clicks: (client, link, day, how many), each link and day once."""
    await tx.many(_COUNT, sorted(made))


async def mark(tx: Transaction, codes: Sequence[str]) -> None:
    """These were clicked, and their messages are yet to be told of it."""
    await tx.many(_MARK, [(code,) for code in sorted(codes)])


async def untold(tx: Transaction, after: str, most: int) -> Sequence[Row]:
    """Clicked links whose messages do not know yet, past a code: (code, client, message, at)."""
    return await tx.all(_UNTOLD, after=after, most=most)


async def told(tx: Transaction, codes: Sequence[str]) -> None:
    await tx.many(_TELL, [(code,) for code in sorted(codes)])


async def drop_old(tx: Transaction, before: int, most: int) -> int:
    """Drop a slice of the links made before a moment, with their clicks; returns how many."""
    found = await tx.all(_OLD, before=before, most=most)
    await tx.many(_DROP, [(row[0],) for row in found])
    await tx.many(_DROP_CLICKS, [(row[1], row[2]) for row in found])
    return len(found)
