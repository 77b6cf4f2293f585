import asyncio
import csv
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys

import openpyxl
import pytest
from tests.fakes.history import NOON, message, put, put_text
from tests.workers.conftest import CLIENTS, LONG_S

from vestnik.domain.refusals import NotFound, NotPossible
from vestnik.store import tasks as table
from vestnik.store.history import Filter
from vestnik.store.tasks import State
from vestnik.workers import tasks as worker

pytestmark = pytest.mark.anyio

HEADER = (
    "id;int_id;phone;send_date;last_date;status;status_name;err;cost;sms_cnt;sender_id;type;"
    "mccmnc;country;operator;region;message"
)


def many(count, **changed):
    return [
        message(n, at=NOON + n, phone=f"7916{n:07}", text=f'текст {n}; "{n}"\n', **changed)
        for n in range(count)
    ]


def rows(octets):
    return list(csv.DictReader(io.StringIO(octets.decode(), newline=""), delimiter=";"))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_task_becomes_a_file(office):
    await put_text(office.store, 5, "всем")
    await put(office.store, [message(1), message(2, text=None, text_id=5, status=20, err=1)])
    await put(office.store, [message(3, client_id=2)])
    await office.add()

    await office.run()

    task = await office.task()
    octets = await office.octets()
    assert octets.decode().splitlines()[0] == HEADER
    assert [(row["id"], row["message"], row["status"]) for row in rows(octets)] == [
        ("2", "всем", "20"),
        ("1", "test", "1"),
    ]
    assert (task.status, task.rows_done, task.rows_total) == (State.DONE, 2, 2)
    assert (task.octets_utf8, task.octets_single) == (len(octets), len(octets.decode()))
    assert task.sha256 == hashlib.sha256(octets).hexdigest()
    assert re.fullmatch(r"1_20\d{12}\.csv", task.file)
    assert office.left == ([f"1-{task.file}"] if office.store.name == "sqlite" else [])


async def test_fifty_thousand_messages_are_all_there_once_newest_first(office):
    await put(office.store, many(50_000))
    await office.add()

    await office.run()

    octets = await office.octets()
    assert [(row["id"], row["message"]) for row in rows(octets)] == [
        (str(n), f'текст {n}; "{n}"\n') for n in range(49_999, -1, -1)
    ]
    task = await office.task()
    assert task.rows_done == 50_000
    assert task.sha256 == hashlib.sha256(octets).hexdigest()


async def test_a_package_without_messages_is_a_header(office):
    await office.add()

    await office.run()

    assert await office.octets() == HEADER.encode() + b"\r\n"
    assert (await office.task()).status == State.DONE


async def test_an_export_holds_what_its_filter_lets_through(office):
    await put(office.store, [message(n, phone=f"7916000000{n}", status=n % 2) for n in range(9)])
    await office.add(wanted=Filter(statuses=(1,), recipients=("79160000003", "79160000004")))

    await office.run()

    assert [row["id"] for row in rows(await office.octets())] == ["3"]


async def test_a_spreadsheet_can_be_read_back(office):
    await put(office.store, many(3))
    await office.add(kind="xlsx")

    await office.run()

    sheet = openpyxl.load_workbook(io.BytesIO(await office.octets())).active
    header, *found = sheet.values
    assert ";".join(header) == HEADER
    assert [(row[0], row[2], row[5], row[8]) for row in found] == [
        (str(n), f"7916{n:07}", 1, 1.2) for n in (2, 1, 0)
    ]


async def test_one_task_of_a_client_runs_and_few_in_all(office):
    for client in (1, 1, 2):
        await office.add(client)
    stuck = office.worker(command=("sleep", "60"))

    await stuck.run_once()
    running = [(await office.task(*which)).status for which in ((1, 1), (2, 1), (1, 2))]
    await stuck.close()

    assert running == [State.RUNNING, State.WAITING, State.RUNNING]


