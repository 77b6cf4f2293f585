"""A mailing to a group of 1,000,000 contacts over an SMPP carrier, beside urgent single sends.

Recipients a second from the order until no message is unfinished; the most memory the server had;
and how long single messages took meanwhile from their accept until a carrier had them.  The limit
is that of the road: the same rows taken through the store alone.

`python -m benchmarks.mailing 20000` is one to so many.
"""

import http.client
import sys
import tempfile
import threading
import time
from urllib.parse import urlencode

import apsw

from benchmarks.report import Figure, show
from benchmarks.road import carrier, store_alone
from benchmarks.serving import LOGIN, PASSWORD, Served, served
from vestnik.domain.ids import moment

RECIPIENTS = 1_000_000
SLOWEST_PER_S = 200  # at this rate something is wrong
SINGLE_EVERY_S = 0.1
BOUND_S = 60.0
FIRST = 79_020_000_000


class _Singles(threading.Thread):
    """Sends urgent single messages one after another."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.stopping = threading.Event()
        self.sent = 0

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self.stopping.wait(SINGLE_EVERY_S):
            _ask(connection, "send", phones=str(79_500_000_000 + self.sent), mes="single")
            self.sent += 1
        connection.close()


def _ask(connection: http.client.HTTPConnection, script: str, **parameters: str) -> str:
    """Ask a script; raises RuntimeError when it refuses."""
    fields = {"login": LOGIN, "psw": PASSWORD, "charset": "utf-8"} | parameters
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/sys/{script}.php", urlencode(fields), form)
    said = connection.getresponse().read().decode()
    if not said.startswith("OK"):
        raise RuntimeError(said)
    return said


def _bind(centre: Served, port: int) -> None:
    """Have the centre send everything to the carrier at this port; returns when it can."""
    centre.vestnik(
        *("carrier", "add", "smsc", "--host", "127.0.0.1", "--port", str(port)),
        *("--system-id", "bench", "--password", "bench", "--window", "500"),
    )
    centre.vestnik("route", "add", "--carrier", "smsc")
    deadline = time.monotonic() + BOUND_S
    while "bound" not in centre.vestnik("carrier", "test", "smsc"):
        if time.monotonic() > deadline:
            raise RuntimeError("the carrier was not bound")
    time.sleep(3)  # the server follows within two seconds


def _gather(centre: Served, recipients: int) -> None:
    """Put so many contacts into the first group."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("phone;name\n")
        file.writelines(f"{FIRST + n};\n" for n in range(recipients))
        file.flush()
        centre.vestnik("contacts", "import", LOGIN, file.name, "--group", "1")


def _waits_ms(store: apsw.Connection) -> list[int]:
    """Of each single message, from accept until the carrier had it; in order."""
    rows = store.execute("SELECT id, sent_at FROM messages WHERE mailing_id IS NULL")
    return sorted(sent_at - moment(message_id) for message_id, sent_at in rows)


def mail(recipients: int) -> tuple[float, float, float, list[int], float]:
    """Recipients a second, seconds of processor time for 1,000, memory in MB at its peak and after
    the contacts were loaded, waits of single messages in ms."""
    with carrier() as port, served() as centre:
        centre.vestnik("client", "set", LOGIN, "hours=0-24")
        _gather(centre, recipients)
        _bind(centre, port)
        before, began, idle_mb = centre.cpu_s, time.perf_counter(), centre.rss_max_mb
        singles = _Singles(centre.http)
        connection = http.client.HTTPConnection("127.0.0.1", centre.http, timeout=60)
        _ask(connection, "jobs", add="1", name="News", phones="G1", mes="Hello from the benchmark")
        singles.start()
        store = apsw.Connection(str(centre.data / "vestnik.db"), flags=apsw.SQLITE_OPEN_READONLY)
        patience_s = 120 + recipients / SLOWEST_PER_S
        while _delivered(store) < recipients:
            if time.perf_counter() - began > patience_s:
                raise RuntimeError(f"{_delivered(store)} of {recipients} were delivered")
            time.sleep(0.2)
        seconds, cpu = time.perf_counter() - began, centre.cpu_s - before
        singles.stopping.set()
        singles.join()
        time.sleep(1)  # the last of them leave
        waits = _waits_ms(store)
        store.close()
        return (
            recipients / seconds,
            cpu / recipients * 1000,
            centre.rss_max_mb,
            waits,
            idle_mb,
        )


def _delivered(store: apsw.Connection) -> int:
    """How many messages of the mailing were delivered, by its own count."""
    [(delivered,)] = store.execute("SELECT coalesce(sum(delivered), 0) FROM mailing_runs")
    return int(delivered)


def run(recipients: int = RECIPIENTS) -> list[Figure]:
    limit = store_alone()
    per_s, cpu, memory, waits, idle_mb = mail(recipients)
    p99 = waits[len(waits) * 99 // 100]
    return [
        Figure(
            f"a mailing to {recipients:,}, until the last was delivered",
            per_s,
            "messages/s",
            limit,
            f"{cpu:.2f} CPU-s per 1,000",
        ),
        Figure(
            "p99 of a single message meanwhile, accept to carrier",
            p99,
            "ms",
            None,
            f"{len(waits)} sends, p50 {waits[len(waits) // 2]} ms, longest {waits[-1]} ms",
        ),
        Figure(
            "peak memory of the server", memory, "MB", None, f"at most 150; before {idle_mb:.0f}"
        ),
    ]


if __name__ == "__main__":
    show(run(*map(int, sys.argv[1:2])))
