"""The public register of Russian number ranges → rows of the numbering plan.

Its fields are a code, the first and the last number within it, a capacity, a company and a place,
in this order or with others between them; the header tells.  Companies are no networks: a table of
their names says which network each stands for.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import NamedTuple

from vestnik.domain.complaints import Complaints
from vestnik.domain.numbering import Row

COUNTRY, CALLING_CODE = "Россия", "7"
OPERATORS_HEADER = ("name", "mccmnc", "operator")

# How the register calls its fields, in small letters and without what is no letter.
_CODE = ("авсdef", "abcdef", "авс", "abc", "def", "код")
_FIELDS = {"first": ("от",), "last": ("до",), "operator": ("оператор",), "region": ("регион",)}

_STEM_MIN = 4  # letters

_letters = re.compile(r"[^\w]+").sub
_code = re.compile(r"[1-9]\d{2}", re.ASCII).fullmatch
_within = re.compile(r"\d{7}", re.ASCII).fullmatch
_mccmnc = re.compile(r"\d{5,6}", re.ASCII).fullmatch

# Legal forms in front of a company's name, whole and in short.
_FORMS = frozenset(
    {
        *("ао", "зао", "нао", "оао", "ооо", "пао", "фгуп", "гуп", "муп", "ип"),
        *("общество", "с", "ограниченной", "ответственностью", "акционерное", "публичное"),
        *("непубличное", "закрытое", "открытое", "государственное", "унитарное"),
        *("предприятие", "федеральное", "муниципальное"),
    }
)


class Operator(NamedTuple):
    """A company's network, and the name that clients see."""

    mccmnc: str
    name: str


@dataclass(slots=True)
class Findings(Complaints):
    """What was met while registers were read: how many numbers companies without a network have,
    and how many ranges lie in places without a time zone."""

    companies: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)


def normal(name: str) -> str:
    """A company's name as it is compared: no legal form, quotes, capitals."""
    words = _letters(" ", name.casefold().replace("ё", "е")).split()
    kept = [word for word in words if word not in _FORMS]
    return " ".join(kept or words)


def is_register(header: str) -> bool:
    """The first line of a file has the fields of the register."""
    return _columns(header.rstrip("\r\n").split(";")) is not None


def read_operators(lines: Iterable[str]) -> dict[str, Operator]:
    """A table of companies (docs/numbering.md), by their normal names.

    Raises ValueError that names the line and what is wrong with it.
    """
    found: dict[str, Operator] = {}
    header = False
    reader = csv.reader(lines, delimiter=";", quoting=csv.QUOTE_NONE)
    for fields in reader:
        values = [value.strip() for value in fields]
        if not any(values) or values[0].startswith("#"):
            continue
        if not header:
            if tuple(value.lower().removeprefix("\ufeff") for value in values) != OPERATORS_HEADER:
                raise ValueError(f"line {reader.line_num}: the header is not name;mccmnc;operator")
            header = True
        elif len(values) != len(OPERATORS_HEADER) or not _mccmnc(values[1]) or not values[0]:
            raise ValueError(f"line {reader.line_num}: it is not name;mccmnc;operator")
        else:
            found[normal(values[0])] = Operator(values[1], values[2] or values[0])
    if not header:
        raise ValueError("line 1: the table is empty")
    return found


@cache
def known_operators() -> Mapping[str, Operator]:
    """The companies that the centre knows by itself."""
    return read_operators(_data("operators.csv"))


def zone_of(region: str) -> str:
    """The time zone of a region as the register names it; empty if it is none of Russia's.

    The first word that is known decides: of Ямало-Ненецкий it is not the second.
    """
    for word in _letters(" ", region.casefold().replace("ё", "е")).split():
        for length in range(len(word), _STEM_MIN - 1, -1):
            zone = _zones().get(word[:length])
            if zone:
                return zone
    return ""


def read(
    lines: Iterable[str], operators: Mapping[str, Operator], findings: Findings
) -> Iterator[Row]:
    """The rows of a register.  Lines that cannot be read are left out and told in `findings`.

    Raises ValueError when the first line is not its header.
    """
    reader = csv.reader(lines, delimiter=";")
    header = next(reader, [])
    columns = _columns(header)
    if columns is None:
        raise ValueError("line 1: it is not the header of the register: code, от, до, оператор …")
    known: dict[str, Operator] = {}
    places: dict[str, tuple[str, str]] = {}
    for fields in reader:
        if not any(fields):
            continue
        findings.lines += 1
        try:
            first, last = _ends(fields, columns)
            company, place = fields[columns["operator"]].strip(), fields[columns["region"]]
        except (ValueError, IndexError) as wrong:
            words = str(wrong) if isinstance(wrong, ValueError) else "fields are missing"
            findings.complain(reader.line_num, words)
            continue
        if company not in known:
            known[company] = operators.get(normal(company), Operator("", company))
        operator = known[company]
        if place not in places:  # every row of a place shares its words
            region = place.rpartition("|")[2].strip()
            places[place] = region, zone_of(region)
        region, zone = places[place]
        if not operator.mccmnc:
            findings.companies[company] += int(last) - int(first) + 1
        if not zone:
            findings.places[region] += 1
        yield Row(first, last, COUNTRY, operator.name, region, operator.mccmnc, zone)


def _columns(header: list[str]) -> dict[str, int] | None:
    """Where each field stands; None when one is missing."""
    names = [_letters("", name.casefold()).replace("ё", "е") for name in header]
    found = {"code": next((at for at, name in enumerate(names) if name in _CODE), -1)}
    for field_, spellings in _FIELDS.items():
        found[field_] = next((at for at, name in enumerate(names) if name in spellings), -1)
    return None if -1 in found.values() else found


def _ends(fields: list[str], columns: Mapping[str, int]) -> tuple[str, str]:
    code, first, last = (fields[columns[name]].strip() for name in ("code", "first", "last"))
    if not _code(code):
        raise ValueError(f"the code {code!r} is not three digits")
    first, last = first.zfill(7), last.zfill(7)
    if not _within(first) or not _within(last):
        raise ValueError(f"{first!r} and {last!r} are not numbers of seven digits")
    if first > last:
        raise ValueError(f"the range {first}-{last} ends before it begins")
    return CALLING_CODE + code + first, CALLING_CODE + code + last


@cache
def _zones() -> dict[str, str]:
    rows = csv.reader(_data("regions.csv"), delimiter=";")
    kept = [row for row in rows if row and not row[0].startswith("#")]
    return dict(kept[1:])


def _data(name: str) -> list[str]:
    table = resources.files("vestnik.domain").joinpath("data", name)
    return table.read_text("utf-8").splitlines()
