"""The child process of one export: `python -m vestnik.workers.export`.

It is told what to do in one JSON object on its standard input, and tells how far it is in one JSON
object a line.  It has a process of its own because it computes: in the centre's it would make
every request wait.
"""

import asyncio
import errno
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from vestnik.exports import FORMATS
from vestnik.exports.base import Column, Page
from vestnik.services.centre.numbering import ranges
from vestnik.services.history import listing
from vestnik.services.history.tasks import Wanted
from vestnik.store import store_at
from vestnik.store.engine import Row, Store, Transaction

NICE = 10
PROGRESS_S = 0.5
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# This process reads each page once: a large cache would only be memory that it takes from others.
CACHE_KIB = 2_000

_NUMBERS = frozenset({"status", "err", "cost", "sms_cnt", "type"})
_FREE = frozenset({"message", "sender_id"})
COLUMNS = tuple(
    Column(name, number=name in _NUMBERS, free=name in _FREE) for name in listing.FIELDS
)


class Job(msgspec.Struct, frozen=True):
    """What to export, and to where; `url` and `data` are those of the store."""

    url: str
    data: str
    client_id: int
    wanted: Wanted
    high_id: int
    zone: str
    language: str
    format: str
    path: str


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """So many messages are in the file."""

    rows: int


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The file is whole and on the disk."""

    rows: int
    octets_utf8: int
    octets_single: int
    sha256: str


class DiskFull(msgspec.Struct, frozen=True, tag="disk full"):
    """The file does not fit: to begin again is of no use."""

    reason: str


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """Something broke: it may go better the next time."""

    reason: str


Word = Progress | Finished | DiskFull | Stopped
Tell = Callable[[Word], None]


def export(job: Job, tell: Tell) -> Finished:
    """Write the file of a job; raises OSError, StoreUnavailable."""
    with asyncio.Runner() as runner:
        store = store_at(job.url, Path(job.data))
        runner.run(store.open())
        try:
            # Each message has the codes of its network: ported numbers are not needed here.
            plan = runner.run(store.read(ranges))
            cells = listing.Cells(job.zone, plan, job.language)
            pages = _Pages(_pages(runner, store, job), cells, tell)
            written = FORMATS[job.format].write(Path(job.path), COLUMNS, pages)
        finally:
            runner.run(store.close())
    return Finished(pages.rows, written.octets_utf8, written.octets_single, written.sha256)


def _pages(runner: asyncio.Runner, store: Store, job: Job) -> Iterator[Sequence[Row]]:
    low, high = job.wanted.ids(job.high_id)
    first = True
    while low < high:
        rows, high = runner.run(store.read(_page, job, low, high, first))
        first = False
        yield rows


async def _page(
    tx: Transaction, job: Job, low: int, high: int, first: bool
) -> tuple[Sequence[Row], int]:
    if tx.dialect == "sqlite":
        await tx.script(f"PRAGMA cache_size = -{CACHE_KIB}")
    return await listing.page(tx, job.client_id, job.wanted.filter, low, high, first=first)


class _Pages:
    """Pages as texts; counts the rows and tells how far it is."""

    def __init__(
        self,
        pages: Iterator[Sequence[Row]],
        cells: Callable[[Sequence[Row]], Page],
        tell: Tell,
    ) -> None:
        self._pages = pages
        self._cells = cells
        self._tell = tell
        self.rows = 0

    def __iter__(self) -> Iterator[Page]:
        told_at = time.monotonic()
        for rows in self._pages:
            yield self._cells(rows)
            self.rows += len(rows)
            if time.monotonic() - told_at >= PROGRESS_S:
                self._tell(Progress(self.rows))
                told_at = time.monotonic()


def _tell(word: Word) -> None:
    """Write to the centre; raises BrokenPipeError when it is no more."""
    os.write(1, msgspec.json.encode(word) + b"\n")


def _done(job: Job) -> Word:
    """Do a job; returns how it ended."""
    try:
        return export(job, _tell)
    except BrokenPipeError:
        raise
    except Exception as failure:  # noqa: BLE001 - the centre is told, and decides
        if isinstance(failure, OSError) and failure.errno in FULL:
            return DiskFull(f"the disk is full: {failure.strerror}")
        traceback.print_exc()
        return Stopped(str(failure) or type(failure).__name__)


def main() -> int:
    """Do the job on the standard input; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the centre, which ends us
    os.nice(NICE)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    try:
        word = _done(job)
        _tell(word)
    except BrokenPipeError:
        return 1  # nobody is there to put the file in place
    return 0 if isinstance(word, Finished) else 1


if __name__ == "__main__":
    sys.exit(main())
