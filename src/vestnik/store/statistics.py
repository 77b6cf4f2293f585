"""Daily sums, changed in the commit that changes the messages they count."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement, rows

sums, entries = schema.sums, schema.entries

COUNTED = ("messages", "parts", "sent", "delivered", "failed", "spent", "returned")

_put = insert(sums).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in sums.c}
)
ADD = Statement(
    _put.on_conflict_do_update(
        index_elements=["client_id", "day", "type", "mccmnc", "sender", "node", "purse"],
        set_={name: sums.c[name] + _put.excluded[name] for name in COUNTED},
    ),
    many=True,
)
OF_DAY = Statement(
    sa.select(sa.func.coalesce(sa.func.sum(sums.c.messages), sa.literal_column("0"))).where(
        sums.c.client_id == sa.bindparam("client"), sums.c.day == sa.bindparam("today")
    )
)


_wanted = rows("wanted", client_id=BigInteger)
_in_days = (
    sums.c.client_id == _wanted.c.client_id,
    sums.c.day >= sa.bindparam("first_day", type_=Integer),
    sums.c.day <= sa.bindparam("last_day", type_=Integer),
    sums.c.purse == sa.bindparam("which", type_=Integer),
)


def _whole(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """A sum as a whole number: PostgreSQL sums those to decimals."""
    return sa.cast(sa.func.sum(column), BigInteger)


TOTALS = Statement(
    sa.select(sums.c.client_id, _whole(sums.c.messages), _whole(sums.c.spent))
    .join(_wanted, sa.and_(*_in_days))
    .group_by(sums.c.client_id),
    many=True,
)
BY_NETWORK = Statement(
    sa.select(
        sums.c.client_id,
        sums.c.type,
        sums.c.mccmnc,
        _whole(sums.c.messages),
        _whole(sums.c.spent),
    )
    .join(_wanted, sa.and_(*_in_days))
    .group_by(sums.c.client_id, sums.c.type, sums.c.mccmnc),
    many=True,
)
# Written as in the index of such entries, or neither engine takes it.
_OTHERS = "entries.kind NOT IN ('hold', 'capture', 'release')"
RECEIVED = Statement(
    sa.select(entries.c.account_id, _whole(entries.c.posted))
    .join(
        _wanted,
        sa.and_(
            entries.c.account_id == _wanted.c.client_id,
            entries.c.purse == sa.bindparam("which", type_=Integer),
            entries.c.id >= sa.bindparam("since", type_=BigInteger),
            entries.c.id < sa.bindparam("until", type_=BigInteger),
        ),
    )
    .where(sa.text(_OTHERS), entries.c.posted > sa.literal_column("0"))
    .group_by(entries.c.account_id),
    many=True,
)


# What sums are kept for: client, day of accept in the centre's zone, type, MCC and MNC, sender, and
# the purse that paid.
Key = tuple[int, int, int, str, str, int]
# How much is added, in the order of COUNTED.
Change = tuple[int, int, int, int, int, int, int]


class Sums:
    """Changes of one commit, folded to one row for each key."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        self.changes: dict[Key, Change] = {}

    def add(self, key: Key, change: Change) -> None:
        known = self.changes.get(key)
        if known is None:
            self.changes[key] = change
        else:
            a, b, c, d, e, f, g = known
            h, i, j, k, o, m, n = change
            self.changes[key] = (a + h, b + i, c + j, d + k, e + o, f + m, g + n)


async def add(tx: Transaction, made: Sums, node: int) -> None:
    """Add what a commit changed; rows are taken in the order of their keys."""
    data = [
        (*key, node, *change, purse)
        for (*key, purse), change in sorted(made.changes.items())
        if any(change)
    ]
    await tx.many(ADD, data)


async def on_record(tx: Transaction, client_id: int, day: int) -> int:
    """How many messages of a day are on record, refused ones too."""
    row = await tx.one(OF_DAY, client=client_id, today=day)
    return int(row[0]) if row else 0


async def totals(
    tx: Transaction, client_ids: Sequence[int], purse: int, first_day: int, last_day: int
) -> dict[int, tuple[int, int]]:
    """Of each client that has any: its messages of these days that a purse paid for, and what they
    cost.  What nobody paid for is counted with the first purse."""
    data = [(one,) for one in client_ids]
    found = await tx.many(TOTALS, data, first_day=first_day, last_day=last_day, which=purse)
    return {row[0]: (row[1], row[2]) for row in found}


async def by_network(
    tx: Transaction, client_ids: Sequence[int], purse: int, first_day: int, last_day: int
) -> list[Row]:
    """(client, type, MCC and MNC, messages, cost) of these days and this purse, in no order."""
    data = [(one,) for one in client_ids]
    return await tx.many(BY_NETWORK, data, first_day=first_day, last_day=last_day, which=purse)


async def received(
    tx: Transaction, account_ids: Sequence[int], purse: int, since: int, until: int
) -> dict[int, int]:
    """What was paid into a purse of each account, by entries with ids in this range."""
    found = await tx.many(
        RECEIVED, [(one,) for one in account_ids], which=purse, since=since, until=until
    )
    return {row[0]: row[1] for row in found}
