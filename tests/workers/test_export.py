import asyncio
import json
import os
import subprocess
import sys

import msgspec
import pytest
from tests.fakes.history import DAY, NOON, message, put

from vestnik.domain.ids import first_id
from vestnik.services.history.tasks import Wanted
from vestnik.store.history import Filter
from vestnik.workers import export
from vestnik.workers.export import Job

pytestmark = pytest.mark.anyio

COMMAND = (sys.executable, "-m", "vestnik.workers.export")
PEAK_KIB_MAX = 120 * 1024


@pytest.fixture
def job(store, store_url, tmp_path):
    def made(**changed):
        usual = {
            "url": store_url,
            "data": str(tmp_path),
            "client_id": 1,
            "wanted": Wanted(NOON - DAY, NOON + DAY, Filter()),
            "high_id": first_id(NOON + DAY),
            "zone": "Europe/Moscow",
            "language": "ru",
            "format": "csv",
            "path": str(tmp_path / "file"),
        }
        return msgspec.json.encode(Job(**{**usual, **changed}))

    return made


def run(job, command=COMMAND, stdout=subprocess.PIPE):
    return subprocess.run(command, input=job, stdout=stdout, stderr=subprocess.PIPE, check=False)


def last_word(ended):
    return json.loads(ended.stdout.splitlines()[-1])


async def test_it_tells_what_it_has_written(store, job, tmp_path):
    await put(store, [message(n) for n in range(3)])

    ended = run(job())

    assert (ended.returncode, ended.stderr) == (0, b"")
    word = last_word(ended)
    assert (word["type"], word["rows"]) == ("finished", 3)
    assert word["octets_utf8"] == (tmp_path / "file").stat().st_size


async def test_what_came_after_its_start_is_left_out(store, job, tmp_path):
    await put(store, [message(n) for n in range(5)])

    run(job(high_id=first_id(NOON) + 2))

    lines = (tmp_path / "file").read_text().splitlines()[1:]
    assert [line.partition(";")[0] for line in lines] == ["2", "1", "0"]


async def test_dates_and_names_are_those_of_the_client(store, job, tmp_path):
    await put(store, [message(1)])

    run(job(zone="Asia/Omsk", language="en"))

    [line] = (tmp_path / "file").read_text().splitlines()[1:]
    assert "15.06.2025 15:00:00" in line
    assert ";Delivered;" in line


async def test_what_broke_is_told(job, tmp_path):
    ended = run(job(path=str(tmp_path / "no" / "file")))

    assert ended.returncode == 1
    assert last_word(ended)["type"] == "stopped"
    assert "No such file" in last_word(ended)["reason"]


async def test_it_ends_when_nobody_listens(job):
    read, write = os.pipe()
    os.close(read)

    ended = run(job(), stdout=write)
    os.close(write)

    assert (ended.returncode, ended.stderr) == (1, b"")


async def test_progress_is_told_on_the_way(store, job, monkeypatch, tmp_path):
    monkeypatch.setattr(export, "PROGRESS_S", 0)
    await put(store, [message(n) for n in range(7)])
    decoded = msgspec.json.decode(job(), type=Job)
    told = []

    def page(tx, client_id, wanted, low, high, *, first):
        return _page(tx, client_id, wanted, low, high, 3, first=first)

    _page = export.listing.page
    monkeypatch.setattr(export.listing, "page", page)
    await asyncio.to_thread(export.export, decoded, told.append)

    assert [word.rows for word in told] == [3, 6, 7]


async def test_its_memory_does_not_grow_with_the_rows(store, job):
    await put(store, [message(n, at=NOON + n, text="й" * 300) for n in range(40_000)])

    ended = run(job(), (sys.executable, "-c", _PEAK))

    peak = int(ended.stderr.split()[-1])
    assert last_word(ended)["rows"] == 40_000
    assert peak < PEAK_KIB_MAX


# What exec'd after a fork counts the memory of its parent as its own: VmHWM does not.
_PEAK = """
import sys
from vestnik.workers import export
code = export.main()
status = open("/proc/self/status").read()
print(status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
sys.exit(code)
"""
