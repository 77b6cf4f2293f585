"""Contacts in files: rows of CSV and of spreadsheets, a page at a time, in flat memory.

The header has the names of the answers of phones.php; a file is about telephones or about e-mail.
"""

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vestnik.domain.contact import Book, Given, check, read_addresses
from vestnik.domain.refusals import BadParameters, NotFound, Refusal
from vestnik.services.contacts import saving
from vestnik.services.contacts.books import Found, with_groups
from vestnik.services.contacts.saving import Entry, Place
from vestnik.store import contact_groups
from vestnik.store import contacts as table
from vestnik.store.contacts import Filter
from vestnik.store.engine import Store, Transaction

BATCH = 1_000  # rows of one commit, and of one page of an export
SPREADSHEET = ".xlsx"
DELIMITERS = ";,\t"
HEADER_MAX = 10_000  # characters
NO_CHARACTERS = "it has octets that are no characters: perhaps it is in another charset"

ADDRESS = {Book.PHONES: "phone", Book.MAILS: "mail"}
# The member of an answer that each field is.
MEMBERS = {
    "id": "my_id",
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "middle_name": "middle_name",
    "birthday": "birthday",
    "comments": "comments",
    "tags": "tags",
    "phone_other": "phone_other",
}
_KNOWN = frozenset({"int_id", "group", *ADDRESS.values(), *MEMBERS})
# What the store does not take, and what octets become that are not of the charset.
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
# A text that a spreadsheet would take for a formula was written with a quote before it.
_GUARDED = tuple("'" + sign for sign in "=+-@\t\r")


def columns(book: int) -> tuple[str, ...]:
    """The header of a file of this book, in the order of an answer."""
    return ("int_id", "id", "name", ADDRESS[Book(book)], "group", *list(MEMBERS)[2:])


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that is left out, and why."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read."""

    where: str
    entry: Entry


class Source:
    """A file of contacts; `done` of `total` is how far it has been read (0: nobody knows).

    Raises BadParameters for a file that cannot be such a one, OSError.
    """

    def __init__(self, path: Path, charset: str = "utf-8-sig") -> None:
        self.done = self.total = 0
        self._rows = (
            self._sheets(path) if path.suffix.lower() == SPREADSHEET else self._lines(path, charset)
        )
        self._header: list[str] | None = None
        _, first = next(self._rows, ("", []))
        self.book = self._take_header(first)

    def rows(self) -> Iterator[Row | Bad]:
        """The rows below the header; empty ones are passed over."""
        for where, cells in self._rows:
            if isinstance(cells, str):
                yield Bad(where, cells)
            elif any(cells):
                try:
                    yield Row(where, self._entry(cells))
                except Refusal as refusal:
                    yield Bad(where, str(refusal))

    def _take_header(self, cells: list[str] | str) -> Book:
        names = [cell.strip().lower() for cell in cells] if isinstance(cells, list) else []
        for name in names:
            if not _is_text(name):
                raise BadParameters(NO_CHARACTERS)
            if name not in _KNOWN:
                raise BadParameters(
                    f"there is no column '{name}'; there are {', '.join(columns(Book.PHONES))}"
                )
        if len(set(names)) < len(names):
            raise BadParameters("the header names a column twice")
        books = [book for book, name in ADDRESS.items() if name in names]
        if len(books) != 1:
            raise BadParameters("the header names one of the columns phone and mail")
        self._header = names
        return books[0]

    def _entry(self, cells: list[str]) -> Entry:
        """Raises BadParameters.  An empty cell says nothing: it clears no field."""
        assert self._header is not None
        if len(cells) != len(self._header):
            raise BadParameters(f"{len(cells)} values under {len(self._header)} columns")
        values = {name: _unguarded(c) for name, c in zip(self._header, cells, strict=True) if c}
        for value in values.values():
            if not _is_text(value):
                raise BadParameters(NO_CHARACTERS)
        given = Given(**{MEMBERS[name]: v for name, v in values.items() if name in MEMBERS})
        check(given)
        addresses = read_addresses(self.book, values.get(ADDRESS[self.book], ""))
        return Entry(tuple(addresses), given, _groups(values.get("group", "")))

    def _lines(self, path: Path, charset: str) -> Iterator[tuple[str, list[str] | str]]:
        self.total = path.stat().st_size
        with path.open("rb") as octets:
            file = io.TextIOWrapper(octets, charset, errors="surrogateescape", newline="")
            header = file.readline(HEADER_MAX)
            file.seek(0)
            reader = csv.reader(file, delimiter=max(DELIMITERS, key=header.count))
            while True:
                self.done = octets.tell()
                where = f"line {reader.line_num + 1}"
                try:
                    yield where, next(reader)
                except csv.Error as wrong:
                    yield where, str(wrong)
                except StopIteration:
                    return

    def _sheets(self, path: Path) -> Iterator[tuple[str, list[str] | str]]:
        import openpyxl  # type: ignore[import-untyped]  # it ships no types

        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except (zipfile.BadZipFile, KeyError, ValueError) as wrong:
            raise BadParameters(f"it is not a spreadsheet: {wrong}") from None
        try:
            for sheet in book.worksheets:
                yield from self._sheet(sheet, first=sheet is book.worksheets[0])
        finally:
            book.close()

    def _sheet(self, sheet: Any, *, first: bool) -> Iterator[tuple[str, list[str] | str]]:
        """The rows of a sheet; a later one may begin with the header again."""
        self.total += sheet.max_row or 0
        sheet.reset_dimensions()  # what a file says of its size need not be so
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            self.done += 1
            cells = [_cell(value) for value in values]
            if self._header is not None:
                width = len(self._header)
                cells = cells[:width] + [""] * (width - len(cells)) + _filled(cells[width:])
                if number == 1 and not first and [c.lower() for c in cells] == self._header:
                    continue
            else:
                cells = _filled(cells)
            yield f"sheet '{sheet.title}', row {number}", cells


