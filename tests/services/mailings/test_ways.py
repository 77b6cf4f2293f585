"""Mailings whose messages try another way when one fails: `mes2` and `fl[5]` (jobs.md, 3)."""

import pytest
from tests.building import DAY, HOUR, NOW, OTHER, PHONE, RUB, taken
from tests.mailing import Press, State

from vestnik.domain.message import Err, Kind, Status
from vestnik.domain.refusals import BadParameters
from vestnik.domain.route import Route
from vestnik.services.messages import upkeep
from vestnik.services.messages.delivery import Lost, Postponed
from vestnik.store import schema

pytestmark = pytest.mark.anyio

VIBER = {"kind": Kind.VIBER, "mes2": "By SMS"}


@pytest.fixture
async def press(store):
    """Viber goes by carrier 2 for 3.00, SMS by carrier 3 for 1.00 a part."""
    press = Press(store)
    press.rate(None, RUB)
    press.rate(None, 3 * RUB, "viber")
    for carrier_id, channel in ((2, "viber"), (3, "sms")):
        press.carrier(carrier_id, route=False)
        press.routes.append(Route(carrier_id, carrier_id, channel=channel))
    await press.client()
    return press


async def failed(press, status=Status.UNDELIVERABLE, err=1):
    """The way by Viber has failed for the only message."""
    await press.work()
    await press.take(2)
    await press.report(f"ref-{PHONE}-1", status, err, carrier=2)

    assert await press.violations() == []


async def test_who_is_not_reached_gets_an_sms_under_the_same_id(press):
    wire_id = await press.ordered(PHONE, **VIBER)
    await failed(press)
    message = await press.message()

    assert (message.status, message.err, message.stage) == (0, 0, 0)
    assert (message.type, message.flags & 0xF, message.text) == (0, 0, "By SMS")
    assert (message.queue_carrier, message.next_at, message.expires_at) == (3, NOW, NOW + DAY)

    [flight] = await press.take(3, "sms")

    assert (flight.message.kind, flight.message.text) == (Kind.SMS, "By SMS")

    await press.report(f"sms-{PHONE}-1", carrier=3)
    message = await press.message()

    assert (message.wire_id, message.status, message.stage) == (wire_id, 1, None)
    assert await press.progress(wire_id) == [(1, 0, 1, 1, 0, RUB)]
    assert await press.violations() == []


async def test_the_dearest_way_is_held_and_the_one_that_reached_is_paid(press):
    await press.ordered(PHONE, **VIBER)
    await press.work()
    await press.take(2)

    assert await press.money() == (100 * RUB, 3 * RUB)  # taken on delivery, whatever the setting

    await press.report(f"ref-{PHONE}-1", Status.EXPIRED, carrier=2)
    await press.take(3, "sms")

    assert await press.money() == (100 * RUB, 3 * RUB)

    await press.report(f"sms-{PHONE}-1", carrier=3)

    assert await press.money() == (99 * RUB, 0)
    message = await press.message()
    assert (message.price, message.cost, message.held, message.money) == (3 * RUB, RUB, 0, 2)
    assert await press.violations() == []


async def test_the_first_way_that_reaches_is_paid_and_no_other_is_tried(press):
    await press.ordered(PHONE, **VIBER)
    await press.work()
    await press.take(2)
    await press.report(f"ref-{PHONE}-1", carrier=2)

    message = await press.message()
    assert (message.status, message.type, message.cost) == (1, 10, 3 * RUB)
    assert await press.claim(3) == []
    assert await press.violations() == []


async def test_when_no_way_reaches_nothing_is_paid(press):
    wire_id = await press.ordered(PHONE, **VIBER)
    await failed(press)
    await press.take(3, "sms")
    await press.report(f"sms-{PHONE}-1", Status.UNDELIVERABLE, 6, carrier=3)

    message = await press.message()
    assert (message.status, message.err, message.stage, message.money) == (20, 6, None, 3)
    assert await press.money() == (100 * RUB, 0)
    assert await press.progress(wire_id) == [(1, 0, 1, 0, 1, 0)]
    assert await press.violations() == []


async def test_a_longer_text_has_its_own_parts_and_price(press):
    await press.ordered(PHONE, kind=Kind.VIBER, mes2="x" * 700)
    await press.work()

    assert await press.money() == (100 * RUB, 5 * RUB)

    await failed(press)
    [flight] = await press.claim(3)
    await press.record((flight, taken(flight, "sms")))
    assert flight.message.parts == 5
    assert len(await press.rows(schema.parts)) == 5
    for part in range(1, 6):
        await press.report(f"sms-{PHONE}-{part}", carrier=3)

    assert (await press.message()).status == 1
    assert await press.money() == (95 * RUB, 0)
    assert await press.violations() == []


async def test_main_accounts_pay_their_share_of_the_way_that_reached(press):
    press.rates.clear()
    for client, viber, sms in ((1, 4, 2), (2, 2, 1)):
        press.rate(client, viber * RUB, "viber")
        press.rate(client, sms * RUB)
    await press.client(2, parent_id=1)
    await press.ordered(PHONE, client=2, **VIBER)
    await failed(press)

    assert (await press.money(1), await press.money(2)) == (
        (100 * RUB, 2 * RUB),
        (100 * RUB, 2 * RUB),
    )

    await press.take(3, "sms")
    await press.report(f"sms-{PHONE}-1", carrier=3)

    assert (await press.money(1), await press.money(2)) == ((99 * RUB, 0), (99 * RUB, 0))
    assert await press.violations() == []


