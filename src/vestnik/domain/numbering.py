"""The numbering plan: a number → its country, network, region and time zone.

Ported numbers are another matter: this is where a number was issued.
"""

import csv
import heapq
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple
from zoneinfo import ZoneInfo

HEADER = ("prefix", "country", "operator", "region", "mccmnc", "zone")
_FIELDS_MIN = 5  # the zone may be left out, by the header and by each line

# Numbers are compared as if all had the most digits that E.164 allows.
_DIGITS = 15


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


class Numbering:
    """An immutable table of rows; where rows overlap the narrowest counts, and of equals the last.

    It holds about twelve octets for each change of network along the line of all numbers.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._networks = [UNKNOWN]
        # Place i: from the number starts[i] to the next one, the network is networks[places[i]].
        self._starts, self._places = array("q", [0]), array("i", [0])
        self._paint(*self._read(rows))

    def find(self, msisdn: str) -> Network:
        """The network of a number given as digits; UNKNOWN if no row has it."""
        try:
            number = int(msisdn.ljust(_DIGITS, "0"))
        except ValueError:
            return UNKNOWN
        return self._networks[self._places[bisect_right(self._starts, number) - 1]]

    def __len__(self) -> int:
        """How many places the table has."""
        return len(self._starts)

    def _read(self, rows: Iterable[Row]) -> "tuple[array[int], array[int], array[int]]":
        """First number, the number after the last, and network of each row."""
        known: dict[tuple[str, ...], int] = {}
        firsts, ends, networks = array("q"), array("q"), array("i")
        for row in rows:
            tail = 10 ** (_DIGITS - len(row.last))
            firsts.append(int(row.first) * tail)
            ends.append((int(row.last) + 1) * tail)
            place = known.setdefault(row[2:], len(self._networks))
            if place == len(self._networks):
                self._networks.append(_network(row))
            networks.append(place)
        return firsts, ends, networks

    def _paint(self, firsts: "array[int]", ends: "array[int]", networks: "array[int]") -> None:
        """Go along the line of numbers; at each end of a row the narrowest open one continues."""
        order = sorted(range(len(firsts)), key=firsts.__getitem__)
        bounds = sorted({*firsts, *ends})
        opened: list[tuple[int, int]] = []  # (width, -row): the later of equals is the smaller
        upcoming = 0
        for bound in bounds:
            while upcoming < len(order) and firsts[order[upcoming]] == bound:
                row = order[upcoming]
                heapq.heappush(opened, (ends[row] - bound, -row))
                upcoming += 1
            while opened and ends[-opened[0][1]] <= bound:
                heapq.heappop(opened)
            place = networks[-opened[0][1]] if opened else 0
            if place != self._places[-1]:
                self._starts.append(bound)
                self._places.append(place)


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
