import asyncio

import pytest

from vestnik.domain.client import Client, Limits
from vestnik.domain.numbering import Row, builtin
from vestnik.domain.rate import Payer, Rate
from vestnik.domain.route import Carrier, Route
from vestnik.services.centre import directory, setup
from vestnik.services.centre.directory import Current
from vestnik.store import carriers, clients, numbering, settings
from vestnik.store.clients import Secret

pytestmark = pytest.mark.anyio

IVAN = Client(id=7, login="ivan", sender="Ivan", limits=Limits(day_limit=5, charge_on="delivered"))
SHOP = Client(id=8, login="shop", parent_id=7, type=1)
PHONE = "79161234567"


@pytest.fixture
async def fresh(store):
    await setup.prepare(store)
    return store


async def changed(store, function, *args):
    async def both(tx):
        await function(tx, *args)
        await settings.raise_version(tx)

    await store.write(both)


async def test_a_fresh_centre_sends_everything_to_its_virtual_carrier(fresh):
    found = await fresh.read(directory.read)

    assert [carrier.name for carrier in found.carriers.values()] == ["virtual"]
    assert found.carriers[1].on_unknown == "resend"
    assert found.routes.plan("sms", 1, "", PHONE, "25001") == (1,)
    assert found.routes.plan("call", 1, "", PHONE, "25001") == (1,)
    assert found.rates.price(1, "sms", PHONE, "25001") == 1_000_000
    assert found.default_sender == "Vestnik"
    assert len(found.key_secret) == 32
    assert found.version == 1


async def test_a_centre_is_set_up_once(fresh):
    before = await fresh.read(directory.read)
    await setup.prepare(fresh)
    await fresh.write(setup.first_run)

    after = await fresh.read(directory.read)

    assert after.key_secret == before.key_secret
    assert len(after.carriers) == 1


async def test_two_processes_set_one_centre_up_together(store):
    await asyncio.gather(*(setup.prepare(store) for _ in range(3)))

    assert len((await store.read(directory.read)).carriers) == 1


async def test_clients_come_back_as_they_were_stored(fresh):
    await changed(fresh, clients.add, IVAN, 1_000)
    await changed(fresh, clients.add, SHOP, 1_000)
    await changed(fresh, clients.add_secret, Secret(1, 7, "password", "argon", "", 1_000))
    await changed(fresh, clients.add_secret, Secret(2, 7, "key", "00ff", "cash desk", 1_000))

    found = await fresh.read(directory.read)

    assert found.clients == {7: IVAN, 8: SHOP}
    assert found.by_login == {"ivan": 7, "shop": 8}
    assert found.secrets == {7: ("argon",)}
    assert found.keys == {b"\x00\xff": 7}
    assert found.payers == {7: (Payer(7, 7),), 8: (Payer(8, 7), Payer(7, 7))}


async def test_virtual_takes_nothing_more_once_there_is_another_carrier(fresh):
    await changed(fresh, carriers.add_carrier, Carrier(9, "mts", "smpp", {"host": "h"}))

    routes = (await fresh.read(directory.read)).routes

    assert routes.plan("sms", 1, "", PHONE, "25001") == ()


async def test_no_route_leads_to_a_carrier_that_is_switched_off(fresh):
    off = Carrier(9, "mts", "smpp", {"host": "h"}, enabled=False)
    await changed(fresh, carriers.add_carrier, off)
    await changed(fresh, carriers.add_route, Route(1, 9))
    await changed(fresh, carriers.add_route, Route(2, 1, prefix="7", priority=-1))

    found = await fresh.read(directory.read)

    assert found.routes.plan("sms", 1, "", PHONE, "25001") == (1,)
    assert found.carriers[9] == off


async def test_a_price_is_that_of_its_tariff(fresh):
    await changed(fresh, carriers.add_rates, 1, [Rate(None, "sms", 5, "7"), Rate(8, "sms", 3, "7")])

    rates = (await fresh.read(directory.read)).rates

    assert [rates.price(owner, "sms", PHONE, "") for owner in (7, 8)] == [5, 3]


async def test_the_operators_own_numbers_lie_over_the_built_in_ones(fresh):
    own = Row("79161234500", "79161234599", "RU", "Own", "Moscow", "25099", "Europe/Moscow")
    await changed(fresh, numbering.add, [own])

    plan = (await fresh.read(directory.read)).numbering

    assert plan.find(PHONE).operator == "Own"
    assert plan.find(PHONE).mccmnc == "25099"
    assert plan.find(PHONE).zone == "Europe/Moscow"
    assert plan.find("79260000000") == builtin().find("79260000000")


async def test_a_process_sees_a_change_and_nothing_but_a_change(fresh):
    current = Current(fresh, default_sender="Centre")

    assert await current.refresh() is True
    assert await current.refresh() is False

    await changed(fresh, clients.add, IVAN, 1_000)

    assert await current.refresh() is True
    assert current.current().clients == {7: IVAN}
    assert current.value.default_sender == "Centre"


async def test_the_numbering_is_read_again_only_when_it_has_changed(fresh):
    async def load(tx):
        await numbering.add(tx, [Row("7916", "7916", "RU", "Own", "", "25099")])
        await settings.put(tx, settings.NUMBERING_VERSION, "5")

    current = Current(fresh)
    await current.refresh()
    await changed(fresh, clients.add, IVAN, 1_000)
    first = current.value.numbering
    await current.refresh()

    assert current.value.numbering is first

    await changed(fresh, load)
    await current.refresh()
    second = current.value.numbering

    assert second.find(PHONE).operator == "Own"

    await changed(fresh, clients.add, SHOP, 1_000)
    await current.refresh()

    assert current.value.numbering is second
