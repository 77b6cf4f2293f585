import pytest
from tests.building import (
    HOUR,
    OTHER,
    RUB,
    Desk,
    FakeChannel,
    House,
    until,
)

from vestnik.channels.base import SendFailed
from vestnik.channels.base import Taken as ChannelTook
from vestnik.domain.message import Status
from vestnik.services import gathering
from vestnik.store.queue import Stage
from vestnik.workers import dispatch
from vestnik.workers.dispatch import Dispatcher

pytestmark = pytest.mark.anyio

LONG = "x" * 400


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


def fails(**failure):
    def plan(message):
        raise SendFailed("as the test says", **failure)

    return plan


def in_turn(plans):
    def plan(message):
        return next(plans)(message)

    return plan


async def test_failures_lead_along_the_routes_in_order(house):
    for number, priority in ((2, 3), (3, 2), (4, 1)):
        house.carrier(number, priority=priority)
    await house.sent()
    async with Desk(house) as desk:
        channels = {n: FakeChannel(plan=fails(retry=True)) for n in (2, 3)}
        channels[4] = FakeChannel()
        for number, channel in channels.items():
            dispatcher(desk, channel, number)
        await channels[4].seen_by(1)

    assert [len(channels[n].seen) for n in (2, 3, 4)] == [1, 1, 1]
    message = await house.message()
    assert (message.carrier_id, message.stage, message.route_step) == (4, Stage.SENT, 2)
    assert channels[4].seen[0].attempt == 2
    assert await house.violations() == []


async def test_past_the_last_route_a_new_round_begins_after_a_while(house):
    house.carrier(2)
    await house.sent()
    async with Desk(house) as desk:
        channel = FakeChannel(plan=fails(retry=True))
        working = dispatcher(desk, channel, 2)
        await until(lambda: channel.seen and not working.in_flight)

        message = await house.message()
        assert (message.next_at, message.attempt) == (house.now + 5000, 1)

        house.later(5000)
        await channel.seen_by(2)


async def test_what_is_refused_for_good_ends(house):
    await house.sent()
    async with Desk(house) as desk:
        channel = FakeChannel(plan=fails(retry=False, status=Status.UNREACHABLE, err=11))
        dispatcher(desk, channel)
        await until(lambda: ended(house))

    assert await house.standing() == (None, Status.UNREACHABLE, 11, 3)
    assert await house.money() == (100 * RUB, 0)


async def ended(house):
    return set(await stages(house)) == {None}


async def test_throttling_leaves_the_carrier_alone_for_a_while(house):
    await house.sent(phones(2))
    async with Desk(house) as desk:
        channel = FakeChannel(window=1, plan=fails(retry=True, pause_s=60.0))
        working = dispatcher(desk, channel)
        await until(lambda: channel.seen and not working.in_flight)

        assert working.room == 0
        assert not working.reserve()

        first, second = await house.messages()
        assert first.next_at == house.now + 60_000
        assert (second.stage, second.attempt, first.attempt) == (Stage.WAITING, 0, 1)

    assert len(channel.seen) == 1


async def test_a_pause_ends_by_itself(house, monkeypatch):
    monkeypatch.setattr(dispatch, "POLL_S", 3600.0)
    await house.sent(phones(2))
    plans = iter([fails(retry=True, pause_s=0.05), lambda m: ChannelTook(((1, "a"),))])
    async with Desk(house) as desk:
        channel = FakeChannel(window=1, plan=in_turn(plans))
        dispatcher(desk, channel)
        await channel.seen_by(2)

    assert sorted(await stages(house)) == [Stage.WAITING, Stage.SENT]


async def test_a_retry_sends_the_parts_that_are_missing(house):
    await house.sent(text=LONG)
    plans = iter(
        [
            fails(retry=True, refs=((1, "a"), (2, "b"))),
            lambda message: ChannelTook(((3, "c"),)),
        ]
    )
    async with Desk(house) as desk:
        channel = FakeChannel(plan=in_turn(plans))
        working = dispatcher(desk, channel)
        await until(lambda: channel.seen and not working.in_flight)
        house.later(5000)
        await channel.seen_by(2)

    assert [m.taken for m in channel.seen] == [frozenset(), {1, 2}]
    assert await house.standing() == (Stage.SENT, Status.SENT, 0, 2)
    assert await house.violations() == []


@pytest.mark.parametrize(
    "plan", [fails(retry=True, sure=False), lambda message: 1 / 0], ids=["unsure", "our bug"]
)
async def test_what_may_have_left_is_not_sent_blindly_again(house, plan):
    house.carrier(2)
    await house.sent()
    async with Desk(house) as desk:
        channel = FakeChannel(plan=plan)
        working = dispatcher(desk, channel, 2)
        await until(lambda: channel.seen and not working.in_flight)

    message = await house.message()
    assert (message.stage, message.status, message.uncertain) == (Stage.UNKNOWN, Status.SENT, 1)
    assert await house.violations() == []


async def test_a_carrier_that_answers_nobody_leaves_an_unknown_fate(house, monkeypatch):
    monkeypatch.setattr(dispatch, "LEASE_MARGIN_S", 0.0)
    house.carrier(2)
    await house.sent()
    async with Desk(house, lease_s=0.05) as desk:
        channel = FakeChannel(hold=True)
        working = dispatcher(desk, channel, 2)
        await until(lambda: channel.seen and not working.in_flight)

    assert (await house.message()).stage == Stage.UNKNOWN


async def test_nothing_is_written_to_a_socket_when_the_lease_is_nearly_over(house):
    await house.sent()
    async with Desk(house, lease_s=dispatch.LEASE_MARGIN_S) as desk:
        channel = FakeChannel(hold=True)
        dispatcher(desk, channel)
        await until(lambda: attempted(house, 1))

    assert channel.seen == []
    assert (await house.message()).stage == Stage.WAITING


async def attempted(house, times):
    return (await house.message()).attempt >= times


async def test_what_is_late_for_its_hours_waits_for_the_next(house):
    await house.sent(time="9-20")  # it is 18:06:40 in Moscow
    await house.sent(OTHER, time="9-20", tz="-2")
    house.later(2 * HOUR)
    async with Desk(house) as desk:
        channel = FakeChannel()
        working = dispatcher(desk, channel)
        await until(lambda: channel.seen and not working.in_flight)

    late, fine = await house.messages()
    assert [m.phone for m in channel.seen] == [OTHER]
    assert (late.stage, late.next_at - house.now) == (Stage.WAITING, 13 * HOUR - 400_000)
    assert fine.stage == Stage.SENT


async def test_what_is_no_longer_valid_is_not_sent(house):
    await house.sent(valid="1")
    house.later(HOUR)
    async with Desk(house) as desk:
        channel = FakeChannel()
        dispatcher(desk, channel)
        await until(lambda: ended(house))

    assert channel.seen == []
    assert await house.standing() == (None, Status.EXPIRED, 0, 3)
