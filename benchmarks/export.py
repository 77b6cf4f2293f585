"""4. A deferred export of 1,000,000 messages, as CSV and as XLSX, and fetching it.

Rows a second from the start of the task to its end, as the store says, against a bare loop from a
cursor to csv.writer over the same rows; the most memory of the child; and the 99th percentile of
balance.php meanwhile, beside that of an idle centre.  The file is then fetched by its id and by its
name; three requests in a minute are served and the fourth must be refused.
"""

import csv
import http.client
import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import apsw

from benchmarks.limits import message_row
from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, Served, served
from vestnik.domain.ids import first_id
from vestnik.store import messages
from vestnik.store.statement import SQLITE

MESSAGES = 1_000_000
PATIENCE_S = 900.0
BALANCE_EVERY_S = 0.02
IDLE_S = 5.0
READY, FAILED = 2, 4
TOO_MANY = 9


def fill(database: Path) -> None:
    """Put delivered messages of yesterday into the store, by the bare driver."""
    connection = apsw.Connection(str(database))
    connection.execute("PRAGMA synchronous = OFF")
    began = datetime.now(UTC) - timedelta(days=1)
    first = first_id(int(began.timestamp() * 1000))
    rendered = messages.PUT.render(SQLITE)
    status, sent_at, changed_at = (
        messages.WRITTEN.index(n) for n in ("status", "sent_at", "changed_at")
    )
    at_ms = int(began.timestamp() * 1000)
    for start in range(0, MESSAGES, 10_000):
        rows = []
        for number in range(start, start + 10_000):
            row = list(message_row(first + number))
            row[status], row[sent_at], row[changed_at] = 1, at_ms + number, at_ms + number + 900
            rows.append(row)
        connection.execute("BEGIN")
        for part in rendered.slices(rows):
            connection.execute(rendered.text(len(part)), rendered.bind_rows(part, {})).fetchall()
        connection.execute("COMMIT")
    connection.close()


