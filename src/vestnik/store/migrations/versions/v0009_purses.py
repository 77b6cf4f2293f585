"""Daily sums know which balance paid."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = ("client_id", "day", "type", "mccmnc", "sender", "node")
COUNTED = ("messages", "parts", "sent", "delivered", "failed", "spent", "returned")


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _anew()
        return
    op.add_column("sums", _purse(primary_key=False))
    op.drop_constraint("sums_pkey", "sums", type_="primary")
    op.create_primary_key("sums_pkey", "sums", [*KEY, "purse"])


def _purse(*, primary_key: bool) -> sa.Column[int]:
    """Whatever was counted so far was paid from the first balance."""
    return sa.Column(
        "purse",
        sa.SmallInteger,
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
        server_default="0",
    )


def _anew() -> None:
    """SQLite cannot change the key of a table."""
    op.rename_table("sums", "sums_before")
    op.create_table(
        "sums",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("type", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("mccmnc", sa.Text, primary_key=True),
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("node", sa.SmallInteger, primary_key=True, autoincrement=False),
        *(sa.Column(n, sa.BigInteger, nullable=False, server_default="0") for n in COUNTED),
        _purse(primary_key=True),
        sqlite_with_rowid=False,
    )
    columns = ", ".join((*KEY, *COUNTED))
    op.execute(f"INSERT INTO sums ({columns}) SELECT {columns} FROM sums_before")  # noqa: S608 - ours
    op.drop_table("sums_before")
