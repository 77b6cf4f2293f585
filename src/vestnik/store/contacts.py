"""Contacts and their addresses.

Whoever writes here locks the client first: then nobody else changes its contacts, groups or
numbers until the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.domain.contact import Contact, fold
from vestnik.store import counters, schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into, rows

contacts, addresses = schema.contacts, schema.contact_addresses
members = schema.contact_members

COUNTER = "contact"  # of the ids that lists are paged by
LAST = 2**62  # past every id

ANYTHING = "%"

_COLUMNS = tuple(contacts.c[name] for name in Contact._fields)
_client = sa.bindparam("client", type_=BigInteger)
_book = sa.bindparam("which_book", type_=SmallInteger)
_group = sa.bindparam("of_group", type_=BigInteger)
_after = sa.bindparam("after", type_=BigInteger)
_until = sa.bindparam("until", type_=BigInteger)
_most = sa.bindparam("most", type_=Integer)
_of_book = (contacts.c.client_id == _client, contacts.c.book == _book)


def _like(name: str) -> sa.ColumnElement[bool]:
    return contacts.c.search.like(sa.bindparam(name, type_=Text), escape="!")


_fits = sa.and_(sa.or_(_like("full_name"), _like("name_start")), _like("anywhere"))
PAGE = Statement(
    sa.select(*_COLUMNS)
    .where(*_of_book, contacts.c.id > _after, contacts.c.id <= _until, _fits)
    .order_by(contacts.c.id)
    .limit(_most)
)
EDGE = Statement(
    sa.select(contacts.c.id)
    .where(*_of_book, contacts.c.id > _after)
    .order_by(contacts.c.id)
    .limit(sa.literal_column("1"))
    .offset(_most)
)
_in_group = (members.c.client_id == _client, members.c.group_id == _group)
GROUP_PAGE = Statement(
    sa.select(*_COLUMNS)
    .select_from(
        members.join(
            contacts,
            (contacts.c.client_id == members.c.client_id) & (contacts.c.id == members.c.contact_id),
        )
    )
    .where(
        *_in_group,
        contacts.c.book == _book,
        members.c.contact_id > _after,
        members.c.contact_id <= _until,
        _fits,
    )
    .order_by(members.c.contact_id)
    .limit(_most)
)
GROUP_EDGE = Statement(
    sa.select(members.c.contact_id)
    .where(*_in_group, members.c.contact_id > _after)
    .order_by(members.c.contact_id)
    .limit(sa.literal_column("1"))
    .offset(_most)
)
_wanted = rows("wanted", client_id=BigInteger, book=SmallInteger, id=BigInteger)
OF_IDS = Statement(
    sa.select(*_COLUMNS).join(
        _wanted,
        (contacts.c.client_id == _wanted.c.client_id)
        & (contacts.c.book == _wanted.c.book)
        & (contacts.c.id == _wanted.c.id),
    ),
    many=True,
)
_put = insert(contacts).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in contacts.c}
)
PUT = Statement(
    _put.on_conflict_do_update(
        index_elements=["client_id", "book", "id"],
        set_={name: _put.excluded[name] for name in Contact._fields[3:]},
    ),
    many=True,
)
DROP = Statement(
    sa.delete(contacts).where(*_of_book, contacts.c.id == sa.bindparam("which", type_=BigInteger))
)
_asked = rows("asked", client_id=BigInteger, book=SmallInteger, address=Text)
HOLDERS = Statement(
    sa.select(addresses.c.address, addresses.c.contact_id).join(
        _asked,
        (addresses.c.client_id == _asked.c.client_id)
        & (addresses.c.book == _asked.c.book)
        & (addresses.c.address == _asked.c.address),
    ),
    many=True,
)
PUT_ADDRESSES = insert_into(addresses)
_gone = rows("gone", client_id=BigInteger, book=SmallInteger, address=Text)
DROP_ADDRESSES = Statement(
    sa.delete(addresses).where(
        sa.tuple_(addresses.c.client_id, addresses.c.book, addresses.c.address).in_(
            sa.select(_gone.c.client_id, _gone.c.book, _gone.c.address)
        )
    ),
    many=True,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list holds: only a group, only a full name or the beginning of one in whole words,
    only what has some text in it; 0 and "" are any."""

    group_id: int = 0
    full_name: str = ""
    text: str = ""

    @property
    def scans(self) -> bool:
        """It may look at many contacts to find one."""
        return bool(self.full_name or self.text)

    def patterns(self) -> dict[str, str]:
        """What the folded text of a contact is like."""
        name, text = _literally(self.full_name), _literally(self.text)
        return {
            "full_name": f"{name}\n%" if name else ANYTHING,
            "name_start": f"{name} %" if name else ANYTHING,
            "anywhere": f"%{text}%" if text else ANYTHING,
        }