def bare_loop(database: Path) -> float:
    """Rows a second from a cursor to csv.writer, nothing else."""
    columns = (
        "wire_id, id, phone, sent_at, changed_at, status, status, err, cost, parts, sender, type, "
        "mccmnc, mccmnc, mccmnc, mccmnc, text"
    )
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    with tempfile.TemporaryFile("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file, delimiter=";", lineterminator="\r\n")
        began = time.perf_counter()
        sheet.writerows(
            connection.execute(f"SELECT {columns} FROM messages ORDER BY client_id, id DESC")
        )
        file.flush()
        seconds = time.perf_counter() - began
    connection.close()
    return MESSAGES / seconds


class _Balances(threading.Thread):
    """Asks for the balance again and again, and keeps how long each answer took."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.stopping = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self.stopping.wait(BALANCE_EVERY_S):
            began = time.perf_counter()
            ask(connection, "balance")
            self.seconds.append(time.perf_counter() - began)
        connection.close()

    def p99_ms(self) -> float:
        self.stopping.set()
        self.join()
        self.seconds.sort()
        return self.seconds[len(self.seconds) * 99 // 100] * 1000


def ask(connection: http.client.HTTPConnection, endpoint: str, /, **parameters: str) -> object:
    """A call of the API, its JSON answer; raises RuntimeError when it is refused."""
    fields = {"login": LOGIN, "psw": PASSWORD, "fmt": "3"} | parameters
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/sys/{endpoint}.php", urlencode(fields), head)
    said = json.loads(connection.getresponse().read())
    if isinstance(said, dict) and "error" in said:
        raise RuntimeError(f"{endpoint}: {said}")
    return said


def _child_mb(server: int) -> float:
    """The most memory that a child of the server has had resident so far; 0 without one."""
    most = 0.0
    for children in Path(f"/proc/{server}/task").glob("*/children"):
        for child in children.read_text().split():
            try:
                status = Path(f"/proc/{child}/status").read_text()
            except FileNotFoundError:
                continue  # it has just ended
            if "VmHWM:" in status:
                most = max(most, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
    return most


@dataclass
class Exported:
    """A finished task: its seconds by the store's record, and the memory of its child."""

    id: int
    seconds: float
    memory_mb: float


def _export(centre: Served, name: str, ext: str) -> Exported:
    """Order the export and wait."""
    connection = http.client.HTTPConnection("127.0.0.1", centre.http, timeout=60)
    start = (datetime.now(UTC) - timedelta(days=2)).strftime("%d.%m.%Y")
    ordered = ask(connection, "downloads", add="1", start=start, name=name, ext=ext)
    assert isinstance(ordered, dict), ordered
    task_id = int(ordered["id"])
    store = apsw.Connection(str(centre.data / "vestnik.db"), flags=apsw.SQLITE_OPEN_READONLY)
    memory, deadline = 0.0, time.monotonic() + PATIENCE_S
    while True:
        memory = max(memory, _child_mb(centre.process.pid))
        [(status, began, ended, rows, reason)] = store.execute(
            "SELECT status, started_at, ended_at, rows_done, reason FROM tasks WHERE id = ?",
            (task_id,),
        ).fetchall()
        if status == READY:
            break
        if status == FAILED or time.monotonic() > deadline:
            raise RuntimeError(f"the export did not finish: status {status}, {reason}")
        time.sleep(0.05)
    store.close()
    if rows != MESSAGES:
        raise RuntimeError(f"{rows} rows of {MESSAGES} were exported")
    return Exported(task_id, (ended - began) / 1000, memory)


def fetch(port: int, **which: str) -> tuple[int, bytes]:
    """Fetch a file: its octets counted, and the first of them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    fields = {"login": LOGIN, "psw": PASSWORD, "fmt": "3", "get_file": "1", "charset": "utf-8"}
    connection.request("GET", f"/sys/downloads.php?{urlencode(fields | which)}")
    answer = connection.getresponse()
    first = answer.read(1 << 10)
    size = len(first)
    while piece := answer.read(1 << 20):
        size += len(piece)
    connection.close()
    return size, first


def _fetched(port: int, name: str, task_id: int) -> Figure:
    """The file by its id and by its name, and the fourth identical request refused."""
    began = time.perf_counter()
    size, first = fetch(port, id=str(task_id))
    seconds = time.perf_counter() - began
    if not first.startswith("\ufeff".encode()) or size < MESSAGES:
        raise RuntimeError(f"this is not the file: {first[:100]!r}")
    same = [fetch(port, name=name)[0], *(fetch(port, id=str(task_id))[0] for _ in range(2))]
    if same != [size] * 3:
        raise RuntimeError(f"the file has {size} octets, and then {same}")
    refused = json.loads(fetch(port, id=str(task_id))[1])
    if refused.get("error_code") != TOO_MANY:
        raise RuntimeError(f"the fourth identical request was answered: {refused}")
    return Figure(
        "fetching the file by its id, and by its name",
        size / seconds / 1e6,
        "MB/s",
        None,
        f"{size / 1e6:.0f} MB each; the fourth identical request in a minute: error {TOO_MANY}",
    )


def run() -> list[Figure]:
    with served(VESTNIK_TASKS__PERIOD_S="1") as centre:
        print("  filling the store …", file=sys.stderr)
        fill(centre.data / "vestnik.db")
        limit = bare_loop(centre.data / "vestnik.db")
        idle = _Balances(centre.http)
        idle.start()
        time.sleep(IDLE_S)
        idle_ms = idle.p99_ms()
        busy = _Balances(centre.http)
        busy.start()
        csv_file = _export(centre, "a million", "csv")
        busy_ms = busy.p99_ms()
        fetched = _fetched(centre.http, "a million", csv_file.id)
        xlsx_file = _export(centre, "a million sheets", "xlsx")
    return [
        Figure("export of 1,000,000 messages", MESSAGES / csv_file.seconds, "rows/s", limit),
        Figure("peak memory of the child", csv_file.memory_mb, "MB", None, "at most 120"),
        Figure(
            "p99 of balance.php during the export",
            busy_ms,
            "ms",
            None,
            f"idle {idle_ms:.1f} ms, {busy_ms / idle_ms:.1f} times; at most 3",
        ),
        fetched,
        Figure("the same as XLSX", MESSAGES / xlsx_file.seconds, "rows/s", limit),
        Figure("peak memory of that child", xlsx_file.memory_mb, "MB", None, "at most 120"),
    ]


if __name__ == "__main__":
    show(run())
