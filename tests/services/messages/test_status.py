import pytest
from tests.building import DAY, OTHER, PHONE, RUB, THIRD, House, taken

from vestnik.domain.message import Err, Kind, Status
from vestnik.domain.refusals import NotPossible
from vestnik.services.messages.delivery import Lost
from vestnik.services.messages.status import Statuses
from vestnik.store.queue import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=10 * RUB)
    return made


def statuses(house):
    return Statuses(house.store, house.directory, house.setting)


async def look(house, *pairs, full=0, client=1):
    return await statuses(house).look(house.clients[client], list(pairs), full)


async def test_a_message_is_found_by_its_id_and_phone(house):
    await house.sent(text="Hi\n~~~\nfor me", sender="Shop")
    [found] = await look(house, ("1", "8 (916) 123-45-67"))

    assert (found.wire_id, found.phone, found.status, found.err) == ("1", PHONE, -1, 0)
    assert (found.text, found.comment, found.sender) == ("Hi", "for me", "Shop")
    assert (found.kind, found.flag, found.parts, found.cost) == (0, 0, 1, RUB)
    assert (found.country, found.operator) == ("", "")
    assert (found.changed_at, found.sent_at) == (house.now, house.now)


async def test_what_is_asked_is_answered_in_its_order(house):
    await house.sent(f"{PHONE},{OTHER}")
    found = await look(house, ("1", OTHER), ("1", THIRD), ("2", PHONE), ("1", PHONE))

    assert [f and f.phone for f in found] == [OTHER, None, None, PHONE]
    assert {f.text for f in found if f} == {"Hello"}


async def test_of_messages_with_one_id_the_latest_answers(house):
    await house.sent(text="first", wire_id="own")
    house.later(1)
    await house.sent(text="second", wire_id="own")
    [found] = await look(house, ("own", PHONE))

    assert found.text == "second"


async def test_nobody_sees_the_messages_of_others(house):
    await house.client(2)
    await house.sent()

    assert await look(house, ("1", PHONE), client=2) == [None]


async def test_the_network_is_told_when_it_is_asked_for(house):
    await house.sent()
    [found] = await look(house, ("1", PHONE), full=2)

    assert (found.country, found.operator, found.operator_orig) == ("Россия", "МТС", "МТС")
    assert found.mccmnc == "25001"


async def test_the_cost_is_what_is_held_then_what_was_taken(house):
    house.limit(charge_on="delivered")
    await house.sent(f"{PHONE},{OTHER}")
    pairs = [("1", PHONE), ("1", OTHER)]
    held = await look(house, *pairs)
    first, second = await house.claim()
    await house.record((first, taken(first)), (second, Lost(Status.UNDELIVERABLE, 1)))
    await house.report(f"ref-{first.message.phone}-1")
    settled = {f.phone: f for f in await look(house, *pairs)}

    assert [f.cost for f in held] == [RUB, RUB]
    assert settled[first.message.phone].cost == RUB
    assert settled[second.message.phone].cost == 0


async def test_a_look_up_is_known_by_its_sender(house):
    await house.sent(text="", kind=Kind.HLR)
    [found] = await look(house, ("1", PHONE))

    assert (found.kind, found.sender) == (4, "HLR")


async def test_a_wrong_number_and_an_address_are_found_as_they_were_asked(house):
    await house.sent(f"123,{PHONE}")
    await house.sent(f"a@b.ru,{PHONE}", kind=Kind.MAIL)
    found = await look(house, ("1", "123"), ("2", " a@b.ru "))

    assert [(f.status, f.err) for f in found] == [(Status.BAD_NUMBER, Err.BAD_FORMAT), (-1, 0)]


async def test_what_waits_is_cancelled_when_it_is_deleted(house):
    await house.sent()
    await statuses(house).delete(house.clients[1], [("1", PHONE)])

    message = await house.message()
    assert (message.stage, message.status, message.hidden) == (None, Status.STOPPED, 1)
    assert await house.money() == (10 * RUB, 0)
    assert await look(house, ("1", PHONE)) == [None]
    assert await house.claim() == []
    assert await house.violations() == []


async def test_what_is_in_flight_goes_on_is_paid_and_stays_hidden(house):
    await house.sent()
    [flight] = await house.claim()
    await statuses(house).delete(house.clients[1], [("1", PHONE)])

    assert (await house.message()).stage == Stage.SENDING

    await house.record((flight, taken(flight)))
    await house.report(f"ref-{PHONE}-1")

    message = await house.message()
    assert (message.status, message.money, message.hidden) == (Status.DELIVERED, 2, 1)
    assert await look(house, ("1", PHONE)) == [None]
    assert await house.violations() == []


async def test_all_are_deleted_or_none(house):
    await house.sent(f"{PHONE},{OTHER}")

    with pytest.raises(NotPossible):
        await statuses(house).delete(house.clients[1], [("1", PHONE), ("1", THIRD)])

    assert None not in await look(house, ("1", PHONE), ("1", OTHER))

    await statuses(house).delete(house.clients[1], [("1", PHONE), ("1", OTHER), ("1", PHONE)])

    assert await look(house, ("1", PHONE), ("1", OTHER)) == [None, None]
    with pytest.raises(NotPossible):
        await statuses(house).delete(house.clients[1], [("1", PHONE)])


async def test_a_chain_gets_everything_back_when_a_message_is_cancelled(store):
    house = House(store)
    house.rate(1, RUB)
    house.rate(2, 400_000)
    await house.client(1)
    await house.client(2, parent_id=1)
    await house.sent(client=2, time="+60")
    await statuses(house).delete(house.clients[2], [("1", PHONE)])

    assert await house.money(1) == await house.money(2) == (100 * RUB, 0)
    assert await house.violations() == []


async def test_what_was_cancelled_never_leaves(house):
    await house.sent(time="+60")
    await statuses(house).delete(house.clients[1], [("1", PHONE)])
    house.later(DAY)

    assert await house.claim() == []
