"""Documents, sender names and templates."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NARROW: dict[str, Any] = {"sqlite_with_rowid": False}


def upgrade() -> None:
    _create_senders()
    _create_templates()
    _create_papers()
    if op.get_context().dialect.name == "sqlite":
        _fix_plans()


def _key(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False, nullable=False)


def _words(name: str, default: str | None = "") -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _small(name: str, default: str = "0") -> "sa.Column[int]":
    return sa.Column(name, sa.SmallInteger, nullable=False, server_default=default)


def _moment(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def _create_senders() -> None:
    op.create_table(
        "senders",
        _key("client_id"),
        _key("id"),
        _words("name", None),
        _words("folded", None),
        _small("kind"),
        _small("status"),
        _words("cmt"),
        _words("owner"),
        _words("details", "{}"),
        _words("common"),
        _words("reason"),
        _moment("created_at"),
        _moment("changed_at"),
    )
    op.create_index("senders_by_name", "senders", ["client_id", "folded"], unique=True)
    op.create_index("senders_by_status", "senders", ["status", "changed_at"])
    op.create_table(
        "sender_operators",
        _key("client_id"),
        _key("sender_id"),
        sa.Column("operator", sa.Text, primary_key=True),
        _words("tariff", None),
        _small("status", "1"),
        _moment("changed_at"),
        sa.Column("paid_month", sa.Integer, nullable=False, server_default="0"),
        **NARROW,
    )
    op.create_index(
        "sender_operators_by_fee", "sender_operators", ["tariff", "status", "paid_month"]
    )
    op.create_table(
        "sender_files",
        _key("client_id"),
        _key("sender_id"),
        _key("number"),
        _words("name", None),
        _words("type", None),
        _words("about"),
        _moment("created_at"),
        sa.Column("octets", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "sender_codes",
        _key("client_id"),
        sa.Column("phone", sa.Text, primary_key=True),
        _words("digest"),
        _moment("sent_at"),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        **NARROW,
    )
    op.create_index("sender_codes_by_time", "sender_codes", ["sent_at"])


def _create_templates() -> None:
    op.create_table(
        "templates",
        _key("client_id"),
        _key("id"),
        _words("name", None),
        _words("message", None),
        _words("format"),
        _words("sender"),
        _small("flag"),
        _moment("created_at"),
        **NARROW,
    )
    op.create_table(
        "op_templates",
        _key("client_id"),
        _key("id"),
        _words("sender", None),
        _words("folded", None),
        _words("kind", None),
        _words("message", None),
        _small("status"),
        _moment("created_at"),
        **NARROW,
    )
    op.create_index("op_templates_by_sender", "op_templates", ["client_id", "folded", "kind"])


def _create_papers() -> None:
    op.create_table(
        "papers",
        _key("id"),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        _words("kind", None),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("num", sa.Integer, nullable=False),
        sa.Column("month", sa.Integer, nullable=False, server_default="0"),
        _moment("created_at"),
        _words("body", None),
    )
    op.create_index("papers_by_number", "papers", ["owner_id", "kind", "year", "num"], unique=True)
    op.create_index("papers_by_client", "papers", ["client_id", "kind", "id"])
    op.create_index(
        "papers_acts",
        "papers",
        ["owner_id", "client_id", "month"],
        unique=True,
        sqlite_where=sa.text("kind = 'act'"),
        postgresql_where=sa.text("kind = 'act'"),
    )


# Without these the names of one client are looked for among everybody's (fixed-plans.md).
PLANS = {
    ("senders", "senders_by_name"): "10000 20 1",
    ("senders", "senders_by_status"): "10000 3000 1",
    ("sender_operators", "sender_operators_by_fee"): "10000 3000 1000 100",
    ("sender_codes", "sender_codes_by_time"): "10000 1",
    ("op_templates", "op_templates_by_sender"): "10000 100 20 4",
    ("papers", "papers_by_number"): "100000 10000 5000 500 1",
    ("papers", "papers_by_client"): "100000 100 50 1",
    ("papers", "papers_acts"): "50000 5000 12 1",
}


def _fix_plans() -> None:
    for (table, index), numbers in PLANS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{numbers}')")  # noqa: S608 - ours
    op.execute("ANALYZE sqlite_master")
