"""Ported numbers, numbers for rent and for calls, short links, alarms."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from vestnik.store.schema.columns import (
    NARROW,
    key,
    metadata,
    moment,
    money,
    only,
    row_id,
    small,
    words,
)

# Ported numbers, packed (domain/ported.py).  A load writes a version of its own and is then made
# the present one; `stamp` says which blocks have changed since.
ported_blocks = Table(
    "ported_blocks",
    metadata,
    key("version"),
    key("first"),
    Column("last", BigInteger, nullable=False),
    row_id("stamp"),
    Column("numbers", Integer, nullable=False),
    Column("octets", LargeBinary, nullable=False),
)

# What changed on a day; an empty code is a number that went back.
ported_changes = Table(
    "ported_changes",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    key("phone"),
    words("mccmnc"),
    **NARROW,
)

# Numbers of the centre: for rent by clients, or to be called for confirmation.
own_numbers = Table(
    "own_numbers",
    metadata,
    Column("phone", Text, primary_key=True),
    words("kind", None),  # rent or call
    money("cost"),  # a month
    words("country"),
    Column("client_id", BigInteger, nullable=False, server_default="0"),  # 0: it is free
    moment("paid_until", nullable=True),
    small("noprolong"),
)

# Calls that clients wait for; one for each number of a subscriber.
awaited_calls = Table(
    "awaited_calls",
    metadata,
    key("client_id"),
    Column("phone", Text, primary_key=True),
    words("to_phone", None),
    moment("until"),
    Column("day", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index("awaited_calls_by_phone", "phone", "to_phone", "until"),
    Index("awaited_calls_by_day", "day"),
    **NARROW,
)

# Short links.  `message_id` is 0 where one link serves all recipients of a request.
links = Table(
    "links",
    metadata,
    Column("code", Text, primary_key=True),
    row_id("client_id"),
    row_id("id"),
    row_id("message_id"),
    Column("digest", BigInteger, nullable=False),  # of the address
    Column("link", Text, nullable=False),
    moment("created_at"),
    small("clicked"),  # 1: its message is yet to be told of it, 2: it has been
    Index("links_by_id", "client_id", "id", unique=True),
    Index("links_by_digest", "client_id", "digest"),
    Index("links_by_age", "created_at"),
    Index("links_clicked", "code", **only("clicked = 1")),
)

clicks = Table(
    "clicks",
    metadata,
    key("client_id"),
    key("link_id"),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("clicks", BigInteger, nullable=False),
    **NARROW,
)

# Whom ping.php alarms, and in which words.
alarms = Table(
    "alarms",
    metadata,
    key("client_id"),
    key("id"),
    words("name"),
    words("recipients", None),
    words("kinds", None),
    Column("failure", Text, nullable=False),
    Column("recovery", Text, nullable=False),
    **NARROW,
)
