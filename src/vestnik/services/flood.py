"""Many messages to one number with small gaps are a flood (conventions.md, protection rule 2).

It guards subscribers and the machine, so it is counted in memory, per process.
"""

from collections import OrderedDict

from vestnik.domain.client import Limits

REMEMBERED_MAX = 200_000


class Floods:
    """How many messages each number has had without a pause."""

    def __init__(self) -> None:
        self._runs: OrderedDict[tuple[int, str], tuple[int, int]] = OrderedDict()

    def flooded(self, client_id: int, phone: str, limits: Limits, now_ms: int) -> bool:
        """Count one more message to the number; True once the run is longer than allowed."""
        key = (client_id, phone)
        run, last = self._runs.get(key, (0, 0))
        run = run + 1 if now_ms - last < limits.flood_gap_s * 1000 else 1
        self._runs[key] = (run, now_ms)
        self._runs.move_to_end(key)
        if len(self._runs) > REMEMBERED_MAX:
            self._runs.popitem(last=False)
        return run > limits.flood_count
