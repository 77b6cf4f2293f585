"""Bring a store to this program's version.

Alembic renders the SQL of each revision; the engine runs it, in one transaction under a lock.
"""

from io import StringIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from vestnik.domain.refusals import StoreUnavailable
from vestnik.store.engine import Store, Transaction
from vestnik.store.partitions import ensure_months, lock_shape
from vestnik.store.statement import Statement

CORE_DIALECTS = {"sqlite": "sqlite", "postgres": "postgresql"}

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
    """The version that this program needs."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


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
    names = _names_after(at)
    if names:
        await tx.script(_render(tx.dialect, at))
    await ensure_months(tx, now_ms)
    return names


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(Path(__file__).parent)


def _names_after(at: str) -> list[str]:
    """What a store of this version lacks, oldest first."""
    revisions = list(_scripts().walk_revisions())  # newest first
    known = [revision.revision for revision in revisions]
    if at and at not in known:
        raise StoreUnavailable(
            f"the store is of version {at}, which this program does not know: install the vestnik"
            " that made it, or a newer one"
        )
    lacking = revisions[: known.index(at)] if at else revisions
    return [f"{r.revision} {r.doc.rstrip('.')}" for r in reversed(lacking)]


def _render(dialect: str, at: str) -> str:
    """The SQL from one version to the newest, the change of `alembic_version` included."""

    def upgrades(heads: Any, context: MigrationContext) -> Any:
        # What Alembic's own `upgrade` command hands to its context; there is no public name.
        return _scripts()._upgrade_revs("head", at or "base")

    written = StringIO()
    context = MigrationContext.configure(
        dialect_name=CORE_DIALECTS[dialect],
        opts={
            "as_sql": True,
            "output_buffer": written,
            "starting_rev": at or None,
            "fn": upgrades,
        },
    )
    with Operations.context(context):
        context.run_migrations()
    return written.getvalue()
