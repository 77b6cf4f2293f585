"""Alarms: whom ping.php tells, and in which words."""

from dataclasses import dataclass

import sqlalchemy as sa

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into

alarms = schema.alarms


@dataclass(frozen=True, slots=True)
class Alarm:
    """One group; `recipients` are numbers and e-mail addresses, `kinds` names of channels, both
    joined by commas; `failure` and `recovery` are texts with {NAME}, {HOST} and {INFO} in them."""

    client_id: int
    id: int
    name: str
    recipients: str
    kinds: str
    failure: str
    recovery: str


_ONE = Statement(
    sa.select(*alarms.c).where(
        alarms.c.client_id == sa.bindparam("client"), alarms.c.id == sa.bindparam("which")
    )
)
_ALL = Statement(sa.select(*alarms.c).order_by(alarms.c.client_id, alarms.c.id))
_ADD = insert_into(alarms)
_REMOVE = Statement(
    sa.delete(alarms).where(
        alarms.c.client_id == sa.bindparam("client"), alarms.c.id == sa.bindparam("which")
    )
)


async def one(tx: Transaction, client_id: int, alarm_id: int) -> Alarm | None:
    row = await tx.one(_ONE, client=client_id, which=alarm_id)
    return Alarm(*row) if row else None


async def everything(tx: Transaction) -> list[Alarm]:
    return [Alarm(*row) for row in await tx.all(_ALL)]


async def add(tx: Transaction, made: Alarm) -> None:
    row = (
        made.client_id,
        made.id,
        made.name,
        made.recipients,
        made.kinds,
        made.failure,
        made.recovery,
    )
    await tx.many(_ADD, [row])


async def remove(tx: Transaction, client_id: int, alarm_id: int) -> bool:
    """Remove one; False when there is none."""
    return await tx.run(_REMOVE, client=client_id, which=alarm_id) > 0
