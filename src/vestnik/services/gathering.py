"""Items gather while a commit runs; the next commit takes them together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from vestnik.domain.refusals import StoreUnavailable
from vestnik.store.engine import CommitUnknown

log = structlog.get_logger(__name__)

T = TypeVar("T")

BATCH_MAX = 1_000
AGAIN_S = 1.0


class Gathering(Generic[T]):
    """A line of items and the one commit that takes them.

    `commit` writes a batch.  When it is refused for its data each item goes alone, so that a bad
    one harms no other.  A batch whose fate is unknown fails like one that did not take place: its
    items may come again, and `commit` must bear it.
    """

    def __init__(self, name: str, commit: Callable[[list[T]], Awaitable[object]]) -> None:
        self._name = name
        self._commit = commit
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._bell = asyncio.Event()
        self._closed = False

    def put(self, item: T) -> "asyncio.Future[None]":
        """Add an item; the future is done once it is durable, or fails with what went wrong."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        self._bell.set()
        return done

    async def run(self) -> None:
        """Commit what gathers, until `close`."""
        while not self._closed or self._waiting:
            if not self._waiting:
                self._bell.clear()
                await self._bell.wait()
                continue
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            await self._take(batch)

    def close(self) -> None:
        """`run` ends once everything is committed."""
        self._closed = True
        self._bell.set()

    async def _take(self, batch: list[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            await self._commit([item for item, _ in batch])
        except (StoreUnavailable, CommitUnknown) as reason:
            self._fail(batch, reason)
            await asyncio.sleep(AGAIN_S)  # the store is away: do not spin
        except Exception as reason:
            if len(batch) == 1:
                log.exception("an item could not be committed", line=self._name)
                self._fail(batch, reason)
                return
            for one in batch:
                await self._take([one])
        else:
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    @staticmethod
    def _fail(batch: list[tuple[T, asyncio.Future[None]]], reason: Exception) -> None:
        for _, done in batch:
            if not done.done():
                done.set_exception(reason)
