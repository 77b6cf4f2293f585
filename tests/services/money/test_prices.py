import pytest
from tests.building import RUB, House, Memory

from vestnik.domain.rate import Rate
from vestnik.services.money.prices import CHANNELS, Prices

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house():
    made = House(Memory())
    await made.client(1, balance=0)
    return made


def rates(house, *made):
    house.rates += [
        Rate(client, channel, price * RUB, *where) for client, channel, price, *where in made
    ]
    house._directory = None


def zones(house, client=1, language="ru"):
    found = Prices(house.directory, language).zones(house.clients[client])
    return [(z.number, z.name, {n: p // RUB for n, p in z.prices.items()}) for z in found]


USUAL = dict.fromkeys(CHANNELS, 1)


async def test_without_a_tariff_there_is_one_zone_at_the_usual_price(house):
    assert zones(house) == [(1, "Все направления", USUAL)]
    assert zones(house, language="en") == [(1, "Everywhere", USUAL)]


async def test_networks_come_first_then_prefixes_then_the_rest(house):
    rates(
        house,
        (None, "sms", 3, "", "25001"),
        (None, "sms", 4, "375"),
        (None, "sms", 2, ""),
        (None, "hlr", 5, ""),
    )

    everywhere = USUAL | {"hlr": 5}
    assert zones(house) == [
        (1, "МТС", everywhere | {"api": 3, "mass": 3}),
        (2, "Беларусь (375)", everywhere | {"api": 4, "mass": 4}),
        (3, "Остальные направления", everywhere | {"api": 2, "mass": 2}),
    ]


async def test_a_clients_own_prices_stand_over_everybodys(house):
    await house.client(2, balance=0)
    rates(house, (None, "sms", 3, "", "25001"), (1, "sms", 2, "", "25001"), (1, "call", 9, "7"))

    assert [(name, p["api"], p["call"]) for _, name, p in zones(house)] == [
        ("МТС", 2, 9),
        ("Россия (7)", 1, 9),
        ("Остальные направления", 1, 1),
    ]
    assert [(name, p["api"], p["call"]) for _, name, p in zones(house, 2)] == [
        ("МТС", 3, 1),
        ("Остальные направления", 1, 1),
    ]


async def test_a_network_without_a_price_for_a_channel_has_that_of_its_country(house):
    rates(house, (None, "sms", 3, "", "25001"), (None, "viber", 4, "7"))

    assert zones(house)[0][2] == USUAL | {"api": 3, "mass": 3, "viber": 4}


async def test_a_subclient_sees_the_tariff_it_is_priced_by(house):
    await house.client(2, balance=0, parent_id=1, type=1)
    rates(house, (1, "sms", 7, ""), (2, "sms", 8, ""))

    assert zones(house, 2)[0][2]["api"] == 7


async def test_what_the_plan_does_not_know_is_named_by_its_codes(house):
    rates(house, (None, "sms", 3, "", "99999"), (None, "sms", 3, "999"))

    assert [name for _, name, _ in zones(house)][:2] == ["99999", "999"]
