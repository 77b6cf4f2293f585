"""The bell inside one process."""

import asyncio
from collections import defaultdict


class LocalNotifier:
    """Wakes whoever waits for a topic; a ring that nobody hears is kept for the next to ask."""

    def __init__(self) -> None:
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def open(self) -> None:
        """Begin to hear others: here there are none."""

    async def close(self) -> None:
        """Hear nobody any more."""

    def ring(self, topic: str) -> None:
        self._events[topic].set()

    async def wait(self, topic: str, timeout_s: float) -> bool:
        """Wait for a ring, or for the time to pass; returns whether it rang."""
        event = self._events[topic]
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return False
        event.clear()
        return True
