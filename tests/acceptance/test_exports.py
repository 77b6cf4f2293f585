"""Deferred exports through the serving centre: ordered, listed, fetched, killed in the middle."""

import asyncio
import csv
import io
import os
import signal
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from tests.serving import SOON_S, Centre, until

pytestmark = pytest.mark.anyio

MOSCOW = ZoneInfo("Europe/Moscow")
WAITING, RUNNING, DONE, CANCELLED = range(4)
HEADER = (
    "id;int_id;phone;send_date;last_date;status;status_name;err;cost;sms_cnt;sender_id;type;"
    "mccmnc;country;operator;region;message"
)
FIRST = 79_160_000_000
MANY, IN_A_LIST = 30_000, 10_000
DAY_M = 24 * 60


def since():
    """Yesterday: what a test has just sent is of today, or it has just been midnight."""
    return f"{datetime.now(MOSCOW) - timedelta(days=1):%d.%m.%Y}"


async def task_of(centre, task_id):
    """The task as the list tells it; each look is another request, for three alike are the most."""
    looks = getattr(centre, "looks", 0)
    centre.looks = looks + 1
    for task in await centre.ask("downloads", get_list=1, cnt=100 + looks):
        if task["id"] == task_id:
            return task
    return None


async def in_state(centre, task_id, state, wait_s=SOON_S):
    found = {}

    async def is_so():
        found.update(await task_of(centre, task_id))
        return found["status"] == state

    await until(is_so, wait_s, lambda: f"{found}")
    return found


async def ordered(centre, **given):
    return (await centre.ask("downloads", add=1, start=since(), **given))["id"]


async def send_some(centre):
    """Three messages that a spreadsheet could stumble over; their texts."""
    texts = ["Hello; world", 'Он сказал: "да"', "=1+2"]
    pairs = []
    for number, text in enumerate(texts):
        phone = str(FIRST + number)
        pairs.append(((await centre.ask("send", phones=phone, mes=text))["id"], phone))
    await centre.ended(pairs)
    return texts


def rows_of(answer):
    text = answer.content.decode("utf-8-sig")
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


async def test_an_export_is_ordered_listed_and_fetched_by_id_and_by_name(centre):
    texts = await send_some(centre)
    task = await ordered(centre, name="november")
    done = await in_state(centre, task, DONE)
    by_id = await centre.post("downloads", get_file=1, id=task)
    by_name = await centre.post("downloads", get_file=1, name="november")
    by_file = await centre.post("downloads", get_file=1, name=done["file"], charset="windows-1251")
    header, *rows = rows_of(by_id)

    assert list(done) == ["id", "name", "status", "created", "time", "file"]
    assert by_id.headers["content-type"] == "text/csv; charset=utf-8"
    assert by_id.headers["content-disposition"] == f'attachment; filename="{done["file"]}"'
    assert ";".join(header) == HEADER
    assert [row[-1] for row in rows] == ["'=1+2", *texts[1::-1]]
    assert by_name.content == by_id.content
    assert by_file.content.decode("cp1251") == by_id.content.decode("utf-8-sig")


async def test_an_export_may_be_a_spreadsheet(centre):
    texts = await send_some(centre)
    task = await ordered(centre, ext="xlsx")
    await in_state(centre, task, DONE)
    answer = await centre.post("downloads", get_file=1, id=task)
    book = await asyncio.to_thread(openpyxl.load_workbook, io.BytesIO(answer.content))
    rows = list(book.active.iter_rows(values_only=True))
    book.close()

    assert ";".join(rows[0]) == HEADER
    assert sorted(row[-1] for row in rows[1:]) == sorted(texts)


async def test_the_fourth_identical_request_in_a_minute_is_refused(centre):
    answers = [await centre.ask("downloads", get_list=1) for _ in range(4)]
    other = await centre.ask("downloads", get_list=1, cnt=7)

    assert answers == [[], [], [], {"error": "duplicate request, wait a minute", "error_code": 9}]
    assert other == []


async def test_a_task_is_cancelled_and_deleted(centre):
    task = await ordered(centre, time="+60")
    early = await centre.ask("downloads", get_file=1, id=task)
    answers = [
        await centre.ask("downloads", **{word: 1, "id": task}) for word in ("cancel", "cancel")
    ]
    cancelled = await task_of(centre, task)
    deleted = await centre.ask("downloads", **{"del": 1, "id": task})
    after = await centre.ask("downloads", **{"del": 1, "id": task})

    assert early["error_code"] == 5
    assert [answer.get("error_code", answer.get("result")) for answer in answers] == ["OK", 5]
    assert cancelled["status"] == CANCELLED
    assert deleted == {"result": "OK"}
    assert after["error_code"] == 3
    assert await task_of(centre, task) is None


async def many_messages(centre):
    """Rows to export, of messages that leave tomorrow only."""
    for at in range(0, MANY, IN_A_LIST):
        lines = (f"{FIRST + number}:Сообщение {number}" for number in range(at, at + IN_A_LIST))
        await centre.ask("send", list="\n".join(lines), time=f"+{DAY_M}")


async def half_written(centre):
    """The child of the export, stopped while its file is being written."""
    exports = centre.folder / "exports"

    async def written():
        return [file for file in exports.glob("*/file") if file.stat().st_size]

    await until(written)
    [child] = [pid for pid in centre.children if b"export" in command_of(pid)]
    os.kill(child, signal.SIGSTOP)
    return child


def command_of(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


async def whole(centre, task):
    """The file has every message once; returns nothing."""
    done = await in_state(centre, task, DONE)
    answer = await centre.post("downloads", get_file=1, id=task)
    header, *rows = rows_of(answer)

    assert ";".join(header) == HEADER
    assert [int(row[2]) for row in rows] == [FIRST + number for number in reversed(range(MANY))]
    assert [row[-1] for row in rows[:2]] == [f"Сообщение {MANY - 1}", f"Сообщение {MANY - 2}"]
    assert done["file"].endswith(".csv")
    assert not [left for left in (centre.folder / "exports").iterdir() if left.is_dir()]
    await centre.sound()


async def test_kill_9_in_the_middle_of_an_export_leaves_a_whole_file_afterwards(store):
    folder, url = store
    async with Centre(folder, url, TASKS__PERIOD_S="0.5") as centre:
        await many_messages(centre)
        task = await ordered(centre)
        child = await half_written(centre)
        running = await task_of(centre, task)
        await centre.kill()
        os.kill(child, signal.SIGCONT)
        await centre.start()

        assert running["status"] == RUNNING
        assert running["file"] == ""

        await whole(centre, task)
        await until(lambda: gone(child))


async def gone(pid):
    return b"export" not in command_of(pid)


async def test_an_export_whose_process_is_killed_begins_again(centre):
    await many_messages(centre)
    task = await ordered(centre)
    child = await half_written(centre)
    os.kill(child, signal.SIGKILL)

    await whole(centre, task)
    assert await centre.rows("SELECT tries FROM tasks") == [(2,)]
