"""Parts of clients' long messages."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NARROW: dict[str, Any] = {"sqlite_with_rowid": False}


def upgrade() -> None:
    op.create_table(
        "submit_parts",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("series", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("total", sa.SmallInteger, nullable=False),
        sa.Column("sender", sa.Text, nullable=False, server_default=""),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("reference", sa.Integer, nullable=False),
        sa.Column("coding", sa.SmallInteger, nullable=False),
        sa.Column("octets", sa.LargeBinary, nullable=False),
        sa.Column("manner", sa.Text, nullable=False, server_default=""),
        sa.Column("flags", sa.Integer, nullable=False, server_default="0"),
        sa.Column("wire_id", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("at", sa.BigInteger, nullable=False),
        **NARROW,
    )
    op.create_index(
        "submit_parts_by_key", "submit_parts", ["client_id", "phone", "sender", "reference"]
    )
    op.create_index("submit_parts_by_state", "submit_parts", ["state", "at"])
    if op.get_context().dialect.name == "sqlite":
        _fix_plans()


# As in the first revision: without it the parts of a key are looked for among all of the client's.
PLANS = {
    "submit_parts": "100000 10000 3 1",
    "submit_parts_by_key": "100000 10000 4 4 3",
    "submit_parts_by_state": "100000 30000 3",
}


def _fix_plans() -> None:
    for index, numbers in PLANS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('submit_parts', '{index}', '{numbers}')")  # noqa: S608 - ours
    op.execute("ANALYZE sqlite_master")
