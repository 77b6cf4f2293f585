"""Messages found by the id that their client knows, whoever they went to."""

import sqlalchemy as sa

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement

messages = schema.messages

NEWEST = Statement(
    sa.select(
        messages.c.id,
        messages.c.phone,
        messages.c.sender,
        messages.c.status,
        messages.c.err,
        messages.c.changed_at,
    )
    .where(
        messages.c.client_id == sa.bindparam("client"),
        messages.c.wire_id == sa.bindparam("wire"),
        messages.c.hidden == sa.literal_column("0"),
    )
    .order_by(messages.c.id.desc())
    .limit(sa.literal_column("1"))
)


async def newest(tx: Transaction, client_id: int, wire_id: str) -> Row | None:
    """The latest visible message of this id: (id, phone, sender, status, err, changed at)."""
    return await tx.one(NEWEST, client=client_id, wire=wire_id)
