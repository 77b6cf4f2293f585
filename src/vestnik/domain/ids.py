"""Message ids: a moment, a node and a sequence in one integer below 2^53.

An id is made before its transaction, so a commit whose answer was lost can be looked up, and a
period of time is a range of ids.
"""

from threading import Lock

from vestnik.domain.refusals import StoreUnavailable

EPOCH_MS = 1_735_689_600_000  # 2025-01-01 UTC
NODE_BITS = 5
SEQUENCE_BITS = 7
NODES = 1 << NODE_BITS
PER_MS = 1 << SEQUENCE_BITS
SHIFT = NODE_BITS + SEQUENCE_BITS
AHEAD_MS_MAX = 3_600_000  # how far the ids may run ahead of the clock


def first_id(at_ms: int) -> int:
    """The smallest id of this moment."""
    return max(0, at_ms - EPOCH_MS) << SHIFT


def moment(message_id: int) -> int:
    """When the message was accepted, in ms since the epoch."""
    return (message_id >> SHIFT) + EPOCH_MS


class Ids:
    """One node's ids: they grow, whatever the clock does and whichever thread asks."""

    def __init__(self, node: int, last: int = 0) -> None:
        assert 0 <= node < NODES, node
        self._node = node
        self._ms = moment(last) if last else 0
        self._used = PER_MS  # all of the last ms, for it may have been used
        self._lock = Lock()  # a transaction may ask too, and runs in the store's thread

    def take(self, now_ms: int, count: int = 1) -> list[int]:
        """The next ids; raises StoreUnavailable when they would run an hour ahead of the clock."""
        with self._lock:
            return self._take(now_ms, count)

    def _take(self, now_ms: int, count: int) -> list[int]:
        ms, used = (now_ms, 0) if now_ms > self._ms else (self._ms, self._used)
        if ms + (used + count - 1) // PER_MS > now_ms + AHEAD_MS_MAX:
            raise StoreUnavailable("message ids have run an hour ahead of the clock")
        self._ms, self._used = ms, used
        taken: list[int] = []
        while count:
            if self._used == PER_MS:
                self._ms, self._used = self._ms + 1, 0
            step = min(count, PER_MS - self._used)
            base = (self._ms - EPOCH_MS) << SHIFT | self._node << SEQUENCE_BITS
            taken.extend(range(base + self._used, base + self._used + step))
            self._used += step
            count -= step
        return taken
