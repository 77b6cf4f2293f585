"""The bell across the nodes of a PostgreSQL: NOTIFY carries a ring to every other node."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
import structlog

from vestnik.notifier.local import LocalNotifier

log = structlog.get_logger(__name__)

CHANNEL = "vestnik"
EVERY_S = 0.02  # rings of one topic within it are one
CONNECT_S_MAX = 10.0
AGAIN_S, AGAIN_S_MAX = 0.5, 30.0


class PostgresNotifier(LocalNotifier):
    """Rings here at once, and soon on the other nodes.

    A hint: while the connection is away nothing is told, and whoever waits looks when its time has
    passed.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._untold: set[str] = set()
        self._something = asyncio.Event()
        self._own = 0  # the server's number of our connection
        self._telling: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    def open(self) -> None:
        """Begin to tell and to hear."""
        self._telling = asyncio.create_task(self._run(), name="notifier")

    async def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling

    def ring(self, topic: str) -> None:
        super().ring(topic)
        self._untold.add(topic)
        self._something.set()

    async def _run(self) -> None:
        """Stay connected."""
        again_s = AGAIN_S
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=CONNECT_S_MAX)
                try:
                    self._own = connection.get_server_pid()
                    connection.add_termination_listener(self._cut)
                    await connection.add_listener(CHANNEL, self._heard)
                    self.connected.set()
                    again_s = AGAIN_S
                    await self._tell(connection)
                finally:
                    self.connected.clear()
                    connection.terminate()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as reason:
                log.warning("other nodes cannot be told", reason=str(reason))
            await asyncio.sleep(again_s)
            again_s = min(AGAIN_S_MAX, again_s * 2)

    async def _tell(self, connection: Any) -> None:
        """Hand on what rings, until the connection breaks."""
        while True:
            await self._something.wait()
            self._something.clear()
            if connection.is_closed():
                return
            topics, self._untold = sorted(self._untold), set()
            await connection.execute(
                "SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic", CHANNEL, topics
            )
            await asyncio.sleep(EVERY_S)

    def _cut(self, connection: Any) -> None:
        self._something.set()  # `_tell` looks up, and finds the connection closed

    def _heard(self, connection: Any, teller: int, channel: str, topic: str) -> None:
        if teller != self._own:  # our own have rung here already
            super().ring(topic)
