"""Daily sums, changed in the commit that changes the messages they count."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement

sums = schema.sums

COUNTED = ("messages", "parts", "sent", "delivered", "failed", "spent", "returned")

_put = insert(sums).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in sums.c}
)
ADD = Statement(
    _put.on_conflict_do_update(
        index_elements=["client_id", "day", "type", "mccmnc", "sender", "node"],
        set_={name: sums.c[name] + _put.excluded[name] for name in COUNTED},
    ),
    many=True,
)
OF_DAY = Statement(
    sa.select(sa.func.coalesce(sa.func.sum(sums.c.messages), sa.literal_column("0"))).where(
        sums.c.client_id == sa.bindparam("client"), sums.c.day == sa.bindparam("today")
    )
)


# What sums are kept for: client, day of accept in the centre's zone, type, MCC and MNC, sender.
Key = tuple[int, int, int, str, str]
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
    data = [(*key, node, *change) for key, change in made.changes.items() if any(change)]
    await tx.many(ADD, sorted(data))


async def accepted(tx: Transaction, client_id: int, day: int) -> int:
    """How many messages the client has had accepted on a day."""
    row = await tx.one(OF_DAY, client=client_id, today=day)
    return int(row[0]) if row else 0
