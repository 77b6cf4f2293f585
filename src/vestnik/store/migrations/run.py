"""Bring a store to this program's version.

Alembic renders the SQL of each revision; the engine runs it, in one transaction under a lock.
"""

from pathlib import Path

import sqlalchemy as sa

from vestnik.store.engine import Store, Transaction
from vestnik.store.partitions import ensure_months, lock_shape
from vestnik.store.statement import Statement

VERSIONS = Path(__file__).parent / "versions"

_VERSION = Statement(sa.select(sa.column("version_num")).select_from(sa.table("alembic_version")))
_KNOWS_VERSION = {
    "sqlite": Statement(
        sa.select(sa.column("name"))
        .select_from(sa.table("sqlite_master"))
        .where(sa.column("name") == "alembic_version")
    ),
    "postgres": Statement(
        sa.select(sa.literal_column("1")).where(
            sa.func.to_regclass(sa.literal_column("'alembic_version'")).is_not(None)
        )
    ),
}


def newest() -> str:
    """The version that this program needs: the number of the last revision's file."""
    return max(path.stem[1:].partition("_")[0] for path in VERSIONS.glob("v[0-9]*.py"))


async def version(tx: Transaction) -> str:
    """The store's version; empty for an empty store."""
    if await tx.one(_KNOWS_VERSION[tx.dialect]) is None:
        return ""
    row = await tx.one(_VERSION)
    return row[0] if row else ""


async def migrate(store: Store) -> list[str]:
    """Bring the store to the newest version; returns the names of the revisions applied.

    Raises StoreUnavailable when the store was made by a newer program.
    """
    if await store.read(version) == newest():
        await store.write(ensure_months, store.now())
        return []
    return await store.write(_upgrade, store.now())


async def _upgrade(tx: Transaction, now_ms: int) -> list[str]:
    await lock_shape(tx)
    at = await version(tx)  # under the lock: another node may have been first
    if at == newest():
        return []
    # Alembic is eleven megabytes: a serving process that has nothing to migrate goes without.
    from vestnik.store.migrations import revisions

    names = revisions.names_after(at)
    await tx.script(revisions.render(tx.dialect, at))
    await ensure_months(tx, now_ms)
    return names
