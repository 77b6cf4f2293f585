import pytest
from tests.building import DAY, HOUR, MINUTE, PHONE, House

from vestnik.domain.client import Client, Limits
from vestnik.domain.numbering import builtin
from vestnik.domain.refusals import BadNumber, NotPossible, TooManyAttempts, TooManyRequests
from vestnik.domain.schedule import MOSCOW
from vestnik.services.callbacks import address_of, form_of
from vestnik.services.centre import setup
from vestnik.services.incoming import rented, wait_calls
from vestnik.services.incoming.wait_calls import WaitCalls
from vestnik.services.news import HTTP, News, Outboxes
from vestnik.store import schema

pytestmark = pytest.mark.anyio

FIRST, SECOND = "74950000001", "74950000002"


@pytest.fixture
async def house(store):
    await setup.prepare(store)
    made = House(store)
    await made.client(1, limits={"callback_url": "https://c.example/?charset=utf-8&md5=secret"})
    await made.client(2, limits={"smpp_incoming": 1})
    made.waits = WaitCalls(made.store, MOSCOW)
    for phone in (FIRST, SECOND):
        await made.store.write(rented.add, phone, rented.CALL, "0", builtin())
    return made


async def expect(house, phone=PHONE, client=1):
    return await house.waits.expect(house.clients[client], phone, house.now)


async def call(house, to, caller=PHONE):
    return await house.store.write(wait_calls.heard, caller, to, house.setting())


async def received(house):
    return [(m.client_id, m.phone, m.to_phone, m.text) for m in await house.rows(schema.incoming)]


async def test_a_call_that_is_waited_for_is_told_once(house):
    expected = await expect(house, "8 916 123-45-67")

    assert expected.all_phones == [FIRST, SECOND]
    assert expected.phone in expected.all_phones

    house.later(9 * MINUTE)
    assert await call(house, f"+{expected.phone}", f"+{PHONE}") == 1
    assert await call(house, expected.phone) is None

    assert await received(house) == [(1, PHONE, expected.phone, "[CALL]")]
    [news] = await house.rows(schema.news)
    assert (news.client_id, news.transport, news.kind) == (1, HTTP, "waitcall")


async def test_what_the_address_of_the_client_is_posted(house):
    expected = await expect(house)
    await call(house, expected.phone)
    [news] = await Outboxes(house.store, 1, None).waiting(HTTP, 1, 10)
    address = address_of(house.clients[1].limits.callback_url)

    form = form_of(news, house.clients[1], address).decode()

    # MD5 of "79161234567:1750000000:secret".
    signature = "359e27d7aa45f25e5dc844bb7e7741e7"
    assert form == f"phone={PHONE}&ts=1750000000&waitcall=1&md5={signature}"


def test_the_signature_of_a_call_is_of_phone_and_moment():
    news = News(1, HTTP, 0, 1, "waitcall", 1, {"phone": "79990000001", "received_at": 5_999}, 0, 0)
    address = address_of("https://c.example/?sha1=s&crc=s")

    fields = dict(
        pair.split("=")
        for pair in form_of(news, Client(1, "alex", limits=Limits()), address).decode().split("&")
    )

    # SHA-1 and CRC-32 of "79990000001:5:s", by other programs.
    assert fields == {
        "phone": "79990000001",
        "ts": "5",
        "waitcall": "1",
        "sha1": "c221584e702a098d4d78e8080c57bf4a5bc0eb47",
        "crc32": "104289673",
    }


async def test_a_client_of_the_smpp_door_gets_the_incoming_message_there(house):
    expected = await expect(house, client=2)
    await call(house, expected.phone)

    [news] = await house.rows(schema.news)
    assert (news.transport, news.kind) == ("smpp", "incoming")
    assert '"[CALL]"' in news.payload


@pytest.mark.parametrize("wrong", ["to", "caller", "late"])
async def test_other_calls_and_late_ones_are_nobodys(house, wrong):
    expected = await expect(house)
    other = SECOND if expected.phone == FIRST else FIRST
    if wrong == "late":
        house.later(10 * MINUTE)

    to = other if wrong == "to" else expected.phone
    caller = "79160000000" if wrong == "caller" else PHONE

    assert await call(house, to, caller) is None
    assert await received(house) == []


async def test_asked_again_it_names_the_same_number_and_waits_anew(house):
    first = await expect(house)
    house.later(9 * MINUTE)
    again = await expect(house)
    house.later(9 * MINUTE)

    assert first.phone == again.phone
    assert await call(house, again.phone) == 1


async def test_two_clients_that_wait_for_one_caller_get_different_numbers(house):
    await house.client(3)
    first, second = await expect(house, client=1), await expect(house, client=2)

    assert {first.phone, second.phone} == {FIRST, SECOND}
    with pytest.raises(TooManyRequests):
        await expect(house, client=3)

    assert await call(house, second.phone) == 2
    third = await expect(house, client=3)

    assert third.phone == second.phone
    assert await call(house, first.phone) == 1


async def test_attempts_of_a_day_are_limited_by_number(house):
    for _ in range(6):
        await expect(house)

    with pytest.raises(TooManyAttempts):
        await expect(house)
    await expect(house, "79160000000")
    await expect(house, client=2)

    house.later(DAY)
    await expect(house)


async def test_the_limit_of_attempts_may_be_lifted(house):
    house.limit(1, call_attempts=0)

    for _ in range(8):
        await expect(house)


@pytest.mark.parametrize("phone", ["", "12", "abc", "79001", "7" * 30, "' OR 1=1"])
async def test_what_is_no_number_is_refused(house, phone):
    with pytest.raises(BadNumber):
        await expect(house, phone)


async def test_where_there_is_no_number_to_call_nobody_waits(house):
    for phone in (FIRST, SECOND):
        await house.store.write(rented.remove, phone)

    with pytest.raises(NotPossible):
        await expect(house)


async def test_attempts_of_earlier_days_are_forgotten(house):
    await expect(house)
    await house.waits.drop_old(house.now + HOUR)
    assert len(await house.rows(schema.awaited_calls)) == 1

    await house.waits.drop_old(house.now + DAY)
    assert await house.rows(schema.awaited_calls) == []