def _literally(text: str) -> str:
    folded = fold(text)
    return folded.replace("!", "!!").replace("%", "!%").replace("_", "!_")


async def lock(tx: Transaction, client_id: int) -> None:
    """Nobody else writes contacts, groups or a black list of the client until the commit."""
    await counters.reserve(tx, COUNTER, [(client_id, 0)])


async def take_ids(tx: Transaction, client_id: int, count: int) -> range:
    """Ids for new contacts, greater than all before."""
    return (await counters.reserve(tx, COUNTER, [(client_id, count)]))[client_id]


async def page(
    tx: Transaction, client_id: int, book: int, only: Filter, after: int, until: int, most: int
) -> list[Contact]:
    """Contacts with ids past `after`, up to `until`, by growing ids."""
    span = {"client": client_id, "which_book": book, "after": after, "until": until, "most": most}
    if only.group_id:
        found = await tx.all(GROUP_PAGE, of_group=only.group_id, **span, **only.patterns())
    else:
        found = await tx.all(PAGE, **span, **only.patterns())
    return [Contact(*row) for row in found]


async def edge(
    tx: Transaction, client_id: int, book: int, only: Filter, after: int, scanned: int
) -> int:
    """The id up to which about `scanned` contacts lie past `after`; LAST if there are no more."""
    if only.group_id:
        row = await tx.one(
            GROUP_EDGE, client=client_id, of_group=only.group_id, after=after, most=scanned
        )
    else:
        row = await tx.one(EDGE, client=client_id, which_book=book, after=after, most=scanned)
    return row[0] if row else LAST


async def of_ids(
    tx: Transaction, client_id: int, book: int, ids: Sequence[int]
) -> dict[int, Contact]:
    found = await tx.many(OF_IDS, [(client_id, book, one) for one in sorted(ids)])
    return {contact.id: contact for contact in (Contact(*row) for row in found)}


async def holders(
    tx: Transaction, client_id: int, book: int, keys: Sequence[str]
) -> dict[str, int]:
    """The contact that has each of these addresses, in their looked-up form."""
    found = await tx.many(HOLDERS, [(client_id, book, one) for one in sorted(keys)])
    return {row[0]: row[1] for row in found}


async def put(tx: Transaction, made: Sequence[Contact]) -> None:
    """Keep contacts, each once, as they are now."""
    await tx.many(PUT, sorted(made))


async def drop(tx: Transaction, client_id: int, book: int, contact_id: int) -> None:
    await tx.run(DROP, client=client_id, which_book=book, which=contact_id)


async def put_addresses(
    tx: Transaction, client_id: int, book: int, made: Sequence[tuple[str, int]]
) -> None:
    """Say whose addresses are: (looked-up form, contact)."""
    data = [(client_id, book, address, contact) for address, contact in sorted(made)]
    await tx.many(PUT_ADDRESSES, data)


async def drop_addresses(tx: Transaction, client_id: int, book: int, gone: Sequence[str]) -> None:
    await tx.many(DROP_ADDRESSES, [(client_id, book, address) for address in sorted(gone)])
