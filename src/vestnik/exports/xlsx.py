"""A spreadsheet by xlsxwriter, row by row, in constant memory.

Ids and phones are text: as numbers they would lose their last digits.
"""

import os
from collections.abc import Iterable, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any

from vestnik.exports.base import Column, Format, Page, Written

# What a sheet of the format holds: 1,048,576 rows, the header among them.
SHEET_ROWS_MAX = 1_048_575
CELL_CHARACTERS_MAX = 32_767


def write(path: Path, columns: Sequence[Column], pages: Iterable[Page]) -> Written:
    """See Format.  Longer texts than a cell may hold are cut."""
    # Half a spreadsheet library would otherwise be loaded by every process that knows the format.
    import xlsxwriter  # type: ignore[import-untyped]  # it ships no types
    from xlsxwriter.exceptions import (  # type: ignore[import-untyped]  # likewise
        FileCreateError,
    )

    book = xlsxwriter.Workbook(
        str(path),
        # Its temporary files lie beside the file: they fill the same disk and go with the folder.
        {"constant_memory": True, "tmpdir": str(path.parent)},
    )
    book.use_zip64()
    try:
        _fill(book, columns, pages)
        book.close()
    except FileCreateError as failure:
        raise failure.args[0] from None  # the OSError that it hides
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = file_digest(file, "sha256").hexdigest()
    octets = path.stat().st_size
    return Written(octets, octets, digest)


def _fill(book: Any, columns: Sequence[Column], pages: Iterable[Page]) -> None:
    writers = [_number if column.number else _text for column in columns]
    sheet, at = _sheet(book, columns), 0
    for page in pages:
        for row in page:
            if at == SHEET_ROWS_MAX:
                sheet, at = _sheet(book, columns), 0
            at += 1
            for place, (put, cell) in enumerate(zip(writers, row, strict=True)):
                put(sheet, at, place, cell)


def _sheet(book: Any, columns: Sequence[Column]) -> Any:
    sheet = book.add_worksheet()
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.name)
    return sheet


def _text(sheet: Any, row: int, place: int, cell: str) -> None:
    sheet.write_string(row, place, cell[:CELL_CHARACTERS_MAX])


def _number(sheet: Any, row: int, place: int, cell: str) -> None:
    sheet.write_number(row, place, float(cell))


XLSX = Format(
    "xlsx",
    ".xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    text=False,
    write=write,
)
