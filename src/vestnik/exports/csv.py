"""CSV: semicolons, CRLF, quotes only where they are needed (downloads.md, "The CSV").

Stored without a mark of its encoding: who sends the file adds one, or recodes it.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from vestnik.exports.base import Column, Format, Page, Written

DELIMITER = ";"
LINE_END = "\r\n"
BUFFER_OCTETS = 1 << 20

# A spreadsheet would take for a formula what begins like this.
FORMULA = frozenset("=+-@\t\r")


def _quoted(cell: str) -> str:
    if DELIMITER in cell or '"' in cell or "\r" in cell or "\n" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _guarded(cell: str) -> str:
    return "'" + cell if cell[:1] in FORMULA else cell


def _lines(page: Page, columns: int, free: Sequence[int]) -> list[str]:
    """The lines of a page without their ends.

    A row is joined first and looked at as a whole: only the few that hold something special are
    taken apart again.
    """
    delimiters = columns - 1
    lines = []
    for row in page:
        cells = row
        for place in free:
            if row[place][:1] in FORMULA:
                cells = [_guarded(cell) if at in free else cell for at, cell in enumerate(row)]
                break
        line = DELIMITER.join(cells)
        if line.count(DELIMITER) != delimiters or '"' in line or "\n" in line or "\r" in line:
            line = DELIMITER.join([_quoted(cell) for cell in cells])
        lines.append(line)
    return lines


def _blocks(columns: Sequence[Column], pages: Iterable[Page]) -> Iterator[str]:
    free = [at for at, column in enumerate(columns) if column.free]
    yield DELIMITER.join(column.name for column in columns) + LINE_END
    for page in pages:
        if page:
            yield LINE_END.join(_lines(page, len(columns), free)) + LINE_END


def write(path: Path, columns: Sequence[Column], pages: Iterable[Page]) -> Written:
    """See Format."""
    digest = sha256()
    octets = characters = 0
    with path.open("wb", buffering=BUFFER_OCTETS) as file:
        for block in _blocks(columns, pages):
            encoded = block.encode()
            file.write(encoded)
            digest.update(encoded)
            octets += len(encoded)
            characters += len(block)
        file.flush()
        os.fsync(file.fileno())
    return Written(octets, characters, digest.hexdigest())


CSV = Format("csv", ".csv", "text/csv", text=True, write=write)
