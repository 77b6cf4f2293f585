import pytest
from tests.building import DAY, HOUR, LEASE, NOW, OTHER, PHONE, RUB, House, Memory, taken

from vestnik.domain.message import Err, Kind, Status
from vestnik.services.messages import delivery, upkeep
from vestnik.services.messages.delivery import Lost, Postponed, Taken, Unknown, after_failure
from vestnik.services.sending.acceptance import accept
from vestnik.store import schema
from vestnik.store.queue import Stage

pytestmark = pytest.mark.anyio

LONG = "x" * 400  # three parts
HELD, CAPTURED, RELEASED = 1, 2, 3


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=10 * RUB)
    return made


async def test_what_the_carrier_took_is_sent_and_paid(house):
    await house.sent(text=LONG)
    house.later(1000)
    [flight] = await house.claim()

    assert await house.standing() == (Stage.SENDING, Status.WAITING, 0, HELD)

    await house.record((flight, taken(flight)))

    message = await house.message()
    assert (message.stage, message.status, message.money) == (Stage.SENT, Status.SENT, CAPTURED)
    assert (message.held, message.cost, message.carrier_id) == (0, 3 * RUB, 1)
    assert message.sent_at == message.changed_at == house.now
    assert message.next_at == message.expires_at + DAY
    assert await house.money() == (7 * RUB, 0)
    parts = [(p.part, p.carrier_ref, p.status) for p in await house.rows(schema.parts)]
    assert parts == [(n, f"ref-{PHONE}-{n}", 0) for n in (1, 2, 3)]
    assert await house.violations() == []


async def test_who_pays_for_delivery_pays_nothing_when_it_is_sent(house):
    house.limit(charge_on="delivered")
    await house.sent()
    await house.take()

    assert await house.standing() == (Stage.SENT, Status.SENT, 0, HELD)
    assert await house.money() == (10 * RUB, RUB)
    assert await house.violations() == []


@pytest.mark.parametrize("charge_on", ["sent", "delivered"])
async def test_a_carrier_that_reports_nothing_ends_a_message_by_taking_it(house, charge_on):
    house.limit(charge_on=charge_on)
    await house.sent()
    [flight] = await house.claim()
    await house.record((flight, Taken(((1, "a"),), Status.DELIVERED)))

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.money() == (9 * RUB, 0)
    assert await house.violations() == []


async def test_what_was_surely_not_taken_waits_again(house):
    house.carrier(2, priority=1)
    house.carrier(3)
    await house.sent()
    before = await house.message()
    [flight] = await house.claim(2)
    await house.record((flight, Postponed(house.now + 5000, 3, 1)))

    message = await house.message()
    assert (message.stage, message.status, message.money) == (Stage.WAITING, Status.WAITING, HELD)
    assert (message.queue_carrier, message.route_step, message.attempt) == (3, 1, 1)
    assert message.next_at == house.now + 5000
    assert (message.changed_at, message.sent_at) == (before.changed_at, before.sent_at)
    assert await house.claim(3) == []
    house.later(5000)
    assert len(await house.claim(3)) == 1


async def test_what_is_lost_for_good_gives_the_money_back(house):
    await house.sent()
    [flight] = await house.claim()
    await house.record((flight, Lost(Status.UNREACHABLE, Err.NO_SERVICE)))

    assert await house.standing() == (None, Status.UNREACHABLE, Err.NO_SERVICE, RELEASED)
    assert await house.money() == (10 * RUB, 0)
    assert (await house.message()).carrier_id == 0
    assert await house.violations() == []


@pytest.mark.parametrize(
    ("charge_on", "money", "posted"),
    [("sent", CAPTURED, 8 * RUB), ("delivered", RELEASED, 10 * RUB)],
)
async def test_some_parts_taken_and_the_rest_refused_is_incomplete(house, charge_on, money, posted):
    house.limit(charge_on=charge_on)
    await house.sent(text=LONG)
    [flight] = await house.claim()
    await house.record((flight, Postponed(house.now, 1, 0, refs=((1, "a"),))))
    [flight] = await house.claim()
    await house.record((flight, Lost(Status.UNDELIVERABLE, Err.REJECTED, refs=((3, "c"),))))

    assert flight.message.taken == {1}
    assert await house.standing() == (None, Status.UNDELIVERABLE, Err.INCOMPLETE, money)
    assert await house.money() == (posted, 0)
    assert await house.violations() == []


async def test_nobody_knows_what_became_of_it(house):
    house.carrier(2)
    await house.sent()
    [flight] = await house.claim(2)
    await house.record((flight, Unknown()))

    message = await house.message()
    assert (message.stage, message.status, message.money) == (Stage.UNKNOWN, Status.SENT, HELD)
    assert (message.uncertain, message.carrier_id) == (1, 2)
    assert message.next_at == message.expires_at + DAY
    assert await house.claim(2) == []
    assert await house.violations() == []


