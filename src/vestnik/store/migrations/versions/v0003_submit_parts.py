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
