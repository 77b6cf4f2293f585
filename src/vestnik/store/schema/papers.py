"""Sender names and their registrations, templates, invoices and acts."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from vestnik.store.schema.columns import NARROW, key, metadata, moment, only, small, words

# Names that accounts show as senders (senders.md).

senders = Table(
    "senders",
    metadata,
    key("client_id"),
    key("id"),
    words("name", None),  # as first written
    words("folded", None),  # in lower case: what names are compared by
    small("kind"),  # 0 alphanumeric, 1 digital, 2 e-mail
    small("status"),  # 0 waits, 1 approved, 2 refused, 3 needs documents
    words("cmt"),
    words("owner"),  # the name that goes with an e-mail address
    words("details", "{}"),  # what a registration in another country asks for
    words("common"),  # operators at which a common name may replace it, comma-separated
    words("reason"),  # the moderator's words
    moment("created_at"),
    moment("changed_at"),
    Index("senders_by_name", "client_id", "folded", unique=True),
    Index("senders_by_status", "status", "changed_at"),
)

# A name's registration at one operator.
sender_operators = Table(
    "sender_operators",
    metadata,
    key("client_id"),
    key("sender_id"),
    Column("operator", Text, primary_key=True),
    words("tariff", None),  # free, paid, national or international
    small("status", 1),  # 1 asked … 5 switched off
    moment("changed_at"),
    Column("paid_month", Integer, nullable=False, server_default="0"),  # year * 12 + month - 1
    Index("sender_operators_by_fee", "tariff", "status", "paid_month"),
    **NARROW,
)

# Documents for the moderator and the operators.
sender_files = Table(
    "sender_files",
    metadata,
    key("client_id"),
    key("sender_id"),
    key("number"),
    words("name", None),
    words("type", None),
    words("about"),
    moment("created_at"),
    Column("octets", LargeBinary, nullable=False),
)

# Codes that were sent to confirm digital names.
sender_codes = Table(
    "sender_codes",
    metadata,
    key("client_id"),
    Column("phone", Text, primary_key=True),
    words("digest"),  # a keyed hash in hexadecimal; empty once it was used
    moment("sent_at"),
    Column("tries", Integer, nullable=False, server_default="0"),  # wrong ones
    Index("sender_codes_by_time", "sent_at"),
    **NARROW,
)

# An account's own texts (templates.md, 1).
templates = Table(
    "templates",
    metadata,
    key("client_id"),
    key("id"),
    words("name", None),
    words("message", None),
    words("format"),
    words("sender"),
    small("flag"),
    moment("created_at"),
    **NARROW,
)

# Texts that operators allow to a sender name (templates.md, 2).
op_templates = Table(
    "op_templates",
    metadata,
    key("client_id"),
    key("id"),
    words("sender", None),
    words("folded", None),
    words("kind", None),  # operator and kind of text, as mts_srv
    words("message", None),
    small("status"),  # 0 on moderation, 1 approved, 2 rejected
    moment("created_at"),
    Index("op_templates_by_sender", "client_id", "folded", "kind"),
    **NARROW,
)

# Invoices and acts (documents.md): `body` is all that is printed, as it was when they were made.
papers = Table(
    "papers",
    metadata,
    key("id"),
    Column("owner_id", BigInteger, nullable=False),  # the main account that makes them
    Column("client_id", BigInteger, nullable=False),  # its subclient
    words("kind", None),  # invoice or act
    Column("year", Integer, nullable=False),
    Column("num", Integer, nullable=False),  # without gaps in the owner's year
    Column(
        "month", Integer, nullable=False, server_default="0"
    ),  # of an act: year * 12 + month - 1
    moment("created_at"),
    words("body", None),
    Index("papers_by_number", "owner_id", "kind", "year", "num", unique=True),
    Index("papers_by_client", "client_id", "kind", "id"),
    Index("papers_acts", "owner_id", "client_id", "month", unique=True, **only("kind = 'act'")),
)
