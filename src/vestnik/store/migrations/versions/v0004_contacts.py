"""Contacts, groups and black lists."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NARROW: dict[str, Any] = {"sqlite_with_rowid": False}
TEXTS = (
    "my_id",
    "name",
    "last_name",
    "first_name",
    "middle_name",
    "birthday",
    "comments",
    "tags",
    "phone_other",
)


def upgrade() -> None:
    _contacts()
    _groups()
    _black_lists()
    if op.get_context().dialect.name == "sqlite":
        _fix_plans()


def _key(name: str, kind: Any = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _contacts() -> None:
    op.create_table(
        "contacts",
        _key("client_id"),
        _key("book", sa.SmallInteger),
        _key("id"),
        sa.Column("addresses", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in TEXTS),
        sa.Column("search", sa.Text, nullable=False),
        **NARROW,
    )
    op.create_table(
        "contact_addresses",
        _key("client_id"),
        _key("book", sa.SmallInteger),
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("contact_id", sa.BigInteger, nullable=False),
        **NARROW,
    )


def _groups() -> None:
    op.create_table(
        "contact_groups",
        _key("client_id"),
        _key("id"),
        sa.Column("book", sa.SmallInteger, nullable=False),
        sa.Column("num", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("members", sa.BigInteger, nullable=False, server_default="0"),
        **NARROW,
    )
    op.create_index(
        "contact_groups_by_num", "contact_groups", ["client_id", "book", "num"], unique=True
    )
    op.create_table(
        "contact_members",
        _key("client_id"),
        _key("group_id"),
        _key("contact_id"),
        **NARROW,
    )
    op.create_index("contact_members_by_contact", "contact_members", ["client_id", "contact_id"])


def _black_lists() -> None:
    op.create_table(
        "blacklist",
        _key("client_id"),
        _key("book", sa.SmallInteger),
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("type", sa.SmallInteger, nullable=False),
        **NARROW,
    )
    op.create_table(
        "blacklist_sizes",
        _key("client_id"),
        sa.Column("entries", sa.BigInteger, nullable=False),
        **NARROW,
    )


# As in the first revision: without it a contact's groups are looked for among all memberships.
PLANS = {
    ("contacts", "contacts"): "1000000 100000 100000 1",
    ("contact_addresses", "contact_addresses"): "1000000 100000 100000 1",
    ("contact_groups", "contact_groups"): "10000 20 1",
    ("contact_groups", "contact_groups_by_num"): "10000 20 10 1",
    ("contact_members", "contact_members"): "1000000 100000 5000 1",
    ("contact_members", "contact_members_by_contact"): "1000000 100000 2",
    ("blacklist", "blacklist"): "1000000 100000 100000 1",
}


def _fix_plans() -> None:
    for (table, index), numbers in PLANS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{numbers}')")  # noqa: S608 - ours
    op.execute("ANALYZE sqlite_master")
