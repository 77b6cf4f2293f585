import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.building import OTHER, PHONE, Desk, FakeChannel, House, until

from vestnik.domain.message import Incoming, Report, Status
from vestnik.services.gathering import Gathering
from vestnik.services.messages import reports
from vestnik.store.queue import Stage
from vestnik.workers import carriers as carriers_module
from vestnik.workers import dispatch
from vestnik.workers.carriers import Carriers

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(dispatch, "POLL_S", 0.02)


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, limits={"identical_s": 0})
    return made


class Staff:
    """Carriers at work over a desk; `channels` are those that were made, by carrier."""

    def __init__(self, desk):
        self.house = desk.house
        self.desk = desk
        self.channels = {}
        self.incoming = []
        self.reporter = Gathering("reports", self._report)
        self.receiver = Gathering("incoming", self._receive)
        self.carriers = Carriers(
            desk.office, desk.dispatchers, self._make, self.reporter, self.receiver
        )

    def _make(self, carrier):
        if carrier.channel == "pigeon":
            raise ValueError("there is no channel 'pigeon'")
        channel = FakeChannel(window=carrier.settings.get("window", 10))
        self.channels.setdefault(carrier.id, []).append(channel)
        return channel

    async def _report(self, batch):
        await self.house.store.write(reports.apply, batch, self.house.setting())

    async def _receive(self, batch):
        self.incoming += batch

    def at_work(self):
        return sorted(d.carrier.id for d in self.desk.dispatchers.all())


@asynccontextmanager
async def staff(house):
    async with Desk(house) as desk:
        made = Staff(desk)
        lines = [asyncio.create_task(g.run()) for g in (made.reporter, made.receiver)]
        try:
            yield made
        finally:
            await made.carriers.stop(5.0)
            made.reporter.close()
            made.receiver.close()
            await asyncio.gather(*lines)


def change(house, carrier_id, **fields):
    house.carriers[carrier_id] = replace(house.carriers[carrier_id], **fields)
    house._directory = None


async def test_every_carrier_that_is_switched_on_works(house):
    house.carrier(2)
    house.carrier(3, enabled=False)
    async with staff(house) as made:
        await made.carriers.follow()
        await house.sent()
        await made.channels[2][0].seen_by(1)

        assert made.at_work() == [1, 2]

        house.carrier(4)
        await made.carriers.follow()

        assert made.at_work() == [1, 2, 4]
        assert [len(c) for c in made.channels.values()] == [1, 1, 1]

    assert all(c.stopped for made_ in made.channels.values() for c in made_)
    assert made.at_work() == []


async def test_a_carrier_whose_settings_change_starts_anew(house):
    async with staff(house) as made:
        await made.carriers.follow()
        change(house, 1, settings={"window": 3})
        await made.carriers.follow()

        old, new = made.channels[1]
        assert (old.stopped, new.stopped, new.window) == (True, False, 3)
        assert made.at_work() == [1]


async def test_a_carrier_that_cannot_be_made_stops_no_other(house):
    house.carrier(2, channel="pigeon")
    house.carrier(3)
    async with staff(house) as made:
        await made.carriers.follow()

        assert made.at_work() == [1, 3]


async def test_what_waits_at_a_carrier_that_is_switched_off_goes_to_the_others(house):
    house.carrier(2, priority=1)
    house.carrier(3)
    await house.sent(f"{PHONE},{OTHER}")
    await house.sent(time="+60")
    async with staff(house) as made:
        change(house, 2, enabled=False)
        await made.carriers.follow()
        await until(lambda: len(made.channels[3][0].seen) == 2)

        assert made.at_work() == [1, 3]

    assert {m.queue_carrier for m in await house.messages()} == {3}


async def test_what_a_carrier_says_is_durable_when_it_returns(house):
    async with staff(house) as made:
        await made.carriers.follow()
        await house.sent()
        channel = made.channels[1][0]
        await until(lambda: sent(house))
        [message] = channel.seen
        await channel.hears.report(Report(f"{message.id}-1", PHONE, Status.DELIVERED))

        assert await house.standing() == (None, Status.DELIVERED, 0, 2)

        await channel.hears.incoming(Incoming(PHONE, "79990000001", "hi"))

        assert [(c.carrier_id, c.message.text) for c in made.incoming] == [(1, "hi")]


async def sent(house):
    return (await house.message()).stage == Stage.SENT


async def test_a_carrier_in_this_process_is_told_what_it_had_been_sent(house, monkeypatch):
    monkeypatch.setattr(carriers_module, "RESUMED_AT_ONCE", 2)
    for number in range(5):
        await house.sent(f"7916000000{number}", "x" * 200 if number == 0 else "Hello")
        house.later(1000)
        await house.take()
    await house.report("ref-79160000000-1")
    await house.report("ref-79160000004-1")
    async with staff(house) as made:
        await made.carriers.follow()

    told = [(m.phone, ref, sent_at) for m, ref, sent_at in made.channels[1][0].resumed]
    first = house.now - 4000
    assert told == [
        ("79160000000", "ref-79160000000-2", first),
        ("79160000001", "ref-79160000001-1", first + 1000),
        ("79160000002", "ref-79160000002-1", first + 2000),
        ("79160000003", "ref-79160000003-1", first + 3000),
    ]
