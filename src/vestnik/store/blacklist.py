"""Black lists: addresses that an account sends nothing to, or nothing of a kind."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, SmallInteger, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import counters, schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

blacklist, sizes = schema.blacklist, schema.blacklist_sizes

COUNTER = "blacklist"

_client = sa.bindparam("client", type_=BigInteger)
_this = (
    blacklist.c.client_id == _client,
    blacklist.c.book == sa.bindparam("which_book", type_=SmallInteger),
    blacklist.c.address == sa.bindparam("which_address", type_=Text),
)

PUT = insert_into(blacklist)
CHANGE = Statement(
    sa.update(blacklist)
    .values(type=sa.bindparam("new_type", type_=SmallInteger))
    .where(*_this)
    .returning(blacklist.c.id)
)
DROP = Statement(sa.delete(blacklist).where(*_this))
_size = insert(sizes).values(client_id=_client, entries=sa.bindparam("added", type_=BigInteger))
COUNT = Statement(
    _size.on_conflict_do_update(
        index_elements=["client_id"], set_={"entries": sizes.c.entries + _size.excluded.entries}
    ).returning(sizes.c.entries)
)
CLIENTS = Statement(sa.select(sizes.c.client_id).where(sizes.c.entries > sa.literal_column("0")))
_asked = rows("asked", client_id=BigInteger, book=SmallInteger, address=Text, type=SmallInteger)
BLOCKED = Statement(
    sa.select(_asked.c.client_id, _asked.c.book, _asked.c.address, _asked.c.type).select_from(
        _asked.join(
            blacklist,
            (blacklist.c.client_id == _asked.c.client_id)
            & (blacklist.c.book == _asked.c.book)
            & (blacklist.c.address == _asked.c.address)
            & ((blacklist.c.type == sa.literal_column("0")) | (blacklist.c.type == _asked.c.type)),
        )
    ),
    many=True,
)


async def lock(tx: Transaction, client_id: int) -> None:
    """Nobody else changes the client's black list until the commit."""
    await counters.reserve(tx, COUNTER, [(client_id, 0)])


async def change(
    tx: Transaction, client_id: int, book: int, address: str, type_: int
) -> int | None:
    """Say what is blocked of an address that is listed; returns its id, None if it is not."""
    row = await tx.one(
        CHANGE, client=client_id, which_book=book, which_address=address, new_type=type_
    )
    return row[0] if row else None


async def put(tx: Transaction, client_id: int, book: int, address: str, type_: int) -> int:
    """List an address that is not; returns the id of the entry."""
    [entry_id] = (await counters.reserve(tx, COUNTER, [(client_id, 1)]))[client_id]
    await tx.many(PUT, [(client_id, book, address, entry_id, type_)])
    return entry_id


async def drop(tx: Transaction, client_id: int, book: int, address: str) -> bool:
    """Take an address off the list; False if it is not on it."""
    return await tx.run(DROP, client=client_id, which_book=book, which_address=address) > 0


async def count(tx: Transaction, client_id: int, added: int) -> int:
    """Count entries, negative: dropped ones; returns how many there are now."""
    row = await tx.one(COUNT, client=client_id, added=added)
    assert row is not None
    return int(row[0])


async def clients_with(tx: Transaction) -> frozenset[int]:
    """The clients that block anything: the directory holds them, so that others cost nothing."""
    return frozenset(row[0] for row in await tx.all(CLIENTS))


async def blocked(tx: Transaction, asked: Sequence[Values]) -> Sequence[Row]:
    """Of (client, book, address, type) those that are blocked, in whole or for this type."""
    return await tx.many(BLOCKED, asked)
