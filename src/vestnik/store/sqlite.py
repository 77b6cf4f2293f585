"""SQLite by apsw: one writer thread, a few readers, a write-ahead log.

The writer drives each transaction function to its end itself.  Functions that have gathered while
it was busy share one commit, and so one fsync; each stands behind a savepoint of its own, so one
that raises takes nothing of the others with it.  Checkpoints have a connection and a thread of
their own, so no commit waits for one.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

import apsw

from vestnik.domain.refusals import StoreUnavailable
from vestnik.store.engine import DataRefused, P, Row, Work
from vestnik.store.statement import SQLITE, Statement

T = TypeVar("T")

READERS = 3
BUSY_MS = 10_000
CHECKPOINT_S = 1.0
STATEMENTS_KEPT = 500
TOGETHER = 16  # transaction functions that may share one commit
WAL_OCTETS_MAX = 64 << 20  # past this a checkpoint may make writers wait, to begin the log anew

# What a connection is told when it opens.  FULL: a commit is on the disk before it is answered.
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8192",
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


class _Job(Generic[T]):
    """A transaction function that waits for its thread, and who waits for it."""

    def __init__(self, work: Callable[[SqliteTransaction], Awaitable[T]]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self._loop.create_future()
        self._result: T | None = None
        self._failure: BaseException | None = None

    def run(self, connection: apsw.Connection) -> None:
        """Drive the function behind a savepoint; raises only when the store is in trouble."""
        connection.execute("SAVEPOINT job")
        try:
            self._result = _drive(self._work(SqliteTransaction(connection)))
        except AWAY:
            raise
        except (apsw.Error, OverflowError, TypeError, UnicodeError) as failure:
            self._failure = DataRefused(str(failure))
            self._failure.__cause__ = failure
        except BaseException as failure:  # noqa: BLE001 - it is raised in the caller
            self._failure = failure
        if self._failure is not None:
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")

    def fail(self, failure: BaseException) -> None:
        self._failure = failure

    def tell(self) -> None:
        """Wake whoever waits, from the store's thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if self.future.done():
            return
        if self._failure is not None:
            self.future.set_exception(self._failure)
        else:
            self.future.set_result(cast(T, self._result))


class _Thread:
    """A thread that owns one connection; what waits for it, up to `together`, shares a commit."""

    def __init__(
        self,
        name: str,
        open_connection: Callable[[], apsw.Connection],
        begin: str,
        together: int,
    ) -> None:
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._open = open_connection
        self._begin = begin
        self._together = together
        self._opened: SimpleQueue[BaseException | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()
        failure = self._opened.get()
        if failure is not None:
            raise failure

    def put(self, job: _Job[Any]) -> None:
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
        while (first := self._jobs.get()) is not None:
            jobs = [first]
            more = True
            while more and len(jobs) < self._together and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    more = False
                else:
                    jobs.append(following)
            self._commit(connection, jobs)
            if not more:
                break
        connection.close()

    def _commit(self, connection: apsw.Connection, jobs: list[_Job[Any]]) -> None:
        try:
            connection.execute(self._begin)
            for job in jobs:
                job.run(connection)
            connection.execute("COMMIT")
        except apsw.Error as failure:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            away = StoreUnavailable(f"the store cannot be written or read now: {failure}")
            away.__cause__ = failure
            for job in jobs:
                job.fail(away)
        for job in jobs:
            job.tell()


class SqliteStore:
    """The embedded store: one file."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = _Thread(
            "vestnik-writer", lambda: self._connect(readonly=False), "BEGIN IMMEDIATE", TOGETHER
        )
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
                reader = _Thread(
                    f"vestnik-reader-{number}", lambda: self._connect(readonly=True), "BEGIN", 1
                )
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
        job = _Job(lambda tx: work(tx, *args, **kwargs))
        self._writer.put(job)
        return await job.future

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        self._next_reader = (self._next_reader + 1) % len(self._readers)
        job = _Job(lambda tx: work(tx, *args, **kwargs))
        self._readers[self._next_reader].put(job)
        return await job.future

    async def claim_node(self, node: int) -> bool:
        return True  # one process serves a data folder, and it has the folder's lock

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