async def test_the_next_task_of_a_client_follows(office):
    await put(office.store, many(3))
    await office.add()
    await office.add()

    await office.run(times=2)

    assert len(rows(await office.octets(1))) == len(rows(await office.octets(2))) == 3


async def test_a_task_that_is_not_due_waits(office):
    task_id = await office.store.write(_add_later, office.store.now() + 3_600_000)

    await office.exports.run_once()

    assert (await office.task(task_id)).status == State.WAITING


async def _add_later(tx, start_at):
    await table.put(tx, 1, 1, "june", "{}", "csv", start_at, start_at)
    return 1


async def test_a_child_that_is_killed_in_the_middle_is_started_again(office):
    await put(office.store, many(20_000))
    await office.add(kind="xlsx")  # slow enough to be met in the middle

    await office.exports.run_once()
    await office.until(lambda: list(office.folder.glob("*.partial/*")))
    os.kill(int(office.pids.read_text().split()[-1]), signal.SIGKILL)
    async with asyncio.timeout(LONG_S):
        await office.ended.wait()

    task = await office.task()
    assert (task.status, task.tries) == (State.WAITING, 1)
    assert "code -9" in task.reason
    assert office.left == []
    with pytest.raises(NotPossible):
        await office.octets()

    await office.run()

    task = await office.task()
    assert (task.status, task.rows_done, task.reason) == (State.DONE, 20_000, "")


async def test_the_third_death_of_a_child_ends_the_task(office):
    await office.add()

    await office.run(office.worker(command=("false",)), times=3)

    task = await office.task()
    assert (task.status, task.reason) == (State.FAILED, "the export's process ended with code 1")
    with pytest.raises(NotPossible, match="ended with code 1"):
        await office.octets()


async def test_a_child_without_progress_lapses_three_times_and_is_ended(office, monkeypatch):
    monkeypatch.setattr(worker, "WATCH_S", 0.02)
    await office.add()
    script = f"echo $$ >> {office.pids}; exec sleep 60"
    silent = office.worker(command=("sh", "-c", script), lease_s=0.6)

    await office.run(silent, times=3)

    task = await office.task()
    assert (task.status, task.tries, task.reason) == (State.FAILED, 3, worker.LAPSED)
    pids = [int(pid) for pid in office.pids.read_text().split()]
    assert 1 <= len(pids) <= 3  # one that is slow to begin is ended before it can tell
    assert not any(alive(pid) for pid in pids)


async def test_a_lease_that_lapsed_on_another_node_is_taken_up(office):
    await put(office.store, many(2))
    await office.add()
    now = office.store.now()
    await office.store.write(table.claim, 1, 1, 30, now - 2_000, now - 1_000, 1)

    await office.run()

    assert (await office.task()).status == State.DONE
    assert (await office.task()).tries == 2


async def test_a_lease_that_lasts_is_left_alone(office):
    await office.add()
    now = office.store.now()
    await office.store.write(table.claim, 1, 1, 30, now, now + 60_000, 1)

    await office.exports.run_once()

    assert (await office.task()).tries == 1


async def test_after_a_crash_of_the_centre_half_a_file_is_gone_and_the_task_begins_again(office):
    await put(office.store, many(2))
    await office.add()
    now = office.store.now()
    await office.store.write(table.claim, 1, 1, 0, now, now + 600_000, 1)
    half = office.folder / "1-1-1.partial"
    half.mkdir(parents=True)
    (half / "file").write_text("half")
    (office.folder / "1-1_20250615120000.csv").write_text("renamed, but never recorded")

    await office.run()

    task = await office.task()
    assert (task.status, task.tries) == (State.DONE, 2)
    assert not half.exists()
    if office.store.name == "sqlite":
        assert office.left == [f"1-{task.file}"]


