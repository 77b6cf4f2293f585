"""Ported numbers in blocks, and what changed on each day."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import insert

from vestnik.domain.ported import Block
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

blocks, changes = schema.ported_blocks, schema.ported_changes

_FIELDS = (blocks.c.first, blocks.c.last, blocks.c.numbers, blocks.c.octets, blocks.c.stamp)

_PUT = insert_into(blocks)
_STAMPS = Statement(
    sa.select(blocks.c.first, blocks.c.last, blocks.c.stamp)
    .where(blocks.c.version == sa.bindparam("which"))
    .order_by(blocks.c.first)
)
_TOTALS = Statement(
    sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(blocks.c.numbers), sa.literal_column("0"))
    ).where(blocks.c.version == sa.bindparam("which"))
)
_wanted = rows("wanted", first=BigInteger)
_READ = Statement(
    sa.select(*_FIELDS)
    .join(_wanted, blocks.c.first == _wanted.c.first)
    .where(blocks.c.version == sa.bindparam("which")),
    many=True,
)
_gone = rows("gone", first=BigInteger)
_DROP = Statement(
    sa.delete(blocks).where(
        blocks.c.version == sa.bindparam("which"), blocks.c.first.in_(sa.select(_gone.c.first))
    ),
    many=True,
)
_others = (
    sa.select(blocks.c.version, blocks.c.first)
    .where(blocks.c.version.not_in([sa.bindparam("kept"), sa.bindparam("other")]))
    .limit(sa.bindparam("most"))
)
_DROP_OTHERS = Statement(
    sa.delete(blocks).where(sa.tuple_(blocks.c.version, blocks.c.first).in_(_others))
)

_change = insert(changes).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in changes.c}
)
_PUT_CHANGES = Statement(
    _change.on_conflict_do_update(
        index_elements=["day", "phone"], set_={"mccmnc": _change.excluded.mccmnc}
    ),
    many=True,
)
_CHANGES = Statement(
    sa.select(changes.c.phone, changes.c.mccmnc)
    .where(changes.c.day == sa.bindparam("that_day"), changes.c.phone > sa.bindparam("after"))
    .order_by(changes.c.phone)
    .limit(sa.bindparam("most"))
)
_old = (
    sa.select(changes.c.day, changes.c.phone)
    .where(changes.c.day < sa.bindparam("before"))
    .limit(sa.bindparam("most"))
)
_DROP_OLD = Statement(sa.delete(changes).where(sa.tuple_(changes.c.day, changes.c.phone).in_(_old)))


async def put(tx: Transaction, version: int, made: Sequence[Block]) -> None:
    """Store blocks, none of which is there."""
    await tx.many(_PUT, [(version, b.first, b.last, b.stamp, b.numbers, b.octets) for b in made])


async def stamps(tx: Transaction, version: int) -> Sequence[Row]:
    """Of each block of a version its (first, last, stamp), in order, without its octets."""
    return await tx.all(_STAMPS, which=version)


async def totals(tx: Transaction, version: int) -> tuple[int, int]:
    """How many blocks a version has, and how many numbers are in them."""
    row = await tx.one(_TOTALS, which=version)
    assert row is not None
    return int(row[0]), int(row[1])


async def read(tx: Transaction, version: int, firsts: Sequence[int]) -> list[Block]:
    """Blocks by the numbers they begin with; those that are not there any more are missing."""
    found = await tx.many(_READ, [(first,) for first in firsts], which=version)
    return [
        Block(first, last, numbers, bytes(octets), stamp)
        for first, last, numbers, octets, stamp in found
    ]


async def drop(tx: Transaction, version: int, firsts: Sequence[int]) -> None:
    await tx.many(_DROP, [(first,) for first in firsts], which=version)


async def drop_others(tx: Transaction, kept: int, other: int, most: int) -> int:
    """Drop a slice of the blocks of all versions but two; returns how many."""
    return await tx.run(_DROP_OTHERS, kept=kept, other=other, most=most)


async def put_changes(tx: Transaction, made: Sequence[Values]) -> None:
    """Record changes, no two of one number on a day: (day, phone, mccmnc or empty)."""
    await tx.many(_PUT_CHANGES, made)


async def changes_of(tx: Transaction, day: int, after: int, most: int) -> Sequence[Row]:
    """The changes of a day past a number: (phone, mccmnc or empty), by growing numbers."""
    return await tx.all(_CHANGES, that_day=day, after=after, most=most)


async def drop_old_changes(tx: Transaction, before: int, most: int) -> int:
    """Drop a slice of the changes before a day; returns how many."""
    return await tx.run(_DROP_OLD, before=before, most=most)
