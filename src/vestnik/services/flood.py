"""Many messages to one number with small gaps are a flood (conventions.md, protection rule 2).

It guards subscribers and the machine, so it is counted in memory, per process.
"""

from vestnik.domain.client import Limits

REMEMBERED_MAX = 200_000

_RUN_BITS = 32


class Floods:
    """How many messages each number has had without a pause.

    Numbers are kept as two integers each, in two generations: when the young one is full it
    becomes the old one, and those that have not been seen since are forgotten.
    """

    def __init__(self) -> None:
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def flooded(self, client_id: int, phone: str, limits: Limits, now_ms: int) -> bool:
        """Count one more message to the number; True once the run is longer than allowed."""
        key = hash((client_id, phone))
        known = self._young.get(key) or self._old.get(key, 0)
        run, last = known & ((1 << _RUN_BITS) - 1), known >> _RUN_BITS
        run = run + 1 if now_ms - last < limits.flood_gap_s * 1000 else 1
        if key not in self._young and len(self._young) >= REMEMBERED_MAX // 2:
            self._young, self._old = {}, self._young
        self._young[key] = now_ms << _RUN_BITS | run
        return run > limits.flood_count
