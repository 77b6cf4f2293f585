"""What guards the machine: counters of one process, each with a bound on its memory."""

from collections import OrderedDict
from collections.abc import Hashable
from types import TracebackType
from typing import Generic, TypeVar

from vestnik.domain.refusals import TooManyConnections, TooManyRequests

MINUTE_MS = 60_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A dictionary that forgets what was used longest ago."""

    __slots__ = ("_entries", "_size_max")

    def __init__(self, size_max: int) -> None:
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._size_max = size_max

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size_max:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        self._entries.pop(key, None)


class WrongRequests:
    """Wrong requests by address: too many within a window, and the address is shut out a while."""

    def __init__(self, *, most: int, window_ms: int, block_ms: int, size_max: int) -> None:
        self._most, self._window_ms, self._block_ms = most, window_ms, block_ms
        self._times: Recent[str, list[int]] = Recent(size_max)
        self._blocked: Recent[str, int] = Recent(size_max)

    def blocked(self, address: str, now_ms: int) -> bool:
        """The address is shut out at this moment."""
        until = self._blocked.get(address)
        if until is None:
            return False
        if now_ms < until:
            return True
        self._blocked.drop(address)
        return False

    def recent(self, address: str, now_ms: int) -> int:
        """Wrong requests of the address within the window."""
        times = self._times.get(address)
        if times is None:
            return 0
        times[:] = [at for at in times if now_ms - at < self._window_ms]
        return len(times)

    def add(self, address: str, now_ms: int) -> None:
        """Count one; the one that reaches the bound shuts the address out.  A bound of 0: never."""
        if not self._most:
            return
        if self.recent(address, now_ms) + 1 >= self._most:
            self._blocked.put(address, now_ms + self._block_ms)
            self._times.drop(address)
            return
        times = self._times.get(address) or []
        times.append(now_ms)
        self._times.put(address, times)


class Running:
    """Requests at one time, by any key."""

    def __init__(self) -> None:
        self._running: dict[Hashable, int] = {}

    def enter(self, key: Hashable, most: int) -> "Entered":
        """One more; the result is left by `with`.

        Raises TooManyConnections when `most` are running already; 0 lifts the limit.
        """
        running = self._running.get(key, 0)
        if most and running >= most:
            raise TooManyConnections
        self._running[key] = running + 1
        return Entered(self._running, key)


class Entered:
    """A running request: it counts until it is left."""

    __slots__ = ("_key", "_running")

    def __init__(self, running: dict[Hashable, int], key: Hashable) -> None:
        self._running, self._key = running, key

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        left = self._running[self._key] - 1
        if left:
            self._running[self._key] = left
        else:
            del self._running[self._key]


class PerMinute:
    """Requests within the last minute, by any key; a refused one does not count."""

    def __init__(self, size_max: int) -> None:
        self._times: Recent[Hashable, list[int]] = Recent(size_max)

    def count(self, key: Hashable, most: int, now_ms: int) -> None:
        """Count one.

        Raises TooManyRequests if that makes more than `most` within 60 s; 0 lifts the limit.
        """
        if not most:
            return
        times = self._times.get(key)
        if times is None:
            self._times.put(key, [now_ms])
            return
        times[:] = [at for at in times if now_ms - at < MINUTE_MS]
        if len(times) >= most:
            raise TooManyRequests
        times.append(now_ms)
