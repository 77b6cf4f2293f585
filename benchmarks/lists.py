"""3. A list of 100,000 lines in one POST.

Rows a second from the request until the last row stands in `messages` and `queue`, and the longest
wait of a single send meanwhile.  The limit is the same rows and indexes by the bare driver, 1,000 a
commit.
"""

import http.client
import threading
import time
from urllib.parse import urlencode

import apsw

from benchmarks.limits import raw_rows_per_s
from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, Served, served

LINES = 100_000
RAW_BATCH = 1_000
PATIENCE_S = 120.0
SINGLE_EVERY_S = 0.02


class _Singles(threading.Thread):
    """Sends single messages one after another, and keeps how long each took."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.stopping = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        number = 0
        while not self.stopping.wait(SINGLE_EVERY_S):
            number += 1
            began = time.perf_counter()
            _ask(connection, phones=str(79_500_000_000 + number), mes="single")
            self.seconds.append(time.perf_counter() - began)
        connection.close()


def _ask(connection: http.client.HTTPConnection, **parameters: str) -> str:
    """A send for later; raises RuntimeError when it is refused."""
    fields = {"login": LOGIN, "psw": PASSWORD, "time": "+600", "charset": "utf-8"} | parameters
    connection.request(
        "POST",
        "/sys/send.php",
        urlencode(fields),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    said = connection.getresponse().read().decode()
    if not said.startswith("OK"):
        raise RuntimeError(said)
    return said


def _send_list(centre: Served) -> tuple[float, float]:
    """Seconds until the answer, and until the last row is written."""
    lines = "\n".join(f"{79_010_000_000 + n}:Your code is {n}" for n in range(LINES))
    store = apsw.Connection(str(centre.data / "vestnik.db"), flags=apsw.SQLITE_OPEN_READONLY)
    connection = http.client.HTTPConnection("127.0.0.1", centre.http, timeout=PATIENCE_S)
    began = time.perf_counter()
    _ask(connection, list=lines)
    answered = time.perf_counter() - began
    written = "SELECT count(*) FROM queue WHERE priority = 2"
    while store.execute(written).fetchall() != [(LINES,)]:
        if time.perf_counter() - began > PATIENCE_S:
            raise RuntimeError("the list was not expanded")
        time.sleep(0.1)
    seconds = time.perf_counter() - began
    store.close()
    return answered, seconds


def run() -> list[Figure]:
    limit = raw_rows_per_s(LINES, RAW_BATCH)
    with served() as centre:
        singles = _Singles(centre.http)
        singles.start()
        answered, seconds = _send_list(centre)
        singles.stopping.set()
        singles.join()
        memory = centre.rss_max_mb
    return [
        Figure(
            "a list of 100,000 lines, until the last row",
            LINES / seconds,
            "rows/s",
            limit,
            f"answered after {answered:.1f} s, all rows after {seconds:.1f} s",
        ),
        Figure(
            "longest wait of a single send meanwhile",
            max(singles.seconds) * 1000,
            "ms",
            None,
            f"at most 200; {len(singles.seconds)} sends",
        ),
        Figure("peak memory of the server", memory, "MB", None, "at most 150"),
    ]


if __name__ == "__main__":
    show(run())
