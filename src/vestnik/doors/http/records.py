"""A record of answers, declared once: what is told of a thing, and how each format tells it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Generic, TypeVar

from vestnik.domain.money import money
from vestnik.domain.schedule import MOSCOW, format_date
from vestnik.doors.http.reply import Listing, Reply, Value, wire_id
from vestnik.doors.http.shapes import Member, Shape

_QUOTED = re.compile(r'[,"]')

T = TypeVar("T")  # what a record tells of
Written = Callable[[Value, tzinfo | None], Value]


def _date(value: Value, zone: tzinfo | None) -> Value:
    if not isinstance(value, int):
        return value
    assert zone is not None, "dates are told by the clocks of a zone"
    return format_date(value, zone)


# How values are written, by the kind of the member; those of other kinds stand as they are.  Money
# comes in micro-units, dates and moments in milliseconds; text among them is told as it is.
_WRITTEN: dict[str, Written] = {
    "date": _date,
    "digits": lambda value, zone: str(value),
    "id": lambda value, zone: wire_id(str(value)),
    "minute": lambda value, zone: str(_date(value, zone))[: len("dd.mm.yyyy hh:mm")],
    "moment": lambda value, zone: int(value) // 1000,
    "money": lambda value, zone: money(value) if isinstance(value, int) else value,
}


@dataclass(frozen=True)  # no slots: Python 3.11 cannot make a Field[X] of one that has them
class Field(Generic[T]):
    """One member of a record; `kind` is one of MEMBER_KINDS (shapes.py), `choices` as there.

    `of` finds its value; None leaves it out, which only an `optional` one may be.  `told` is its
    part of the sentence (fmt 0), by default `name = {name}`; "" is none.  `short`: it is among the
    values by commas (fmt 1).  `after`: in both it stands behind the field of that name.  `last`: in
    fmt 1 it stands last, since it may hold commas.
    """

    name: str
    of: Callable[[T], Value | None]
    meaning: str
    kind: str = "text"
    told: str | None = None
    short: bool = True
    after: str = ""
    last: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()

    @property
    def member(self) -> Member:
        """The field as the description of the API tells it."""
        return Member(self.name, self.meaning, self.kind, self.optional, self.choices)


class Record(Generic[T]):
    """Fields in the order of JSON, and the elements that hold them in XML.

    `root` is the element of one record and `listed` that of many; `text`, `spread` are those of
    Reply, `ended` that of Listing.  `quoted`: in fmt 1 what holds a comma or a quote stands in
    quotes.  From one declaration come the answers and their description.
    """

    def __init__(
        self,
        root: str | None,
        *fields: Field[T],
        listed: str = "result",
        text: str | None = None,
        spread: bool = True,
        ended: bool = False,
        quoted: bool = False,
    ) -> None:
        self.fields = fields
        self._root, self._listed, self._text = root, listed, text
        self._spread, self._ended, self._quoted = spread, ended, quoted
        self._read = [(field.name, field.of) for field in fields]
        self._written = [(f.name, _WRITTEN[f.kind]) for f in fields if f.kind in _WRITTEN]
        self._may_lack = any(field.optional for field in fields)
        self._whole = _lines(fields)
        # By the names that a record has: few, since few fields are optional.
        self._partial: dict[tuple[str, ...], tuple[str, str]] = {}

    @property
    def members(self) -> tuple[Member, ...]:
        """The record as the description of the API tells it."""
        return tuple(field.member for field in self.fields)

    def reply(self, thing: T, zone: tzinfo | None = None) -> Reply:
        """What is told of a thing; only a record without dates needs no zone."""
        fields: dict[str, Any] = {name: of(thing) for name, of in self._read}
        for name, written in self._written:
            if fields[name] is not None:
                fields[name] = written(fields[name], zone)
        sentence, short = self._whole
        if self._may_lack:
            fields = {name: value for name, value in fields.items() if value is not None}
            sentence, short = self._lines(tuple(fields))
        if self._quoted:
            short = _row(fields)
        return Reply(fields, sentence, short, root=self._root, spread=self._spread, text=self._text)

    def _lines(self, names: tuple[str, ...]) -> tuple[str, str]:
        if names not in self._partial:
            self._partial[names] = _lines([field for field in self.fields if field.name in names])
        return self._partial[names]

    def listing(self, things: Iterable[T], zone: tzinfo | None = None) -> Listing:
        """What is told of many."""
        replies = [self.reply(thing, zone) for thing in things]
        return Listing(replies, root=self._listed, ended=self._ended)

    def one(self, meaning: str, example: T, **asked: str) -> Shape:
        """The form of an answer that is one record."""
        return Shape(
            meaning, self.members, asked=asked, example=lambda: self.reply(example, MOSCOW)
        )

    def many(self, meaning: str, example: T, **asked: str) -> Shape:
        """The form of an answer that is a list of them."""
        return Shape(
            meaning,
            self.members,
            many=True,
            asked=asked,
            example=lambda: self.listing([example], MOSCOW),
        )


def _lines(fields: Iterable[Field[T]]) -> tuple[str, str]:
    """The sentence of fmt 0 and the values of fmt 1, with the names of fields in braces."""
    line: list[Field[T]] = []
    for field in fields:
        names = [before.name for before in line]
        line.insert(names.index(field.after) + 1 if field.after else len(line), field)
    told = [f"{f.name} = {{{f.name}}}" if f.told is None else f.told for f in line]
    line.sort(key=lambda field: field.last)  # keeps the order of the others
    short = [f"{{{field.name}}}" for field in line if field.short]
    return ", ".join(filter(None, told)), ",".join(short)


def _row(fields: dict[str, Value]) -> str:
    """The values by commas as a literal template."""
    cells = []
    for value in fields.values():
        cell = " ".join(str(value).splitlines())
        cells.append('"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell)
    return ",".join(cells).replace("{", "{{").replace("}", "}}")
