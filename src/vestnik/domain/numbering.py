"""The numbering plan: a number → its country, network, region and time zone.

Ranges say where a number was issued, ported numbers where it is now.
"""

import csv
import heapq
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vestnik.domain.ported import Ported

HEADER = ("prefix", "country", "operator", "region", "mccmnc", "zone")
_FIELDS_MIN = 5  # the zone may be left out, by the header and by each line

# Numbers are compared as if all had the most digits that E.164 allows.
_DIGITS = 15

NOTHING_PORTED = Ported()
MOVED_MAX = 10_000  # networks of ported numbers that are kept in memory


@dataclass(frozen=True, slots=True)
class Network:
    """Where a number belongs; what is not known is empty.

    `region` is for people, `zone` the name of the region's time zone ("Asia/Omsk").
    """

    country: str = ""
    operator: str = ""
    region: str = ""
    mcc: str = ""
    mnc: str = ""
    zone: str = ""

    @property
    def mccmnc(self) -> str:
        """Country and network code glued together, "25001" (send.md, `op`)."""
        return self.mcc + self.mnc


UNKNOWN = Network()


class Row(NamedTuple):
    """Numbers from `first` to `last`, which have equally many digits.

    Each stands for every number that begins with it, so a prefix is a row whose ends are equal.
    """

    first: str
    last: str
    country: str
    operator: str
    region: str
    mccmnc: str
    zone: str = ""


class Plotting:
    """Rows on their way to become a table; they may come in portions, so that they need never be
    held all together.  It keeps twenty octets of each, and every text once."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.networks = [UNKNOWN]
        # Of each row: its first number, the number after its last, its place among the networks.
        self._firsts, self._ends, self._places = array("q"), array("q"), array("i")
        self._known: dict[tuple[str, ...], int] = {}
        self.add(rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Rows that come later count before equal ones that came earlier."""
        for row in rows:
            tail = 10 ** (_DIGITS - len(row.last))
            self._firsts.append(int(row.first) * tail)
            self._ends.append((int(row.last) + 1) * tail)
            place = self._known.setdefault(row[2:], len(self.networks))
            if place == len(self.networks):
                self.networks.append(_network(row))
            self._places.append(place)

    def drawn(self) -> "tuple[array[int], array[int]]":
        """Where the network changes along the line of all numbers, and what it is from there.

        At each end of a row the narrowest open one continues.
        """
        firsts, ends = self._firsts, self._ends
        order = array("i", sorted(range(len(firsts)), key=firsts.__getitem__))
        starts, places = array("q", [0]), array("i", [0])
        opened: list[tuple[int, int]] = []  # (width, -row): the later of equals is the smaller
        closing: list[int] = []  # ends of those that are or were open
        upcoming = 0
        while upcoming < len(order) or closing:
            bound = firsts[order[upcoming]] if upcoming < len(order) else closing[0]
            if closing and closing[0] < bound:
                bound = closing[0]
            while upcoming < len(order) and firsts[order[upcoming]] == bound:
                row = order[upcoming]
                heapq.heappush(opened, (ends[row] - bound, -row))
                heapq.heappush(closing, ends[row])
                upcoming += 1
            while closing and closing[0] <= bound:
                heapq.heappop(closing)
            while opened and ends[-opened[0][1]] <= bound:
                heapq.heappop(opened)
            place = self._places[-opened[0][1]] if opened else 0
            if place != places[-1]:
                starts.append(bound)
                places.append(place)
        return starts, places


