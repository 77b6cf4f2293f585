"""Messages that try another way when one fails: what is stored of it, and the move to it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger, Text

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, rows

messages, mailings, queue, parts = (
    schema.messages,
    schema.mailings,
    schema.queue,
    schema.parts,
)

_asked = rows("asked", client_id=BigInteger, id=BigInteger)
OPTIONS = Statement(
    sa.select(
        messages.c.client_id,
        messages.c.id,
        messages.c.options,
        messages.c.mailing_id,
        mailings.c.state,
    ).select_from(
        _asked.join(
            messages, (messages.c.client_id == _asked.c.client_id) & (messages.c.id == _asked.c.id)
        ).outerjoin(
            mailings,
            (mailings.c.client_id == messages.c.client_id)
            & (mailings.c.id == messages.c.mailing_id),
        )
    ),
    many=True,
)
_step = rows(
    "step",
    client_id=BigInteger,
    id=BigInteger,
    kind=SmallInteger,
    flags=Integer,
    sender=Text,
    text=Text,
    parts=Integer,
    options=Text,
)
CHANGE = Statement(
    sa.update(messages)
    .values(
        type=_step.c.kind,
        flags=_step.c.flags,
        sender=_step.c.sender,
        text=_step.c.text,
        text_id=sa.null(),
        parts=_step.c.parts,
        options=_step.c.options,
    )
    .where(messages.c.client_id == _step.c.client_id, messages.c.id == _step.c.id),
    many=True,
)
_again = rows(
    "again",
    client_id=BigInteger,
    message_id=BigInteger,
    carrier_id=BigInteger,
    next_at=BigInteger,
    expires_at=BigInteger,
)
QUEUE = Statement(
    sa.update(queue)
    .values(
        stage=sa.literal_column("0"),
        carrier_id=_again.c.carrier_id,
        next_at=_again.c.next_at,
        expires_at=_again.c.expires_at,
        owner=sa.literal_column("0"),
        attempt=sa.literal_column("0"),
        route_step=sa.literal_column("0"),
        chain_step=queue.c.chain_step + 1,
    )
    .where(queue.c.client_id == _again.c.client_id, queue.c.message_id == _again.c.message_id),
    many=True,
)
_over = rows("over", client_id=BigInteger, message_id=BigInteger)
FORGET_PARTS = Statement(
    sa.delete(parts).where(
        sa.tuple_(parts.c.client_id, parts.c.message_id).in_(
            sa.select(_over.c.client_id, _over.c.message_id)
        )
    ),
    many=True,
)


async def options(tx: Transaction, named: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """Of messages by (client, id): (client, id, options, mailing, its state); a mailing that has
    gone has no state."""
    return await tx.many(OPTIONS, sorted(named))


async def change(tx: Transaction, made: Sequence[Values]) -> None:
    """Make messages what their next step is, as tuples of CHANGE's columns."""
    await tx.many(CHANGE, sorted(made))


async def send_again(tx: Transaction, made: Sequence[Values]) -> None:
    """Put messages back to wait: (client, message, carrier, next at, expires at).

    What carriers said of their parts before says nothing of the new ones.
    """
    await tx.many(FORGET_PARTS, [(row[0], row[1]) for row in sorted(made)])
    await tx.many(QUEUE, sorted(made))