def _filled(cells: list[str]) -> list[str]:
    """Cells without the empty ones at their end."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _cell(value: object) -> str:
    """A cell of a spreadsheet as text: whole numbers are numbers of telephones."""
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case float() if value.is_integer():
            return str(int(value))
        case dt.date():
            return value.strftime("%d.%m.%Y")
    return str(value)


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith(_GUARDED) else cell


def _is_text(value: str) -> bool:
    return _NO_CHARACTER.search(value) is None


def _groups(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.replace("|", ",").split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words if word):
        raise BadParameters("group has ids of groups, by | or commas")
    return tuple(number for number in (int(word) for word in words if word) if number)


async def group_of(store: Store, place: Place, num: int) -> int:
    """The id of the group that has a number, 0 of none for 0; raises NotFound."""
    if not num:
        return 0
    await store.write(saving.begin, place)  # an account's first groups may be meant
    group = await store.read(contact_groups.of_num, place.owner, place.book, num)
    if group is None:
        raise NotFound(f"there is no group {num}: add_group of phones.php makes one")
    return group.id


async def take_in(
    store: Store, place: Place, group_id: int, rows: Iterable[Row | Bad]
) -> list[Bad]:
    """Save rows in one commit, all in this group if it is not 0; returns those that are left out.

    What one commit takes is the caller's to choose: BATCH.
    """
    bad = [row for row in rows if isinstance(row, Bad)]
    good = [row for row in rows if isinstance(row, Row)]
    entries = [
        Entry(row.entry.addresses, row.entry.given, (group_id,)) if group_id else row.entry
        for row in good
    ]
    saved = await store.write(saving.save, place, entries)
    for row, outcome in zip(good, saved, strict=True):
        if isinstance(outcome, Refusal):
            bad.append(Bad(row.where, str(outcome)))
    return bad


async def page(tx: Transaction, place: Place, group_id: int, after: int) -> list[Found]:
    """The next BATCH contacts past an id, of a group if it is not 0."""
    only = Filter(group_id=group_id)
    found = await table.page(tx, place.owner, place.book, only, after, table.LAST, BATCH)
    return await with_groups(tx, place.owner, found)


def cells(found: Sequence[Found]) -> list[list[str]]:
    """Rows of a file, in the order of `columns`."""
    return [
        [
            str(one.contact.id),
            one.contact.my_id,
            one.contact.name,
            one.contact.addresses,
            "|".join(map(str, one.groups)) or "0",
            *(getattr(one.contact, name) for name in list(MEMBERS.values())[2:]),
        ]
        for one in found
    ]
