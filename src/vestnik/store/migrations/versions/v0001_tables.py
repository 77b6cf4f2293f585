"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from vestnik.store.migrations.plans import fix_plans

revision = "0001"
down_revision = None

NARROW: dict[str, Any] = {"sqlite_with_rowid": False}


def _where(condition: str) -> dict[str, Any]:
    return {f"{engine}_where": sa.text(condition) for engine in ("sqlite", "postgresql")}


def upgrade() -> None:
    _snapshot()
    _routing()
    _messages()
    _queue()
    _incoming()
    _money()
    _mailings()
    _tasks()
    if op.get_context().dialect.name == "postgresql":
        _vacuum_eagerly("queue", "parts", "dedup", "accounts")
    else:
        fix_plans()


def _snapshot() -> None:
    """What validation reads whole into memory."""
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False, server_default=""),
        **NARROW,
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("parent_id", sa.BigInteger),
        sa.Column("type", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("admin", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("currency", sa.Text, nullable=False, server_default="RUB"),
        sa.Column("zone", sa.Text, nullable=False, server_default="Europe/Moscow"),
        sa.Column("sender", sa.Text, nullable=False, server_default=""),
        sa.Column("addresses", sa.Text, nullable=False, server_default=""),
        sa.Column("limits", sa.Text, nullable=False, server_default="{}"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, server_default=""),
        sa.Column("hash", sa.Text, nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "carriers",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("channel", sa.Text, nullable=False, server_default=""),
        sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
        sa.Column("on_unknown", sa.Text, nullable=False, server_default="hold"),
        sa.Column("receipt_parts", sa.Text, nullable=False, server_default="all"),
        sa.Column("enabled", sa.SmallInteger, nullable=False, server_default="1"),
    )


def _routing() -> None:
    """Where messages go and what they cost."""
    op.create_table(
        "routes",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Text, nullable=False, server_default="sms"),
        sa.Column("prefix", sa.Text, nullable=False, server_default=""),
        sa.Column("operator", sa.Text, nullable=False, server_default=""),
        sa.Column("client_id", sa.BigInteger),
        sa.Column("sender", sa.Text, nullable=False, server_default=""),
        sa.Column("carrier_id", sa.BigInteger, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("weight", sa.Integer, nullable=False, server_default="1"),
    )
    op.create_table(
        "rates",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("client_id", sa.BigInteger),
        sa.Column("channel", sa.Text, nullable=False, server_default="sms"),
        sa.Column("prefix", sa.Text, nullable=False, server_default=""),
        sa.Column("operator", sa.Text, nullable=False, server_default=""),
        sa.Column("price", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "numbering",
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("country", sa.Text, nullable=False, server_default=""),
        sa.Column("operator", sa.Text, nullable=False, server_default=""),
        sa.Column("region", sa.Text, nullable=False, server_default=""),
        sa.Column("mccmnc", sa.Text, nullable=False, server_default=""),
        sa.Column("zone", sa.Text, nullable=False, server_default=""),
        **NARROW,
    )
    op.create_table(
        "counters",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("next", sa.BigInteger, nullable=False),
        **NARROW,
    )


def _messages() -> None:
    """The record of a message."""
    op.create_table(
        "messages",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("wire_id", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("type", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("flags", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sender", sa.Text, nullable=False, server_default=""),
        sa.Column("text", sa.Text),
        sa.Column("text_id", sa.BigInteger),
        sa.Column("comment", sa.Text, nullable=False, server_default=""),
        sa.Column("options", sa.Text, nullable=False, server_default=""),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("mccmnc", sa.Text, nullable=False, server_default=""),
        sa.Column("mailing_id", sa.BigInteger),
        sa.Column("origin", sa.Text, nullable=False, server_default=""),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("err", sa.Integer, nullable=False, server_default="0"),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("carrier_id", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("uncertain", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("hidden", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("purse", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("price", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("cost", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("money", sa.SmallInteger, nullable=False, server_default="0"),
        postgresql_partition_by="RANGE (id)",
        **NARROW,
    )
    op.create_index("messages_by_day_and_phone", "messages", ["client_id", "day", "phone"])
    op.create_index("messages_by_wire_id", "messages", ["client_id", "wire_id", "phone", "id"])
    op.create_table(
        "texts",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        **NARROW,
    )


def _queue() -> None:
    """What is not finished."""
    op.create_table(
        "queue",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("carrier_id", sa.BigInteger, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("stage", sa.SmallInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("window_from", sa.SmallInteger),
        sa.Column("window_to", sa.SmallInteger),
        sa.Column("zone", sa.Text, nullable=False, server_default=""),
        sa.Column("owner", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("route_step", sa.Integer, nullable=False, server_default="0"),
        sa.Column("chain_step", sa.Integer, nullable=False, server_default="0"),
        **NARROW,
    )
    op.create_index("queue_run_out", "queue", ["stage", "next_at"], **_where("stage <> 0"))
    op.create_index(
        "queue_to_claim",
        "queue",
        ["carrier_id", "priority", "client_id", "next_at", "message_id"],
        **_where("stage = 0"),
    )
    op.create_table(
        "parts",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("part", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("carrier_id", sa.BigInteger, nullable=False),
        sa.Column("carrier_ref", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("err", sa.Integer, nullable=False, server_default="0"),
        sa.Column("at", sa.BigInteger, nullable=False),
        **NARROW,
    )
    op.create_index("parts_by_ref", "parts", ["carrier_id", "carrier_ref"])
    op.create_table(
        "receipts",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("carrier_id", sa.BigInteger, nullable=False),
        sa.Column("carrier_ref", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False, server_default=""),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("err", sa.Integer, nullable=False, server_default="0"),
        sa.Column("raw", sa.Text, nullable=False, server_default=""),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
    )
    op.create_index("receipts_by_at", "receipts", ["at"])
    op.create_index("receipts_by_ref", "receipts", ["carrier_id", "carrier_ref"])


def _incoming() -> None:
    """Repeated requests, and what subscribers send."""
    op.create_table(
        "dedup",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("params", sa.LargeBinary),
        sa.Column("answer", sa.Text, nullable=False, server_default=""),
        **NARROW,
    )
    op.create_index("dedup_until", "dedup", ["until"])
    op.create_table(
        "incoming",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("to_phone", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("carrier_id", sa.BigInteger, nullable=False),
        **NARROW,
    )
    op.create_table(
        "segments",
        sa.Column("carrier_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("phone", sa.Text, primary_key=True),
        sa.Column("to_phone", sa.Text, primary_key=True),
        sa.Column("reference", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("part", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        **NARROW,
    )


def _money() -> None:
    """Accounts and what moved them."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("purse", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("currency", sa.Text, nullable=False, server_default="RUB"),
        sa.Column("posted", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("credit", sa.BigInteger, nullable=False, server_default="0"),
        **NARROW,
    )
    op.create_table(
        "entries",
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("purse", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("posted", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("messages", sa.Integer, nullable=False, server_default="0"),
        sa.Column("ref", sa.Text, nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("at", sa.BigInteger, nullable=False),
        postgresql_partition_by="RANGE (id)",
        **NARROW,
    )
    op.create_table(
        "charges",
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("amount", sa.BigInteger, nullable=False, server_default="0"),
        postgresql_partition_by="RANGE (message_id)",
        **NARROW,
    )
    op.create_index("charges_by_message", "charges", ["client_id", "message_id"])
    op.create_table(
        "sums",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("type", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("mccmnc", sa.Text, primary_key=True),
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("node", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("messages", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("parts", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("sent", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("delivered", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failed", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("spent", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("returned", sa.BigInteger, nullable=False, server_default="0"),
        **NARROW,
    )


def _mailings() -> None:
    """Mailings that are not expanded yet."""
    op.create_table(
        "mailings",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("wire_id", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("common", sa.Text, nullable=False, server_default="{}"),
        sa.Column("cursor", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("made", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        **NARROW,
    )
    op.create_index("mailings_by_state", "mailings", ["state", "id"])
    op.create_table(
        "mailing_chunks",
        sa.Column("mailing_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rows", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "mailing_holds",
        sa.Column("mailing_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("purse", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
        **NARROW,
    )


def _tasks() -> None:
    """Deferred exports."""
    op.create_table(
        "tasks",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("filter", sa.Text, nullable=False, server_default="{}"),
        sa.Column("format", sa.Text, nullable=False, server_default="csv"),
        sa.Column("status", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("start_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("high_id", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("rows_done", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("rows_total", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("file", sa.Text, nullable=False, server_default=""),
        sa.Column("octets_utf8", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("octets_single", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("sha256", sa.Text, nullable=False, server_default=""),
        sa.Column("owner", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("lease", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("tasks_due", "tasks", ["start_at"], **_where("status = 0"))
    op.create_index("tasks_running", "tasks", ["lease"], **_where("status = 1"))
    op.create_table(
        "task_chunks",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("task_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("octets", sa.LargeBinary, nullable=False),
    )


def _vacuum_eagerly(*tables: str) -> None:
    """Few rows that change all the time: what they leave behind must not pile up."""
    for table in tables:
        op.execute(
            f"ALTER TABLE {table} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_vacuum_cost_delay = 0)"
        )
