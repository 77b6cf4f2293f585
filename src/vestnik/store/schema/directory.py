"""What validation reads whole into memory, and numbers given out in turn."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from vestnik.store.schema.columns import NARROW, key, metadata, moment, money, row_id, small, words

# What validation reads whole into memory (services/centre/directory.py).

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    words("value"),
    **NARROW,
)

clients = Table(
    "clients",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("login", Text, nullable=False, unique=True),
    Column("parent_id", BigInteger),
    small("type"),
    small("admin"),
    words("currency", "RUB"),
    words("zone", "Europe/Moscow"),
    words("sender"),
    words("addresses"),  # networks, joined by commas
    words("limits", "{}"),  # only those that differ from the defaults
    moment("created_at"),
    words("profile", "{}"),  # what the directory does not need: only what differs from the defaults
)

secrets = Table(
    "secrets",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    row_id("client_id"),
    words("kind"),  # password or key
    words("hash"),
    words("note"),
    moment("created_at"),
)

carriers = Table(
    "carriers",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    words("channel"),
    words("settings", "{}"),
    words("on_unknown", "hold"),  # hold or resend
    words("receipt_parts", "all"),  # all, first or last
    small("enabled", 1),
)

routes = Table(
    "routes",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    words("channel", "sms"),
    words("prefix"),
    words("operator"),  # MCC and MNC
    Column("client_id", BigInteger),
    words("sender"),
    row_id("carrier_id"),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("weight", Integer, nullable=False, server_default="1"),
)

rates = Table(
    "rates",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", BigInteger),  # null: the tariff of everybody
    words("channel", "sms"),
    words("prefix"),
    words("operator"),
    money("price"),
)

numbering = Table(
    "numbering",
    metadata,
    key("first"),
    key("last"),
    words("country"),
    words("operator"),
    words("region"),
    words("mccmnc"),
    words("zone"),
    **NARROW,
)

# Numbers given out to each client in turn: wire ids, tasks, incoming messages.
counters = Table(
    "counters",
    metadata,
    key("client_id"),
    Column("kind", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
    **NARROW,
)
