"""The operator's own rows of the numbering plan."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger

from vestnik.domain.numbering import Row
from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into, rows

numbering = schema.numbering

PAGE_ROWS = 4_096
Key = tuple[int, int]
START: Key = (0, 0)

_key = sa.tuple_(numbering.c.first, numbering.c.last)
_PAGE = Statement(
    sa.select(*numbering.c)
    .where(
        _key
        > sa.tuple_(
            sa.bindparam("after_first", type_=BigInteger),
            sa.bindparam("after_last", type_=BigInteger),
        )
    )
    .order_by(numbering.c.first, numbering.c.last)
    .limit(sa.bindparam("most"))
)
_gone = rows("gone", first=BigInteger, last=BigInteger)
_REMOVE = Statement(
    sa.delete(numbering).where(_key.in_(sa.select(_gone.c.first, _gone.c.last))), many=True
)
_ADD = insert_into(numbering, *Row._fields)


def key_of(row: Row) -> Key:
    """By which a row is stored."""
    return int(row.first), int(row.last)


async def page(tx: Transaction, after: Key, most: int = PAGE_ROWS) -> list[Row]:
    """The next rows past a key, in the order of keys; START is before all of them."""
    found = await tx.all(_PAGE, after_first=after[0], after_last=after[1], most=most)
    return [Row(str(first), str(last), *rest) for first, last, *rest in found]


async def remove(tx: Transaction, keys: Sequence[Key]) -> None:
    await tx.many(_REMOVE, keys)


async def add(tx: Transaction, made: Sequence[Row]) -> None:
    """Add rows, no two of the same numbers."""
    await tx.many(_ADD, [(*key_of(row), *row[2:]) for row in made])
