import pytest

from vestnik.channels.smpp_settings import settings_from
from vestnik.domain.ids import Ids
from vestnik.domain.refusals import BadNumber, BadParameters, NotFound, NotPossible
from vestnik.services.centre import carriers, directory, setup
from vestnik.services.centre.carriers import NewRoute
from vestnik.services.clients import clients
from vestnik.store import queue

pytestmark = pytest.mark.anyio

NOW = 1_794_960_000_000
PHONE = "79161234567"
SMPP = {"host": "smsc.example", "port": "2776", "window": "50"}


@pytest.fixture
async def fresh(store):
    await setup.prepare(store)
    return store


async def add(store, name="mts", written=SMPP):
    return await store.write(carriers.add, name, "smpp", written, settings_from)


async def change(store, name, **written):
    judges = {"smpp": settings_from, "virtual": dict}
    return await store.write(carriers.change, name, written, judges)


async def read(store):
    return await store.read(directory.read)


async def test_a_carrier_is_in_the_directory(fresh):
    carrier = await add(fresh, written={**SMPP, "on_unknown": "resend", "receipt_parts": "last"})

    assert (await read(fresh)).carriers[carrier.id] == carrier
    assert carrier.settings == SMPP
    assert (carrier.on_unknown, carrier.receipt_parts) == ("resend", "last")


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("a b", {}, "'a b' cannot be a name"),
        ("virtual", {}, "there is a carrier 'virtual' already"),
        ("mts", {"windwo": "5"}, "unknown setting 'windwo'; did you mean 'window'"),
        ("mts", {"port": "0"}, "port"),
        ("mts", {"on_unknown": "maybe"}, "on_unknown is hold or resend, not 'maybe'"),
    ],
)
async def test_a_wrong_carrier_is_refused_in_plain_words(fresh, name, written, words):
    with pytest.raises(BadParameters, match=words):
        await add(fresh, name, written)

    assert len((await read(fresh)).carriers) == 1


async def test_a_carriers_settings_are_changed_and_brought_back(fresh):
    await add(fresh)

    carrier = await change(fresh, "mts", window="", rate="10", enabled="0")

    assert carrier.settings == {"host": "smsc.example", "port": "2776", "rate": "10"}
    assert carrier.enabled is False
    assert (await read(fresh)).carriers[carrier.id] == carrier


async def test_a_carrier_that_does_not_exist_is_named(fresh):
    with pytest.raises(NotFound, match="there is no carrier 'mts'"):
        await change(fresh, "mts", window="5")


async def test_a_carrier_is_removed_once_nothing_needs_it(fresh):
    carrier = await add(fresh)
    route = await fresh.write(carriers.add_route, NewRoute("mts"))

    with pytest.raises(
        NotPossible, match=rf"routes lead to 'mts': remove them first \({route.id}\)"
    ):
        await fresh.write(carriers.remove, "mts")

    await fresh.write(carriers.remove_route, route.id)
    row = (1, 100, carrier.id, 0, 0, NOW, NOW, None, None, "", 0, 0)
    await fresh.write(lambda tx: tx.many(queue.PUT, [row]))

    with pytest.raises(NotPossible, match="messages wait for 'mts'"):
        await fresh.write(carriers.remove, "mts")

    await fresh.write(lambda tx: tx.script("DELETE FROM queue"))
    await fresh.write(carriers.remove, "mts")

    assert [c.name for c in (await read(fresh)).carriers.values()] == ["virtual"]


@pytest.mark.parametrize(
    ("new", "refusal", "words"),
    [
        (NewRoute("mts", channel="pigeon"), BadParameters, "there is no channel 'pigeon'"),
        (NewRoute("mts", prefix="+7"), BadParameters, "first digits of a number, not '\\+7'"),
        (NewRoute("mts", operator="mts"), BadParameters, "MCC and MNC, such as 25001"),
        (NewRoute("mts", weight=0), BadParameters, "a weight is 1 or more"),
        (NewRoute("mts", client="nobody"), NotFound, "there is no client 'nobody'"),
        (NewRoute("beeline"), NotFound, "there is no carrier 'beeline'"),
    ],
)
async def test_a_wrong_route_is_refused_in_plain_words(fresh, new, refusal, words):
    await add(fresh)

    with pytest.raises(refusal, match=words):
        await fresh.write(carriers.add_route, new)


async def test_a_route_that_does_not_exist_is_named(fresh):
    with pytest.raises(NotFound, match="there is no route 77"):
        await fresh.write(carriers.remove_route, 77)


async def test_a_trace_tells_where_a_message_goes_and_why(fresh):
    new = clients.New("alex", clients.hashed("password"))
    await fresh.write(clients.add, new, Ids(31), NOW)
    await add(fresh)
    await add(fresh, "beeline")
    narrow = await fresh.write(
        carriers.add_route, NewRoute("beeline", prefix="7916", client="alex", priority=5)
    )
    wide = await fresh.write(carriers.add_route, NewRoute("mts", operator="25001"))

    found = carriers.trace(await read(fresh), "8 916 123-45-67", "sms", "alex", "")

    assert found.phone == PHONE
    assert found.network.mccmnc == "25001"
    assert found.routes == (narrow, wide)
    assert [carrier.name for carrier in found.carriers] == ["beeline", "mts"]
    assert found.price == 1_000_000

    found = carriers.trace(await read(fresh), PHONE, "sms", "", "")

    assert [carrier.name for carrier in found.carriers] == ["mts"]


async def test_a_trace_of_what_has_no_route_is_empty(fresh):
    await add(fresh)

    found = carriers.trace(await read(fresh), PHONE, "call", "", "")

    assert (found.routes, found.carriers) == ((), ())


@pytest.mark.parametrize(
    ("asked", "refusal", "words"),
    [
        (("12", "sms", "", ""), BadNumber, "'12' is not a phone number"),
        ((PHONE, "pigeon", "", ""), BadParameters, "there is no channel 'pigeon'"),
        ((PHONE, "sms", "nobody", ""), NotFound, "there is no client 'nobody'"),
    ],
)
async def test_a_wrong_trace_is_refused_in_plain_words(fresh, asked, refusal, words):
    found = await read(fresh)

    with pytest.raises(refusal, match=words):
        carriers.trace(found, *asked)
