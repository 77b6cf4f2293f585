"""SQLite by apsw: one writer thread, a few readers, a write-ahead log.

The writer runs one transaction after another and drives each function to its end itself.
Checkpoints have a connection and a thread of their own, so no commit waits for one.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, cast

import apsw

from vestnik.domain.refusals import StoreUnavailable
from vestnik.store.engine import DataRefused, P, Row, Work
from vestnik.store.statement import SQLITE, Statement

T = TypeVar("T")

READERS = 3
BUSY_MS = 10_000
CHECKPOINT_S = 1.0
STATEMENTS_KEPT = 500
WAL_OCTETS_MAX = 64 << 20  # past this a checkpoint may make writers wait, to begin the log anew

# What a connection is told when it opens.  FULL: a commit is on the disk before it is answered.
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32768",
    "PRAGMA temp_store = MEMORY",
)

AWAY = (
    apsw.FullError,
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.NotADBError,
    apsw.CorruptError,
    apsw.PermissionsError,
)

Job = Callable[[apsw.Connection], None]


def connect(path: Path) -> "SqliteStore":
    return SqliteStore(path)


class SqliteTransaction:
    """A transaction in the thread that owns its connection; no call ever suspends."""

    dialect = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    async def all(self, statement: Statement, /, **parameters: Any) -> Sequence[Row]:
        rendered = statement.render(SQLITE)
        return self._connection.execute(rendered.text(1), rendered.bind(parameters)).fetchall()

    async def one(self, statement: Statement, /, **parameters: Any) -> Row | None:
        rows = await self.all(statement, **parameters)
        return rows[0] if rows else None

    async def run(self, statement: Statement, /, **parameters: Any) -> int:
        await self.all(statement, **parameters)
        return self._connection.changes()

    async def many(
        self, statement: Statement, data: Sequence[Row], /, **parameters: Any
    ) -> list[Row]:
        rendered = statement.render(SQLITE)
        found: list[Row] = []
        execute = self._connection.execute
        for part in rendered.slices(data):
            # Every row is fetched: a statement with RETURNING is not done before.
            found += execute(rendered.text(len(part)), rendered.bind_rows(part, parameters))
        return found

    async def script(self, sql: str, /) -> None:
        self._connection.execute(sql).fetchall()


def _drive(work: Awaitable[T]) -> T:
    """Run a transaction function to its end; it may wait for nothing but its transaction."""
    assert isinstance(work, Coroutine)
    try:
        work.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    work.close()
    raise RuntimeError("a transaction function awaited something other than its transaction")


class _Thread:
    """A thread that owns one connection and does jobs one after another."""

    def __init__(self, name: str, open_connection: Callable[[], apsw.Connection]) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._open = open_connection
        self._opened: SimpleQueue[BaseException | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()
        failure = self._opened.get()
        if failure is not None:
            raise failure

    def put(self, job: Job) -> None:
        self._jobs.put(job)

    def stop(self) -> None:
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            connection = self._open()
        except apsw.Error as failure:
            self._opened.put(failure)
            return
        self._opened.put(None)
        while (job := self._jobs.get()) is not None:
            job(connection)
        connection.close()


class SqliteStore:
    """The embedded store: one file."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = _Thread("vestnik-writer", lambda: self._connect(readonly=False))
        self._reading: SimpleQueue[Job | None] = SimpleQueue()
        self._readers: list[_Thread] = []
        self._next_reader = 0
        self._stopping = threading.Event()
        self._checkpointer = threading.Thread(
            target=self._checkpoint, name="vestnik-checkpoint", daemon=True
        )

    def _connect(self, *, readonly: bool) -> apsw.Connection:
        connection = apsw.Connection(str(self.path), statementcachesize=STATEMENTS_KEPT)
        for pragma in PRAGMAS:
            connection.execute(pragma).fetchall()
        connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
        if readonly:
            connection.execute("PRAGMA query_only = ON").fetchall()
        return connection

    async def open(self) -> None:
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer.start()
            for number in range(READERS):
                reader = _Thread(f"vestnik-reader-{number}", lambda: self._connect(readonly=True))
                reader.start()
                self._readers.append(reader)
        except (apsw.Error, OSError) as failure:
            raise StoreUnavailable(
                f"the store {self.path} cannot be opened: {failure}"
            ) from failure
        self._checkpointer.start()

    async def close(self) -> None:
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._stopping.set()
        if self._checkpointer.is_alive():
            self._checkpointer.join()
        for thread in (*self._readers, self._writer):
            thread.stop()

    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._submit(self._writer, "BEGIN IMMEDIATE", work, args, kwargs)

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        self._next_reader = (self._next_reader + 1) % len(self._readers)
        reader = self._readers[self._next_reader]
        return await self._submit(reader, "BEGIN", work, args, kwargs)

    async def _submit(
        self,
        thread: _Thread,
        begin: str,
        work: Callable[..., Awaitable[T]],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job(connection: apsw.Connection) -> None:
            try:
                result = _transact(connection, begin, work, args, kwargs)
            except BaseException as failure:  # noqa: BLE001 - it is raised in the caller
                loop.call_soon_threadsafe(_fail, future, failure)
            else:
                loop.call_soon_threadsafe(_succeed, future, result)

        thread.put(job)
        return await future

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def _checkpoint(self) -> None:
        connection = self._connect(readonly=False)
        log = self.path.with_name(self.path.name + "-wal")
        while not self._stopping.wait(CHECKPOINT_S):
            large = log.exists() and log.stat().st_size > WAL_OCTETS_MAX
            mode = apsw.SQLITE_CHECKPOINT_RESTART if large else apsw.SQLITE_CHECKPOINT_PASSIVE
            try:
                connection.wal_checkpoint(mode=mode)
            except apsw.BusyError:
                continue  # a long reader; the next turn tries again
            except (apsw.FullError, apsw.IOError):
                continue  # the writer will meet the same disk and tell its callers
        connection.close()


def _succeed(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], failure: BaseException) -> None:
    if not future.done():
        future.set_exception(failure)


def _transact(
    connection: apsw.Connection,
    begin: str,
    work: Callable[..., Awaitable[T]],
    args: Sequence[Any],
    kwargs: dict[str, Any],
) -> T:
    try:
        connection.execute(begin).fetchall()
        try:
            result = _drive(work(SqliteTransaction(connection), *args, **kwargs))
            connection.execute("COMMIT").fetchall()
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK").fetchall()
            raise
    except AWAY as failure:
        raise StoreUnavailable(f"the store cannot be written or read now: {failure}") from failure
    except (apsw.Error, OverflowError, TypeError, UnicodeError) as failure:
        raise DataRefused(str(failure)) from failure
    return result
