"""Work that was ordered: mailings and deferred tasks."""

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

from vestnik.store.schema.columns import NARROW, key, metadata, moment, money, only, small, words

# Work that was ordered.

# Requests too big for one commit (kind 0), and mailings with a name, a plan and repeats (kind 1).
mailings = Table(
    "mailings",
    metadata,
    key("client_id"),
    key("id"),
    words("wire_id", None),  # of a named one: what its client calls it, and its first run
    small("state"),  # 0 waiting, 1 being sent, 2 finished, 3 switched off, 4 not started
    words("common", "{}"),  # what all messages of an oversized request share
    Column("cursor", BigInteger, nullable=False, server_default="0"),  # the chunk that is next
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("made", BigInteger, nullable=False, server_default="0"),  # of its list, in this run
    moment("created_at"),
    small("kind"),
    words("name"),
    small("mail"),
    words("settings", "{}"),  # how its messages are made
    words("zone"),  # the account's when it was ordered
    small("rpt"),
    Column("rptn", BigInteger),  # repeats at most; null: any number
    Column("run", BigInteger, nullable=False, server_default="0"),  # runs begun
    words("run_wire_id"),  # of the messages of the last run
    Column("first_at", BigInteger, nullable=False, server_default="0"),  # when the first was due
    Column("start_at", BigInteger, nullable=False, server_default="0"),  # when the last or next is
    moment("last_run", nullable=True),  # when the last run began
    Column("next_at", BigInteger, nullable=False, server_default="0"),  # look at it then
    Column("after", BigInteger, nullable=False, server_default="0"),  # within a group: its contact
    small("whole"),  # 1: all of its list have their messages in this run
    small("leaving"),  # 1: what waits is to be stopped, 2: and then it is to be removed
    Index("mailings_by_state", "state", "id"),
    Index("mailings_by_wire_id", "client_id", "wire_id"),
    Index("mailings_due", "next_at", **only("kind = 1 AND state < 2")),
    Index("mailings_leaving", "id", **only("leaving > 0")),
    **NARROW,
)

mailing_chunks = Table(
    "mailing_chunks",
    metadata,
    key("mailing_id"),
    key("seq"),
    Column("rows", LargeBinary, nullable=False),
    Column("recipients", Integer),  # null: as many as the group has that it names
)

# How far each run of a mailing is: changed in the commits that change its messages.
mailing_runs = Table(
    "mailing_runs",
    metadata,
    key("client_id"),
    key("mailing_id"),
    Column("wire_id", Text, primary_key=True),
    Column("run", BigInteger, nullable=False),
    moment("started_at"),
    Column("made", BigInteger, nullable=False, server_default="0"),
    Column("waiting", BigInteger, nullable=False, server_default="0"),
    Column("sent", BigInteger, nullable=False, server_default="0"),
    Column("delivered", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
    money("cost"),
    **NARROW,
)

# What is attached to all messages of a mailing.
mailing_files = Table(
    "mailing_files",
    metadata,
    key("mailing_id"),
    key("number"),
    words("field"),
    words("name"),
    Column("octets", LargeBinary, nullable=False),
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
    Index("tasks_due", "start_at", **only("status = 0")),
    Index("tasks_running", "lease", **only("status = 1")),
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
