import pytest
from tests.building import DAY, LEASE, MINUTE, RUB, House

from vestnik.domain.message import Err, Incoming, Status
from vestnik.services.incoming import receiving
from vestnik.services.incoming.receiving import Came
from vestnik.services.messages.delivery import Postponed
from vestnik.store import schema
from vestnik.store.queue import Stage
from vestnik.workers.housekeeping import EXPIRY_MS, SWEEP_MS, Housekeeping

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=10 * RUB)
    return made


def housekeeping(house):
    return Housekeeping(house.store, house.setting)


async def test_time_moves_messages(house):
    house.carrier(2)
    await house.sent(text="sending")
    await house.claim(2)
    await house.sent(text="sent")
    await house.take(2)
    await house.sent(text="waits", valid="1")
    house.later(LEASE)
    keeper = housekeeping(house)
    await keeper.run_once()

    assert [m.stage for m in await house.messages()] == [Stage.UNKNOWN, Stage.SENT, Stage.WAITING]

    house.later(2 * DAY)
    await keeper.run_once()

    rows = [(m.stage, m.status, m.err) for m in await house.messages()]
    assert rows == [
        (None, Status.UNDELIVERABLE, Err.NO_STATUS),
        (None, Status.UNDELIVERABLE, Err.NO_STATUS),
        (None, Status.EXPIRED, 0),
    ]
    assert await house.money() == (9 * RUB, 0)
    assert await house.violations() == []


async def test_nothing_to_do_is_nothing_more_to_do(house):
    keeper = housekeeping(house)

    assert [await keeper.run_once() for _ in range(2)] == [False, False]


async def test_expiry_is_looked_for_every_few_seconds(house):
    keeper = housekeeping(house)
    await house.sent(valid="00:01")
    house.later(MINUTE - 1000)
    await keeper.run_once()
    house.later(1000)
    await keeper.run_once()

    assert (await house.message()).stage == Stage.WAITING

    house.later(EXPIRY_MS)
    await keeper.run_once()

    assert (await house.message()).status == Status.EXPIRED


async def test_what_is_of_no_more_use_is_dropped(house):
    await house.sent()
    await house.report("stray")
    segment = Incoming("79160000001", "79990000001", "a", 7, 2, 1)
    await house.store.write(receiving.take, [Came(1, segment)], house.setting())
    keeper = housekeeping(house)
    tables = (schema.dedup, schema.receipts, schema.segments)
    kept = []
    for passed in (0, MINUTE + SWEEP_MS, DAY, 2 * DAY):
        house.later(passed)
        await keeper.run_once()
        kept.append([len(await house.rows(table)) for table in tables])

    assert kept == [[1, 1, 1], [0, 1, 1], [0, 1, 0], [0, 0, 0]]


async def test_a_long_queue_is_looked_through_run_by_run(house, monkeypatch):
    monkeypatch.setattr("vestnik.workers.housekeeping.LOOKED_AT", 2)
    keeper = housekeeping(house)
    for n, valid in enumerate(("24", "24", "24", "00:01", "24", "00:01", "24")):
        await house.sent(f"7916000000{n}", valid=valid)
    house.later(MINUTE)
    expired = [await run(keeper, house) for _ in range(5)]

    assert expired == [0, 1, 2, 2, 2]  # the fourth run met the end: the next one rests

    await house.sent("79160000009", valid="00:01")
    house.later(MINUTE)

    assert [await run(keeper, house) for _ in range(3)] == [2, 2, 3]
    assert await house.violations() == []


async def run(keeper, house):
    """How many messages have expired after one run more."""
    await keeper.run_once()
    return [m.status for m in await house.messages()].count(Status.EXPIRED)


async def test_what_expires_together_goes_slice_by_slice_before_the_rest_is_looked_at(
    house, monkeypatch
):
    monkeypatch.setattr("vestnik.services.messages.upkeep.SLICE", 2)
    monkeypatch.setattr("vestnik.workers.housekeeping.LOOKED_AT", 4)
    keeper = housekeeping(house)
    for n in range(7):
        await house.sent(f"7916000000{n}", valid="00:01")
    house.later(MINUTE)

    assert [await run(keeper, house) for _ in range(4)] == [2, 4, 6, 7]
    assert await house.violations() == []


async def test_what_waits_for_a_later_time_is_passed_by(house, monkeypatch):
    monkeypatch.setattr("vestnik.workers.housekeeping.LOOKED_AT", 2)
    await house.client(2, balance=10 * RUB)
    for n in range(5):
        await house.sent(f"7916000000{n}", time="+60", valid="00:01")
    await house.sent("79160000009", valid="00:01", client=2)
    house.later(MINUTE)

    assert await run(housekeeping(house), house) == 1


async def test_what_is_put_off_past_its_validity_expires_with_it(house):
    await house.sent(valid="00:01")
    [flight] = await house.claim()
    await house.record((flight, Postponed(house.now + DAY, 1, 0)))
    keeper = housekeeping(house)

    assert await run(keeper, house) == 0

    house.later(MINUTE)

    assert await run(keeper, house) == 1
    assert await house.violations() == []


async def test_one_look_passes_by_many_lanes_and_not_all(house, monkeypatch):
    monkeypatch.setattr("vestnik.store.overdue.LANES_MAX", 2)
    for n in (2, 3, 4, 5):
        await house.client(n, balance=10 * RUB)
    for n in (1, 2, 3):
        await house.sent(client=n, valid="00:01" if n == 1 else "24")
    await house.sent(client=4, time="+60")
    await house.sent(client=5, valid="00:01")
    house.later(MINUTE)
    keeper = housekeeping(house)

    assert [await run(keeper, house) for _ in range(3)] == [1, 1, 2]
