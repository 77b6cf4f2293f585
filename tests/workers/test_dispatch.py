import asyncio

import pytest
from tests.building import (
    DAY,
    LEASE,
    OTHER,
    PHONE,
    RUB,
    THIRD,
    Desk,
    FakeChannel,
    House,
    until,
)

from vestnik.domain.message import Err, Status
from vestnik.domain.refusals import StoreUnavailable
from vestnik.services import gathering
from vestnik.services.messages import upkeep
from vestnik.store.engine import CommitUnknown
from vestnik.store.queue import Stage
from vestnik.workers import dispatch
from vestnik.workers.dispatch import Dispatcher

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(dispatch, "POLL_S", 0.02)
    monkeypatch.setattr(dispatch, "DOWN_S", 0.0)
    monkeypatch.setattr(gathering, "AGAIN_S", 0.01)


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, limits={"identical_s": 0})
    return made


def phones(count):
    return ",".join(f"7916000{n:04}" for n in range(count))


def dispatcher(desk, channel, carrier=1):
    return desk.run(Dispatcher(desk.office, desk.house.carriers[carrier], channel))


async def stages(house):
    return [m.stage for m in await house.messages()]


async def test_what_is_due_leaves_and_is_recorded(house):
    await house.sent(f"{PHONE},{OTHER}")
    async with Desk(house) as desk:
        channel = FakeChannel()
        working = dispatcher(desk, channel)
        await until(lambda: desk_idle(house, working))

    assert sorted(m.phone for m in channel.seen) == [PHONE, OTHER]
    assert await stages(house) == [Stage.SENT, Stage.SENT]
    assert await house.violations() == []


async def desk_idle(house, working):
    waiting = {Stage.WAITING, Stage.SENDING}
    return not working.in_flight and not waiting & set(await stages(house))


async def test_the_window_is_kept_full_and_never_exceeded(house):
    await house.sent(phones(40))
    house.windows = {1: 7}
    async with Desk(house) as desk:
        channel = FakeChannel(window=7, hold=True)
        working = dispatcher(desk, channel)
        await channel.seen_by(7)

        assert (working.in_flight, working.room) == (7, 0)
        assert (await stages(house)).count(Stage.SENDING) == 7
        assert await house.violations() == []

        channel.let_go()
        await until(lambda: desk_idle(house, working))

    assert (len(channel.seen), channel.most) == (40, 7)
    assert await stages(house) == [Stage.SENT] * 40


async def test_each_answer_frees_a_place_at_once(house):
    await house.sent(phones(3))
    stuck = asyncio.Event()

    class OneIsSlow(FakeChannel):
        async def send(self, message):
            first = not self.seen
            took = await super().send(message)
            if first:
                await stuck.wait()
            return took

    async with Desk(house) as desk:
        channel = OneIsSlow(window=2)
        dispatcher(desk, channel)
        await channel.seen_by(3)
        stuck.set()

    assert sorted(await stages(house)) == [Stage.SENT] * 3


async def test_a_place_is_free_once_its_outcome_is_durable(house):
    await house.sent()
    async with Desk(house) as desk:
        channel = FakeChannel(window=1, hold=True)
        working = dispatcher(desk, channel)
        await channel.seen_by(1)
        house.store.gate = asyncio.Event()
        channel.let_go()
        await until(lambda: channel.flying == 0)

        assert working.in_flight == 1

        house.store.gate.set()
        await until(lambda: working.in_flight == 0)

    assert await stages(house) == [Stage.SENT]


async def test_what_waits_goes_before_what_is_only_now_accepted(house):
    async with Desk(house) as desk:
        channel = FakeChannel(window=2)
        working = dispatcher(desk, channel)

        assert not working.reserve()  # it has not looked yet

        await until(working.reserve)
        working.look()

        assert not working.reserve()

        working.give_back()


async def test_what_is_handed_over_flies_without_a_claim(house):
    async with Desk(house) as desk:
        channel = FakeChannel(window=2)
        working = dispatcher(desk, channel)
        await until(lambda: working.reserve() and not working.give_back())
        intake = house.intake(desk.dispatchers)
        running = asyncio.create_task(intake.run())
        await intake.submit(await house.draft(f"{PHONE},{OTHER},{THIRD}"))
        await until(lambda: desk_idle(house, working))
        intake.close()
        await running

    assert sorted(m.phone for m in channel.seen) == [PHONE, OTHER, THIRD]
    assert sorted(m.fence for m in await house.messages()) == [1, 1, 1]
    assert await house.violations() == []


async def test_an_outcome_is_not_forgotten_while_the_store_is_away(house):
    await house.sent()
    async with Desk(house) as desk:
        channel = FakeChannel(hold=True)
        working = dispatcher(desk, channel)
        await channel.seen_by(1)
        house.store.before.extend([StoreUnavailable("away"), CommitUnknown("lost")])
        house.store.after.extend([CommitUnknown("lost")])
        channel.let_go()
        await until(lambda: not working.in_flight)

    assert len(channel.seen) == 1
    assert await house.standing() == (Stage.SENT, Status.SENT, 0, 2)
    assert await house.money() == (99 * RUB, 0)
    assert await house.violations() == []