async def test_a_carrier_of_which_the_operator_says_so_is_sent_it_again(house):
    house.carrier(2, on_unknown="resend")
    await house.sent(text=LONG)
    [flight] = await house.claim(2)
    await house.record((flight, Unknown(refs=((1, "a"),))))

    message = await house.message()
    assert (message.stage, message.status, message.uncertain) == (Stage.WAITING, Status.SENT, 1)
    assert message.attempt == 1

    house.later(HOUR)
    [again] = await house.take(2)

    assert again.message.taken == {1}
    assert await house.standing() == (Stage.SENT, Status.SENT, 0, CAPTURED)
    assert (await house.message()).uncertain == 1
    assert await house.violations() == []


async def test_only_the_run_that_claimed_it_may_record_it(house):
    await house.sent()
    [flight] = await house.claim()
    house.later(LEASE)
    await house.do(upkeep.lapse)
    house.later(1)
    [again] = await house.claim()

    late = await house.record((flight, taken(flight, "late")))
    own, house.owner = house.owner, house.owner + 1
    foreign = await house.record((again, taken(again)))
    house.owner = own
    twice = [await house.record((again, taken(again))) for _ in range(2)]

    assert (late, foreign, twice) == (0, 0, [1, 0])
    assert await house.money() == (9 * RUB, 0)
    assert len(await house.rows(schema.parts)) == 1
    assert await house.violations() == []


async def test_a_record_whose_first_run_failed_takes_the_money_once(house):
    await house.sent()
    [flight] = await house.claim()
    outcome = (flight, taken(flight))

    async def fails(tx):
        await delivery.record(tx, [outcome], house.setting())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await house.store.write(fails)
    await house.record(outcome)

    assert await house.standing() == (Stage.SENT, Status.SENT, 0, CAPTURED)
    assert await house.money() == (9 * RUB, 0)
    assert await house.violations() == []


async def test_a_report_that_was_quicker_than_the_answer_is_applied_with_it(house):
    await house.sent()
    [flight] = await house.claim()
    await house.report(f"ref-{PHONE}-1", phone=PHONE)
    assert len(await house.rows(schema.receipts)) == 1
    await house.record((flight, taken(flight)))

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.rows(schema.receipts) == []
    assert await house.violations() == []


async def test_of_early_reports_the_first_counts(house):
    house.limit(charge_on="delivered")
    await house.sent()
    [flight] = await house.claim()
    await house.report(f"ref-{PHONE}-1")
    await house.report(f"ref-{PHONE}-1", Status.EXPIRED, Err.OFFLINE)
    await house.record((flight, taken(flight)))

    assert await house.standing() == (None, Status.DELIVERED, 0, CAPTURED)
    assert await house.violations() == []


# Chains: what each account loses when a message is settled.


async def chain(store, kind=0, own=700_000, **limits):
    house = House(store)
    house.rate(1, RUB)
    house.rate(2, own)
    await house.client(1, balance=10 * RUB)
    await house.client(2, balance=10 * RUB, parent_id=1, type=kind, limits=limits)
    return house


@pytest.mark.parametrize(
    ("kind", "own", "below", "above"),
    [
        (0, 1_400_000, -2_800_000, 800_000),  # the main account gains the difference
        (0, 700_000, -1_400_000, -600_000),
        (0, 0, 0, -2 * RUB),
        (1, 1_400_000, -2 * RUB, 0),
        (2, 1_400_000, 0, -2 * RUB),
        (3, 1_400_000, 0, -2_800_000),
        (4, 1_400_000, 0, -2 * RUB),
    ],
)
async def test_each_account_of_a_chain_pays_the_difference(store, kind, own, below, above):
    house = await chain(store, kind, own)
    await house.sent(f"{PHONE},{OTHER}", client=2)
    await house.take()

    assert await house.money(2) == (10 * RUB + below, 0)
    assert await house.money(1) == (10 * RUB + above, 0)
    assert {m.money for m in await house.messages()} == {CAPTURED}
    assert await house.violations() == []


@pytest.mark.parametrize("own", [0, 700_000, 1_400_000])
async def test_a_release_gives_everybody_of_a_chain_its_own_back(store, own):
    house = await chain(store, own=own)
    await house.sent(client=2)
    [flight] = await house.claim()
    await house.record((flight, Lost(Status.UNDELIVERABLE, Err.REJECTED)))

    assert await house.money(2) == await house.money(1) == (10 * RUB, 0)
    assert await house.violations() == []


async def test_some_parts_cost_everybody_of_a_chain_their_share(store):
    house = await chain(store)
    await house.sent(text=LONG, client=2)
    [flight] = await house.claim()
    await house.record(
        (flight, Lost(Status.UNDELIVERABLE, Err.REJECTED, refs=((1, "a"), (2, "b"))))
    )

    assert await house.money(2) == (8_600_000, 0)
    assert await house.money(1) == (9_400_000, 0)
    assert await house.violations() == []


