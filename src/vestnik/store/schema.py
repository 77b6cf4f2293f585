"""Every table.

Times are ms since the epoch, money is micro-units, flags are 0 or 1, open-ended settings are JSON
in text.  The same definitions serve every engine; on PostgreSQL the tables that grow without end
are partitioned by month of their `id` (engine `postgres`).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata = MetaData()

# SQLite gives no type a width; a BIGINT key there must not become its own rowid alias by accident,
# so composite keys are WITHOUT ROWID where rows are narrow.
NARROW: dict[str, Any] = {"sqlite_with_rowid": False}


def _id(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _key(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False, nullable=False)


def _money(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _at(name: str, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _small(name: str, default: int | None = 0) -> Column[int]:
    given = None if default is None else str(default)
    return Column(name, SmallInteger, nullable=False, server_default=given)


def _text(name: str, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


# What validation reads whole into memory (services/directory.py).

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    _text("value"),
    **NARROW,
)

clients = Table(
    "clients",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("login", Text, nullable=False, unique=True),
    Column("parent_id", BigInteger),
    _small("type"),
    _small("admin"),
    _text("currency", "RUB"),
    _text("zone", "Europe/Moscow"),
    _text("sender"),
    _text("addresses"),  # networks, joined by commas
    _text("limits", "{}"),  # only those that differ from the defaults
    _at("created_at"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _id("client_id"),
    _text("kind"),  # password or key
    _text("hash"),
    _text("note"),
    _at("created_at"),
)

carriers = Table(
    "carriers",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    _text("channel"),
    _text("settings", "{}"),
    _text("on_unknown", "hold"),  # hold or resend
    _text("receipt_parts", "all"),  # all, first or last
    _small("enabled", 1),
)

routes = Table(
    "routes",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _text("channel", "sms"),
    _text("prefix"),
    _text("operator"),  # MCC and MNC
    Column("client_id", BigInteger),
    _text("sender"),
    _id("carrier_id"),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("weight", Integer, nullable=False, server_default="1"),
)

rates = Table(
    "rates",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", BigInteger),  # null: the tariff of everybody
    _text("channel", "sms"),
    _text("prefix"),
    _text("operator"),
    _money("price"),
)

numbering = Table(
    "numbering",
    metadata,
    _key("first"),
    _key("last"),
    _text("country"),
    _text("operator"),
    _text("region"),
    _text("mccmnc"),
    _text("zone"),
    **NARROW,
)

# Numbers given out to each client in turn: wire ids, tasks, incoming messages.
counters = Table(
    "counters",
    metadata,
    _key("client_id"),
    Column("kind", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
    **NARROW,
)

# The road of a message.

messages = Table(
    "messages",
    metadata,
    _key("client_id"),
    _key("id"),
    _text("wire_id", None),
    _text("phone", None),
    Column("day", Integer, nullable=False),
    _small("type"),
    Column("flags", Integer, nullable=False, server_default="0"),
    _text("sender"),
    Column("text", Text),
    Column("text_id", BigInteger),
    _text("comment"),
    _text("options"),
    Column("parts", Integer, nullable=False),
    _text("mccmnc"),
    Column("mailing_id", BigInteger),
    _text("origin"),
    _small("status", None),
    Column("err", Integer, nullable=False, server_default="0"),
    _at("changed_at"),
    _at("sent_at"),
    Column("carrier_id", BigInteger, nullable=False, server_default="0"),
    _small("uncertain"),
    _small("hidden"),
    _id("account_id"),
    _small("purse"),
    _money("price"),
    _money("held"),
    _money("cost"),
    _small("money"),
    Index("messages_by_wire_id", "client_id", "wire_id", "phone", "id"),
    Index("messages_by_day_and_phone", "client_id", "day", "phone"),
    postgresql_partition_by="RANGE (id)",
    **NARROW,
)

texts = Table(
    "texts",
    metadata,
    _key("client_id"),
    _key("id"),
    Column("text", Text, nullable=False),
    **NARROW,
)

queue = Table(
    "queue",
    metadata,
    _key("client_id"),
    _key("message_id"),
    Column("carrier_id", BigInteger, nullable=False),
    _small("priority", None),
    _small("stage", None),
    _at("next_at"),
    _at("expires_at"),
    Column("window_from", SmallInteger),
    Column("window_to", SmallInteger),
    _text("zone"),
    Column("owner", BigInteger, nullable=False, server_default="0"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("route_step", Integer, nullable=False, server_default="0"),
    Column("chain_step", Integer, nullable=False, server_default="0"),
    Index(
        "queue_to_claim",
        "carrier_id",
        "priority",
        "client_id",
        "next_at",
        "message_id",
        sqlite_where=text("stage = 0"),
        postgresql_where=text("stage = 0"),
    ),
    Index(
        "queue_run_out",
        "stage",
        "next_at",
        sqlite_where=text("stage <> 0"),
        postgresql_where=text("stage <> 0"),
    ),
    **NARROW,
)

parts = Table(
    "parts",
    metadata,
    _key("client_id"),
    _key("message_id"),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("carrier_id", BigInteger, nullable=False),
    _text("carrier_ref", None),
    _small("status"),
    Column("err", Integer, nullable=False, server_default="0"),
    _at("at"),
    Index("parts_by_ref", "carrier_id", "carrier_ref"),
    **NARROW,
)

# Reports that matched nothing yet: the carrier was quicker than its own answer.
receipts = Table(
    "receipts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("carrier_id", BigInteger, nullable=False),
    _text("carrier_ref", None),
    _text("phone"),
    _small("status", None),
    Column("err", Integer, nullable=False, server_default="0"),
    _text("raw"),
    _at("at"),
    _at("reported_at"),
    Index("receipts_by_ref", "carrier_id", "carrier_ref"),
    Index("receipts_by_at", "at"),
)

dedup = Table(
    "dedup",
    metadata,
    _key("client_id"),
    Column("digest", LargeBinary, primary_key=True),
    _small("kind", None),
    _at("until"),
    Column("params", LargeBinary),  # what an Idempotency-Key was first used for
    _text("answer"),
    Index("dedup_until", "until"),
    **NARROW,
)

incoming = Table(
    "incoming",
    metadata,
    _key("client_id"),
    _key("id"),
    _text("phone", None),
    _text("to_phone", None),
    Column("text", Text, nullable=False),
    _at("sent_at"),
    _at("received_at"),
    Column("carrier_id", BigInteger, nullable=False),
    **NARROW,
)

# Segments of incoming messages that are not whole yet.
segments = Table(
    "segments",
    metadata,
    _key("carrier_id"),
    Column("phone", Text, primary_key=True),
    Column("to_phone", Text, primary_key=True),
    _key("reference"),
    _key("part"),
    Column("total", Integer, nullable=False),
    Column("text", Text, nullable=False),
    _at("sent_at"),
    _at("at"),
    **NARROW,
)

# Parts of clients' long messages: of those that are not whole yet, and for a while of those that
# were sent, for a part may come again.
submit_parts = Table(
    "submit_parts",
    metadata,
    _key("client_id"),
    _key("series"),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    _small("total", None),
    _text("sender"),
    _text("phone", None),
    Column("reference", Integer, nullable=False),
    _small("coding", None),
    Column("octets", LargeBinary, nullable=False),
    _text("manner"),
    Column("flags", Integer, nullable=False, server_default="0"),
    _text("wire_id", None),
    _small("state"),  # 0 gathering, 1 whole, 2 refused
    _at("at"),  # when the first part of the series came
    Index("submit_parts_by_key", "client_id", "phone", "sender", "reference"),
    Index("submit_parts_by_state", "state", "at"),
    **NARROW,
)

# What a client is yet to be told.  `rank` 0 goes before 1; no row is leased, the outbox is.
news = Table(
    "news",
    metadata,
    _key("client_id"),
    Column("transport", Text, primary_key=True),  # http or smpp
    Column("rank", SmallInteger, primary_key=True, autoincrement=False),
    _key("id"),
    _text("kind", None),  # status or incoming
    _id("message_id"),
    _text("payload", None),
    Column("tries", Integer, nullable=False, server_default="0"),
    _at("next_at"),
    _at("at"),
    Index("news_by_transport", "transport", "client_id"),
    Index("news_by_at", "transport", "at"),
    **NARROW,
)

outboxes = Table(
    "outboxes",
    metadata,
    _key("client_id"),
    Column("transport", Text, primary_key=True),
    Column("owner", BigInteger, nullable=False, server_default="0"),
    Column("lease", BigInteger, nullable=False, server_default="0"),
    Column("paused_until", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    **NARROW,
)

# Money.

accounts = Table(
    "accounts",
    metadata,
    _key("id"),
    Column("purse", SmallInteger, primary_key=True, autoincrement=False),
    _text("currency", "RUB"),
    _money("posted"),
    _money("held"),
    _money("credit"),
    **NARROW,
)

entries = Table(
    "entries",
    metadata,
    _key("account_id"),
    Column("purse", SmallInteger, primary_key=True, autoincrement=False),
    _key("id"),
    _text("kind", None),
    _money("posted"),
    _money("held"),
    Column("messages", Integer, nullable=False, server_default="0"),
    _text("ref"),
    _text("note"),
    _at("at"),
    postgresql_partition_by="RANGE (id)",
    **NARROW,
)

# What a message costs the payer's ancestors: `amount` is signed, a gain is negative.
charges = Table(
    "charges",
    metadata,
    _key("account_id"),
    _key("message_id"),
    _key("client_id"),
    _money("amount"),
    Index("charges_by_message", "client_id", "message_id"),
    postgresql_partition_by="RANGE (message_id)",
    **NARROW,
)

sums = Table(
    "sums",
    metadata,
    _key("client_id"),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("type", SmallInteger, primary_key=True, autoincrement=False),
    Column("mccmnc", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("node", SmallInteger, primary_key=True, autoincrement=False),
    Column("messages", BigInteger, nullable=False, server_default="0"),
    Column("parts", BigInteger, nullable=False, server_default="0"),
    Column("sent", BigInteger, nullable=False, server_default="0"),
    Column("delivered", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
    _money("spent"),
    _money("returned"),
    **NARROW,
)

# Work that was ordered.

mailings = Table(
    "mailings",
    metadata,
    _key("client_id"),
    _key("id"),
    _text("wire_id", None),
    _small("state"),  # 0 expanding, 1 expanded
    _text("common", "{}"),  # what all its messages share
    Column("cursor", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("made", BigInteger, nullable=False, server_default="0"),
    _at("created_at"),
    Index("mailings_by_state", "state", "id"),
    **NARROW,
)

mailing_chunks = Table(
    "mailing_chunks",
    metadata,
    _key("mailing_id"),
    _key("seq"),
    Column("rows", LargeBinary, nullable=False),
)

# What unexpanded mailings hold, for each account that pays.
mailing_holds = Table(
    "mailing_holds",
    metadata,
    _key("mailing_id"),
    _key("account_id"),
    Column("purse", SmallInteger, primary_key=True, autoincrement=False),
    _money("held"),
    **NARROW,
)

tasks = Table(
    "tasks",
    metadata,
    _key("client_id"),
    _key("id"),
    _text("name", None),
    _text("filter", "{}"),
    _text("format", "csv"),
    _small("status"),
    _at("created_at"),
    _at("start_at"),
    _at("started_at", nullable=True),
    _at("ended_at", nullable=True),
    Column("high_id", BigInteger, nullable=False, server_default="0"),
    Column("rows_done", BigInteger, nullable=False, server_default="0"),
    Column("rows_total", BigInteger, nullable=False, server_default="0"),
    _text("file"),
    Column("octets_utf8", BigInteger, nullable=False, server_default="0"),
    Column("octets_single", BigInteger, nullable=False, server_default="0"),
    _text("sha256"),
    Column("owner", BigInteger, nullable=False, server_default="0"),
    _at("lease"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    _text("reason"),
    Index(
        "tasks_due",
        "start_at",
        sqlite_where=text("status = 0"),
        postgresql_where=text("status = 0"),
    ),
    Index(
        "tasks_running",
        "lease",
        sqlite_where=text("status = 1"),
        postgresql_where=text("status = 1"),
    ),
)

# A task's file where nodes share no disk.
task_chunks = Table(
    "task_chunks",
    metadata,
    _key("client_id"),
    _key("task_id"),
    _key("seq"),
    Column("octets", LargeBinary, nullable=False),
)

# Partitioned by month on PostgreSQL: the table and the column that is a moment.
MONTHLY = ("messages", "entries", "charges")
