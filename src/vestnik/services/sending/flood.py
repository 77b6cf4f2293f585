"""Many messages to one number with small gaps are a flood (conventions.md, protection rule 2).

It guards subscribers and the machine, so it is counted in memory, per process.
"""

from array import array

from vestnik.domain.client import Limits

BUCKETS = 1 << 16
WAYS = 4  # places of a bucket

_TIME_BITS, _RUN_BITS, _MARK_BITS = 32, 16, 16
_TIME, _RUN, _MARK = (1 << _TIME_BITS) - 1, (1 << _RUN_BITS) - 1, (1 << _MARK_BITS) - 1


class Floods:
    """How many messages each number has had without a pause.

    Two megabytes, whatever comes: a number has its place in one bucket of a few, each place 16 bits
    of the number's hash, its run and the moment of its last message.  In a full bucket the number
    that has been quiet the longest is forgotten.
    """

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * BUCKETS * WAYS))

    def flooded(self, client_id: int, phone: str, limits: Limits, now_ms: int) -> bool:
        """Count one more message to the number; True once the run is longer than allowed."""
        key = hash((client_id, phone))
        mark = (key >> 32 & _MARK) or 1  # an empty place has none
        now = now_ms & _TIME
        places, first = self._places, (key & (BUCKETS - 1)) * WAYS
        free, quiet, run = first, -1, 1
        for at in range(first, first + WAYS):
            place = places[at]
            since = now - place & _TIME
            if place >> (_TIME_BITS + _RUN_BITS) == mark:
                free = at
                if since < limits.flood_gap_s * 1000:
                    run = min((place >> _TIME_BITS & _RUN) + 1, _RUN)
                break
            if not place:
                since = _TIME + 1
            if since > quiet:
                free, quiet = at, since
        places[free] = mark << (_TIME_BITS + _RUN_BITS) | run << _TIME_BITS | now
        return run > limits.flood_count
