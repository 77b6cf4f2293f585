"""The revisions, in order, and their SQL as Alembic renders it."""

from io import StringIO
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from vestnik.domain.refusals import StoreUnavailable

CORE_DIALECTS = {"sqlite": "sqlite", "postgres": "postgresql"}


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(Path(__file__).parent)


def names_after(at: str) -> list[str]:
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


def render(dialect: str, at: str) -> str:
    """The SQL from one version to the newest, the change of `alembic_version` included."""

    def upgrades(heads: Any, context: MigrationContext) -> Any:
        # What Alembic's own `upgrade` command hands to its context; there is no public name.
        return _scripts()._upgrade_revs("head", at or "base")  # noqa: SLF001 - see above

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
