"""Accounts, entries, ancestors' shares and daily sums."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text

from vestnik.store.schema.columns import NARROW, key, metadata, moment, money, only, words

# Money.

accounts = Table(
    "accounts",
    metadata,
    key("id"),
    Column("purse", SmallInteger, primary_key=True, autoincrement=False),
    words("currency", "RUB"),
    money("posted"),
    money("held"),
    money("credit"),
    **NARROW,
)

entries = Table(
    "entries",
    metadata,
    key("account_id"),
    Column("purse", SmallInteger, primary_key=True, autoincrement=False),
    key("id"),
    words("kind", None),
    money("posted"),
    money("held"),
    Column("messages", Integer, nullable=False, server_default="0"),
    words("ref"),
    words("note"),
    moment("at"),
    # The few that are no business of messages: what was paid in is summed over them (get_stat).
    Index(
        "entries_of_transfers",
        "account_id",
        "purse",
        "id",
        **only("kind NOT IN ('hold', 'capture', 'release')"),
    ),
    postgresql_partition_by="RANGE (id)",
    **NARROW,
)

# What a message costs the payer's ancestors: `amount` is signed, a gain is negative.
charges = Table(
    "charges",
    metadata,
    key("account_id"),
    key("message_id"),
    key("client_id"),
    money("amount"),
    Index("charges_by_message", "client_id", "message_id"),
    postgresql_partition_by="RANGE (message_id)",
    **NARROW,
)

sums = Table(
    "sums",
    metadata,
    key("client_id"),
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
    money("spent"),
    money("returned"),
    # That which paid: 0 too for what nobody paid for.
    Column("purse", SmallInteger, primary_key=True, autoincrement=False, server_default="0"),
    **NARROW,
)