async def test_what_was_handed_over_is_settled_like_what_was_claimed(store):
    house = await chain(store, own=0)
    draft = await house.draft(client=2)
    batch = house.batch(draft)
    [recipient] = draft.recipients
    recipient.handed = True
    await house.store.write(accept, batch)

    flight = delivery.flight_of_draft(draft, recipient, {})
    await house.record((flight, taken(flight)))

    assert await house.standing() == (Stage.SENT, Status.SENT, 0, CAPTURED)
    assert await house.money(1) == (9 * RUB, 0)
    assert await house.violations() == []


# What is claimed, in which order.


async def test_urgent_messages_are_claimed_first_then_clients_in_turn(house):
    await house.client(2)
    await house.sent(",".join(f"7916000000{n}" for n in range(6)))
    await house.sent(",".join(f"7916000001{n}" for n in range(6)), client=2)
    await house.sent(PHONE, "code 1", client=2)

    first = await house.claim(room=5)
    second = await house.claim(room=2, turn=1)

    claimed = [f.message.phone for f in first]
    assert claimed[0] == PHONE
    assert sorted(f.message.client_id for f in first[1:]) == [1, 1, 2, 2]
    assert {f.message.phone for f in first[1:]} == {
        "79160000000",
        "79160000001",
        "79160000010",
        "79160000011",
    }
    assert sorted(f.message.client_id for f in second) == [1, 2]


async def test_no_more_is_claimed_than_there_is_room(house):
    await house.sent(",".join(f"7916000000{n}" for n in range(6)))

    assert len(await house.claim(room=4)) == 4
    assert len(await house.claim(room=4)) == 2
    assert await house.claim(room=4) == []


async def test_what_is_not_due_is_not_claimed(house):
    await house.sent(time="+5")

    assert await house.claim() == []
    house.later(5 * 60_000)
    assert len(await house.claim()) == 1


async def test_a_flight_knows_all_that_its_channel_needs(house):
    tail = "pid: 1, dcs: 245"
    await house.sent(
        text=f"00AABB\n~~~\n{tail}", kind=Kind.BINARY, valid="2", options={"subj": "x"}
    )
    [flight] = await house.claim()

    message = flight.message
    assert (message.kind, message.phone, message.sender) == (Kind.BINARY, PHONE, "Vestnik")
    assert message.options == {"data": "00AABB", "pid": 1, "dcs": 245, "subj": "x"}
    assert (message.expires_at, message.urgent) == (house.now + 2 * HOUR, True)


# What to do with a failure.


async def failed(attempt=0, step=0, **failure):
    house = House(Memory())
    await house.client(1)
    draft = await house.draft()
    flight = delivery.flight_of_draft(draft, draft.recipients[0], {})
    flight.attempt, flight.route_step = attempt, step
    given = {"retry": True, "pause_s": 0.0, "refs": (), "plan": (1, 2, 3), "away": set()} | failure
    return after_failure(flight, status=Status.UNDELIVERABLE, err=Err.REJECTED, now=NOW, **given)


@pytest.mark.parametrize(
    ("attempt", "step", "carrier", "next_step", "wait"),
    [
        (0, 0, 2, 1, 0),
        (1, 1, 3, 2, 0),
        (2, 2, 1, 0, 5_000),  # past the last route a new round, after a back-off
        (8, 2, 1, 0, 60_000),  # and a longer one after each round
    ],
)
async def test_a_failure_leads_along_the_routes(attempt, step, carrier, next_step, wait):
    outcome = await failed(attempt, step)

    assert outcome == Postponed(NOW + wait, carrier, next_step)


@pytest.mark.parametrize(
    ("step", "away", "carrier", "next_step", "wait"),
    [
        (0, {2}, 3, 2, 0),
        (0, {2, 3}, 1, 0, 5_000),
        (2, {1}, 2, 1, 5_000),
        (0, {1, 2, 3}, 1, 0, 5_000),
    ],
)
async def test_carriers_that_are_away_are_passed_over(house, step, away, carrier, next_step, wait):
    outcome = await failed(0, step, away=away)

    assert outcome == Postponed(NOW + wait, carrier, next_step)


async def test_throttling_waits_for_the_same_carrier_however_often():
    outcome = await failed(attempt=50, pause_s=1.5)

    assert outcome == Postponed(NOW + 1500, 1, 0)


async def test_a_message_that_has_begun_stays_with_its_carrier():
    outcome = await failed(refs=((1, "a"),))

    assert outcome == Postponed(NOW + 5000, 1, 0, ((1, "a"),))


@pytest.mark.parametrize("failure", [{"retry": False}, {"attempt": 9}])
async def test_a_message_is_lost_for_good_or_after_many_tries(failure):
    assert await failed(**failure) == Lost(Status.UNDELIVERABLE, Err.REJECTED)
