"""Statistics of tables that are still empty (docs/design/fixed-plans.md)."""

from alembic import op

# What SQLite's planner should believe of tables that are still empty: rows for each value of the
# first column, of the first two, and so on.  Without it `client_id = ?` is answered from the main
# key, which is a scan of the client's whole history.  Nothing ever runs ANALYZE again: plans stay.
PLANS = {
    ("messages", "messages"): "3000000 30000 1",
    ("messages", "messages_by_wire_id"): "3000000 30000 2 1 1",
    ("messages", "messages_by_day_and_phone"): "3000000 30000 1000 2",
    ("queue", "queue"): "100000 1000 1",
    ("queue", "queue_to_claim"): "100000 10000 5000 500 2 1",
    ("queue", "queue_run_out"): "100000 30000 2",
    ("parts", "parts"): "3000000 30000 2 1",
    ("parts", "parts_by_ref"): "3000000 1000000 2",
    ("texts", "texts"): "100000 1000 1",
    ("charges", "charges"): "1000000 30000 1 1",
    ("charges", "charges_by_message"): "1000000 30000 1",
    ("dedup", "dedup"): "100000 1000 1",
    ("accounts", "accounts"): "200 2 1",
    ("receipts", "receipts_by_ref"): "1000 500 2",
}


def fix_plans() -> None:
    """Tell SQLite's planner what to believe; part of a revision."""
    op.execute("ANALYZE")
    for (table, index), numbers in PLANS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{numbers}')")  # noqa: S608 - ours
    op.execute("ANALYZE sqlite_master")  # read them now, on this connection too
