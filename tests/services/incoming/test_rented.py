from datetime import datetime

import pytest
from tests.building import DAY, HOUR, PHONE, RUB, House

from vestnik.domain.message import Incoming
from vestnik.domain.numbering import builtin
from vestnik.domain.refusals import BadParameters, InsufficientFunds, NotFound
from vestnik.domain.schedule import MOSCOW
from vestnik.services.centre import directory, setup
from vestnik.services.incoming import receiving, rented
from vestnik.services.incoming.receiving import Came
from vestnik.services.incoming.rented import Month, Rented
from vestnik.store import schema

pytestmark = pytest.mark.anyio

OURS, SECOND = "79990000777", "79990000778"


def moment(*parts):
    return int(datetime(*parts, tzinfo=MOSCOW).timestamp() * 1000)


JUNE_15 = moment(2025, 6, 15, 19)  # the ids of a house begin an hour before
JULY = moment(2025, 7, 1)


@pytest.fixture
async def house(store):
    await setup.prepare(store)
    made = House(store)
    made.store.at = JUNE_15
    await made.client(1, balance=1_000 * RUB)
    await made.client(2, balance=500 * RUB)
    made.rented = Rented(made.store, made.setting, MOSCOW)
    for phone in (OURS, SECOND):
        await made.store.write(rented.add, phone, rented.RENT, "300", builtin())
    return made


async def buy(house, phone=OURS, client=1, noprolong=False):
    await house.rented.buy(house.clients[client], phone, noprolong=noprolong, now_ms=house.now)


async def tenants(house):
    return {n.phone: n.client_id for n in await house.store.read(rented.everything)}


async def owner(house, phone=OURS):
    """Whose the messages are that come to a number."""
    return (await house.store.read(directory.read)).numbers.get(phone)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (moment(2025, 6, 15, 12), (30, 16, moment(2025, 7, 1))),
        (moment(2025, 6, 1), (30, 30, moment(2025, 7, 1))),
        (moment(2025, 12, 31, 23, 59), (31, 1, moment(2026, 1, 1))),
        (moment(2024, 2, 29), (29, 1, moment(2024, 3, 1))),
        (moment(2025, 11, 5), (30, 26, moment(2025, 12, 1))),
    ],
)
def test_a_month_is_that_of_the_calendar(at, expected):
    month = Month.of(at, MOSCOW)

    assert (month.days, month.left, month.ends) == expected


async def test_a_number_is_charged_for_the_days_that_are_left_and_is_its_tenants(house):
    await buy(house)

    assert (await house.money())[0] == 1_000 * RUB - 300 * RUB * 16 // 30
    assert await owner(house) == 1
    assert [number.phone for number in await house.rented.free()] == [SECOND]
    [entry] = [e for e in await house.rows(schema.entries) if e.kind == "rent"]
    assert (entry.posted, entry.ref) == (-160 * RUB, OURS)
    assert await house.violations() == []


async def test_what_comes_to_a_rented_number_is_its_tenants(house):
    await buy(house, client=2)
    setting = house.setting()
    setting.directory.numbers.update((await house.store.read(directory.read)).numbers)

    await house.store.write(receiving.take, [Came(1, Incoming(PHONE, OURS, "Hello"))], setting)

    assert [(m.client_id, m.text) for m in await house.rows(schema.incoming)] == [(2, "Hello")]


@pytest.mark.parametrize("phone", [OURS, "79990000000", "74950000001", "' OR 1=1 --"])
async def test_only_what_is_free_and_for_rent_is_rented(house, phone):
    await house.store.write(rented.add, "74950000001", rented.CALL, "0", builtin())
    await buy(house, OURS, client=2)

    with pytest.raises(BadParameters):
        await buy(house, phone)

    assert (await house.money())[0] == 1_000 * RUB


async def test_who_has_not_enough_money_gets_nothing(house):
    await house.client(5, balance=159 * RUB)

    with pytest.raises(InsufficientFunds):
        await buy(house, client=5)

    assert set((await tenants(house)).values()) == {0}
    assert await house.money(5) == (159 * RUB, 0)


async def test_a_subclient_that_spends_its_main_accounts_money_rents_with_it(house):
    await house.client(3, balance=0, parent_id=1, type=2)

    await buy(house, client=3)

    assert (await house.money())[0] == 840 * RUB
    assert (await tenants(house))[OURS] == 3


async def test_on_the_first_of_the_month_the_whole_cost_is_charged(house):
    await buy(house)
    house.store.at = JULY - 1
    await house.rented.run_once()

    assert (await house.money())[0] == 840 * RUB

    house.store.at = JULY + HOUR
    await house.rented.run_once()
    await house.rented.run_once()

    assert (await house.money())[0] == 540 * RUB
    [number] = [n for n in await house.store.read(rented.everything) if n.phone == OURS]
    assert number.paid_until == moment(2025, 8, 1)
    assert await house.violations() == []


async def test_a_rent_that_cannot_be_paid_ends(house):
    await house.client(4, balance=200 * RUB)
    await buy(house, client=4)
    house.store.at = JULY
    await house.rented.run_once()

    assert (await tenants(house))[OURS] == 0
    assert await owner(house) is None
    assert await house.money(4) == (40 * RUB, 0)


async def test_a_rent_that_is_not_to_go_on_ends_with_the_month(house):
    await buy(house, noprolong=True)
    await buy(house, SECOND)
    await house.rented.change(house.clients[1], SECOND, noprolong=True)
    house.store.at = JULY - 1
    await house.rented.run_once()

    assert set((await tenants(house)).values()) == {1}

    house.store.at = JULY
    await house.rented.run_once()

    assert set((await tenants(house)).values()) == {0}
    assert await owner(house, SECOND) is None


async def test_a_tenant_may_change_its_mind(house):
    await buy(house, noprolong=True)
    await house.rented.change(house.clients[1], OURS, noprolong=False)
    house.store.at = JULY
    await house.rented.run_once()

    assert (await tenants(house))[OURS] == 1


async def test_after_a_long_stop_one_month_is_charged_and_not_the_missed_ones(house):
    await buy(house)
    house.store.at = moment(2025, 9, 20)
    await house.rented.run_once()

    assert (await house.money())[0] == 540 * RUB


async def test_nobody_changes_the_rent_of_another(house):
    await buy(house)

    for phone in (OURS, SECOND, "79990000000"):
        with pytest.raises(BadParameters, match="you do not rent"):
            await house.rented.change(house.clients[2], phone, noprolong=True)


async def test_what_the_operator_adds_and_removes(house):
    number = await house.store.write(rented.add, "8 495 000-00-02", rented.CALL, "0", builtin())
    assert (number.phone, number.country) == ("74950000002", "Россия")

    await buy(house)
    for phone, words in (
        (OURS, "is rented"),
        ("79990000000", "there is no number"),
    ):
        with pytest.raises((BadParameters, NotFound), match=words):
            await house.store.write(rented.remove, phone)
    for phone, cost, words in (
        ("12", "1", "not a phone number"),
        (OURS, "1", "there already"),
        ("79990000779", "-1", "less than nothing"),
        ("79990000779", "x", "not an amount"),
    ):
        with pytest.raises(BadParameters, match=words):
            await house.store.write(rented.add, phone, rented.RENT, cost, builtin())

    await house.store.write(rented.remove, SECOND)

    assert SECOND not in await tenants(house)


async def test_a_day_of_a_cheap_number_costs_what_it_should(house):
    house.later(15 * DAY)  # 30 June: one day is left
    await buy(house)

    assert (await house.money())[0] == 990 * RUB
