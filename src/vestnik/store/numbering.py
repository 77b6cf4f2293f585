"""The operator's own rows of the numbering plan."""

from collections.abc import Sequence

import sqlalchemy as sa

from vestnik.domain.numbering import Row
from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into

numbering = schema.numbering

_ROWS = Statement(sa.select(*numbering.c).order_by(numbering.c.first, numbering.c.last))
_CLEAR = Statement(sa.delete(numbering))
_ADD = insert_into(numbering, *Row._fields)


async def rows(tx: Transaction) -> list[Row]:
    return [Row(str(first), str(last), *rest) for first, last, *rest in await tx.all(_ROWS)]


async def clear(tx: Transaction) -> None:
    await tx.run(_CLEAR)


async def add(tx: Transaction, made: Sequence[Row]) -> None:
    """Add rows, no two of the same numbers."""
    await tx.many(_ADD, [(int(row.first), int(row.last), *row[2:]) for row in made])
