"""The contract of an export format: columns and rows in, a file out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Page = Sequence[Sequence[str]]  # rows of as many texts as there are columns


@dataclass(frozen=True, slots=True)
class Column:
    """`number`: a spreadsheet may count with it; `free`: anybody may have written it."""

    name: str
    number: bool = False
    free: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is on the disk: its octets, those it would have in a charset of one octet a
    character, and its SHA-256 in hex."""

    octets_utf8: int
    octets_single: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Format:
    """`text` says that the file is text: stored in UTF-8, sent in the charset that is asked for.

    `write` makes the file, whole and fsynced, and holds no more than a page at a time; it raises
    OSError, and what the pages raise.
    """

    name: str
    extension: str
    content_type: str
    text: bool
    write: Callable[[Path, Sequence[Column], Iterable[Page]], Written]
