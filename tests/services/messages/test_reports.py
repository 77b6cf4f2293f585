import asyncio

import pytest
from tests.building import DAY, OTHER, PHONE, RUB, THIRD, House, taken

from vestnik.domain.message import Err, Kind, Report, Status
from vestnik.services.messages import reports, upkeep
from vestnik.services.messages.delivery import Postponed, Taken, Unknown
from vestnik.services.messages.reports import Heard
from vestnik.store import messages, schema
from vestnik.store.queue import Stage

pytestmark = pytest.mark.anyio

LONG = "x" * 300  # two parts
REF = f"ref-{PHONE}-"
HELD, CAPTURED, RELEASED = 1, 2, 3


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=10 * RUB)
    return made


async def on_its_way(house, text="Hello", **fields):
    await house.sent(text=text, **fields)
    await house.take(carrier=1 if 1 in house.carriers and house.default_carrier else 2)


@pytest.mark.parametrize(
    ("status", "err", "charge_on", "money", "posted"),
    [
        (Status.DELIVERED, 0, "sent", CAPTURED, 9 * RUB),
        (Status.DELIVERED, 0, "delivered", CAPTURED, 9 * RUB),
        (Status.READ, 0, "delivered", CAPTURED, 9 * RUB),
        (Status.UNDELIVERABLE, Err.OFFLINE, "sent", CAPTURED, 9 * RUB),
        (Status.UNDELIVERABLE, Err.OFFLINE, "delivered", RELEASED, 10 * RUB),
        (Status.EXPIRED, Err.OFFLINE, "delivered", RELEASED, 10 * RUB),
    ],
)
async def test_a_report_ends_a_message(house, status, err, charge_on, money, posted):
    house.limit(charge_on=charge_on)
    await on_its_way(house)
    house.later(1000)
    await house.report(f"{REF}1", status, err, phone=f"+{PHONE}")

    assert await house.standing() == (None, status, err, money)
    assert (await house.message()).changed_at == house.now
    assert await house.money() == (posted, 0)
    [part] = await house.rows(schema.parts)
    assert (part.status, part.err) == (status, err)
    assert await house.violations() == []


async def test_a_report_that_says_nothing_final_changes_nothing(house):
    await on_its_way(house)
    await house.report(f"{REF}1", Status.SENT)

    assert await house.standing() == (Stage.SENT, Status.SENT, 0, CAPTURED)
    assert await house.rows(schema.receipts) == []


async def test_a_repeated_or_older_report_changes_nothing(house):
    await on_its_way(house)
    await house.report(f"{REF}1")
    ended = await house.message()
    house.later(1000)
    await house.report(f"{REF}1")
    await house.report(f"{REF}1", Status.EXPIRED, Err.OFFLINE)
    await house.report(f"{REF}1", Status.UNDELIVERABLE, 1)

    assert await house.message() == ended
    assert await house.violations() == []


async def test_reports_of_one_message_in_one_batch_count_once(house):
    house.limit(charge_on="delivered")
    await on_its_way(house)
    heard = [
        Heard(1, Report(f"{REF}1", "", status))
        for status in (Status.DELIVERED, Status.EXPIRED, Status.DELIVERED)
    ]
    await house.store.write(reports.apply, heard, house.setting())

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.violations() == []


async def test_a_report_of_another_phone_is_somebody_elses(house):
    await on_its_way(house)
    await house.report(f"{REF}1", phone=OTHER)

    assert (await house.message()).stage == Stage.SENT
    [kept] = await house.rows(schema.receipts)
    assert (kept.carrier_ref, kept.phone) == (f"{REF}1", OTHER)


async def test_a_report_of_another_carrier_is_somebody_elses(house):
    await on_its_way(house)
    await house.report(f"{REF}1", carrier=7)

    assert (await house.message()).stage == Stage.SENT