async def test_a_claim_is_repeated_when_the_store_was_away(house):
    await house.sent()
    async with Desk(house) as desk:
        channel = FakeChannel()
        house.store.before.append(StoreUnavailable("away"))
        working = dispatcher(desk, channel)
        await until(lambda: desk_idle(house, working))

    assert await stages(house) == [Stage.SENT]


async def test_what_becomes_due_is_found_by_looking(house):
    await house.sent(time="+1")
    async with Desk(house) as desk:
        channel = FakeChannel()
        dispatcher(desk, channel)
        await until(lambda: house.store.writes >= 4)

        assert channel.seen == []

        house.later(60_000)
        await channel.seen_by(1)


async def test_who_looks_while_a_claim_runs_is_heard(house, monkeypatch):
    monkeypatch.setattr(dispatch, "POLL_S", 3600.0)
    async with Desk(house) as desk:
        house.store.gate = asyncio.Event()
        channel = FakeChannel()
        working = desk.run(Dispatcher(desk.office, house.carriers[1], channel))
        await until(lambda: working.in_flight == channel.window)  # the claim waits for the store
        house.store.gate.set()
        gate, house.store.gate = house.store.gate, None
        working.look()
        await house.sent()
        working.look()
        await channel.seen_by(1)

    assert gate.is_set()


async def test_waiting_messages_of_a_carrier_that_is_down_take_the_next_route(house):
    house.carrier(2, priority=1)
    house.carrier(3)
    await house.sent(f"{PHONE},{OTHER}")
    async with Desk(house) as desk:
        down, other = FakeChannel(), FakeChannel()
        down.ready = False
        dispatcher(desk, down, 2)
        dispatcher(desk, other, 3)
        await other.seen_by(2)

        assert desk.office.up == {3}

        down.ready = True
        await until(lambda: desk.office.up == {2, 3})

    assert down.seen == []
    assert {m.carrier_id for m in await house.messages()} == {3}


async def test_closing_lets_what_flies_land_and_claims_no_more(house):
    await house.sent(phones(5))
    async with Desk(house) as desk:
        channel = FakeChannel(window=2, hold=True)
        working = dispatcher(desk, channel)
        await channel.seen_by(2)
        closing = asyncio.create_task(working.close(5.0))
        await asyncio.sleep(0)

        assert not closing.done()

        channel.let_go()
        await closing

        assert working.in_flight == 0

    assert sorted(await stages(house)) == [Stage.WAITING] * 3 + [Stage.SENT] * 2


async def test_what_does_not_land_in_time_has_an_unknown_fate(house):
    house.carrier(2)
    await house.sent()
    async with Desk(house) as desk:
        channel = FakeChannel(hold=True)
        working = dispatcher(desk, channel, 2)
        await channel.seen_by(1)
        await working.close(0.0)

        assert working.in_flight == 0

    assert (await house.message()).stage == Stage.UNKNOWN


async def test_what_was_only_claimed_when_it_closes_waits_again(house):
    await house.sent(phones(3))
    async with Desk(house) as desk:
        channel = FakeChannel()
        house.store.gate = asyncio.Event()
        working = dispatcher(desk, channel)
        await until(lambda: working.in_flight)
        closing = asyncio.create_task(working.close(5.0))
        await asyncio.sleep(0)
        house.store.gate.set()
        await closing

    assert channel.seen == []
    assert await stages(house) == [Stage.WAITING] * 3
    assert await house.violations() == []


async def test_what_is_handed_over_to_a_closing_dispatcher_waits_again(house):
    async with Desk(house) as desk:
        channel = FakeChannel()
        working = dispatcher(desk, channel)
        await until(lambda: working.reserve() and not working.give_back())
        house.store.gate = asyncio.Event()
        intake = house.intake(desk.dispatchers)
        running = asyncio.create_task(intake.run())
        sent = asyncio.create_task(intake.submit(await house.draft()))
        await until(lambda: working.in_flight)
        closing = asyncio.create_task(working.close(5.0))
        await asyncio.sleep(0)
        house.store.gate.set()
        await sent
        await closing
        intake.close()
        await running

    assert channel.seen == []
    assert await stages(house) == [Stage.WAITING]
    assert await house.violations() == []


async def test_a_lapsed_message_is_taken_over_and_late_words_about_it_change_nothing(house):
    await house.sent()
    async with Desk(house) as desk:
        slow = FakeChannel(hold=True)
        working = dispatcher(desk, slow)
        await slow.seen_by(1)
        house.later(LEASE + DAY)
        await house.do(upkeep.lapse)
        slow.let_go()
        await until(lambda: not working.in_flight)

    message = await house.message()
    assert (message.uncertain, message.err) == (1, Err.NONE)
    assert await house.violations() == []
