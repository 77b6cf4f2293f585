"""Work that was ordered: mailings and deferred tasks."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, text

from vestnik.store.schema.columns import NARROW, key, metadata, moment, money, small, words

# Work that was ordered.

mailings = Table(
    "mailings",
    metadata,
    key("client_id"),
    key("id"),
    words("wire_id", None),
    small("state"),  # 0 expanding, 1 expanded
    words("common", "{}"),  # what all its messages share
    Column("cursor", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("made", BigInteger, nullable=False, server_default="0"),
    moment("created_at"),
    Index("mailings_by_state", "state", "id"),
    **NARROW,
)

mailing_chunks = Table(
    "mailing_chunks",
    metadata,
    key("mailing_id"),
    key("seq"),
    Column("rows", LargeBinary, nullable=False),
)

# What unexpanded mailings hold, for each account that pays.
mailing_holds = Table(
    "mailing_holds",
    metadata,
    key("mailing_id"),
    key("account_id"),
    Column("purse", SmallInteger, primary_key=True, autoincrement=False),
    money("held"),
    **NARROW,
)

tasks = Table(
    "tasks",
    metadata,
    key("client_id"),
    key("id"),
    words("name", None),
    words("filter", "{}"),
    words("format", "csv"),
    small("status"),
    moment("created_at"),
    moment("start_at"),
    moment("started_at", nullable=True),
    moment("ended_at", nullable=True),
    Column("high_id", BigInteger, nullable=False, server_default="0"),
    Column("rows_done", BigInteger, nullable=False, server_default="0"),
    Column("rows_total", BigInteger, nullable=False, server_default="0"),
    words("file"),
    Column("octets_utf8", BigInteger, nullable=False, server_default="0"),
    Column("octets_single", BigInteger, nullable=False, server_default="0"),
    words("sha256"),
    Column("owner", BigInteger, nullable=False, server_default="0"),
    moment("lease"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    words("reason"),
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
    key("client_id"),
    key("task_id"),
    key("seq"),
    Column("octets", LargeBinary, nullable=False),
)
