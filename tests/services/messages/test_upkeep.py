import pytest
from tests.building import DAY, HOUR, LEASE, OTHER, PHONE, RUB, House

from vestnik.domain.ids import Ids
from vestnik.domain.message import Err, Status
from vestnik.domain.route import Route
from vestnik.services.messages import reports, upkeep
from vestnik.services.messages.delivery import Postponed, Unknown
from vestnik.store import messages, schema
from vestnik.store.queue import Stage

pytestmark = pytest.mark.anyio

LONG = "x" * 400  # three parts
HELD, CAPTURED, RELEASED = 1, 2, 3


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=10 * RUB)
    return made


@pytest.fixture
async def held(house):
    """A house whose only carrier is not to be sent twice what it may have."""
    house.carrier(2)
    return house


async def test_a_lease_that_ran_out_leaves_an_unknown_fate(held):
    await held.sent()
    await held.claim(2)
    held.later(LEASE - 1)

    assert await held.do(upkeep.lapse) == 0

    held.later(1)

    assert await held.do(upkeep.lapse) == 1
    message = await held.message()
    assert (message.stage, message.status, message.money) == (Stage.UNKNOWN, Status.SENT, HELD)
    assert (message.uncertain, message.carrier_id) == (1, 2)
    assert await held.violations() == []


async def test_what_a_lapsed_carrier_may_be_sent_again_waits(house):
    await house.sent()
    await house.claim()
    house.later(LEASE)
    await house.do(upkeep.lapse)

    message = await house.message()
    assert (message.stage, message.status, message.money) == (Stage.WAITING, Status.SENT, HELD)
    assert (message.next_at, message.attempt, message.uncertain) == (house.now, 1, 1)

    await house.take()

    assert await house.standing() == (Stage.SENT, Status.SENT, 0, CAPTURED)
    assert await house.violations() == []


@pytest.mark.parametrize("node", [0, 3])
async def test_a_new_run_finds_what_its_node_was_sending_before(held, node):
    used = Ids(node)
    held.node, held.owner = node, used.take(held.now, 5)[-1]
    await held.sent(f"{PHONE},{OTHER}")
    await held.claim(2, room=1)
    claimed_by, held.owner = held.owner, Ids(node + 1).take(held.now)[0]
    await held.claim(2, room=1)
    foreign, held.owner = held.owner, claimed_by

    assert await held.do(upkeep.recover) == 0  # its own

    held.later(1000)
    held.owner = Ids(node).take(held.now)[0]

    assert await held.do(upkeep.recover) == 1
    assert [m.stage for m in await held.messages()] == [Stage.UNKNOWN, Stage.SENDING]
    assert foreign > claimed_by
    assert await held.do(upkeep.recover) == 0
    assert await held.violations() == []


async def test_what_no_report_came_for_is_given_up_a_day_past_its_validity(house):
    house.limit(charge_on="delivered")
    await house.sent()
    await house.take()
    house.later(2 * DAY - 1)

    assert await house.do(upkeep.give_up) == 0

    house.later(1)

    assert await house.do(upkeep.give_up) == 1
    assert await house.standing() == (None, Status.UNDELIVERABLE, Err.NO_STATUS, RELEASED)
    assert await house.money() == (10 * RUB, 0)
    assert await house.violations() == []


async def test_what_was_paid_when_it_was_sent_stays_paid(house):
    await house.sent()
    await house.take()
    house.later(2 * DAY)
    await house.do(upkeep.give_up)

    assert await house.standing() == (None, Status.UNDELIVERABLE, Err.NO_STATUS, CAPTURED)
    assert await house.money() == (9 * RUB, 0)
    assert await house.violations() == []


async def test_an_unknown_fate_is_given_up_too(held):
    await held.sent()
    [flight] = await held.claim(2)
    await held.record((flight, Unknown()))
    held.later(2 * DAY)

    assert await held.do(upkeep.give_up) == 1
    assert await held.standing() == (None, Status.UNDELIVERABLE, Err.NO_STATUS, RELEASED)
    assert await held.violations() == []


