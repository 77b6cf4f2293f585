import asyncio
from dataclasses import replace
from functools import cache
from ipaddress import ip_network

import pytest

from vestnik.domain.ids import Ids
from vestnik.domain.refusals import BadParameters, InsufficientFunds, NotFound
from vestnik.services.centre import directory, setup
from vestnik.services.clients import clients
from vestnik.services.clients.access import key_hash, verify_password
from vestnik.services.clients.clients import New
from vestnik.store import ledger

pytestmark = pytest.mark.anyio

NOW = 1_794_960_000_000


@cache
def stored():
    return clients.hashed("password")


@pytest.fixture
async def fresh(store):
    await setup.prepare(store)
    return store


async def add(store, login, **fields):
    return await store.write(clients.add, New(login, stored(), **fields), Ids(31), NOW)


async def read(store):
    return await store.read(directory.read)


async def test_a_new_client_has_its_password_and_its_balance(fresh):
    client = await add(fresh, "Alex", balance=100_500_000)
    found = await read(fresh)

    assert found.clients[client.id] == client
    assert found.by_login == {"alex": client.id}
    assert verify_password(found.secrets[client.id], "password", True)
    assert (await fresh.read(ledger.account, client.id)).posted == 100_500_000
    assert await clients_listed(fresh) == [("alex", 100_500_000)]


async def clients_listed(store):
    return [(client.login, held.posted) for client, held in await store.read(clients.everybody)]


async def test_every_change_raises_the_version(fresh):
    versions = [(await read(fresh)).version]

    async def changed():
        versions.append((await read(fresh)).version)

    await add(fresh, "alex")
    await changed()
    await fresh.write(clients.set_password, "alex", stored(), NOW)
    await changed()
    await fresh.write(clients.add_key, "alex", "", NOW)
    await changed()
    await fresh.write(clients.change, "alex", {"day_limit": "5"}, Ids(31), NOW)
    await changed()

    assert versions == sorted(set(versions))


async def test_a_subclient_has_its_parents_currency_and_zone(fresh):
    parent = await add(fresh, "alex", currency="KZT", zone="Asia/Almaty")
    child = await add(fresh, "shop", parent="ALEX", currency="RUB")

    assert child == replace(
        parent, id=child.id, login="shop", parent_id=parent.id, currency="KZT", zone="Asia/Almaty"
    )


@pytest.mark.parametrize(
    ("login", "fields", "words"),
    [
        ("al", {}, "'al' cannot be a login: it has 3 to 50"),
        ("алекс", {}, "cannot be a login"),
        ("alex", {"balance": -1}, "less than nothing"),
        ("alex", {"zone": "Moscow"}, "no time zone 'Moscow'"),
        ("TAKEN", {}, "there is a client 'taken' already"),
    ],
)
async def test_a_wrong_account_is_refused_in_plain_words(fresh, login, fields, words):
    await add(fresh, "taken")

    with pytest.raises(BadParameters, match=words):
        await add(fresh, login, **fields)

    assert len((await read(fresh)).clients) == 1


async def test_a_parent_must_exist(fresh):
    with pytest.raises(NotFound, match="there is no client 'nobody'"):
        await add(fresh, "alex", parent="nobody")


@pytest.mark.parametrize("clear", ["", "1234567", "x" * 201])
def test_a_password_has_8_characters_at_least(clear):
    with pytest.raises(BadParameters, match="a password has 8 to 200 characters"):
        clients.hashed(clear)


async def test_money_is_added_and_taken_back(fresh):
    await add(fresh, "alex", balance=100)

    _, account = await fresh.write(clients.top_up, "alex", 50, "invoice 7", Ids(31), NOW)

    assert account.posted == 150

    _, account = await fresh.write(clients.top_up, "alex", -150, "", Ids(31), NOW + 1)

    assert account.posted == 0
    assert await clients_listed(fresh) == [("alex", 0)]


async def test_what_an_account_does_not_have_cannot_be_taken(fresh):
    await add(fresh, "alex", balance=2_000_000)

    with pytest.raises(InsufficientFunds, match=r"'alex' has 2.00 RUB to spend: 2.50 cannot"):
        await fresh.write(clients.top_up, "alex", -2_500_000, "", Ids(31), NOW)

    assert await clients_listed(fresh) == [("alex", 2_000_000)]


async def test_nothing_is_no_amount(fresh):
    await add(fresh, "alex")

    with pytest.raises(BadParameters, match="0 changes nothing"):
        await fresh.write(clients.top_up, "alex", 0, "", Ids(31), NOW)


async def test_top_ups_of_one_millisecond_are_all_booked(fresh):
    await add(fresh, "alex")

    await asyncio.gather(
        *(fresh.write(clients.top_up, "alex", 10, "", Ids(31), NOW) for _ in range(10))
    )

    assert await clients_listed(fresh) == [("alex", 100)]


