"""The numbering plan: loading the operator's own, following it, asking it (docs/numbering.md).

A process holds the plan whole.  It reads it in pages and draws it in a thread, so that a load of a
national register stops nobody.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from vestnik.domain import number
from vestnik.domain.numbering import Network, Numbering, Plotting, Row, builtin, builtin_rows
from vestnik.domain.refusals import NotPossible
from vestnik.services.centre import ported
from vestnik.store import numbering, settings
from vestnik.store.engine import Store, Transaction
from vestnik.store.numbering import START, Key

SLICE_ROWS = 4_096


def unique(rows: Iterable[Row]) -> list[Row]:
    """The rows, the last of each range: that one counts."""
    return list({(row.first, row.last): row for row in rows}.values())


@dataclass(frozen=True, slots=True)
class _Difference:
    """What a load changes of the plan whose version is `known`."""

    known: str
    gone: list[Key]
    added: list[Row]


async def load(store: Store, rows: list[Row], told: Callable[[int], None]) -> None:
    """Replace the operator's rows by these, which are unique; `told` hears how many are there.

    Only what differs is written, in one commit: a register hardly changes from month to month.
    Raises NotPossible when another load ran at the same time.
    """
    difference = await _difference(store, rows)
    told(len(rows) - len(difference.added))
    await store.write(_replace, difference, told, len(rows))


async def _difference(store: Store, rows: list[Row]) -> _Difference:
    known = await store.read(settings.value, settings.NUMBERING_VERSION)
    lacking = {numbering.key_of(row): row for row in rows}
    gone: list[Key] = []
    after = START
    while page := await store.read(numbering.page, after):
        for row in page:
            after = numbering.key_of(row)
            if lacking.get(after) == row:
                del lacking[after]
            else:
                gone.append(after)
    return _Difference(known, gone, list(lacking.values()))


async def _replace(
    tx: Transaction, difference: _Difference, told: Callable[[int], None], total: int
) -> None:
    if await settings.value(tx, settings.NUMBERING_VERSION) != difference.known:
        raise NotPossible("another load ran at the same time; run this one again")
    await numbering.remove(tx, difference.gone)
    added = difference.added
    for start in range(0, len(added), SLICE_ROWS):
        some = added[start : start + SLICE_ROWS]
        await numbering.add(tx, some)
        told(total - len(added) + start + len(some))
    version = await settings.raise_version(tx)
    await settings.put(tx, settings.NUMBERING_VERSION, str(version))


async def ranges(tx: Transaction) -> Numbering:
    """The plan without ported numbers: the operator's rows over those that come with the centre."""
    plotting = Plotting(builtin_rows())
    after = START
    while page := await numbering.page(tx, after):
        plotting.add(page)
        after = numbering.key_of(page[-1])
    return builtin() if after == START else Numbering(plotting)


async def whole(tx: Transaction, found: Mapping[str, str]) -> Numbering:
    """The plan with ported numbers; `found` are the settings of the store."""
    moved = await ported.whole(tx, ported.present_of(found))
    return (await ranges(tx)).with_ported(moved)


class Plan:
    """The plan of one process, which follows the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._value = builtin()
        self._version = ""
        self._ported = ""

    async def follow(self, found: Mapping[str, str]) -> Numbering:
        """The plan that these settings of the store speak of.

        What was replaced while it was read is read again by the next call: whoever replaces it
        raises the version of the settings.
        """
        version = found.get(settings.NUMBERING_VERSION, "")
        if version != self._version:
            self._value = (await self._ranges()).with_ported(self._value.ported)
            self._version = version
        moved = found.get(settings.PORTED, "")
        if moved != self._ported:
            followed = await ported.follow(
                self._store, ported.present_of(found), self._value.ported
            )
            if followed is not None:
                self._value = self._value.with_ported(followed)
                self._ported = moved
        return self._value

    async def _ranges(self) -> Numbering:
        plotting = Plotting(builtin_rows())
        after = START
        while page := await self._store.read(numbering.page, after):
            await asyncio.to_thread(plotting.add, page)
            after = numbering.key_of(page[-1])
        if after == START:
            return builtin()
        # A full plan takes seconds to sort: never in the loop.
        return await asyncio.to_thread(Numbering, plotting)


@dataclass(frozen=True, slots=True)
class Place:
    """A number as it was asked, its network, and the hours of its region from GMT ("3", "-5");
    what is not known is empty."""

    phone: str
    network: Network
    hours: str

    @property
    def known(self) -> bool:
        return bool(self.network.country)


def place_of(plan: Numbering, phone: str, now_ms: int) -> Place:
    """What the plan knows of a phone, which may be no number at all (info.md, 2)."""
    msisdn = number.parse(phone)
    network = plan.find(msisdn or "")
    return Place(msisdn or phone, network, _hours(network.zone, now_ms))


def _hours(zone: str, now_ms: int) -> str:
    if not zone:
        return ""
    offset = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone)).utcoffset()
    assert offset is not None, zone
    return f"{offset.total_seconds() / 3600:g}"
