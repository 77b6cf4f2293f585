"""query_sm and cancel_sm (smpp.md, "QUERY_SM")."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tests.doors.smpp.house import OTHER, PHONE, SOON_S, bind, open_house

from vestnik.domain.message import Status
from vestnik.wire.smpp import command_status as c
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.receipt import MessageState

pytestmark = pytest.mark.anyio

LATER = {"schedule_delivery_time": "000000010000000R"}
NEVER_REPORTED, UNDELIVERABLE = "79160009905", "79160009901"


@pytest.fixture
async def house(tmp_path, store_url):
    async with open_house(tmp_path, store_url, smpp_rate=0, status_per_minute=0) as opened:
        yield opened


@pytest.fixture
async def esme(house):
    return await bind(house)


async def query(esme, wire_id, sender=""):
    return await esme.ask(p.QuerySm(wire_id, 0, 0, sender))


async def ended(esme, wire_id, state):
    """The answer once the message is in that state."""
    async with asyncio.timeout(SOON_S):
        while True:
            frame = await query(esme, wire_id)
            if frame.pdu.message_state == state:
                return frame.pdu
            await asyncio.sleep(0.02)


async def test_a_message_that_waits_is_on_its_way(esme):
    await esme.submit(**LATER)

    frame = await query(esme, "1", "Shop")

    assert (frame.status, frame.pdu) == (0, p.QuerySmResp("1", "", MessageState.ENROUTE, 0))


async def test_a_message_that_was_sent_is_accepted(esme):
    await esme.submit(phone=NEVER_REPORTED)

    assert (await ended(esme, "1", MessageState.ACCEPTED)).final_date == ""


async def test_a_message_that_ended_says_when_and_why(house, esme):
    await esme.submit(phone=UNDELIVERABLE)

    told = await ended(esme, "1", MessageState.UNDELIVERABLE)

    [(changed_at,)] = await house.rows("SELECT changed_at FROM messages")
    moscow = datetime.fromtimestamp(changed_at // 1000, ZoneInfo("Europe/Moscow"))
    assert told.error_code == 1
    assert told.final_date == f"{moscow:%y%m%d%H%M%S}012+"


async def test_a_receiver_may_ask_too(house, esme):
    await esme.submit(**LATER)
    receiver = await bind(house, kind=p.BindReceiver)

    assert (await query(receiver, "1")).pdu.message_state == MessageState.ENROUTE


async def test_the_latest_message_of_an_id_is_meant(house, esme):
    await esme.submit(b"to a number that does not exist", "12")
    await esme.submit(**LATER)

    assert (await query(esme, "1")).pdu.message_state == MessageState.REJECTED
    assert (await query(esme, "2")).pdu.message_state == MessageState.ENROUTE


@pytest.mark.parametrize(
    ("wire_id", "sender", "expected"),
    [
        ("2", "", c.ESME_RQUERYFAIL),
        ("no such", "", c.ESME_RQUERYFAIL),
        ("1", "Other", c.ESME_RQUERYFAIL),
        ("1", ".", 0),
        ("", "", c.ESME_RINVMSGID),
        ("\x7f", "", c.ESME_RINVMSGID),
        ("é", "", c.ESME_RINVMSGID),
    ],
)
async def test_what_is_not_there_cannot_be_asked_for(esme, wire_id, sender, expected):
    await esme.submit(**LATER)

    assert (await query(esme, wire_id, sender)).status == expected


async def test_somebody_elses_message_is_not_there(house, esme):
    await esme.submit(**LATER)
    await house.add("other")
    other = await bind(house, "other")

    assert (await query(other, "1")).status == c.ESME_RQUERYFAIL


async def test_one_message_may_be_asked_for_five_times_a_minute(house, esme):
    await house.limit(status_per_minute=5)
    await esme.submit(**LATER)
    await esme.submit(phone=OTHER, **LATER)

    statuses = [(await query(esme, "1")).status for _ in range(6)]

    assert statuses == [0] * 5 + [c.ESME_RTHROTTLED]
    assert (await query(esme, "2")).status == 0


async def cancel(esme, wire_id, sender="", phone=""):
    frame = await esme.ask(
        p.CancelSm(message_id=wire_id, source_addr=sender, destination_addr=phone)
    )
    return frame.status


async def test_a_message_that_waits_is_cancelled_and_its_price_goes_back(house, esme):
    await esme.submit(**LATER)
    held = await house.rows("SELECT held FROM accounts ORDER BY purse")

    assert await cancel(esme, "1", "Shop", f"+{PHONE}") == 0

    assert held == [(1_000_000,), (0,)]
    assert await house.rows("SELECT held FROM accounts ORDER BY purse") == [(0,), (0,)]
    assert (await query(esme, "1")).pdu.message_state == MessageState.DELETED
    assert [row[4] for row in await house.messages()] == [Status.STOPPED]
    assert await house.violations() == []


@pytest.mark.parametrize(
    ("wire_id", "sender", "phone"),
    [("2", "", ""), ("1", "Other", ""), ("1", "", OTHER)],
)
async def test_what_is_not_there_cannot_be_cancelled(house, esme, wire_id, sender, phone):
    await esme.submit(**LATER)

    assert await cancel(esme, wire_id, sender, phone) == c.ESME_RCANCELFAIL
    assert (await query(esme, "1")).pdu.message_state == MessageState.ENROUTE


async def test_what_has_left_cannot_be_cancelled(esme):
    await esme.submit(phone=NEVER_REPORTED)
    await ended(esme, "1", MessageState.ACCEPTED)

    assert await cancel(esme, "1") == c.ESME_RCANCELFAIL


async def test_nothing_is_cancelled_without_an_id(esme):
    assert await cancel(esme, "", "Shop", PHONE) == c.ESME_RINVMSGID
