"""The store is locked, or its disk is full: nothing acknowledged is lost; the centre goes on."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.serving import Centre, locked, until

pytestmark = pytest.mark.anyio

AGAIN = "The centre cannot take requests at the moment. Nothing was done; please try again."
PHONE = "79161112233"
FAILED = 4
READS = 20  # one after another: the request before them has reached the store


@contextlib.contextmanager
def small_disk(place, octets):
    """A file system of its own at `place`."""
    place.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("a small file system is mounted by root only")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={octets}", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place):
    """Leave no room at all."""
    with (place / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


async def stored(centre):
    return {row[0] for row in await centre.rows("SELECT phone FROM messages")}


async def test_a_short_lock_makes_requests_wait(centre):
    async with locked(centre.sqlite):
        sending = asyncio.create_task(centre.ask("send", phones=PHONE, mes="Wait"))
        balances = {await centre.balance() for _ in range(READS)}
        waits = not sending.done()
    answer = await sending

    assert balances == {"100000.00"}
    assert waits
    assert answer["cnt"] == 1
    assert await centre.ended([(answer["id"], PHONE)]) == {(str(answer["id"]), PHONE): 1}


async def test_a_long_lock_is_answered_in_plain_words_and_nothing_was_promised(centre):
    async with locked(centre.sqlite):
        refused = await centre.post("send", phones=PHONE, mes="Too long")
        later = asyncio.create_task(centre.ask("send", phones=str(int(PHONE) + 1), mes="Later"))
    answer = await later
    again = await centre.ask("send", phones=PHONE, mes="Too long")

    assert (refused.status_code, refused.text.strip()) == (503, AGAIN)
    assert "retry-after" in refused.headers
    assert (answer["cnt"], again["cnt"]) == (1, 1)
    assert await stored(centre) == {PHONE, str(int(PHONE) + 1)}
    await centre.sound()


async def test_a_full_disk_is_answered_in_plain_words_until_there_is_room(furnished, tmp_path):
    with small_disk(tmp_path / "disk", 16 << 20) as disk:
        folder = shutil.copytree(furnished, disk / "data")
        centre = Centre(folder)
        centre.log = tmp_path / "log"
        async with centre:
            acknowledged, refused = await send_until_full(centre, disk)
            health = await centre.http.get("/healthz")
            (disk / "filler").unlink()
            acknowledged += await send_again(centre)
            await centre.ended(acknowledged)

            assert (refused.status_code, refused.text.strip()) == (503, AGAIN)
            assert health.status_code == 200
            assert {phone for _, phone in acknowledged} <= await stored(centre)
            assert await centre.balance() == f"{100_000 - len(acknowledged)}.00"
            await centre.sound()


async def send_until_full(centre, disk):
    """What was acknowledged before and while there was no room, and the first refusal."""
    acknowledged = []
    for number in range(2_000):
        if number == 10:
            fill(disk)
        phone = str(int(PHONE) + number)
        answer = await centre.post("send", phones=phone, mes="Is there room? " * 10)
        if answer.status_code != 200:
            return acknowledged, answer
        acknowledged.append((answer.json()["id"], phone))
    raise AssertionError("a full disk takes 2,000 messages")


async def send_again(centre):
    """There is room again: within a few seconds messages are taken."""
    sent = []

    async def taken():
        answer = await centre.post("send", phones=PHONE[:-1] + "0", mes="There is!")
        if answer.status_code == 200:
            sent.append((answer.json()["id"], PHONE[:-1] + "0"))
        return sent

    await until(taken)
    return sent


async def test_an_export_that_does_not_fit_fails_with_its_reason_and_harms_no_sending(
    folder, tmp_path
):
    with small_disk(folder / "exports", 64 << 10):
        async with Centre(folder, TASKS__PERIOD_S="0.5") as centre:
            lines = "\n".join(f"{int(PHONE) + number}:Number {number}" for number in range(2_000))
            await centre.ask("send", list=lines)
            yesterday = datetime.now(ZoneInfo("Europe/Moscow")) - timedelta(days=1)
            task = (await centre.ask("downloads", add=1, start=f"{yesterday:%d.%m.%Y}"))["id"]
            await until(lambda: failed(centre, task))
            [(reason,)] = await centre.rows("SELECT reason FROM tasks")
            file = await centre.ask("downloads", get_file=1, id=task)
            after = await centre.ask("send", phones=PHONE, mes="Unharmed")
            await centre.ended([(after["id"], PHONE)])

            assert "full" in reason
            assert file["error_code"] == 5
            assert list((folder / "exports").glob("*.partial*")) == []


async def failed(centre, task):
    rows = await centre.rows(f"SELECT status FROM tasks WHERE id = {task}")
    assert rows[0][0] != 2, "it fits"
    return rows == [(FAILED,)]