async def test_what_waits_past_its_validity_expires(house):
    await house.sent(valid="2")
    await house.sent(OTHER)
    house.later(2 * HOUR - 1)

    assert await house.do(upkeep.expire) == 0

    house.later(1)

    assert await house.do(upkeep.expire) == 1
    first, second = await house.messages()
    assert (first.stage, first.status, first.money) == (None, Status.EXPIRED, RELEASED)
    assert second.stage == Stage.WAITING
    assert await house.money() == (10 * RUB, RUB)
    assert await house.violations() == []


async def test_validity_counts_from_when_it_was_to_be_sent(house):
    await house.sent(valid="1", time="+120")
    house.later(2 * HOUR)

    assert await house.do(upkeep.expire) == 0
    assert len(await house.claim()) == 1


@pytest.mark.parametrize(
    ("charge_on", "money", "posted"),
    [("sent", CAPTURED, 9 * RUB), ("delivered", RELEASED, 10 * RUB)],
)
async def test_what_expires_in_the_middle_is_incomplete(house, charge_on, money, posted):
    house.limit(charge_on=charge_on)
    await house.sent(text=LONG)
    [flight] = await house.claim()
    await house.record((flight, Postponed(house.now, 1, 0, refs=((1, "a"),))))
    house.later(DAY)
    await house.do(upkeep.expire)

    assert await house.standing() == (None, Status.UNDELIVERABLE, Err.INCOMPLETE, money)
    assert await house.money() == (posted, 0)
    assert await house.violations() == []


async def test_a_chain_gets_its_holds_back_when_a_message_expires(store):
    house = House(store)
    house.rate(1, RUB)
    house.rate(2, 400_000)
    await house.client(1)
    await house.client(2, parent_id=1)
    await house.sent(client=2)
    house.later(DAY)
    await house.do(upkeep.expire)

    assert await house.money(1) == await house.money(2) == (100 * RUB, 0)
    assert await house.violations() == []


async def test_what_waits_for_a_carrier_that_is_down_takes_the_next_route(house):
    for number in (2, 3, 4):
        house.carrier(number, priority=9 - number)
    await house.sent(f"{PHONE},{OTHER}")
    await house.claim(2, room=1)
    await house.sent("79160000001", time="+5")

    moved = await house.do(upkeep.move_away, 2, {1, 4}, house.now)

    rows = [(m.stage, m.queue_carrier, m.route_step) for m in await house.messages()]
    assert moved == 1
    assert rows == [(Stage.SENDING, 2, 0), (Stage.WAITING, 4, 2), (Stage.WAITING, 2, 0)]
    assert await house.do(upkeep.move_away, 2, {3, 4}, house.now + HOUR) == 1
    assert (await house.messages())[2].queue_carrier == 3


async def test_what_has_no_other_route_stays_and_stops_nobody(house):
    house.carrier(2, route=False)
    house.carrier(3, route=False)
    house.routes += [
        Route(1, 2, client_id=1),
        Route(2, 2, client_id=5, priority=1),
        Route(3, 3, client_id=5),
    ]
    await house.client(5)
    house.limit(identical_s=0)
    for _ in range(4):
        await house.sent(",".join(f"7916000{n:04}" for n in range(2)))
    await house.sent(client=5)

    moved = await house.do(upkeep.move_away, 2, {3}, house.now)

    assert moved == 1
    assert [m.queue_carrier for m in await house.messages()] == [2] * 8 + [3]


async def test_a_report_whose_part_was_recorded_beside_it_is_applied(house):
    await house.sent()
    [flight] = await house.claim()
    await house.report("ref", phone=PHONE)
    await house.report("stray")
    # The commit that learnt the part's id could not see the report yet.
    row = (1, flight.standing.id, 1, 1, "ref", 0, 0, house.now)
    await house.record((flight, Unknown()))  # `virtual` is sent it again
    await house.store.write(messages.put_parts, [row])
    house.later(1)

    await house.do(reports.apply_late)

    assert (await house.message()).status == Status.DELIVERED
    assert [r.carrier_ref for r in await house.rows(schema.receipts)] == ["stray"]
    assert await house.violations() == []
