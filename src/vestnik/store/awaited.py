"""Calls that clients wait for: one for each client and number of a subscriber."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement

calls = schema.awaited_calls


@dataclass(frozen=True, slots=True)
class Awaited:
    """A client waits until a moment for a call from `phone` to `to_phone`; `attempts` are those of
    the day."""

    client_id: int
    phone: str
    to_phone: str
    until: int
    day: int
    attempts: int


_put = insert(calls).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in calls.c}
)
_PUT = Statement(
    _put.on_conflict_do_update(
        index_elements=["client_id", "phone"],
        set_={name: _put.excluded[name] for name in ("to_phone", "until", "day", "attempts")},
    ),
    many=True,
)
_OF_CALLER = Statement(sa.select(*calls.c).where(calls.c.phone == sa.bindparam("caller")))
_HEARD = Statement(
    sa.select(calls.c.client_id)
    .where(
        calls.c.phone == sa.bindparam("caller"),
        calls.c.to_phone == sa.bindparam("called"),
        calls.c.until > sa.bindparam("now", type_=BigInteger),
    )
    .order_by(calls.c.until.desc())
    .limit(sa.literal_column("1"))
    .with_for_update()
)
_END = Statement(
    sa.update(calls)
    .values(until=sa.literal_column("0"))
    .where(calls.c.client_id == sa.bindparam("client"), calls.c.phone == sa.bindparam("caller"))
)
_DROP_OLD = Statement(sa.delete(calls).where(calls.c.day < sa.bindparam("before")))


async def put(tx: Transaction, made: Awaited) -> None:
    """Wait for a call, in the place of any earlier one from that number."""
    row = (made.client_id, made.phone, made.to_phone, made.until, made.day, made.attempts)
    await tx.many(_PUT, [row])


async def of_caller(tx: Transaction, phone: str) -> list[Awaited]:
    """Everything that is kept of a subscriber's number, of every client."""
    return [Awaited(*row) for row in await tx.all(_OF_CALLER, caller=phone)]


async def heard(tx: Transaction, phone: str, to_phone: str, now: int) -> int | None:
    """The client that waits for this call now; the last to ask, if several do."""
    row: Row | None = await tx.one(_HEARD, caller=phone, called=to_phone, now=now)
    return row[0] if row else None


async def end(tx: Transaction, client_id: int, phone: str) -> None:
    """The client waits no more; its attempts of the day stay counted."""
    await tx.run(_END, client=client_id, caller=phone)


async def drop_old(tx: Transaction, before: int) -> int:
    """Drop what was of days before one; returns how many."""
    return await tx.run(_DROP_OLD, before=before)
