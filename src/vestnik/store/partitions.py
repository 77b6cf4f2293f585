"""Months of the tables that grow without end, made ahead; only PostgreSQL has them."""

import re
from datetime import UTC, datetime

import sqlalchemy as sa

from vestnik.domain.ids import first_id
from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement

AHEAD_MONTHS = 3
LOCK = 0x7665_7374  # one number for everybody who changes the shape of the store

# Room in a page for the update at a message's end, so that no index is touched (data model, 2).
FILL: dict[str, str] = {"messages": " WITH (fillfactor = 85)"}

_PARTITIONS = Statement(
    sa.select(sa.column("relname"))
    .select_from(sa.table("pg_class"))
    .where(
        sa.column("relispartition"),
        sa.column("relkind") == sa.literal_column("'r'"),
        sa.column("relnamespace") == sa.text("current_schema()::regnamespace"),
    )
)


async def lock_shape(tx: Transaction) -> None:
    """Until the commit nobody else changes the tables themselves; SQLite has one writer anyway."""
    if tx.dialect == "postgres":
        await tx.script(f"SELECT pg_advisory_xact_lock({LOCK})")


async def ensure_months(tx: Transaction, now_ms: int, ahead: int = AHEAD_MONTHS) -> list[str]:
    """Make the missing partitions up to `ahead` months after this one; returns their names.

    What is older than a table's first month lies in its partition `…_old`.
    """
    if tx.dialect != "postgres":
        return []
    if not _missing(await _existing(tx), now_ms, ahead):
        return []
    await lock_shape(tx)
    missing = _missing(await _existing(tx), now_ms, ahead)
    for name, sql in missing.items():
        await tx.script(f"CREATE TABLE {name} {sql}")
    return list(missing)


async def _existing(tx: Transaction) -> set[str]:
    return {row[0] for row in await tx.all(_PARTITIONS)}


def _missing(existing: set[str], now_ms: int, ahead: int) -> dict[str, str]:
    """Names of the partitions to make, and what follows the name in CREATE TABLE."""
    made: dict[str, str] = {}
    for table in schema.MONTHLY:
        parts = f"PARTITION OF {table} FOR VALUES FROM"
        fill = FILL.get(table, "")
        latest = _latest(existing, table)
        at = latest + 1 if latest is not None else _month(now_ms)
        if latest is None:
            made[f"{table}_old"] = f"{parts} (MINVALUE) TO ({_first_id(at)}){fill}"
        for month in range(at, _month(now_ms) + ahead + 1):
            name = f"{table}_{month // 12}_{month % 12 + 1:02d}"
            made[name] = f"{parts} ({_first_id(month)}) TO ({_first_id(month + 1)}){fill}"
    return made


def _latest(existing: set[str], table: str) -> int | None:
    named = (re.fullmatch(rf"{table}_(\d{{4}})_(\d\d)", name) for name in existing)
    return max((int(m[1]) * 12 + int(m[2]) - 1 for m in named if m), default=None)


def _month(at_ms: int) -> int:
    """Months since the year 0, in UTC."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.year * 12 + at.month - 1


def _first_id(month: int) -> int:
    start = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return first_id(int(start.timestamp()) * 1000)
