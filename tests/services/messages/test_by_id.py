import pytest
from tests.building import House

from vestnik.domain.message import Status
from vestnik.domain.refusals import NotFound
from vestnik.services.messages import bulk
from vestnik.services.messages.by_id import ById, Fate
from vestnik.services.sending import expanding, requests

pytestmark = pytest.mark.anyio

LIST = 7


@pytest.fixture
async def house(store, monkeypatch):
    """One whose client has ordered a list that is stored in chunks of three."""
    monkeypatch.setattr(requests, "WHOLE_MAX", 3)
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 3)
    made = House(store)
    await made.client(1)
    await made.client(2)
    phones = ",".join(str(79160000000 + n) for n in range(LIST))
    await made.sent(phones, "Hello", wire_id="list", sender="Shop")
    return made


def look(house, wire_id="list", sender="", client=1):
    by_id = ById(house.store, house.setting)
    return by_id.look(house.clients[client], wire_id, sender)


async def expand(house):
    await house.store.write(expanding.expand, house.ids.take(house.now, 3), house.setting())


async def test_a_list_whose_messages_are_not_made_yet_waits(house):
    assert await look(house) == Fate("79160000000", Status.WAITING, 0, house.now)
    assert await look(house, sender="Shop") == Fate("79160000000", Status.WAITING, 0, house.now)


async def test_of_a_list_that_is_partly_expanded_the_latest_message_is_found(house):
    await expand(house)
    await house.take()

    fate = await look(house)

    assert (fate.phone, fate.status) == ("79160000002", Status.SENT)


@pytest.mark.parametrize(
    ("wire_id", "sender", "client"), [("list", "Other", 1), ("list", "", 2), ("lis", "", 1)]
)
async def test_what_is_another_senders_or_clients_is_not_there(house, wire_id, sender, client):
    with pytest.raises(NotFound):
        await look(house, wire_id, sender, client)
