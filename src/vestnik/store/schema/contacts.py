"""Address books, their groups, and black lists.

`book` is 0 for telephones and 1 for e-mail; addresses are kept in lower case where they are keys.
"""

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table, Text

from vestnik.store.schema.columns import NARROW, key, metadata, row_id, small, words


def _book() -> Column[int]:
    return Column("book", SmallInteger, primary_key=True, autoincrement=False)


# What a contact is; all its addresses, joined by commas, the first one first.
contacts = Table(
    "contacts",
    metadata,
    key("client_id"),
    _book(),
    key("id"),
    words("addresses", None),
    words("my_id"),
    words("name"),
    words("last_name"),
    words("first_name"),
    words("middle_name"),
    words("birthday"),
    words("comments"),
    words("tags"),
    words("phone_other"),
    words("search", None),  # folded: see domain/contact.py
    **NARROW,
)

# Whose each address is.
contact_addresses = Table(
    "contact_addresses",
    metadata,
    key("client_id"),
    _book(),
    Column("address", Text, primary_key=True),
    row_id("contact_id"),
    **NARROW,
)

contact_groups = Table(
    "contact_groups",
    metadata,
    key("client_id"),
    key("id"),
    small("book", None),
    row_id("num"),  # what a client calls it in G<num>
    words("name"),
    Column("members", BigInteger, nullable=False, server_default="0"),
    Index("contact_groups_by_num", "client_id", "book", "num", unique=True),
    **NARROW,
)

contact_members = Table(
    "contact_members",
    metadata,
    key("client_id"),
    key("group_id"),
    key("contact_id"),
    Index("contact_members_by_contact", "client_id", "contact_id"),
    **NARROW,
)

blacklist = Table(
    "blacklist",
    metadata,
    key("client_id"),
    _book(),
    Column("address", Text, primary_key=True),
    row_id("id"),
    small("type", None),  # 0 everything, 1 mailings, 2 single messages
    **NARROW,
)

# How many addresses each client blocks: the few who block any are held in memory.
blacklist_sizes = Table(
    "blacklist_sizes",
    metadata,
    key("client_id"),
    Column("entries", BigInteger, nullable=False),
    **NARROW,
)
