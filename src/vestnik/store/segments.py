"""Segments of incoming messages that are not whole yet."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement

segments = schema.segments

_put = insert(segments).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in segments.c}
)
PUT = Statement(
    _put.on_conflict_do_update(
        index_elements=["carrier_id", "phone", "to_phone", "reference", "part"],
        set_={"text": _put.excluded.text, "at": _put.excluded.at, "total": _put.excluded.total},
    ),
    many=True,
)
_series = (
    segments.c.carrier_id == sa.bindparam("carrier"),
    segments.c.phone == sa.bindparam("sender"),
    segments.c.to_phone == sa.bindparam("recipient"),
    segments.c.reference == sa.bindparam("series"),
)
OF_SERIES = Statement(
    sa.select(segments.c.part, segments.c.text, segments.c.sent_at)
    .where(*_series, segments.c.at > sa.bindparam("since"))
    .order_by(segments.c.part)
)
DROP_OLDER = Statement(
    sa.delete(segments).where(*_series, segments.c.total != sa.bindparam("count"))
)
DROP_SERIES = Statement(sa.delete(segments).where(*_series))
DROP_OLD = Statement(sa.delete(segments).where(segments.c.at < sa.bindparam("before")))


async def put(
    tx: Transaction,
    carrier_id: int,
    phone: str,
    to: str,
    reference: int,
    part: int,
    total: int,
    text: str,
    sent_at: int,
    at: int,
) -> None:
    """Keep a segment; a carrier that repeats it changes nothing.

    What is left of an older series with the same reference, but of another length, goes.
    """
    await tx.run(
        DROP_OLDER, carrier=carrier_id, sender=phone, recipient=to, series=reference, count=total
    )
    row = (carrier_id, phone, to, reference, part, total, text, sent_at, at)
    await tx.many(PUT, [row])


async def of_series(
    tx: Transaction, carrier_id: int, phone: str, to: str, reference: int, since: int
) -> Sequence[Row]:
    """Segments that belong together, in order: (part, text, sent at)."""
    return await tx.all(
        OF_SERIES, carrier=carrier_id, sender=phone, recipient=to, series=reference, since=since
    )


async def drop_series(
    tx: Transaction, carrier_id: int, phone: str, to: str, reference: int
) -> None:
    await tx.run(DROP_SERIES, carrier=carrier_id, sender=phone, recipient=to, series=reference)


async def drop_old(tx: Transaction, before: int) -> int:
    """Drop segments whose others never came; returns how many."""
    return await tx.run(DROP_OLD, before=before)
