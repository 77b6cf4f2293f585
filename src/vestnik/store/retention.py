"""Dropping what an account no longer keeps, a slice at a time."""

import sqlalchemy as sa

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement

messages, texts, queue = schema.messages, schema.texts, schema.queue
incoming, charges, parts = schema.incoming, schema.charges, schema.parts

# Messages that share a text were accepted together: their ids lie this close to the text's.
TOGETHER = 60_000 << 12

_old = (
    sa.select(messages.c.client_id, messages.c.id)
    .where(
        messages.c.client_id == sa.bindparam("client"),
        messages.c.id < sa.bindparam("before"),
        ~sa.exists().where(
            queue.c.client_id == messages.c.client_id, queue.c.message_id == messages.c.id
        ),
    )
    .order_by(messages.c.id)
    .limit(sa.bindparam("most"))
)
DROP_MESSAGES = Statement(
    sa.delete(messages).where(sa.tuple_(messages.c.client_id, messages.c.id).in_(_old))
)
# Parts of messages that ended: kept for a while longer, for carriers that report late.
DROP_PARTS = Statement(
    sa.delete(parts).where(
        parts.c.client_id == sa.bindparam("client"),
        parts.c.message_id < sa.bindparam("before"),
        parts.c.at < sa.bindparam("before_ms"),
        ~sa.exists().where(
            queue.c.client_id == parts.c.client_id, queue.c.message_id == parts.c.message_id
        ),
    )
)
DROP_CHARGES = Statement(
    sa.delete(charges).where(
        charges.c.client_id == sa.bindparam("client"),
        charges.c.message_id < sa.bindparam("before"),
        ~sa.exists().where(
            messages.c.client_id == charges.c.client_id, messages.c.id == charges.c.message_id
        ),
    )
)
DROP_TEXTS = Statement(
    sa.delete(texts).where(
        texts.c.client_id == sa.bindparam("client"),
        texts.c.id < sa.bindparam("before"),
        ~sa.exists().where(
            messages.c.client_id == texts.c.client_id,
            messages.c.id >= texts.c.id,
            messages.c.id < texts.c.id + sa.literal_column(str(TOGETHER)),
            messages.c.text_id == texts.c.id,
        ),
    )
)
DROP_INCOMING = Statement(
    sa.delete(incoming).where(
        incoming.c.client_id == sa.bindparam("client"),
        incoming.c.received_at < sa.bindparam("before_ms"),
    )
)


async def drop_messages(tx: Transaction, client_id: int, before_id: int, most: int) -> int:
    """Drop a slice of a client's finished messages with smaller ids; returns how many."""
    return await tx.run(DROP_MESSAGES, client=client_id, before=before_id, most=most)


async def drop_what_they_left(
    tx: Transaction, client_id: int, before_id: int, before_ms: int
) -> None:
    """Drop texts and shares of messages that are gone, and incoming messages of that age."""
    await tx.run(DROP_TEXTS, client=client_id, before=before_id)
    await tx.run(DROP_CHARGES, client=client_id, before=before_id)
    await tx.run(DROP_INCOMING, client=client_id, before_ms=before_ms)


async def drop_parts(tx: Transaction, client_id: int, before_id: int, before_ms: int) -> int:
    """Drop parts of a client's finished messages; returns how many."""
    return await tx.run(DROP_PARTS, client=client_id, before=before_id, before_ms=before_ms)
