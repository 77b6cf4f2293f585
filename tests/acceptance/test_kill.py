"""kill -9 under load: what was acknowledged is there, and nothing is sent twice."""

import asyncio
import contextlib
import itertools
import json
from collections import Counter

import httpx2
import pytest
from tests.serving import Centre, carrier_process, until

pytestmark = pytest.mark.anyio

WINDOW = 20
SENDERS = 12
LIST_EVERY, IN_A_LIST = 10, 30
BETWEEN_KILLS = 150  # messages acknowledged between a start and the next kill
CARRIER = ("--receipts", "delivered", "--delay-ms", "30", "--answer-ms", "15")


class Load:
    """Clients that send without end, and write down what they were promised."""

    def __init__(self, centre):
        self.centre = centre
        self.acknowledged = []
        self.up = asyncio.Event()
        self._numbers = itertools.count()
        self._tasks = []

    async def __aenter__(self):
        self.up.set()
        self._tasks = [asyncio.create_task(self._send_on()) for _ in range(SENDERS)]
        return self

    async def __aexit__(self, *problem):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send_on(self):
        while True:
            await self.up.wait()
            number = next(self._numbers)
            size = 1 if number % LIST_EVERY else IN_A_LIST
            wire_id = f"own-{number}"
            phones = [f"7916{number * 100 + one:07}" for one in range(size)]
            try:
                answer = await self.centre.ask(
                    "send", id=wire_id, phones=",".join(phones), mes=f"Number {number}"
                )
            except (httpx2.HTTPError, RuntimeError):  # killed, or its client was closed
                continue
            assert answer == {"id": wire_id, "cnt": size}
            self.acknowledged += [(wire_id, phone) for phone in phones]

    async def more(self, count):
        """Wait for so many more acknowledged messages."""
        wanted = len(self.acknowledged) + count

        async def done():
            for task in self._tasks:
                if task.done():
                    task.result()
            return len(self.acknowledged) >= wanted

        await until(done, 90)


async def killed_under_load(centre, times):
    """Kill and start again, so many times; the messages promised, and those uncertain by kill."""
    uncertain = [0]
    async with Load(centre) as load:
        for _ in range(times):
            await load.more(BETWEEN_KILLS)
            load.up.clear()
            await centre.kill()
            await centre.start()
            uncertain.append(
                await centre.value("SELECT count(*) FROM messages WHERE uncertain = 1")
            )
            load.up.set()
        await load.more(BETWEEN_KILLS)
    return load.acknowledged, [b - a for a, b in itertools.pairwise(uncertain)]


async def at_rest(centre):
    """Nothing waits, nothing is on its way, and every report has come."""
    moving = "SELECT stage, count(*) FROM queue WHERE stage <> 3 GROUP BY stage"
    left = []

    async def done():
        left[:] = await centre.rows(moving)
        return not left

    await until(done, 120, lambda: f"still on their way, by stage: {left}; {centre.log}")


async def prepared(folder, url, port, on_unknown):
    """A started centre whose only way out is the carrier at this port."""
    centre = Centre(folder, url)
    await centre.run(
        *("carrier", "add", "smsc", "--port", str(port), "--system-id", "shop"),
        *("--password", "secret", "--window", str(WINDOW), "--on-unknown", on_unknown),
        "reconnect_min_s=0.1",
    )
    await centre.run("route", "add", "--carrier", "smsc")
    await centre.start()
    return centre


@contextlib.asynccontextmanager
async def story(store, tmp_path, times, on_unknown):
    """The centre after its kills, at rest; what was promised, uncertain and submitted."""
    folder, url = store
    log = tmp_path / "submits"
    async with carrier_process(log, *CARRIER) as port:
        centre = await prepared(folder, url, port, on_unknown)
        async with contextlib.AsyncExitStack() as ending:
            ending.push_async_callback(centre.kill)
            promised, by_kill = await killed_under_load(centre, times)
            await at_rest(centre)
            rows = await centre.rows("SELECT wire_id, phone, status, uncertain FROM messages")
            yield centre, promised, by_kill, rows, lambda: submits(log)


def submits(log):
    return Counter(json.loads(line)["to"] for line in log.read_text().splitlines())


def uncertain(rows):
    return {phone for _, phone, _, mark in rows if mark}


async def test_five_kills_lose_nothing_and_double_nothing(store, tmp_path):
    async with story(store, tmp_path, 5, "hold") as (centre, promised, by_kill, rows, sent):
        certain = [row for row in rows if not row[3]]

        assert set(promised) <= {(wire_id, phone) for wire_id, phone, _, _ in rows}
        assert {status for _, _, status, _ in certain} == {1}
        assert max(by_kill) <= WINDOW
        assert sum(by_kill) > 0  # else the kills met nothing on its way
        await centre.sound()

    assert set(sent().values()) == {1}
    assert {phone for _, phone, _, _ in certain} <= sent().keys()


async def test_a_carrier_that_may_get_it_twice_gets_everything(folder, tmp_path):
    async with story((folder, ""), tmp_path, 2, "resend") as (
        centre,
        promised,
        by_kill,
        rows,
        sent,
    ):
        assert set(promised) <= {(wire_id, phone) for wire_id, phone, _, _ in rows}
        assert {status for _, _, status, _ in rows} == {1}
        assert max(by_kill) <= WINDOW
        await centre.sound()

    assert sent().keys() == {phone for _, phone, _, _ in rows}
    assert {phone for phone, times in sent().items() if times > 1} <= uncertain(rows)
