"""What main accounts keep of their subclients, and statistics of money."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_OTHERS = "kind NOT IN ('hold', 'capture', 'release')"
PLANS = {"entries": "3000000 30000 15000 1", "entries_of_transfers": "3000 30 15 1"}


def upgrade() -> None:
    op.add_column(
        "clients", sa.Column("profile", sa.Text, nullable=False, server_default=sa.text("'{}'"))
    )
    op.create_index(
        "entries_of_transfers",
        "entries",
        ["account_id", "purse", "id"],
        sqlite_where=sa.text(_OTHERS),
        postgresql_where=sa.text(_OTHERS),
    )
    if op.get_context().dialect.name == "sqlite":
        # As in the first revision: without it all entries of messages are gone through.
        for index, numbers in PLANS.items():
            op.execute(f"INSERT INTO sqlite_stat1 VALUES ('entries', '{index}', '{numbers}')")  # noqa: S608 - ours
        op.execute("ANALYZE sqlite_master")