class Numbering:
    """An immutable table of rows; where rows overlap the narrowest counts, and of equals the last.

    It holds about twelve octets for each change of network along the line of all numbers.  Ported
    numbers lie over it.
    """

    def __init__(self, rows: Iterable[Row] | Plotting, ported: Ported = NOTHING_PORTED) -> None:
        plotting = rows if isinstance(rows, Plotting) else Plotting(rows)
        # Place i: from the number starts[i] to the next one, the network is networks[places[i]].
        self._starts, self._places = plotting.drawn()
        self._networks = tuple(plotting.networks)
        self._operators: dict[str, str] = {}
        self._countries: dict[str, str] = {}
        for network in self._networks:
            self._operators.setdefault(network.mccmnc, network.operator)
            self._countries.setdefault(network.mcc, network.country)
        self._samples: dict[str, int] = {}
        for start, place in zip(self._starts, self._places, strict=True):
            if self._networks[place].mccmnc not in self._samples:
                self._samples[self._networks[place].mccmnc] = start
        self.ported = ported
        self._moved: dict[tuple[int, str], Network] = {}

    def with_ported(self, ported: Ported) -> "Numbering":
        """The same ranges with other ported numbers."""
        made = copy(self)
        made.ported = ported
        return made

    def find(self, msisdn: str) -> Network:
        """The network that a number given as digits is in; UNKNOWN if no row has it.

        A ported number keeps the country, region and zone of its range.
        """
        place = self._place(msisdn)
        if self.ported and msisdn.isdigit():
            mccmnc = self.ported.find(int(msisdn))
            if mccmnc:
                return self._in(place, mccmnc)
        return self._networks[place]

    def issued(self, msisdn: str) -> Network:
        """The network that the number was issued by, wherever it is now."""
        return self._networks[self._place(msisdn)]

    def carried(self, msisdn: str, mccmnc: str) -> Network:
        """The network of a message that went to a number when its network was the one named;
        without a name, the one that issued it."""
        place = self._place(msisdn)
        return self._in(place, mccmnc) if mccmnc else self._networks[place]

    def operator(self, mccmnc: str) -> str:
        """The name of the operator with these codes; empty if it is not known."""
        return self._operators.get(mccmnc, "")

    def number_of(self, mccmnc: str) -> str:
        """The first number that a network has issued, in 15 digits; empty if none is known."""
        start = self._samples.get(mccmnc)
        return str(start) if start and mccmnc else ""

    def country(self, mccmnc: str) -> str:
        """The name of the country with these codes; empty if it is not known."""
        return self._countries.get(mccmnc[:3], "")

    def __len__(self) -> int:
        """How many places the table has."""
        return len(self._starts)

    def _place(self, msisdn: str) -> int:
        try:
            number = int(msisdn.ljust(_DIGITS, "0"))
        except ValueError:
            return 0
        return self._places[bisect_right(self._starts, number) - 1]

    def _in(self, place: int, mccmnc: str) -> Network:
        """A place of the table, with another network there."""
        issued = self._networks[place]
        if issued.mccmnc == mccmnc:
            return issued
        known = self._moved.get((place, mccmnc))
        if known is None:
            if len(self._moved) >= MOVED_MAX:
                self._moved.clear()
            known = self._moved[place, mccmnc] = replace(
                issued, operator=self.operator(mccmnc), mcc=mccmnc[:3], mnc=mccmnc[3:]
            )
        return known


def read_csv(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a table in our format (docs/numbering.md).

    Raises ValueError that names the line and what is wrong with it, when that line is reached.
    """
    reader = csv.reader(lines, delimiter=";")
    header: list[str] | None = None
    for fields in reader:
        values = [field.strip() for field in fields]
        if not any(values) or values[0].startswith("#"):
            continue
        try:
            if header is None:
                header = _header(values)
            else:
                yield _row(values, len(header))
        except ValueError as wrong:
            raise ValueError(f"line {reader.line_num}: {wrong}") from None
    if header is None:
        raise ValueError("line 1: the table is empty")


@cache
def builtin() -> Numbering:
    """The table that comes with the centre: countries, and the networks of the nearest ones."""
    return Numbering(builtin_rows())


@cache
def builtin_rows() -> tuple[Row, ...]:
    """Its rows: an operator's own go behind them, and so over them."""
    table = resources.files("vestnik.domain").joinpath("data", "numbering.csv")
    return tuple(read_csv(table.read_text("utf-8").splitlines()))


def _network(row: Row) -> Network:
    mcc, mnc = row.mccmnc[:3], row.mccmnc[3:]
    return Network(row.country, row.operator, row.region, mcc, mnc, row.zone)


def _header(values: list[str]) -> list[str]:
    names = [value.lower().removeprefix("\ufeff") for value in values]
    if len(names) < _FIELDS_MIN or names != list(HEADER[: len(names)]):
        raise ValueError(f"the header is not {';'.join(HEADER)}")
    return names


def _row(values: list[str], columns: int) -> Row:
    if not _FIELDS_MIN <= len(values) <= columns:
        raise ValueError(f"{len(values)} fields where the header has {columns}")
    prefix, country, operator, region, mccmnc, *zone = values
    first, dash, last = (part.strip() for part in prefix.partition("-"))
    _check_numbers(first, last if dash else first)
    if not country:
        raise ValueError("the country is missing")
    if mccmnc and not (_is_digits(mccmnc) and len(mccmnc) in (5, 6)):
        raise ValueError(f"mccmnc {mccmnc!r} is not 5 or 6 digits")
    if any(zone):
        _check_zone(zone[0])
    return Row(first, last if dash else first, country, operator, region, mccmnc, *zone)


def _check_numbers(first: str, last: str) -> None:
    for number in (first, last):
        if not _is_digits(number) or len(number) > _DIGITS or number[0] == "0":
            raise ValueError(f"prefix {number!r} is not 1 to {_DIGITS} digits without a leading 0")
    if len(first) != len(last):
        raise ValueError(f"{first} and {last} differ in length")
    if first > last:
        raise ValueError(f"the range {first}-{last} ends before it begins")


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


@cache
def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, an unlikely path, a folder of zones
        raise ValueError(f"there is no time zone {name!r}") from None
