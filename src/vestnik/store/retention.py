"""Dropping what an account no longer keeps, a slice at a time."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, rows

messages, texts, queue = schema.messages, schema.texts, schema.queue
incoming, charges, parts = schema.incoming, schema.charges, schema.parts
mailings = schema.mailings

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
_with_messages_under_way = (
    sa.select(messages.c.mailing_id)
    .select_from(
        queue.join(
            messages,
            (messages.c.client_id == queue.c.client_id) & (messages.c.id == queue.c.message_id),
        )
    )
    .where(
        queue.c.client_id == sa.bindparam("client"),
        messages.c.mailing_id < sa.bindparam("before"),  # and not null
    )
)
# An oversized request, too, once all of it is messages: its `next_at` is always 0.
OLD_MAILINGS = Statement(
    sa.select(mailings.c.id)
    .where(
        mailings.c.client_id == sa.bindparam("client"),
        mailings.c.id < sa.bindparam("before"),
        mailings.c.state >= sa.literal_column("2"),
        mailings.c.leaving == sa.literal_column("0"),
        mailings.c.next_at < sa.bindparam("before_ms"),
        mailings.c.id.not_in(_with_messages_under_way),
    )
    .order_by(mailings.c.id)
    .limit(sa.bindparam("most"))
)
_old_mailing = rows("old", client_id=BigInteger, id=BigInteger)
HIDE_MAILINGS = Statement(
    sa.update(mailings)
    .values(leaving=sa.literal_column("2"))
    .where(
        mailings.c.client_id == _old_mailing.c.client_id,
        mailings.c.id == _old_mailing.c.id,
        mailings.c.leaving == sa.literal_column("0"),
    ),
    many=True,
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


async def old_mailings(
    tx: Transaction, client_id: int, before_id: int, before_ms: int, most: int
) -> list[int]:
    """A client's mailings that ended before a moment, and have no message under way.

    What has ended stays so: they may be hidden in a later transaction.
    """
    found = await tx.all(
        OLD_MAILINGS, client=client_id, before=before_id, before_ms=before_ms, most=most
    )
    return [row[0] for row in found]


async def hide_mailings(tx: Transaction, client_id: int, ids: Sequence[int]) -> None:
    """Show them no more: who looks after mailings removes them with their lists."""
    await tx.many(HIDE_MAILINGS, [(client_id, mailing_id) for mailing_id in ids])
