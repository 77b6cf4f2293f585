"""Starting, stopping and starting again: nothing waits in vain, nothing is left uncertain."""

import asyncio
import contextlib
import shutil
import time

import httpx2
import pytest
from tests import serving
from tests.fakes.carrier import FakeCarrier
from tests.serving import Centre, locked, until

pytestmark = pytest.mark.anyio

PHONE = 79_161_112_233
HEADER = "id;int_id;phone;send_date"
SLOW_S = 1.0
READS = 20  # one after another: the requests before them have reached the store


async def with_carrier(centre, carrier):
    """The centre's only way out is this carrier; it serves afterwards."""
    await centre.run("carrier", "add", "smsc", "--port", str(carrier.port), "--window", "20")
    await centre.run("route", "add", "--carrier", "smsc")
    await centre.start()
    await until(lambda: centre.carrier_up("smsc"))


async def test_a_scheduled_message_leaves_after_a_restart_and_not_before_its_time(centre):
    for ahead_s in (4, 8, 16, 32):  # a busy machine is given more time to be back before it
        due = int(time.time()) + ahead_s
        answer = await centre.ask("send", phones=PHONE, mes="At its time", time=f"0{due}")
        await centre.kill()
        await centre.start()
        pair = (answer["id"], str(PHONE))
        early = await centre.statuses([pair])
        if time.time() < due:
            break
    await centre.ended([pair])
    told = await centre.ask("status", id=pair[0], phone=pair[1])

    assert list(early.values()) == [-1]
    assert told["status"] == 1
    assert told["last_timestamp"] >= due


async def test_what_is_on_its_way_at_sigterm_is_answered_and_nothing_is_uncertain(folder):
    async with (
        FakeCarrier(answer_delay_s=SLOW_S, receipts="DELIVRD") as carrier,
        cleared(Centre(folder)) as centre,
    ):
        await with_carrier(centre, carrier)
        phones = [str(PHONE + number) for number in range(60)]
        answer = await centre.ask("send", phones=",".join(phones), mes="On the way")
        await carrier.until(lambda: len(carrier.submits) >= 20)
        code = await centre.stop()
        left = len(carrier.submits)
        marked = await centre.value("SELECT count(*) FROM messages WHERE uncertain = 1")
        stages = await centre.rows("SELECT DISTINCT stage FROM queue ORDER BY stage")
        carrier.answer_delay_s = 0
        await centre.start()
        statuses = await centre.ended([(answer["id"], phone) for phone in phones])

        assert code == 0
        assert 20 <= left < 60
        assert marked == 0
        assert (1,) not in stages
        assert set(statuses.values()) == {1}
        assert sorted(submit.destination_addr for submit in carrier.submits) == phones
        await centre.sound()


@contextlib.asynccontextmanager
async def cleared(centre):
    """Whatever happens, it ends with the block."""
    try:
        yield centre
    finally:
        await centre.kill()


async def test_requests_that_run_at_sigterm_get_their_answers(centre):
    async with locked(centre.sqlite):
        sends = [
            asyncio.create_task(centre.ask("send", phones=PHONE + number, mes="Wait for me"))
            for number in range(10)
        ]
        for _ in range(READS):
            await centre.balance()
        centre.process.terminate()
        await until(lambda: closed(centre))
    answers = await asyncio.gather(*sends)
    code = await centre.stop()
    rows = await centre.rows("SELECT phone FROM messages")

    assert [answer["cnt"] for answer in answers] == [1] * 10
    assert code == 0
    assert {int(phone) for (phone,) in rows} == {PHONE + number for number in range(10)}


async def closed(centre):
    """Nobody new is let in."""
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:
            await client.get(f"{centre.base}/healthz")
    except httpx2.TransportError:
        return True
    return False


async def test_a_second_serve_on_the_same_folder_says_so_and_ends(centre):
    said = await centre.run("serve", "--http", "127.0.0.1:0", code=1)

    assert said.startswith(f"vestnik: another 'vestnik serve' runs on {centre.folder};")
    assert len(said.splitlines()) == 1
    assert (await centre.http.get("/readyz")).status_code == 200


async def test_a_port_that_is_taken_is_told_in_one_sentence(centre, furnished, tmp_path):
    other = shutil.copytree(furnished, tmp_path / "other")
    said = await asyncio.to_thread(
        serving.command, other, "serve", "--http", f"127.0.0.1:{centre.port}", code=1
    )

    words = f"vestnik: the HTTP door cannot be opened at 127.0.0.1:{centre.port}: "
    assert said.splitlines()[-1].startswith(words)


async def test_the_demo_tells_its_story_and_ends(tmp_path):
    words = ("demo", "--once", "--http", "127.0.0.1:0")
    said = await asyncio.to_thread(serving.command, tmp_path, *words)

    assert HEADER in said
    assert "Доставлено" in said
