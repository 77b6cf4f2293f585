"""Ported numbers: loading them, following them, handing them out (info.md, 6).

A load writes blocks of a version of its own, a few in each commit, and then makes that version the
present one; a change writes the blocks that it falls into.  So no commit is long, and a process
reads only the blocks whose stamp it does not know.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from vestnik.domain.numbering import Numbering
from vestnik.domain.ported import Block, Gathered, Ported, changed
from vestnik.domain.refusals import NotFound, NotPossible
from vestnik.store import ported, settings
from vestnik.store.engine import Store, Transaction

SLICE_BLOCKS = 64  # in one commit, or one read: a megabyte and a half
CHANGES_DAYS = 100  # for which changes are kept
PAGE = 5_000


class Present(msgspec.Struct, frozen=True):
    """Which blocks are the present ones: what the setting `ported` holds."""

    version: int = 0
    stamp: int = 0
    networks: tuple[str, ...] = ()
    blocks: int = 0
    numbers: int = 0


class Change(NamedTuple):
    """A number that moved on a day (days since 1970); an empty code: it went back."""

    day: int
    number: int
    mccmnc: str


def present_of(found: Mapping[str, str]) -> Present:
    """Out of the settings of a store."""
    text = found.get(settings.PORTED, "")
    return msgspec.json.decode(text, type=Present) if text else Present()


async def load(store: Store, gathered: Gathered, told: Callable[[int], None]) -> int:
    """Put these numbers in the place of all; returns how many there are.  `told` hears how many
    have been written.  Raises NotPossible when another load ran at the same time."""
    version = await store.write(settings.take_id, "ported")
    kept = (await _present(store)).version
    while await store.write(ported.drop_others, kept, version, SLICE_BLOCKS):
        pass  # what a load that was cut short has left
    blocks = numbers = 0
    waiting: list[Block] = []
    for block in gathered.blocks():
        waiting.append(replace(block, stamp=version))
        blocks, numbers = blocks + 1, numbers + block.numbers
        if len(waiting) == SLICE_BLOCKS:
            await store.write(ported.put, version, waiting)
            waiting = []
            told(numbers)
    await store.write(ported.put, version, waiting)
    made = Present(version, version, tuple(gathered.networks), blocks, numbers)
    await store.write(_publish, made)
    told(numbers)
    while await store.write(ported.drop_others, version, version, SLICE_BLOCKS):
        pass  # what was present before
    return numbers


async def _publish(tx: Transaction, made: Present) -> None:
    if len(await ported.stamps(tx, made.version)) != made.blocks:
        raise NotPossible("another load ran at the same time; run this one again")
    await _put(tx, made)


async def record(store: Store, changes: Sequence[Change], today: int) -> None:
    """Remember what changed on which day, as far as days are kept, without changing any number."""
    kept = [c for c in changes if today - CHANGES_DAYS < c.day <= today]
    for start in range(0, len(kept), PAGE):
        await store.write(_record, kept[start : start + PAGE])
    while await store.write(ported.drop_old_changes, today - CHANGES_DAYS, PAGE) == PAGE:
        pass


async def change(store: Store, changes: Sequence[Change], today: int) -> int:
    """Move numbers, send some back, and remember on which day; returns how many numbers there are
    afterwards.  Of one number the last change counts."""
    numbers = await store.write(_change, {c.number: c.mccmnc for c in changes})
    await record(store, changes, today)
    return numbers


async def _change(tx: Transaction, moves: Mapping[int, str]) -> int:
    stamp = await settings.take_id(tx, "ported")  # its row is locked: changes follow one another
    present = present_of(await settings.everything(tx))
    if not present.version:
        present = Present(version=stamp)
    networks = list(present.networks)
    known = {code: place for place, code in enumerate(networks)}
    places: dict[int, int | None] = {}
    for number, mccmnc in sorted(moves.items()):
        if mccmnc and mccmnc not in known:
            known[mccmnc] = len(networks)
            networks.append(mccmnc)
        places[number] = known[mccmnc] if mccmnc else None
    made = await _change_blocks(tx, present.version, places, stamp)
    now = await ported.totals(tx, present.version) if made else (present.blocks, present.numbers)
    await _put(tx, Present(present.version, stamp, tuple(networks), *now))
    return now[1]


async def _change_blocks(
    tx: Transaction, version: int, places: Mapping[int, int | None], stamp: int
) -> int:
    """Write the blocks that numbers fall into anew; returns how many were written or dropped."""
    firsts = [row[0] for row in await ported.stamps(tx, version)]
    by_block: dict[int | None, dict[int, int | None]] = {}
    for number, place in places.items():
        at = max(0, bisect_right(firsts, number) - 1)
        by_block.setdefault(firsts[at] if firsts else None, {})[number] = place
    written = 0
    keys = list(by_block)
    for start in range(0, len(keys), SLICE_BLOCKS):
        some = keys[start : start + SLICE_BLOCKS]
        old = {
            b.first: b for b in await ported.read(tx, version, [f for f in some if f is not None])
        }
        new = [
            block
            for first in some
            for block in changed(
                old.get(first) if first is not None else None, by_block[first], stamp
            )
        ]
        await ported.drop(tx, version, list(old))
        await ported.put(tx, version, new)
        written += len(old) + len(new)
    return written


async def _record(tx: Transaction, changes: Iterable[Change]) -> None:
    rows = {(c.day, c.number): c.mccmnc for c in changes}
    await ported.put_changes(tx, [(*key, code) for key, code in sorted(rows.items())])


async def _put(tx: Transaction, made: Present) -> None:
    await settings.put(tx, settings.PORTED, msgspec.json.encode(made).decode())
    await settings.raise_version(tx)


async def _present(store: Store) -> Present:
    return present_of(await store.read(settings.everything))


async def whole(tx: Transaction, present: Present) -> Ported:
    """All ported numbers as this transaction sees them."""
    firsts = [row[0] for row in await ported.stamps(tx, present.version)]
    blocks: list[Block] = []
    for start in range(0, len(firsts), SLICE_BLOCKS):
        blocks += await ported.read(tx, present.version, firsts[start : start + SLICE_BLOCKS])
    return Ported(blocks, present.networks)


async def follow(store: Store, present: Present, known: Ported) -> Ported | None:
    """The present numbers, of which those in `known` need not be read again.

    None when they were replaced while they were read: the settings then speak of others.
    """
    stamps = {row[0]: row[2] for row in await store.read(ported.stamps, present.version)}
    blocks = [block for first, block in known.blocks.items() if stamps.get(first) == block.stamp]
    same = {block.first for block in blocks}
    lacking = [first for first in stamps if first not in same]
    for start in range(0, len(lacking), SLICE_BLOCKS):
        wanted = lacking[start : start + SLICE_BLOCKS]
        blocks += await store.read(ported.read, present.version, wanted)
    agreed = all(stamps[block.first] == block.stamp for block in blocks)
    if not agreed or len(blocks) != present.blocks:
        return None
    return await asyncio.to_thread(Ported, blocks, present.networks)


class PortedNumbers:
    """What clients may have of them (info.md, 6)."""

    def __init__(self, store: Store, plan: Callable[[], Numbering]) -> None:
        self._store = store
        self._plan = plan

    async def everything(self) -> tuple[int, AsyncIterator[bytes]]:
        """The length of the whole list in octets, and the list itself; raises NotFound if the
        centre has none."""
        found = self._found()
        return await asyncio.to_thread(lambda: found.octets), _pieces(found)

    async def changes(self, day: int) -> list[tuple[int, str]]:
        """The numbers that moved on a day (days since 1970) with the code of their network, empty
        for those that went back; raises NotFound as above."""
        self._found()
        found: list[tuple[int, str]] = []
        after = 0
        while rows := await self._store.read(ported.changes_of, day, after, PAGE):
            found += [(row[0], row[1]) for row in rows]
            after = found[-1][0]
        return found

    def _found(self) -> Ported:
        found = self._plan().ported
        if not found:
            raise NotFound("there are no ported numbers here")
        return found


async def _pieces(found: Ported) -> AsyncIterator[bytes]:
    for piece in found.lines():
        yield piece
        await asyncio.sleep(0)  # millions of lines: others have their turn
