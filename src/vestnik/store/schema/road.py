"""Messages, their queue, what carriers say of them, and what clients are told."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

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

# The road of a message.

messages = Table(
    "messages",
    metadata,
    key("client_id"),
    key("id"),
    words("wire_id", None),
    words("phone", None),
    Column("day", Integer, nullable=False),
    small("type"),
    Column("flags", Integer, nullable=False, server_default="0"),
    words("sender"),
    Column("text", Text),
    Column("text_id", BigInteger),
    words("comment"),
    words("options"),
    Column("parts", Integer, nullable=False),
    words("mccmnc"),
    Column("mailing_id", BigInteger),
    words("origin"),
    small("status", None),
    Column("err", Integer, nullable=False, server_default="0"),
    moment("changed_at"),
    moment("sent_at"),
    Column("carrier_id", BigInteger, nullable=False, server_default="0"),
    small("uncertain"),
    small("hidden"),
    row_id("account_id"),
    small("purse"),
    money("price"),
    money("held"),
    money("cost"),
    small("money"),
    Index("messages_by_wire_id", "client_id", "wire_id", "phone", "id"),
    Index("messages_by_day_and_phone", "client_id", "day", "phone"),
    postgresql_partition_by="RANGE (id)",
    **NARROW,
)

texts = Table(
    "texts",
    metadata,
    key("client_id"),
    key("id"),
    Column("text", Text, nullable=False),
    **NARROW,
)

queue = Table(
    "queue",
    metadata,
    key("client_id"),
    key("message_id"),
    Column("carrier_id", BigInteger, nullable=False),
    small("priority", None),
    small("stage", None),
    moment("next_at"),
    moment("expires_at"),
    Column("window_from", SmallInteger),
    Column("window_to", SmallInteger),
    words("zone"),
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
        **only("stage = 0"),
    ),
    Index("queue_run_out", "stage", "next_at", **only("stage <> 0")),
    **NARROW,
)

parts = Table(
    "parts",
    metadata,
    key("client_id"),
    key("message_id"),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("carrier_id", BigInteger, nullable=False),
    words("carrier_ref", None),
    small("status"),
    Column("err", Integer, nullable=False, server_default="0"),
    moment("at"),
    Index("parts_by_ref", "carrier_id", "carrier_ref"),
    **NARROW,
)

# Reports that matched nothing yet: the carrier was quicker than its own answer.
receipts = Table(
    "receipts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("carrier_id", BigInteger, nullable=False),
    words("carrier_ref", None),
    words("phone"),
    small("status", None),
    Column("err", Integer, nullable=False, server_default="0"),
    words("raw"),
    moment("at"),
    moment("reported_at"),
    Index("receipts_by_ref", "carrier_id", "carrier_ref"),
    Index("receipts_by_at", "at"),
)

dedup = Table(
    "dedup",
    metadata,
    key("client_id"),
    Column("digest", LargeBinary, primary_key=True),
    small("kind", None),
    moment("until"),
    Column("params", LargeBinary),  # what an Idempotency-Key was first used for
    words("answer"),
    Index("dedup_until", "until"),
    **NARROW,
)

incoming = Table(
    "incoming",
    metadata,
    key("client_id"),
    key("id"),
    words("phone", None),
    words("to_phone", None),
    Column("text", Text, nullable=False),
    moment("sent_at"),
    moment("received_at"),
    Column("carrier_id", BigInteger, nullable=False),
    **NARROW,
)

# Segments of incoming messages that are not whole yet.
segments = Table(
    "segments",
    metadata,
    key("carrier_id"),
    Column("phone", Text, primary_key=True),
    Column("to_phone", Text, primary_key=True),
    key("reference"),
    key("part"),
    Column("total", Integer, nullable=False),
    Column("text", Text, nullable=False),
    moment("sent_at"),
    moment("at"),
    **NARROW,
)

# Parts of clients' long messages: of those that are not whole yet, and for a while of those that
# were sent, for a part may come again.
submit_parts = Table(
    "submit_parts",
    metadata,
    key("client_id"),
    key("series"),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    small("total", None),
    words("sender"),
    words("phone", None),
    Column("reference", Integer, nullable=False),
    small("coding", None),
    Column("octets", LargeBinary, nullable=False),
    words("manner"),
    Column("flags", Integer, nullable=False, server_default="0"),
    words("wire_id", None),
    small("state"),  # 0 gathering, 1 whole, 2 refused
    moment("at"),  # when the first part of the series came
    Index("submit_parts_by_key", "client_id", "phone", "sender", "reference"),
    Index("submit_parts_by_state", "state", "at"),
    **NARROW,
)

# What a client is yet to be told.  `rank` 0 goes before 1; no row is leased, the outbox is.
news = Table(
    "news",
    metadata,
    key("client_id"),
    Column("transport", Text, primary_key=True),  # http or smpp
    Column("rank", SmallInteger, primary_key=True, autoincrement=False),
    key("id"),
    words("kind", None),  # status or incoming
    row_id("message_id"),
    words("payload", None),
    Column("tries", Integer, nullable=False, server_default="0"),
    moment("next_at"),
    moment("at"),
    Index("news_by_transport", "transport", "client_id"),
    Index("news_by_at", "transport", "at"),
    **NARROW,
)

outboxes = Table(
    "outboxes",
    metadata,
    key("client_id"),
    Column("transport", Text, primary_key=True),
    Column("owner", BigInteger, nullable=False, server_default="0"),
    Column("lease", BigInteger, nullable=False, server_default="0"),
    Column("paused_until", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    **NARROW,
)
