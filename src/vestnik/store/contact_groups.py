"""Groups of contacts and who is in them; each group's count is changed with its members."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.domain.contact import Group
from vestnik.store import counters, schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into, rows

groups, members = schema.contact_groups, schema.contact_members
given_out = schema.counters

COUNTER = "contact group"

Member = tuple[int, int]  # group, contact

_FIELDS = (groups.c.id, groups.c.num, groups.c.name, groups.c.members)
_client = sa.bindparam("client", type_=BigInteger)
_book = sa.bindparam("which_book", type_=SmallInteger)
_group = sa.bindparam("of_group", type_=BigInteger)
_num = sa.bindparam("number", type_=BigInteger)
_most = sa.bindparam("most", type_=Integer)
_of_book = (groups.c.client_id == _client, groups.c.book == _book)
_one = sa.literal_column("1", Integer)

BEGUN = Statement(
    sa.select(given_out.c.next).where(
        given_out.c.client_id == _client, given_out.c.kind == sa.bindparam("which", type_=Text)
    )
)
ALL = Statement(sa.select(*_FIELDS).where(*_of_book).order_by(groups.c.id))
OF_ID = Statement(sa.select(*_FIELDS).where(*_of_book, groups.c.id == _group))
OF_NUM = Statement(sa.select(*_FIELDS).where(*_of_book, groups.c.num == _num))
COUNT = Statement(sa.select(sa.func.count()).select_from(groups).where(*_of_book))
_next = groups.alias("next")
FREE_NUM = Statement(
    sa.select(sa.func.min(groups.c.num) + _one).where(
        *_of_book,
        ~sa.exists().where(
            _next.c.client_id == groups.c.client_id,
            _next.c.book == groups.c.book,
            _next.c.num == groups.c.num + _one,
        ),
    )
)
PUT = insert_into(groups, "client_id", "id", "book", "num", "name")
CHANGE = Statement(
    sa.update(groups)
    .values(num=_num, name=sa.bindparam("new_name", type_=Text))
    .where(groups.c.client_id == _client, groups.c.id == _group)
)
DROP = Statement(sa.delete(groups).where(groups.c.client_id == _client, groups.c.id == _group))
_counted = rows("counted", client_id=BigInteger, id=BigInteger, added=BigInteger)
COUNT_MEMBERS = Statement(
    sa.update(groups)
    .values(members=groups.c.members + _counted.c.added)
    .where(groups.c.client_id == _counted.c.client_id, groups.c.id == _counted.c.id),
    many=True,
)
_put = insert(members).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in members.c}
)
JOIN = Statement(
    _put.on_conflict_do_nothing(index_elements=["client_id", "group_id", "contact_id"]).returning(
        members.c.group_id
    ),
    many=True,
)
_gone = rows("gone", client_id=BigInteger, group_id=BigInteger, contact_id=BigInteger)
LEAVE = Statement(
    sa.delete(members)
    .where(
        sa.tuple_(members.c.client_id, members.c.group_id, members.c.contact_id).in_(
            sa.select(_gone.c.client_id, _gone.c.group_id, _gone.c.contact_id)
        )
    )
    .returning(members.c.group_id),
    many=True,
)
_first = (
    sa.select(members.c.contact_id)
    .where(members.c.client_id == _client, members.c.group_id == _group)
    .order_by(members.c.contact_id)
    .limit(_most)
)
EMPTY = Statement(
    sa.delete(members).where(
        members.c.client_id == _client,
        members.c.group_id == _group,
        members.c.contact_id.in_(_first.scalar_subquery()),
    )
)
_asked = rows("asked", client_id=BigInteger, contact_id=BigInteger)
OF_CONTACTS = Statement(
    sa.select(members.c.contact_id, members.c.group_id).join(
        _asked,
        (members.c.client_id == _asked.c.client_id) & (members.c.contact_id == _asked.c.contact_id),
    ),
    many=True,
)


async def begun(tx: Transaction, client_id: int) -> bool:
    """The client has had groups."""
    return await tx.one(BEGUN, client=client_id, which=COUNTER) is not None


async def all_of(tx: Transaction, client_id: int, book: int) -> list[Group]:
    """Every group of a book, by growing ids."""
    return [Group(*row) for row in await tx.all(ALL, client=client_id, which_book=book)]


async def one(tx: Transaction, client_id: int, book: int, group_id: int) -> Group | None:
    row = await tx.one(OF_ID, client=client_id, which_book=book, of_group=group_id)
    return Group(*row) if row else None


async def of_num(tx: Transaction, client_id: int, book: int, num: int) -> Group | None:
    """The group that a client means by `G<num>`."""
    row = await tx.one(OF_NUM, client=client_id, which_book=book, number=num)
    return Group(*row) if row else None


async def count(tx: Transaction, client_id: int, book: int) -> int:
    row = await tx.one(COUNT, client=client_id, which_book=book)
    return row[0] if row else 0


async def free_num(tx: Transaction, client_id: int, book: int) -> int:
    """The smallest number from 1 on that no group has."""
    if await of_num(tx, client_id, book, 1) is None:
        return 1
    row = await tx.one(FREE_NUM, client=client_id, which_book=book)
    assert row is not None
    return int(row[0])


async def put(tx: Transaction, client_id: int, book: int, num: int, name: str) -> int:
    """Make a group; returns its id.  The caller has seen that the number is free."""
    [group_id] = (await counters.reserve(tx, COUNTER, [(client_id, 1)]))[client_id]
    await tx.many(PUT, [(client_id, group_id, book, num, name)])
    return group_id


async def change(tx: Transaction, client_id: int, group: Group) -> None:
    """Give a group its number and name."""
    await tx.run(CHANGE, client=client_id, of_group=group.id, number=group.num, new_name=group.name)


async def drop(tx: Transaction, client_id: int, group_id: int) -> None:
    """Drop a group, which has no members any more."""
    await tx.run(DROP, client=client_id, of_group=group_id)


async def empty(tx: Transaction, client_id: int, group_id: int, most: int) -> int:
    """Take so many members out of a group; returns how many it still had of those."""
    gone = await tx.run(EMPTY, client=client_id, of_group=group_id, most=most)
    await _count(tx, client_id, {group_id: -gone})
    return gone


async def join(tx: Transaction, client_id: int, joined: Iterable[Member]) -> None:
    """Put contacts into groups; those that are in already stay."""
    data = [(client_id, *one) for one in sorted(set(joined))]
    await _count(tx, client_id, _sums(await tx.many(JOIN, data), 1))


async def leave(tx: Transaction, client_id: int, left: Iterable[Member]) -> None:
    """Take contacts out of groups; those that are not in stay out."""
    data = [(client_id, *one) for one in sorted(set(left))]
    await _count(tx, client_id, _sums(await tx.many(LEAVE, data), -1))


async def of_contacts(
    tx: Transaction, client_id: int, contacts: Sequence[int]
) -> dict[int, list[int]]:
    """The groups of each contact, by growing ids; those in none are left out."""
    found = await tx.many(OF_CONTACTS, [(client_id, one) for one in sorted(contacts)])
    of: dict[int, list[int]] = {}
    for contact, group in sorted((row[0], row[1]) for row in found):
        of.setdefault(contact, []).append(group)
    return of


def _sums(found: Iterable[Sequence[int]], each: int) -> dict[int, int]:
    sums: dict[int, int] = {}
    for row in found:
        sums[row[0]] = sums.get(row[0], 0) + each
    return sums


async def _count(tx: Transaction, client_id: int, changes: Mapping[int, int]) -> None:
    data = [(client_id, group, added) for group, added in sorted(changes.items()) if added]
    await tx.many(COUNT_MEMBERS, data)
