"""Parts of clients' long messages, from the first that came until their message is sent."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger, Text

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

parts = schema.submit_parts

PUT = insert_into(parts)
_key = rows("key", client_id=BigInteger, phone=Text, sender=Text, reference=Integer)
OF_KEYS = Statement(
    sa.select(*parts.c).join(
        _key,
        (parts.c.client_id == _key.c.client_id)
        & (parts.c.phone == _key.c.phone)
        & (parts.c.sender == _key.c.sender)
        & (parts.c.reference == _key.c.reference),
    ),
    many=True,
)
_series = rows("named", client_id=BigInteger, series=BigInteger, state=SmallInteger)
SET_STATE = Statement(
    sa.update(parts)
    .values(state=_series.c.state)
    .where(parts.c.client_id == _series.c.client_id, parts.c.series == _series.c.series),
    many=True,
)
OLD = Statement(
    sa.select(*parts.c)
    .where(parts.c.state == sa.bindparam("which"), parts.c.at < sa.bindparam("before"))
    .order_by(parts.c.at, parts.c.client_id, parts.c.series, parts.c.number)
    .limit(sa.bindparam("most"))
)
_gone = rows("gone", client_id=BigInteger, series=BigInteger, number=SmallInteger)
DROP = Statement(
    sa.delete(parts).where(
        sa.tuple_(parts.c.client_id, parts.c.series, parts.c.number).in_(
            sa.select(_gone.c.client_id, _gone.c.series, _gone.c.number)
        )
    ),
    many=True,
)


async def put(tx: Transaction, made: Sequence[Values]) -> None:
    """Keep parts, as tuples of the table's columns."""
    await tx.many(PUT, made)


async def of_keys(tx: Transaction, keys: Sequence[tuple[int, str, str, int]]) -> Sequence[Row]:
    """What is kept for (client, phone, sender, reference), as the table's columns."""
    return await tx.many(OF_KEYS, keys)


async def set_state(tx: Transaction, changed: Sequence[tuple[int, int, int]]) -> None:
    """Give whole series a state: (client, series, state)."""
    await tx.many(SET_STATE, sorted(changed))


async def old(tx: Transaction, state: int, before: int, most: int) -> Sequence[Row]:
    """Parts of this state whose series began before then, oldest first."""
    return await tx.all(OLD, which=state, before=before, most=most)


async def drop(tx: Transaction, gone: Sequence[tuple[int, int, int]]) -> None:
    """Drop parts: (client, series, number)."""
    await tx.many(DROP, sorted(gone))
