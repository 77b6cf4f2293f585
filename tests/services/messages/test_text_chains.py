"""Several ways in one text: each begins with its marker, and is tried when the last one failed."""

import msgspec
import pytest
from tests.building import OTHER, PHONE, RUB, House

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Err, Kind, Status
from vestnik.domain.route import Route

pytestmark = pytest.mark.anyio

BOTH = "__VIBER__Hello in Viber\n__SMS__Hello by SMS"


@pytest.fixture
async def house(store):
    """Viber goes by carrier 2 for 3.00, SMS by carrier 3 for 1.00 a part; nothing else goes."""
    made = House(store)
    made.rate(None, RUB)
    made.rate(None, 3 * RUB, "viber")
    for carrier_id, channel in ((2, "viber"), (3, "sms")):
        made.carrier(carrier_id, route=False)
        made.routes.append(Route(carrier_id, carrier_id, channel=channel))
    await made.client()
    return made


async def test_the_first_way_is_tried_first_and_the_dearest_is_held(house):
    accepted = await house.sent(text=BOTH)

    message = await house.message()
    assert (message.type, message.text, message.queue_carrier) == (10, "Hello in Viber", 2)
    assert (message.held, accepted.cost, accepted.count) == (3 * RUB, 3 * RUB, 1)


async def test_what_fails_goes_the_next_way_and_that_is_paid(house):
    await house.sent(text=BOTH)
    await house.take(2)
    await house.report(f"ref-{PHONE}-1", Status.UNDELIVERABLE, 1, carrier=2)

    [flight] = await house.take(3, "sms")
    await house.report(f"sms-{PHONE}-1", carrier=3)

    message = await house.message()
    assert (flight.message.kind, flight.message.text) == (Kind.SMS, "Hello by SMS")
    assert (message.status, message.cost, message.held) == (1, RUB, 0)


async def test_a_way_that_no_carrier_takes_is_left_out(house):
    await house.sent(text="__TG__1234\n__SMS__Hello")

    message = await house.message()
    assert (message.type, message.text, message.price) == (0, "Hello", RUB)


async def test_what_is_wrong_with_the_recipient_is_wrong_whatever_the_way(house):
    [refused] = (await house.refused_draft(phones="123", text=BOTH)).recipients

    assert (refused.status, refused.err) == (Status.BAD_NUMBER, Err.BAD_FORMAT)


async def test_lines_of_a_list_have_ways_of_their_own(house):
    await house.sent(lines=[ListLine(PHONE, "Plain"), ListLine(OTHER, "__VIBER__V\n__SMS__S")])

    plain, chained = await house.messages()
    assert (plain.type, plain.price, chained.type, chained.price) == (0, RUB, 10, 3 * RUB)

    await house.take(3)

    assert [m.cost for m in await house.messages()] == [RUB, 0]  # a chain is paid at its end


async def test_a_break_before_other_underscores_is_a_break(house):
    await house.sent(text="Hello\n__init__ is no marker")

    assert (await house.message()).text == "Hello\n__init__ is no marker"


async def test_a_comment_is_of_the_whole_message(house):
    await house.sent(text=f"{BOTH}\n~~~\nfor me")

    message = await house.message()
    assert (message.text, message.comment) == ("Hello in Viber", "for me")


async def test_a_message_of_two_ways_is_one_towards_a_flood(house):
    house.limit(flood_count=1)

    await house.sent(text=BOTH)

    options = msgspec.json.decode((await house.message()).options)
    assert [step["text"] for step in options["chain"]["steps"]] == ["Hello by SMS"]
