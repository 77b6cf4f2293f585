"""PostgreSQL by asyncpg: a pool, row locks, months of messages in partitions."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types

from vestnik.domain.refusals import StoreUnavailable
from vestnik.store.engine import CommitUnknown, DataRefused, P, Row, Work
from vestnik.store.statement import POSTGRES, Statement

T = TypeVar("T")

POOL_MAX = 10
OPEN_S_MAX = 10.0
TRIES_MAX = 5
STATEMENTS_KEPT = 1_000
NODES = 0x7665_7374  # the family of locks that nodes hold
CLAIM_TRIES = 10
CLAIM_AGAIN_S = 0.5

# The transaction did not happen and may succeed when it is run again.
PASSING = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)
AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    TimeoutError,
)


def connect(url: str) -> "PostgresStore":
    return PostgresStore(url)


class PostgresTransaction:
    """A transaction on one connection of the pool."""

    dialect = "postgres"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def all(self, statement: Statement, /, **parameters: Any) -> Sequence[Row]:
        rendered = statement.render(POSTGRES)
        rows: Sequence[Row] = await self._connection.fetch(
            rendered.text(1), *rendered.bind(parameters)
        )
        return rows

    async def one(self, statement: Statement, /, **parameters: Any) -> Row | None:
        rows = await self.all(statement, **parameters)
        return rows[0] if rows else None

    async def run(self, statement: Statement, /, **parameters: Any) -> int:
        rendered = statement.render(POSTGRES)
        done: str = await self._connection.execute(rendered.text(1), *rendered.bind(parameters))
        word = done.rpartition(" ")[2]  # "UPDATE 3", "INSERT 0 1"
        return int(word) if word.isdigit() else 0

    async def many(
        self, statement: Statement, data: Sequence[Row], /, **parameters: Any
    ) -> list[Row]:
        rendered = statement.render(POSTGRES)
        found: list[Row] = []
        for part in rendered.slices(data):
            values = rendered.bind_rows(part, parameters)
            found += await self._connection.fetch(rendered.text(len(part)), *values)
        return found

    async def script(self, sql: str, /) -> None:
        await self._connection.execute(sql)


class PostgresStore:
    """The store that many nodes share."""

    name = "postgres"

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None
        self._claim: Any = None  # the session that holds the node's lock
        self._ahead_ms = 0  # the server's clock less ours

    async def open(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=POOL_MAX,
                timeout=OPEN_S_MAX,
                statement_cache_size=STATEMENTS_KEPT,
                max_cacheable_statement_size=0,
            )
            await self._follow_clock()
        except AWAY as failure:
            raise StoreUnavailable(f"PostgreSQL cannot be reached: {failure}") from failure

    async def close(self) -> None:
        if self._claim is not None:
            await self._claim.close()
        if self._pool is not None:
            await self._pool.close()

    async def claim_node(self, node: int) -> bool:
        """By a lock of a session of its own.  A node that has just died may still hold it until the
        server notices, so it is tried for a while."""
        if self._claim is None:
            self._claim = await asyncpg.connect(self._url, timeout=OPEN_S_MAX)
        for _ in range(CLAIM_TRIES):
            if await self._claim.fetchval("SELECT pg_try_advisory_lock($1, $2)", NODES, node):
                return True
            await asyncio.sleep(CLAIM_AGAIN_S)
        return False

    async def _follow_clock(self) -> None:
        """Measure the server's clock against ours, to half a round trip."""
        before = time.time()
        server = await self._pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        self._ahead_ms = int((server - (before + time.time()) / 2) * 1000)

    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._transact(False, work, args, kwargs)

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._transact(True, work, args, kwargs)

    async def _transact(
        self,
        readonly: bool,
        work: Callable[..., Awaitable[T]],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> T:
        for attempt in range(TRIES_MAX):
            try:
                return await self._attempt(readonly, work, args, kwargs)
            except PASSING as failure:
                if attempt == TRIES_MAX - 1:
                    raise StoreUnavailable(f"PostgreSQL is overloaded: {failure}") from failure
                await asyncio.sleep(0.01 * 2**attempt)
            except AWAY as failure:
                raise StoreUnavailable(f"PostgreSQL cannot be reached: {failure}") from failure
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as failure:
                raise DataRefused(str(failure)) from failure
        raise AssertionError("the last try returns or raises")

    async def _attempt(
        self,
        readonly: bool,
        work: Callable[..., Awaitable[T]],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> T:
        async with self._pool.acquire(timeout=OPEN_S_MAX) as connection:
            isolation = "repeatable_read" if readonly else "read_committed"
            transaction = connection.transaction(isolation=isolation, readonly=readonly)
            await transaction.start()
            try:
                result = await work(PostgresTransaction(connection), *args, **kwargs)
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except AWAY as failure:
                if readonly:
                    return result
                raise CommitUnknown(str(failure)) from failure
            return result

    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms
