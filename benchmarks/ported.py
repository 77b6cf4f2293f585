"""Ten million ported numbers: loading them beside a serving centre, and looking them up.

The command reads a file of all of them in a shuffled order, while single requests for an operator
are answered; the clock of following runs from the command's end until the server knows the last
number.  Look-ups are made in this process over the same store, a quarter of them of numbers that
have not moved, and beside them a bare bisect over one array of all numbers.
"""

import asyncio
import http.client
import json
import random
import resource
import tempfile
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, Served, served
from vestnik.domain.ported import Ported
from vestnik.services.centre import ported
from vestnik.store import settings, store_at

NUMBERS = 10_000_000
SPREAD = 1_000_000_000  # numbers that they lie among
STEP = 610_612_741  # prime, so that every place is met once, in no order
FIRST = 79_000_000_000
NETWORKS = tuple(f"250{n:02}" for n in range(1, 60))
LOOK_UPS = 200_000
EVERY_S = 0.05
PATIENCE_S = 600.0


def _number(place: int) -> int:
    return FIRST + place * STEP % SPREAD


def _write(file: Path) -> None:
    with file.open("w") as lines:
        lines.write("Phone;mccmnc\n")
        for start in range(0, NUMBERS, 100_000):
            lines.writelines(
                f"{_number(place)};{NETWORKS[place % len(NETWORKS)]}\n"
                for place in range(start, min(start + 100_000, NUMBERS))
            )


class _Asking(threading.Thread):
    """Asks for the operator of the last number again and again; keeps how long each took."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._target = "/sys/info.php?" + urlencode(
            {
                "login": LOGIN,
                "psw": PASSWORD,
                "fmt": "3",
                "charset": "utf-8",
                "get_operator": "1",
                "phone": _number(NUMBERS - 1),
            }
        )
        self.seconds: list[float] = []
        self.known = threading.Event()
        self.stopping = threading.Event()

    def run(self) -> None:
        expected = NETWORKS[(NUMBERS - 1) % len(NETWORKS)]
        while not self.stopping.is_set():
            began = time.perf_counter()
            self._connection.request("GET", self._target)
            found = json.loads(self._connection.getresponse().read())
            self.seconds.append(time.perf_counter() - began)
            if found["mcc"] + found["mnc"] == expected:
                self.known.set()
            time.sleep(EVERY_S)


def _loaded(centre: Served, file: Path) -> tuple[float, float, list[float]]:
    """Seconds of the command, seconds until the server follows, and waits of requests meanwhile."""
    asking = _Asking(centre.http)
    asking.start()
    began = time.perf_counter()
    centre.vestnik("numbering", "ported", str(file))
    ended = time.perf_counter()
    if not asking.known.wait(PATIENCE_S):
        raise RuntimeError("the server did not follow")
    followed = time.perf_counter()
    asking.stopping.set()
    asking.join()
    return ended - began, followed - ended, asking.seconds[1:]  # the first verifies a password


def _stored(data: Path) -> Ported:
    async def read() -> Ported:
        store = store_at("", data)
        await store.open()
        try:
            found = await store.read(settings.everything)
            return await store.read(ported.whole, ported.present_of(found))
        finally:
            await store.close()

    return asyncio.run(read())


def _microseconds(find: Callable[[int], object], asked: list[int]) -> float:
    began = time.perf_counter()
    for number in asked:
        find(number)
    return (time.perf_counter() - began) / len(asked) * 1e6


def _look_ups(table: Ported) -> tuple[float, float]:
    """Microseconds of one look-up, and of a bare bisect over one sorted array."""
    chance = random.Random(1)
    moved = [_number(chance.randrange(NUMBERS)) for _ in range(LOOK_UPS * 3 // 4)]
    others = [FIRST + chance.randrange(SPREAD) for _ in range(LOOK_UPS // 4)]
    asked = moved + others
    chance.shuffle(asked)
    if not all(table.find(number) for number in moved[:1_000]):
        raise RuntimeError("numbers that were loaded are not found")
    bare = array("Q", sorted(_number(place) for place in range(NUMBERS)))
    return _microseconds(table.find, asked), _microseconds(lambda n: bisect_left(bare, n), asked)


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as folder:
        file = Path(folder) / "ported.csv"
        _write(file)
        with served() as centre:
            centre.vestnik(
                "client", "set", LOGIN, "identical_per_minute=0", "operators_per_minute=0"
            )
            time.sleep(2.0)  # the server follows
            idle = centre.rss_mb
            load_s, follow_s, waits = _loaded(centre, file)
            # Of the commands, for the server has not ended yet.
            command_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            grown, most = centre.rss_mb - idle, centre.rss_max_mb
            table = _stored(centre.data)
    took, bare = _look_ups(table)
    return [
        Figure("ported numbers loaded by the command", NUMBERS / load_s, "numbers/s"),
        Figure("peak memory of the command", command_mb, "MB", None, "at most 300"),
        Figure("the server follows after", follow_s, "s", None, "at most 10"),
        Figure("longest wait of a request meanwhile", max(waits) * 1000, "ms", None, "at most 200"),
        Figure(
            "memory of the server for 10,000,000 ported numbers",
            grown,
            "MB",
            None,
            f"at most 200; peak of the server {most:.0f} MB",
        ),
        Figure("one look-up among them", took, "µs", bare, "at most 20; limit: bare bisect"),
    ]


if __name__ == "__main__":
    show(run())
