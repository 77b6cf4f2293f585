import pytest
from tests.building import DAY, NOW, OTHER, PHONE, House

from vestnik.domain.message import Status
from vestnik.store import schema
from vestnik.workers.retention import Retention

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(store):
    house = House(store)
    await house.client(limits={"keep_days": 30})
    return house


async def tidy(house):
    await Retention(house.store, house.directory).run_once()


async def ended(house, phones, text):
    """Messages with the same text that were delivered."""
    await house.sent(phones, text)
    for flight in await house.take():
        await house.report(f"ref-{flight.message.phone}-1", Status.DELIVERED)


async def test_what_an_account_no_longer_keeps_is_dropped_with_its_text_and_parts(house):
    await ended(house, f"{PHONE},{OTHER}", "old")
    house.later(31 * DAY)
    await ended(house, f"{PHONE},{OTHER}", "new")

    await tidy(house)

    assert [message.shared for message in await house.messages()] == ["new", "new"]
    assert [row.text for row in await house.rows(schema.texts)] == ["new"]
    assert len(await house.rows(schema.parts)) == 2


async def test_a_message_that_is_not_finished_stays_however_old(house):
    await house.sent(PHONE, "still waiting", time="0")
    house.later(31 * DAY)

    await tidy(house)

    assert [message.text for message in await house.messages()] == ["still waiting"]


async def test_nothing_is_dropped_before_its_day(house):
    await ended(house, PHONE, "young")
    house.later(30 * DAY - 1000)

    await tidy(house)

    assert len(await house.messages()) == 1


async def test_zero_days_keep_the_history_for_ever(house):
    house.limit(keep_days=0)
    await ended(house, PHONE, "kept")
    house.later(4000 * DAY)

    await tidy(house)

    assert len(await house.messages()) == 1


async def test_money_and_sums_stay_when_messages_go(house):
    await ended(house, PHONE, "paid")
    before = await house.money(), await house.rows(schema.sums)
    house.later(31 * DAY)

    await tidy(house)

    assert await house.messages() == []
    assert before == (await house.money(), await house.rows(schema.sums))
    assert house.now > NOW