async def test_a_cancel_ends_the_child(office):
    await put(office.store, many(20_000))
    await office.add(kind="xlsx")

    await office.exports.run_once()
    await office.until(lambda: list(office.folder.glob("*.partial/*")))
    await office.tasks.cancel(CLIENTS[1], 1, office.store.now())
    async with asyncio.timeout(LONG_S):
        await office.ended.wait()

    assert not alive(int(office.pids.read_text()))
    assert office.left == []
    assert (await office.task()).status == State.CANCELLED
    with pytest.raises(NotPossible, match="cancelled"):
        await office.octets()


async def test_a_stop_of_the_centre_costs_no_try(office):
    await put(office.store, many(2))
    await office.add()
    stuck = office.worker(command=("sleep", "60"))
    await stuck.run_once()

    await stuck.close()

    task = await office.task()
    assert (task.status, task.tries) == (State.WAITING, 0)
    await office.run()
    assert (await office.task()).status == State.DONE


async def test_a_deleted_task_has_no_file(office):
    await put(office.store, many(2))
    await office.add()
    await office.run()

    await office.tasks.delete(CLIENTS[1], 1)

    assert office.left == []
    with pytest.raises(NotFound):
        await office.octets()


async def test_a_file_that_somebody_removed_is_not_available(office):
    await office.add()
    await office.run()
    task = await office.task()

    await office.files.remove(task)
    if office.store.name == "postgres":
        await office.store.write(_drop_pieces)

    with pytest.raises(NotPossible, match="removed"):
        await office.octets()


async def _drop_pieces(tx):
    await tx.script("DELETE FROM task_chunks")


async def test_old_tasks_go_with_their_files(office):
    await put(office.store, many(2))
    await office.add()
    await office.add(2)
    await office.run(times=2)
    old = office.store.now() - 31 * worker.DAY_MS
    await office.store.write(_end_at, 1, old)

    await office.worker().run_once()

    assert await office.tasks.listed(CLIENTS[1], None, 10) == []
    kept = await office.task(1, client=2)
    assert office.left == ([f"2-{kept.file}"] if office.store.name == "sqlite" else [])
    assert await office.octets(1, client=2)


async def _end_at(tx, client_id, at):
    await tx.script(f"UPDATE tasks SET ended_at = {at} WHERE client_id = {client_id}")


async def test_files_of_two_clients_with_one_name_are_two_files(office):
    await put(office.store, [message(1), message(2, client_id=2)])
    await office.add(1)
    await office.add(2)

    await office.run()
    await office.exports.settled()

    assert [row["id"] for row in rows(await office.octets(1, client=1))] == ["1"]
    assert [row["id"] for row in rows(await office.octets(1, client=2))] == ["2"]


async def test_a_full_disk_ends_the_task_in_plain_words_and_harms_nothing_else(office):
    office.folder.mkdir()
    with SmallDisk(office.folder):
        await put(office.store, many(20_000))
        await office.add()
        await office.add(wanted=Filter(recipients=("79160000001",)))

        await office.run(times=2)

        full, small = await office.task(1), await office.task(2)
        assert full.status == State.FAILED
        assert full.reason == "the disk is full: No space left on device"
        assert small.status == State.DONE
        assert len(rows(await office.octets(2))) == 1
        assert [name for name in office.left if "partial" in name] == []


class SmallDisk:
    """A disk of one megabyte at a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        if not shutil.which("mount"):
            pytest.skip("there is no mount")
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.folder],
            capture_output=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.decode().strip()}")

    def __exit__(self, *_):
        subprocess.run(["umount", self.folder], check=True)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_file_that_may_not_grow_is_a_full_disk(office, kind):
    await put(office.store, many(5_000))
    await office.add(kind=kind)
    limited = office.noted("prlimit", "--fsize=100000")

    await office.run(office.worker(command=limited))

    task = await office.task()
    assert (task.status, task.tries) == (State.FAILED, 1)
    assert task.reason == "the disk is full: File too large"
    assert office.left == []


def test_a_child_has_a_low_priority():
    assert worker.child_command()[-3:] == (sys.executable, "-m", "vestnik.workers.export")
