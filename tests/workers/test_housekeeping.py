import pytest
from tests.building import DAY, LEASE, MINUTE, RUB, House

from vestnik.domain.message import Err, Incoming, Status
from vestnik.services.incoming import receiving
from vestnik.services.incoming.receiving import Came
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
