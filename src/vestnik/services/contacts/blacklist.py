"""Black lists: whom an account does not write to (phones.md, `add_black`)."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from vestnik.domain.contact import Book, blocked_key
from vestnik.domain.refusals import NotFound
from vestnik.store import blacklist as table
from vestnik.store import settings
from vestnik.store.engine import Transaction


class Blocks(IntEnum):
    """What an entry blocks."""

    ALL = 0
    MASS = 1
    SINGLE = 2


class Asked(NamedTuple):
    """One message that an account is about to send; `mass` says that it is one of a mailing."""

    client_id: int
    address: str
    mass: bool
    book: int = Book.PHONES


async def blocked(tx: Transaction, asked: Iterable[Asked]) -> set[Asked]:
    """Those that the accounts' black lists forbid: their fate is status 23, err 250 (status.md).

    One statement for all; ask only for accounts of the directory's `blacklisted`.
    """
    of: dict[tuple[int, int, str, int], list[Asked]] = {}
    for one in asked:
        blocks = Blocks.MASS if one.mass else Blocks.SINGLE
        wanted = (one.client_id, int(one.book), blocked_key(one.book, one.address), int(blocks))
        of.setdefault(wanted, []).append(one)
    found = await table.blocked(tx, sorted(of))
    return {one for row in found for one in of[row[0], row[1], row[2], row[3]]}


async def add(tx: Transaction, client_id: int, book: int, address: str, blocks: int) -> int:
    """Block an address, or change what is blocked of it; returns the id of the entry."""
    await table.lock(tx, client_id)
    wanted = blocked_key(book, address)
    entry_id = await table.change(tx, client_id, book, wanted, blocks)
    if entry_id is not None:
        return entry_id
    if await table.count(tx, client_id, 1) == 1:
        await settings.raise_version(tx)  # the directory holds who blocks anybody at all
    return await table.put(tx, client_id, book, wanted, blocks)


async def remove(tx: Transaction, client_id: int, book: int, address: str) -> None:
    """Block an address no more; raises NotFound if it was not blocked."""
    await table.lock(tx, client_id)
    if not await table.drop(tx, client_id, book, blocked_key(book, address)):
        raise NotFound("it is not on the black list")
    if await table.count(tx, client_id, -1) == 0:
        await settings.raise_version(tx)
