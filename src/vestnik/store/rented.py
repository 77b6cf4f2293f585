"""The centre's own numbers: for rent by clients, and to be called for confirmation."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import BigInteger

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into

numbers = schema.own_numbers

RENT, CALL = "rent", "call"
NOBODY = 0  # the client of a number that is free


@dataclass(frozen=True, slots=True)
class Number:
    """One number; `cost` is what a month of it costs, in micro-units.

    `client_id` rents it until the moment `paid_until`; with `noprolong` no longer than that.
    """

    phone: str
    kind: str
    cost: int = 0
    country: str = ""
    client_id: int = NOBODY
    paid_until: int | None = None
    noprolong: int = 0


_ALL = Statement(sa.select(*numbers.c).order_by(numbers.c.kind, numbers.c.phone))
_OF_KIND = Statement(
    sa.select(*numbers.c).where(numbers.c.kind == sa.bindparam("which")).order_by(numbers.c.phone)
)
_FREE = Statement(
    sa.select(*numbers.c)
    .where(
        numbers.c.kind == sa.literal_column(f"'{RENT}'"),
        numbers.c.client_id == sa.literal_column(str(NOBODY)),
    )
    .order_by(numbers.c.phone)
)
_RENTED = Statement(
    sa.select(numbers.c.phone, numbers.c.client_id).where(
        numbers.c.client_id != sa.literal_column(str(NOBODY))
    )
)
_LOCK = Statement(
    sa.select(*numbers.c).where(numbers.c.phone == sa.bindparam("which")).with_for_update()
)
_DUE = Statement(
    sa.select(numbers.c.phone)
    .where(
        numbers.c.client_id != sa.literal_column(str(NOBODY)),
        numbers.c.paid_until <= sa.bindparam("now"),
    )
    .order_by(numbers.c.phone)
)
_ADD = insert_into(numbers)
_REMOVE = Statement(sa.delete(numbers).where(numbers.c.phone == sa.bindparam("which")))
_CHANGE = Statement(
    sa.update(numbers)
    .values(
        client_id=sa.bindparam("tenant", type_=BigInteger),
        paid_until=sa.bindparam("until", type_=BigInteger),
        noprolong=sa.bindparam("ending"),
    )
    .where(numbers.c.phone == sa.bindparam("which"))
)


async def everything(tx: Transaction) -> list[Number]:
    return [Number(*row) for row in await tx.all(_ALL)]


async def of_kind(tx: Transaction, kind: str) -> list[Number]:
    return [Number(*row) for row in await tx.all(_OF_KIND, which=kind)]


async def free(tx: Transaction) -> list[Number]:
    """Those that may be rented."""
    return [Number(*row) for row in await tx.all(_FREE)]


async def rented(tx: Transaction) -> dict[str, int]:
    """The client of each number that is rented."""
    return {row[0]: row[1] for row in await tx.all(_RENTED)}


async def lock(tx: Transaction, phone: str) -> Number | None:
    """A number, held until the commit."""
    row = await tx.one(_LOCK, which=phone)
    return Number(*row) if row else None


async def due(tx: Transaction, now: int) -> Sequence[str]:
    """Rented numbers whose paid time is over."""
    return [row[0] for row in await tx.all(_DUE, now=now)]


async def add(tx: Transaction, number: Number) -> None:
    row = (
        number.phone,
        number.kind,
        number.cost,
        number.country,
        number.client_id,
        number.paid_until,
        number.noprolong,
    )
    await tx.many(_ADD, [row])


async def remove(tx: Transaction, phone: str) -> bool:
    """Remove one; False when there is none."""
    return await tx.run(_REMOVE, which=phone) > 0


async def change(
    tx: Transaction, phone: str, client_id: int, paid_until: int | None, noprolong: int
) -> None:
    """Who rents it, until when, and whether no longer."""
    await tx.run(_CHANGE, which=phone, tenant=client_id, until=paid_until, ending=noprolong)
