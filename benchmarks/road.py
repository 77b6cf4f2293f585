"""2. The whole road: HTTP → store → SMPP carrier → receipt → status.

Single sends over 64 connections; the carrier is a process of its own that answers and reports at
once.  The clock stops when no message is unfinished.  The limit is the same rows taken through the
store alone: accept, record and report by their transaction functions, 200 at a time.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import apsw

from benchmarks.report import Figure, show
from benchmarks.serving import LOGIN, PASSWORD, Served, run_json, served
from vestnik.domain.client import Client, limits_from
from vestnik.domain.ids import Ids
from vestnik.domain.message import Kind, Report, Status
from vestnik.services.centre.directory import Current
from vestnik.services.centre.setup import prepare
from vestnik.services.clients import clients
from vestnik.services.messages import delivery, reports
from vestnik.services.messages.draft import Draft, Recipient
from vestnik.services.messages.reports import Heard
from vestnik.services.messages.settlement import Setting
from vestnik.services.sending.acceptance import Batch, accept
from vestnik.store import dedup, store_at

MESSAGES = 20_000
CONNECTIONS = 64
LIMIT_MESSAGES = 10_000
BATCH = 200
PATIENCE_S = 120.0


@contextmanager
def carrier() -> Iterator[int]:
    """An SMSC in a process of its own; gives its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.carrier", "--port", "0", "--receipts", "delivered"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[-1])
    finally:
        process.terminate()
        process.wait(timeout=10)


def _unfinished(store: apsw.Connection) -> int:
    [(rows,)] = store.execute("SELECT count(*) FROM queue").fetchall()
    return int(rows)


def _wait_until_bound(centre: Served) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while "bound" not in centre.vestnik("carrier", "test", "smsc"):
        if time.monotonic() > deadline:
            raise RuntimeError("the carrier was not bound")


def road() -> tuple[float, float, float]:
    """Messages a second, CPU-seconds per 1,000 and the most memory, in MB."""
    with carrier() as port, served() as centre:
        centre.vestnik(
            *("carrier", "add", "smsc", "--host", "127.0.0.1", "--port", str(port)),
            *("--system-id", "bench", "--password", "bench", "--window", "500"),
        )
        centre.vestnik("route", "add", "--carrier", "smsc")
        _wait_until_bound(centre)
        time.sleep(3)  # the server follows within two seconds
        before, began = centre.cpu_s, time.perf_counter()
        result = json.loads(
            run_json(
                "benchmarks.load",
                *("127.0.0.1", str(centre.http), LOGIN, PASSWORD),
                *(str(CONNECTIONS), str(MESSAGES), "79010000000"),
            )
        )
        if result["wrong"]:
            raise RuntimeError(f"wrong answers: {result['wrong_samples']}")
        store = apsw.Connection(str(centre.data / "vestnik.db"), flags=apsw.SQLITE_OPEN_READONLY)
        while _unfinished(store):
            if time.perf_counter() - began > PATIENCE_S:
                raise RuntimeError(f"{_unfinished(store)} messages have no end")
            time.sleep(0.05)
        seconds, cpu = time.perf_counter() - began, centre.cpu_s - before
        [(delivered,)] = store.execute("SELECT count(*) FROM messages WHERE status = 1").fetchall()
        store.close()
        if delivered != MESSAGES:
            raise RuntimeError(f"{delivered} of {MESSAGES} were delivered")
        return MESSAGES / seconds, cpu / MESSAGES * 1000, centre.rss_max_mb


def store_alone() -> float:
    """Messages a second through the store alone."""
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as folder:
        return asyncio.run(_store_alone(Path(folder)))


async def _store_alone(folder: Path) -> float:
    store = store_at("", folder)
    await store.open()
    await prepare(store)
    ids = Ids(0)
    new = clients.New("bench", "no password", balance=10**15)
    client = await store.write(clients.add, new, ids, store.now())
    current = Current(store)
    await current.refresh()
    lifted = Client(client.id, client.login, limits=limits_from({"identical_s": 0}))
    owner = ids.take(store.now())[0]
    wire = count(1)
    began = time.perf_counter()
    for at in range(0, LIMIT_MESSAGES, BATCH):
        setting = Setting(current.value, 0, owner, store.now(), lambda: ids.take(store.now())[0])
        drafts = [
            _draft(lifted, 79_010_000_000 + at + n, next(wire), ids, store.now())
            for n in range(BATCH)
        ]
        batch = Batch(
            drafts, store.now(), 0, owner, store.now() + 60_000, ids.take(store.now(), BATCH), {}
        )
        await store.write(accept, batch)
        flights = [delivery.flight_of_draft(d, d.recipients[0], {}) for d in drafts]
        outcomes = [(f, delivery.Taken(((1, f"r{f.standing.id}"),))) for f in flights]
        await store.write(delivery.record, outcomes, setting)
        heard = [
            Heard(1, Report(f"r{f.standing.id}", f.standing.phone, Status.DELIVERED))
            for f in flights
        ]
        await store.write(reports.apply, heard, setting)
    seconds = time.perf_counter() - began
    await store.close()
    return LIMIT_MESSAGES / seconds


def _draft(client: Client, phone: int, wire_id: int, ids: Ids, now: int) -> Draft:
    text = f"Your code is {wire_id}"
    recipient = Recipient(
        str(phone), text, "", "Vestnik", Kind.SMS, 1, "25001", 1, 1_000_000, (),
        int(Status.WAITING), 0, now, now + 86_400_000, id=ids.take(now)[0], handed=True,
    )  # fmt: skip
    return Draft(
        client=client,
        recipients=[recipient],
        accounts=(client.id,),
        holds={client.id: 1_000_000},
        wire_id=str(wire_id),
        urgent=True,
        priority=0,
        options="",
        zone="Europe/Moscow",
        window=None,
        day=20_000,
        now=now,
        origin="http",
        test=False,
        digest=None,
        digest_kind=dedup.Kind.IDENTICAL,
        digest_s=0,
        params_digest=b"",
        answered=asyncio.get_running_loop().create_future(),
    )


def run() -> list[Figure]:
    limit = store_alone()
    per_s, cpu, memory = road()
    return [
        Figure(
            "HTTP → carrier → status, single sends, 64 connections",
            per_s,
            "messages/s",
            limit,
            f"{cpu:.2f} CPU-s per 1,000",
        ),
        Figure("peak memory of the server", memory, "MB", None, "at most 150"),
    ]


if __name__ == "__main__":
    show(run())
