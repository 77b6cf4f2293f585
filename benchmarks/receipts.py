"""7. Receipts to an SMPP client, and a million of them that wait.

Receipts wait in the store when the client binds; the clock runs from its bind until it has been
told all of them.  The limit is the same rows read and deleted by the bare driver, 200 at a time.
Then a million wait for a client that is not there: the server's memory before and after.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import apsw

from benchmarks.callbacks import payload
from benchmarks.limits import BATCH, open_raw, run_rows
from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, Served, run_json, served
from vestnik.services.news import SMPP, status_row
from vestnik.store import news, schema
from vestnik.store.engine import Values

RECEIPTS = 50_000
MANY = 1_000_000
WINDOWS = (5, 100)
SETTLED_S = 5.0  # the server looks at its outboxes at least once in that time


def _rows(client_id: int, first: int, count: int, at: int) -> Iterator[list[Values]]:
    """News of so many delivered messages, 500 at a time."""
    for start in range(first, first + count, 500):
        yield [
            status_row(SMPP, n, at, payload(n) | {"client_id": client_id})
            for n in range(start, min(start + 500, first + count))
        ]


def fill(path: Path, count: int, first: int = 1) -> None:
    """Have so many receipts wait for the client of the benchmarks."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(60_000)
    [(client_id,)] = connection.execute("SELECT id FROM clients WHERE login = ?", (LOGIN,))
    at = time.time_ns() // 1_000_000
    for rows in _rows(client_id, first, count, at):
        connection.execute("BEGIN IMMEDIATE")
        run_rows(connection, news.PUT, rows)
        connection.execute("COMMIT")
    connection.close()


def raw_per_s(count: int) -> float:
    """Rows of news read and deleted a second by the bare driver."""
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as folder:
        connection = open_raw(Path(folder) / "raw.db", (schema.news,))
        connection.execute("BEGIN IMMEDIATE")
        for rows in _rows(1, 1, count, 1):
            run_rows(connection, news.PUT, rows)
        connection.execute("COMMIT")
        began = time.perf_counter()
        for _ in range(0, count, BATCH):
            found = connection.execute(
                "SELECT client_id, transport, rank, id, payload FROM news"
                f" WHERE client_id = 1 AND transport = 'smpp' ORDER BY rank, id LIMIT {BATCH}"
            ).fetchall()
            connection.execute("BEGIN IMMEDIATE")
            run_rows(connection, news.DROP, [row[:4] for row in found])
            connection.execute("COMMIT")
        seconds = time.perf_counter() - began
        connection.close()
    return count / seconds


def _told(centre: Served, window: int, first: int) -> tuple[float, float]:
    """Receipts a second to a client that binds, and CPU-seconds per 1,000."""
    centre.vestnik("client", "set", LOGIN, f"receipt_window={window}")
    fill(centre.store, RECEIPTS, first)
    time.sleep(2)  # the server follows within two seconds
    before = centre.cpu_s
    words = (str(centre.smpp), LOGIN, PASSWORD, "1", "0", "0", str(RECEIPTS))
    result = json.loads(run_json("benchmarks.smpp_load", *words))
    return RECEIPTS / result["seconds"], (centre.cpu_s - before) / RECEIPTS * 1000


def _many(centre: Served) -> Figure:
    """What the server weighs more when a million receipts wait, before and after a client has
    taken some of them."""
    before = centre.rss_mb
    fill(centre.store, MANY, 10 * MANY)
    time.sleep(SETTLED_S)
    waiting = centre.rss_mb
    words = (str(centre.smpp), LOGIN, PASSWORD, "1", "0", "0", "5000")
    run_json("benchmarks.smpp_load", *words)
    note = f"before {before:.0f}, while they wait {waiting:.0f}, while they are told"
    return Figure(f"memory with {MANY:,} receipts waiting", centre.rss_mb, "MB", None, note)


def run() -> list[Figure]:
    limit = raw_per_s(RECEIPTS)
    figures = []
    with served() as centre:
        for n, window in enumerate(WINDOWS):
            per_s, cpu = _told(centre, window, 1 + n * RECEIPTS)
            figures.append(
                Figure(
                    f"receipts to an SMPP client, window {window}",
                    per_s,
                    "receipts/s",
                    limit,
                    f"{cpu:.2f} CPU-s per 1,000",
                )
            )
        figures.append(_many(centre))
    return figures


if __name__ == "__main__":
    show(run())
