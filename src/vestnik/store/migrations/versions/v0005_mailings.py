"""Mailings with a name, a plan and counters."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NARROW: dict[str, Any] = {"sqlite_with_rowid": False}

# What a mailing is, besides an oversized request: name, type, whether it may be null, usual value.
COLUMNS: tuple[tuple[str, Any, bool, str | None], ...] = (
    ("kind", sa.SmallInteger, False, "0"),
    ("name", sa.Text, False, ""),
    ("mail", sa.SmallInteger, False, "0"),
    ("settings", sa.Text, False, "{}"),
    ("zone", sa.Text, False, ""),
    ("rpt", sa.SmallInteger, False, "0"),
    ("rptn", sa.BigInteger, True, None),
    ("run", sa.BigInteger, False, "0"),
    ("run_wire_id", sa.Text, False, ""),
    ("first_at", sa.BigInteger, False, "0"),
    ("start_at", sa.BigInteger, False, "0"),
    ("last_run", sa.BigInteger, True, None),
    ("next_at", sa.BigInteger, False, "0"),
    ("after", sa.BigInteger, False, "0"),
    ("whole", sa.SmallInteger, False, "0"),
    ("leaving", sa.SmallInteger, False, "0"),
)


def upgrade() -> None:
    for name, kind, nullable, usual in COLUMNS:
        column = sa.Column(name, kind, nullable=nullable, server_default=usual)
        op.add_column("mailings", column)
    # An oversized request was 0 while it was expanded and 1 after that.
    op.execute("UPDATE mailings SET state = state + 1")
    op.create_index("mailings_by_wire_id", "mailings", ["client_id", "wire_id"])
    op.create_index("mailings_due", "mailings", ["next_at"], **_where("kind = 1 AND state < 2"))
    op.create_index("mailings_leaving", "mailings", ["id"], **_where("leaving > 0"))
    op.add_column("mailing_chunks", sa.Column("recipients", sa.Integer))
    _runs()
    _files()
    if op.get_context().dialect.name == "sqlite":
        _fix_plans()


def _where(condition: str) -> dict[str, Any]:
    return {f"{engine}_where": sa.text(condition) for engine in ("sqlite", "postgresql")}


def _runs() -> None:
    op.create_table(
        "mailing_runs",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("mailing_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("wire_id", sa.Text, primary_key=True),
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("waiting", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("sent", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("delivered", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failed", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("cost", sa.BigInteger, nullable=False, server_default="0"),
        **NARROW,
    )


def _files() -> None:
    op.create_table(
        "mailing_files",
        sa.Column("mailing_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("field", sa.Text, nullable=False, server_default=""),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("octets", sa.LargeBinary, nullable=False),
    )


# As in the first revision: a client has many mailings, and few of all are due or leaving.
PLANS = {
    ("mailings", "mailings"): "10000 100 1",
    ("mailings", "mailings_by_state"): "10000 3000 1",
    ("mailings", "mailings_by_wire_id"): "10000 100 1",
    ("mailings", "mailings_due"): "100 2",
    ("mailings", "mailings_leaving"): "10 1",
    ("mailing_runs", "mailing_runs"): "10000 100 2 1",
    ("mailing_chunks", "sqlite_autoindex_mailing_chunks_1"): "100000 100 1",
}


def _fix_plans() -> None:
    for (table, index), numbers in PLANS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{numbers}')")  # noqa: S608 - ours
    op.execute("ANALYZE sqlite_master")
