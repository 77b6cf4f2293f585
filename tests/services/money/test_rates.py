import pytest

from vestnik.domain.ids import Ids
from vestnik.domain.refusals import BadParameters
from vestnik.services.centre import directory, setup
from vestnik.services.clients import clients
from vestnik.services.money import rates

pytestmark = pytest.mark.anyio

NOW = 1_794_960_000_000
HEADER = "client;channel;prefix;operator;price"
PHONE = "79161234567"


@pytest.fixture
async def fresh(store):
    await setup.prepare(store)
    new = clients.New("alex", clients.hashed("password"))
    await store.write(clients.add, new, Ids(31), NOW)
    return store


async def load(store, *lines):
    return await store.write(rates.load, list(rates.read_csv([HEADER, *lines])))


async def price(store, owner, mccmnc="", channel="sms"):
    return (await store.read(directory.read)).rates.price(owner, channel, PHONE, mccmnc)


async def test_a_file_sets_the_prices_of_everybody_and_of_clients(fresh):
    tariffs = await load(fresh, ";sms;7;;2.50", ";sms;;25001;3", "alex;sms;;;0.0001", "# end", "")

    assert tariffs == 2
    assert await price(fresh, 77) == 2_500_000
    assert await price(fresh, 77, "25001") == 3_000_000
    assert await price(fresh, 1) == 100
    assert await price(fresh, 77, channel="hlr") == 1_000_000


async def test_a_tariff_is_replaced_whole_and_the_others_stay(fresh):
    await load(fresh, ";sms;7;;2.50", ";hlr;;;0.50", "alex;sms;;;4")
    await load(fresh, ";sms;7;;2.60")

    assert await price(fresh, 77) == 2_600_000
    assert await price(fresh, 77, channel="hlr") == 1_000_000
    assert await price(fresh, 1) == 4_000_000


async def test_a_client_returns_to_the_tariff_of_everybody(fresh):
    await load(fresh, ";sms;;;2", "alex;sms;;;4")
    await fresh.write(rates.remove, "alex")

    assert await price(fresh, 1) == 2_000_000
    assert [login for login, _ in await fresh.read(rates.everything)] == [""]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (";sms;7;;", "line 3: '' is not an amount of money"),
        (";sms;7;;-1", "line 3: a price cannot be negative"),
        (";pigeon;7;;1", "line 3: there is no channel 'pigeon'"),
        (";sms;+7;;1", "line 3: a prefix is the first digits of a number"),
        (";sms;;mts;1", "line 3: an operator is its MCC and MNC"),
        (";sms;7;25001;1", "line 3: a price is for a prefix or for an operator"),
        (";sms;7;1", "line 3: 4 fields instead of 5"),
        (";sms;;;9", "line 3: the same client, channel, prefix and operator as line 2"),
        ("nobody;sms;;;9", "line 3: there is no client 'nobody'"),
    ],
)
async def test_a_wrong_line_is_named_and_nothing_changes(fresh, line, words):
    await load(fresh, ";sms;;;5")

    with pytest.raises(BadParameters, match=words):
        await load(fresh, ";sms;;;6", line)

    assert await price(fresh, 77) == 5_000_000


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["channel;price", "sms;5"], "line 1: the header is not client;channel"),
        ([], "the file has no prices"),
        ([HEADER], "the file has no prices"),
    ],
)
def test_a_file_must_have_its_header_and_a_price(lines, words):
    with pytest.raises(BadParameters, match=words):
        list(rates.read_csv(lines))
