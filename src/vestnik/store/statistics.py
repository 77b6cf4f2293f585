"""Daily sums, changed in the commit that changes the messages they count."""

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Key:
    """What sums are kept for; the day is that of accept in the centre's zone."""

    client_id: int
    day: int
    type: int
    mccmnc: str
    sender: str


class Sums:
    """Changes of one commit, folded to one row for each key."""

    def __init__(self) -> None:
        self._changes: dict[Key, list[int]] = {}

    def add(
        self,
        key: Key,
        *,
        messages: int = 0,
        parts: int = 0,
        sent: int = 0,
        delivered: int = 0,
        failed: int = 0,
        spent: int = 0,
        returned: int = 0,
    ) -> None:
        change = self._changes.setdefault(key, [0] * len(COUNTED))
        for at, by in enumerate((messages, parts, sent, delivered, failed, spent, returned)):
            change[at] += by

    @property
    def changes(self) -> Mapping[Key, list[int]]:
        return self._changes


async def add(tx: Transaction, made: Sums, node: int) -> None:
    """Add what a commit changed; rows are taken in the order of their keys."""
    data = [
        (key.client_id, key.day, key.type, key.mccmnc, key.sender, node, *change)
        for key, change in made.changes.items()
        if any(change)
    ]
    await tx.many(ADD, sorted(data))


async def accepted(tx: Transaction, client_id: int, day: int) -> int:
    """How many messages the client has had accepted on a day."""
    row = await tx.one(OF_DAY, client=client_id, today=day)
    return int(row[0]) if row else 0
