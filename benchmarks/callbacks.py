"""5. Callbacks: news that waits → a receiver in a process of its own.

Ten thousand pieces of news wait in the store; the clock runs from the start of the worker until the
receiver has been told all of them.  The limit is the same client posting the same forms to the same
receiver with the same window, without the store.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from benchmarks.report import Figure, show
from vestnik import logs
from vestnik.domain.client import Client, limits_from
from vestnik.domain.ids import Ids
from vestnik.net.http import HttpClient
from vestnik.notifier.local import LocalNotifier
from vestnik.services.callbacks import address_of, form_of
from vestnik.services.centre.setup import prepare
from vestnik.services.clients import clients
from vestnik.services.news import HTTP, News, Outboxes, status_row
from vestnik.store import news, store_at
from vestnik.workers.callbacks import Callbacks

NEWS = 10_000
WINDOW = 50


@contextmanager
def receiver() -> Iterator[int]:
    """A client's address in a process of its own; gives its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receiver"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=10)


def payload(number: int) -> dict[str, object]:
    """What news of a delivered message says."""
    return {
        "client_id": 1,
        "int_id": number,
        "wire_id": str(number),
        "phone": str(79_010_000_000 + number),
        "status": 1,
        "err": 0,
        "at": 1_750_000_000_000,
        "sent_at": 1_750_000_000_000,
        "cost": 1_000_000,
        "parts": 1,
        "sender": "Vestnik",
        "type": 0,
        "flag": 0,
        "mccmnc": "25001",
    }


async def _measure(folder: Path, port: int) -> tuple[float, float, float]:
    url = f"http://127.0.0.1:{port}/?charset=utf-8"
    store = store_at("", folder)
    await store.open()
    await prepare(store)
    ids = Ids(0)
    made = await store.write(clients.add, clients.New("bench", "no password"), ids, store.now())
    limits = limits_from({"callback_url": url, "callback_window": WINDOW})
    client = Client(made.id, made.login, limits=limits)
    rows = [
        status_row(HTTP, n, store.now(), payload(n) | {"client_id": made.id}) for n in range(NEWS)
    ]
    await store.write(news.put, rows)
    http = HttpClient(private=True)
    limit = await _posts_alone(http, client)

    class Directory:
        clients = {made.id: client}  # noqa: RUF012 - one benchmark, one directory

    outboxes = Outboxes(store, 1, LocalNotifier())
    line = asyncio.create_task(outboxes.line.run())
    worker = Callbacks(outboxes, Directory, http, store.now)  # type: ignore[arg-type]
    before, began = time.process_time(), time.perf_counter()
    await worker.run_once()
    await worker.settled()
    seconds = time.perf_counter() - began
    cpu = time.process_time() - before
    left = await store.read(news.count, HTTP, made.id, NEWS)
    outboxes.line.close()
    await line
    await http.close()
    await store.close()
    if left:
        raise RuntimeError(f"{left} of {NEWS} were not told")
    return NEWS / seconds, limit, cpu / NEWS * 1000


async def _posts_alone(http: HttpClient, client: Client) -> float:
    address = address_of(client.limits.callback_url)
    place = asyncio.Semaphore(WINDOW)

    async def post(number: int) -> None:
        said = News(client.id, HTTP, 0, number, "status", number, payload(number), 0, 1)
        async with place:
            await http.post_form(address.url, form_of(said, client, address), address.charset)

    began = time.perf_counter()
    await asyncio.gather(*(post(n) for n in range(NEWS)))
    return NEWS / (time.perf_counter() - began)


def run() -> list[Figure]:
    logs.configure("warning", "console")
    with receiver() as port, tempfile.TemporaryDirectory(prefix="vestnik-bench-") as folder:
        per_s, limit, cpu = uvloop.run(_measure(Path(folder), port))
    note = f"window {WINDOW}, {cpu:.2f} CPU-s per 1,000"
    return [Figure("callbacks to a local receiver", per_s, "calls/s", limit, note)]


if __name__ == "__main__":
    show(run())