async def test_an_id_that_a_carrier_uses_again_is_the_newest_message_whose_phone_fits(house):
    for phone, text in ((PHONE, "old"), (OTHER, "other"), (PHONE, "new")):
        await house.sent(phone, text)
        [flight] = await house.claim()
        await house.record((flight, Taken(((1, "same"),))))
        house.later(1)

    await house.report("same", phone=PHONE)

    assert [(m.text, m.status) for m in await house.messages()] == [
        ("old", 0),
        ("other", 0),
        ("new", 1),
    ]


async def test_a_long_message_is_delivered_with_its_last_part(house):
    await on_its_way(house, LONG)
    await house.report(f"{REF}2")

    assert (await house.message()).status == Status.SENT

    await house.report(f"{REF}1")

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.violations() == []


async def test_a_long_message_fails_with_any_of_its_parts(house):
    house.limit(charge_on="delivered")
    await on_its_way(house, LONG)
    await house.report(f"{REF}2", Status.UNDELIVERABLE, Err.OFFLINE)
    await house.report(f"{REF}1")

    assert await house.standing() == (None, Status.UNDELIVERABLE, Err.OFFLINE, RELEASED)
    assert await house.violations() == []


async def test_an_older_report_does_not_take_a_delivered_part_back(house):
    await on_its_way(house, LONG)
    await house.report(f"{REF}1")
    await house.report(f"{REF}1", Status.EXPIRED, Err.OFFLINE)
    await house.report(f"{REF}2")

    assert (await house.message()).status == Status.DELIVERED


@pytest.mark.parametrize(("rule", "part"), [("first", 1), ("last", 2)])
async def test_a_carrier_may_report_but_one_part(house, rule, part):
    house.carrier(2, receipt_parts=rule)
    await on_its_way(house, LONG)
    await house.report(f"{REF}{3 - part}", Status.UNDELIVERABLE, 1, carrier=2)

    assert (await house.message()).status == Status.SENT

    await house.report(f"{REF}{part}", carrier=2)

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.violations() == []


@pytest.mark.parametrize("rule", ["first", "all"])
async def test_a_report_of_a_first_part_waits_for_the_others_to_leave(house, rule):
    house.carrier(2, receipt_parts=rule)
    await house.sent(text=LONG)
    [flight] = await house.claim(2)
    await house.record((flight, Postponed(house.now, 2, 0, refs=((1, f"{REF}1"),))))
    await house.report(f"{REF}1", carrier=2)

    assert (await house.message()).stage == Stage.WAITING

    await house.take(2)
    if rule == "all":
        await house.report(f"{REF}2", carrier=2)

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.violations() == []


async def test_parts_that_share_a_carriers_id_are_reported_together(house):
    await house.sent(text=LONG)
    [flight] = await house.claim()
    await house.record((flight, Taken(((1, "one"), (2, "one")))))
    await house.report("one")

    assert (await house.message()).status == Status.DELIVERED


@pytest.mark.parametrize("charge_on", ["sent", "delivered"])
async def test_a_report_resolves_an_unknown_fate(house, charge_on):
    house.carrier(2)
    house.limit(charge_on=charge_on)
    await house.sent(text=LONG)
    [flight] = await house.claim(2)
    await house.record((flight, Unknown(((1, "a"), (2, "b")))))
    await house.report("a", carrier=2)
    await house.report("b", carrier=2)

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.violations() == []


async def test_a_bad_report_of_an_unknown_fate_gives_the_money_back(house):
    house.carrier(2)
    await house.sent(text=LONG)
    [flight] = await house.claim(2)
    await house.record((flight, Unknown(((1, "a"),))))
    await house.report("a", Status.UNDELIVERABLE, Err.BLOCKED, carrier=2)

    assert await house.standing() == (None, Status.UNDELIVERABLE, Err.BLOCKED, RELEASED)
    assert await house.violations() == []