async def test_a_new_password_ends_the_old_one(fresh):
    client = await add(fresh, "alex")
    before = (await read(fresh)).secrets[client.id]

    await fresh.write(clients.set_password, "alex", clients.hashed("another one"), NOW)
    after = (await read(fresh)).secrets[client.id]

    assert before != after
    assert verify_password(after, "another one", False)
    assert not verify_password(after, "password", True)


async def test_a_key_opens_the_account_until_it_is_removed(fresh):
    client = await add(fresh, "alex")

    clear = await fresh.write(clients.add_key, "alex", "cash desk", NOW)
    found = await read(fresh)
    (listed,) = await fresh.read(clients.keys, "alex")

    assert found.keys == {key_hash(found.key_secret, clear): client.id}
    assert listed.note == "cash desk"
    assert clear not in repr(listed)

    await fresh.write(clients.remove_key, "alex", listed.id)

    assert (await read(fresh)).keys == {}

    with pytest.raises(NotFound, match=f"'alex' has no key {listed.id}"):
        await fresh.write(clients.remove_key, "alex", listed.id)


async def test_a_key_of_another_account_is_not_removed(fresh):
    await add(fresh, "alex")
    await add(fresh, "other")
    await fresh.write(clients.add_key, "alex", "", NOW)
    (listed,) = await fresh.read(clients.keys, "alex")

    with pytest.raises(NotFound):
        await fresh.write(clients.remove_key, "other", listed.id)


async def test_limits_and_fields_are_changed_together(fresh):
    client = await add(fresh, "alex")
    changes = {
        "day_limit": "500",
        "charge_on": "delivered",
        "sender": "Shop",
        "zone": "Asia/Omsk",
        "addresses": "192.0.2.7, 2001:db8::/32",
        "credit": "10.50",
        "admin": "1",
    }

    await fresh.write(clients.change, "alex", changes, Ids(31), NOW)
    found = (await read(fresh)).clients[client.id]

    assert found.limits == replace(client.limits, day_limit=500, charge_on="delivered")
    assert (found.sender, found.zone, found.admin) == ("Shop", "Asia/Omsk", True)
    assert found.addresses == (ip_network("192.0.2.7"), ip_network("2001:db8::/32"))
    assert (await fresh.read(ledger.account, client.id)).credit == 10_500_000


async def test_an_empty_value_brings_the_default_back(fresh):
    client = await add(fresh, "alex")
    await fresh.write(
        clients.change, "alex", {"simultaneous": "0", "addresses": "192.0.2.7"}, Ids(31), NOW
    )
    await fresh.write(clients.change, "alex", {"simultaneous": "", "addresses": ""}, Ids(31), NOW)

    assert (await read(fresh)).clients[client.id] == client


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"day_limt": "5"}, "there is no setting 'day_limt'; 'vestnik client set alex' shows all"),
        ({"day_limit": "many"}, "day_limit takes a whole number, not 'many'"),
        ({"day_limit": "-1"}, "day_limit cannot be negative"),
        ({"charge_on": "never"}, "charge_on is 'sent' or 'delivered'"),
        ({"addresses": "192.0.2.300"}, "'192.0.2.300' is not an address or network"),
        ({"zone": "Moscow"}, "no time zone 'Moscow'"),
        ({"credit": "-5"}, "credit cannot be negative"),
        ({"credit": "five"}, "'five' is not an amount of money"),
        ({"admin": "yes"}, "admin is 0 or 1, not 'yes'"),
        ({"type": "9"}, "type is 0 to 4, not '9'"),
        ({"type": "1"}, "'alex' is not a subclient: its type is 0"),
    ],
)
async def test_a_wrong_setting_changes_nothing(fresh, changes, words):
    client = await add(fresh, "alex")

    with pytest.raises(BadParameters, match=words):
        await fresh.write(
            clients.change, "alex", {"text_max": "7", "credit": "1", **changes}, Ids(31), NOW
        )

    assert (await read(fresh)).clients[client.id] == client
    assert (await fresh.read(ledger.account, client.id)).credit == 0


async def test_every_setting_is_shown_with_its_help(fresh):
    await add(fresh, "alex")
    await fresh.write(clients.change, "alex", {"day_limit": "500", "credit": "7"}, Ids(31), NOW)

    shown = {s.name: s for s in await fresh.read(clients.show, "alex")}

    assert (shown["day_limit"].value, shown["day_limit"].usual) == ("500", "0")
    assert shown["day_limit"].help == "messages a day in all"
    assert shown["credit"].value == "7.00"
    assert all(s.help for s in shown.values())
