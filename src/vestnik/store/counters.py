"""Numbers given out to each client in turn; none is ever given twice.

The row stays locked to the commit, so what pages forward by these numbers sees them in order.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement

counters = schema.counters

_put = insert(counters).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in counters.c}
)
RAISE = Statement(
    _put.on_conflict_do_update(
        index_elements=["client_id", "kind"],
        set_={"next": counters.c.next + _put.excluded.next - sa.literal_column("1")},
    ).returning(counters.c.client_id, counters.c.next),
    many=True,
)

WIRE = "wire"
TASK = "task"
INCOMING = "incoming"


async def reserve(
    tx: Transaction, kind: str, wanted: Sequence[tuple[int, int]]
) -> dict[int, range]:
    """The next so many numbers of each client: (client, count), from 1 on."""
    counts = dict(wanted)
    found = await tx.many(RAISE, [(client, kind, count + 1) for client, count in sorted(wanted)])
    return {row[0]: range(row[1] - counts[row[0]], row[1]) for row in found}
