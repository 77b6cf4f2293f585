"""Submits that wait for their commit.

A submit is composed at once and then waits a single time, for its commit.  A task for each would
cost two turns of the loop and a fifth of the door's time, so a request runs to its first wait when
it comes, and goes on when what it waits for is there.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Underway:
    """The requests of one door.

    What runs here waits for futures and for turns of the loop.  It is in no task, so
    `asyncio.timeout` fails in it, and with it whatever goes to PostgreSQL directly: let a line
    (intake, a Gathering) do that, or make a task.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._waiting: set[_Request] = set()
        self._none_left: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it to its first wait, and the rest as it can; what it raises goes to the loop's
        exception handler."""
        _Request(self, work).step(None)

    async def finish(self, grace_s: float) -> None:
        """Wait for what is under way, no longer than that, then cancel it."""
        if self._waiting:
            self._none_left = self.loop.create_future()
            await asyncio.wait({self._none_left}, timeout=grace_s)
        for request in list(self._waiting):
            request.cancel()

    def enter(self, request: "_Request") -> None:
        """It waits."""
        self._waiting.add(request)

    def leave(self, request: "_Request") -> None:
        """It is over."""
        self._waiting.discard(request)
        if not (self._waiting or self._none_left is None or self._none_left.done()):
            self._none_left.set_result(None)


class _Request:
    """One coroutine, driven by what it waits for."""

    __slots__ = ("_entered", "_for", "_over", "_underway", "_work")

    def __init__(self, underway: Underway, work: Coroutine[Any, Any, None]) -> None:
        self._underway, self._work = underway, work
        self._entered = self._over = False
        self._for: asyncio.Future[Any] | None = None

    def step(self, done: "asyncio.Future[Any] | None") -> None:
        """Go on; `done` is what was waited for."""
        if not self._over:
            self._advance(None)

    def cancel(self) -> None:
        """End it where it waits."""
        if self._for is not None:
            self._for.remove_done_callback(self.step)
            self._for.cancel()
        self._advance(asyncio.CancelledError())

    def _advance(self, failure: BaseException | None) -> None:
        underway = self._underway
        try:
            # A future raises in the coroutine what it failed with, by itself.
            waits = self._work.send(None) if failure is None else self._work.throw(failure)
        except (StopIteration, asyncio.CancelledError):
            self._over = True
            underway.leave(self)
            return
        except Exception as wrong:  # noqa: BLE001 - our bug: the loop's handler tells of it
            self._over = True
            underway.leave(self)
            context = {"message": "a request failed", "exception": wrong}
            underway.loop.call_exception_handler(context)
            return
        if not self._entered:
            self._entered = True
            underway.enter(self)
        self._for = waits
        if waits is None:  # a turn of the loop
            underway.loop.call_soon(self.step, None)
        else:
            waits._asyncio_future_blocking = False  # noqa: SLF001 - who drives a coroutine does so
            waits.add_done_callback(self.step)