async def test_a_report_for_an_earlier_copy_ends_what_waits_to_be_sent_again(house):
    house.carrier(2, on_unknown="resend")
    await house.sent(text=LONG)
    [flight] = await house.claim(2)
    await house.record((flight, Unknown(((1, "a"), (2, "b")))))

    assert (await house.message()).stage == Stage.WAITING

    await house.report("a", carrier=2)
    await house.report("b", carrier=2)

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.violations() == []


@pytest.mark.parametrize(
    ("status", "err"), [(Status.EXPIRED, Err.OFFLINE), (Status.UNDELIVERABLE, Err.NO_STATUS)]
)
async def test_a_late_delivery_changes_the_status_alone(house, status, err):
    house.limit(charge_on="delivered")
    await on_its_way(house)
    if err == Err.NO_STATUS:
        house.later(3 * DAY)
        await house.do(upkeep.give_up)
    else:
        await house.report(f"{REF}1", status, err)

    assert await house.standing() == (None, status, err, RELEASED)

    await house.report(f"{REF}1")

    assert await house.standing() == (None, Status.DELIVERED, 0, RELEASED)
    assert await house.money() == (10 * RUB, 0)
    assert await house.violations() == []


@pytest.mark.parametrize("after", [Status.READ, Status.CLICKED])
async def test_what_was_delivered_may_be_read(house, after):
    await on_its_way(house)
    await house.report(f"{REF}1")
    await house.report(f"{REF}1", after)

    assert await house.standing() == (None, after, 0, CAPTURED)
    assert await house.money() == (9 * RUB, 0)
    assert await house.violations() == []


async def test_a_letter_may_come_back(house):
    await house.sent("a@example.com", kind=Kind.MAIL)
    [flight] = await house.claim()
    await house.record((flight, Taken(((1, "letter"),), Status.DELIVERED)))
    await house.report("letter", Status.UNDELIVERABLE, 2)

    assert await house.standing() == (None, Status.UNDELIVERABLE, 2, CAPTURED)
    assert await house.money() == (9 * RUB, 0)
    assert await house.violations() == []


async def test_what_matches_nothing_is_kept_for_three_days(house):
    await house.report("stray", Status.UNDELIVERABLE, Err.OFFLINE, phone=PHONE)
    [kept] = await house.rows(schema.receipts)

    assert (kept.carrier_id, kept.carrier_ref, kept.status, kept.err) == (1, "stray", 20, 6)
    assert await house.store.write(messages.drop_old_receipts, house.now) == 0
    assert await house.store.write(messages.drop_old_receipts, house.now + 1) == 1


async def test_a_batch_may_speak_of_many_messages(house):
    await house.sent(f"{PHONE},{OTHER},{THIRD}")
    await house.take()
    heard = [
        Heard(1, Report(f"ref-{PHONE}-1", "", Status.DELIVERED)),
        Heard(1, Report("stray", "", Status.DELIVERED)),
        Heard(1, Report(f"ref-{THIRD}-1", "", Status.EXPIRED, Err.OFFLINE)),
    ]
    await house.store.write(reports.apply, heard, house.setting())

    assert [(m.status, m.err) for m in await house.messages()] == [(1, 0), (0, 0), (3, 6)]
    assert len(await house.rows(schema.receipts)) == 1
    assert await house.violations() == []


async def test_reports_and_records_at_the_same_time_agree(house):
    phones = [f"7916000{n:04}" for n in range(30)]
    house.limit(charge_on="delivered")
    await house.client(2, balance=50 * RUB, limits={"charge_on": "delivered"})
    await house.sent(",".join(phones), client=2)
    flights = await house.claim()
    work = []
    for at in range(0, 30, 5):
        some = flights[at : at + 5]
        work.append(house.record(*((f, taken(f)) for f in some)))
        work += [house.report(f"ref-{f.message.phone}-1") for f in reversed(some)]
    await asyncio.gather(*work)
    await house.do(reports.apply_late)

    assert {(m.stage, m.status, m.money) for m in await house.messages()} == {(None, 1, CAPTURED)}
    assert await house.money(2) == (20 * RUB, 0)
    assert await house.violations() == []
