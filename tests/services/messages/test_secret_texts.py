"""A text for its recipient alone leaves as it is and is told to nobody afterwards."""

import pytest
from tests.building import HOUR, PHONE, RUB, House

from vestnik.domain.ids import first_id
from vestnik.domain.message import Flag
from vestnik.services.history.listing import Cells, History, filter_from, page
from vestnik.services.messages.status import Statuses

pytestmark = pytest.mark.anyio

SECRET = "Your code is 123456"


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=10 * RUB)
    await made.sent(text=SECRET, flags=Flag.SECRET)
    return made


async def test_its_recipient_gets_it(house):
    [flight] = await house.take()

    assert flight.message.text == SECRET


async def test_status_and_history_do_not_tell_it(house):
    client = house.clients[1]
    statuses = Statuses(house.store, house.directory, house.setting)
    history = History(house.store, house.directory)

    [found] = await statuses.look(client, [("1", PHONE)], 2)
    [sent] = await history.sent(
        client, filter_from("", "", ""), house.now - HOUR, house.now + HOUR, most=10
    )
    low, high = first_id(house.now - HOUR), first_id(house.now + HOUR)
    rows, _ = await house.store.read(page, 1, filter_from(PHONE, "", ""), low, high, first=True)
    [cells] = Cells("Europe/Moscow", house.directory().numbering)(rows)

    assert [found.text, sent.text, cells[-1]] == ["***"] * 3
    assert found.flag == 0


async def test_other_texts_are_told(house):
    await house.sent(text="Hello")
    statuses = Statuses(house.store, house.directory, house.setting)

    [found] = await statuses.look(house.clients[1], [("2", PHONE)], 0)

    assert found.text == "Hello"
