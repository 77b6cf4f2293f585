"""Ported numbers, rented numbers and short links."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NARROW: dict[str, Any] = {"sqlite_with_rowid": False}


def upgrade() -> None:
    _ported()
    _own_numbers()
    _links()
    _alarms()
    if op.get_context().dialect.name == "sqlite":
        _fix_plans()


def _key(name: str, kind: Any = sa.BigInteger) -> Any:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _words(name: str) -> Any:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _ported() -> None:
    op.create_table(
        "ported_blocks",
        _key("version"),
        _key("first"),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("stamp", sa.BigInteger, nullable=False),
        sa.Column("numbers", sa.Integer, nullable=False),
        sa.Column("octets", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ported_changes", _key("day", sa.Integer), _key("phone"), _words("mccmnc"), **NARROW
    )


def _own_numbers() -> None:
    op.create_table(
        "own_numbers",
        sa.Column("phone", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cost", sa.BigInteger, nullable=False, server_default="0"),
        _words("country"),
        sa.Column("client_id", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("paid_until", sa.BigInteger),
        sa.Column("noprolong", sa.SmallInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "awaited_calls",
        _key("client_id"),
        sa.Column("phone", sa.Text, primary_key=True),
        sa.Column("to_phone", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        **NARROW,
    )
    op.create_index("awaited_calls_by_phone", "awaited_calls", ["phone", "to_phone", "until"])
    op.create_index("awaited_calls_by_day", "awaited_calls", ["day"])


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("clicked", sa.SmallInteger, nullable=False, server_default="0"),
    )
    op.create_index("links_by_id", "links", ["client_id", "id"], unique=True)
    op.create_index("links_by_digest", "links", ["client_id", "digest"])
    op.create_index("links_by_age", "links", ["created_at"])
    op.create_index(
        "links_clicked",
        "links",
        ["code"],
        sqlite_where=sa.text("clicked = 1"),
        postgresql_where=sa.text("clicked = 1"),
    )
    op.create_table(
        "clicks",
        _key("client_id"),
        _key("link_id"),
        _key("day", sa.Integer),
        sa.Column("clicks", sa.BigInteger, nullable=False),
        **NARROW,
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        _key("client_id"),
        _key("id"),
        _words("name"),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("recovery", sa.Text, nullable=False),
        **NARROW,
    )


# As in the first revision: the planner must not think that a few rows are all there will be.
PLANS = {
    ("links", "links_by_id"): "1000000 10000 1",
    ("links", "links_by_digest"): "1000000 10000 100",
    ("links", "links_by_age"): "1000000 10",
    ("links", "links_clicked"): "100 1",
    ("awaited_calls", "awaited_calls"): "100000 1000 1",
    ("awaited_calls", "awaited_calls_by_phone"): "100000 2 1 1",
    ("awaited_calls", "awaited_calls_by_day"): "100000 50000",
}


def _fix_plans() -> None:
    for (table, index), numbers in PLANS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{numbers}')")  # noqa: S608 - ours
    op.execute("ANALYZE sqlite_master")