async def test_what_a_carrier_refuses_takes_its_next_way(press):
    await press.ordered(PHONE, **VIBER)
    await press.work()
    [flight] = await press.claim(2)
    await press.record((flight, Lost(Status.UNDELIVERABLE, Err.REJECTED)))

    message = await press.message()
    assert (message.status, message.stage, message.queue_carrier) == (-1, 0, 3)
    assert await press.violations() == []


async def test_what_expires_while_it_waits_takes_its_next_way_with_a_life_of_its_own(press):
    await press.ordered(PHONE, valid="1", **VIBER)
    await press.work()
    press.later(HOUR)
    await press.do(upkeep.expire)

    message = await press.message()
    assert (message.status, message.queue_carrier) == (-1, 3)
    assert message.expires_at == press.now + HOUR
    assert await press.violations() == []


async def test_where_no_report_came_no_other_way_is_tried(press):
    await press.ordered(PHONE, **VIBER)
    await press.work()
    await press.take(2)
    press.later(3 * DAY)
    await press.do(upkeep.give_up)

    assert await press.standing() == (None, 20, Err.NO_STATUS, 3)
    assert await press.violations() == []


async def test_a_channel_that_no_carrier_has_is_passed_over_at_once(press):
    press.routes.pop(0)
    press._directory = None
    await press.ordered(f"{PHONE},123", **VIBER)
    await press.work()

    made = [(m.phone, m.status, m.type, m.price) for m in await press.messages()]
    assert made == [(PHONE, -1, 0, RUB), ("123", 22, 10, 0)]
    assert await press.violations() == []


async def test_a_way_that_has_gone_meanwhile_is_none(press):
    await press.ordered(PHONE, **VIBER)
    await press.work()
    await press.take(2)
    press.routes.pop()
    press._directory = None
    await press.report(f"ref-{PHONE}-1", Status.UNDELIVERABLE, 1, carrier=2)

    assert await press.standing() == (None, 20, 1, 3)
    assert await press.violations() == []


@pytest.mark.parametrize("remove", [False, True])
async def test_a_mailing_that_is_switched_off_tries_no_other_way(press, remove):
    wire_id = await press.ordered(f"{PHONE},{OTHER}", **VIBER)
    await press.work()
    [first] = await press.claim(2, room=1)
    await press.record((first, taken(first)))
    switch_off = press.jobs.delete if remove else press.jobs.cancel
    await switch_off(press.clients[1], wire_id, mail=False)
    await press.work()
    await press.report(f"ref-{PHONE}-1", Status.UNDELIVERABLE, 1, carrier=2)

    assert [(m.status, m.stage) for m in await press.messages()] == [(20, None), (-2, None)]
    assert await press.violations() == []


async def test_what_is_not_delivered_is_repeated_once_from_the_other_sender(press):
    wire_id = await press.ordered(PHONE, sender="First", sender2="Second", repeat=True)
    await press.work()
    senders = []
    for prefix in ("a", "b"):
        [flight] = await press.take(3, prefix)
        senders.append(flight.message.sender)
        await press.report(f"{prefix}-{PHONE}-1", Status.UNDELIVERABLE, 6, carrier=3)

        assert await press.violations() == []

    assert senders == ["First", "Second"]
    assert await press.standing() == (None, 20, 6, 3)
    assert (await press.mailing(wire_id)).state == State.RUNNING


async def test_the_repeat_comes_before_the_other_channel(press):
    await press.ordered(PHONE, sender2="Second", repeat=True, **VIBER)
    await failed(press)
    [flight] = await press.take(2, "again")

    assert (flight.message.kind, flight.message.sender) == (Kind.VIBER, "Second")

    await press.report(f"again-{PHONE}-1", Status.EXPIRED, carrier=2)
    [flight] = await press.take(3, "sms")

    assert (flight.message.kind, flight.message.sender) == (Kind.SMS, "Vestnik")


async def test_a_retry_of_the_same_way_is_no_step(press):
    await press.ordered(PHONE, **VIBER)
    await press.work()
    [flight] = await press.claim(2)
    await press.record((flight, Postponed(press.now, 2, 0)))

    message = await press.message()
    assert (message.type, message.queue_carrier) == (10, 2)


async def test_late_reports_of_the_first_way_change_nothing(press):
    await press.ordered(PHONE, **VIBER)
    await failed(press)
    await press.report(f"ref-{PHONE}-1", Status.UNDELIVERABLE, 13, carrier=2)
    await press.take(3, "sms")
    await press.report(f"ref-{PHONE}-1", Status.UNDELIVERABLE, 13, carrier=2)

    message = await press.message()
    assert (message.status, message.stage) == (0, 2)


async def test_clients_hear_of_the_end_alone(press):
    press.limit(callback_url="http://127.0.0.1/")
    await press.ordered(PHONE, **VIBER)
    await failed(press)

    assert await press.rows(schema.news) == []

    await press.take(3, "sms")
    await press.report(f"sms-{PHONE}-1", carrier=3)

    assert len(await press.rows(schema.news)) == 1


async def test_groups_have_their_words_in_the_sms_too(press):
    await press.group(7, (PHONE, {"first_name": "Anna"}))
    await press.ordered("G7", "Viber", kind=Kind.VIBER, mes2="SMS for {first_name}")
    await failed(press)

    assert (await press.message()).text == "SMS for Anna"


async def test_the_text_for_sms_is_checked_when_it_is_ordered(press):
    with pytest.raises(BadParameters):
        await press.ordered(PHONE, kind=Kind.VIBER, mes2="x" * 1001)


async def test_an_sms_has_no_other_channel(press):
    await press.ordered(PHONE, mes2="Never")
    await press.work()
    await press.take(3)
    await press.report(f"ref-{PHONE}-1", Status.UNDELIVERABLE, 1, carrier=3)

    assert await press.standing() == (None, 20, 1, 2)
