"""How many messages numbers have had today, many numbers at once."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Text

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, rows

messages = schema.messages

_asked = rows("asked", phone=Text)
OF_NUMBERS = Statement(
    sa.select(messages.c.phone, sa.func.count())
    .select_from(
        _asked.join(
            messages,
            (messages.c.client_id == sa.bindparam("client"))
            & (messages.c.day == sa.bindparam("today"))
            & (messages.c.phone == _asked.c.phone),
        )
    )
    .where(messages.c.status < sa.literal_column("22"))  # from there on they were refused
    .group_by(messages.c.phone),
    many=True,
)


async def of_numbers(
    tx: Transaction, client_id: int, day: int, phones: Sequence[str]
) -> dict[str, int]:
    """How many messages of a client's were accepted for each number on a day; none is left out."""
    asked = [(phone,) for phone in sorted(set(phones))]
    return {row[0]: row[1] for row in await tx.many(OF_NUMBERS, asked, client=client_id, today=day)}
