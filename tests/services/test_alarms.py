import pytest
from tests.building import NOW, House

from vestnik.domain.client import Client, Limits
from vestnik.domain.message import Kind
from vestnik.domain.refusals import (
    BadParameters,
    Duplicate,
    InsufficientFunds,
    NotFound,
    NotPossible,
)
from vestnik.domain.schedule import MOSCOW
from vestnik.services import alarms
from vestnik.services.alarms import Alarms, Event
from vestnik.services.centre import setup
from vestnik.services.clients import clients
from vestnik.services.clients.clients import New
from vestnik.services.messages.draft import Accepted
from vestnik.services.sending.requests import Sending

pytestmark = pytest.mark.anyio

TO = "79161234567,ops@example.com,79161234568"


class Sent:
    """Keeps orders; refuses those that the test says."""

    def __init__(self):
        self.orders = []
        self.refusals = {}

    async def send(self, order):
        self.orders.append(order)
        if order.kind in self.refusals:
            raise self.refusals[order.kind]
        return Accepted("1", 1, 0, None, [])


@pytest.fixture
async def house(store):
    await setup.prepare(store)
    made = House(store)
    for login in ("alex", "anna"):
        await made.store.write(clients.add, New(login, "hash"), made.ids, NOW)
    made.sent = Sent()
    made.alarms = Alarms(made.store, made.sent)
    return made


ALEX, ANNA = Client(1, "alex"), Client(2, "anna")


async def add(house, login="alex", to=TO, kinds="sms,call", **texts):
    return (await house.store.write(alarms.add, login, "night", to, kinds, **texts)).id


def event(ok=False, name="db1", host="192.0.2.7", info="disk full", digest=b"1"):
    return Event(ok, name, host, info, digest, NOW)


async def fire(house, number=1, client=ALEX, **given):
    await house.alarms.fire(client, number, event(**given))
    return [(o.kind, o.lines[0].phones, o.lines[0].text) for o in house.sent.orders]


async def test_numbers_are_told_by_every_kind_and_addresses_by_mail(house):
    await add(house, failure="{NAME} {HOST}: {INFO}")

    numbers, text = "79161234567,79161234568", "db1 192.0.2.7: disk full"
    assert await fire(house) == [
        (Kind.SMS, numbers, text),
        (Kind.CALL, numbers, text),
        (Kind.MAIL, "ops@example.com", text),
    ]
    assert [o.options for o in house.sent.orders] == [{}, {}, {"subj": text}]
    assert len({o.params_digest for o in house.sent.orders}) == 3


async def test_a_recovery_has_its_own_text(house):
    await add(house, to="79161234567", kinds="sms")

    [(_, _, text)] = await fire(house, ok=True, info="")

    assert text == "db1 (192.0.2.7) works again."


async def test_what_comes_in_is_not_looked_into_for_places(house):
    await add(house, to="79161234567", kinds="sms", failure="{NAME} {INFO}")

    [(_, _, text)] = await fire(house, name="{INFO}", info="{HOST}\n~~~\n")

    assert text == "{INFO} {HOST}\n~~~"


async def test_a_text_that_would_be_too_long_is_cut_but_not_of_a_letter(house):
    await add(house, kinds="sms", failure="{INFO}")

    sms, mail = await fire(
        house, client=Client(1, "alex", limits=Limits(text_max=20)), info="x" * 99
    )

    assert (len(sms[2]), len(mail[2])) == (20, 99)


@pytest.mark.parametrize("number", [2, 0, -1, 2**40])
async def test_there_is_no_alarm_but_those_of_the_client(house, number):
    await add(house)

    with pytest.raises(NotFound):
        await fire(house, number)
    with pytest.raises(NotFound):
        await fire(house, 1, client=ANNA)

    assert house.sent.orders == []


async def test_what_is_refused_of_one_kind_stops_no_other(house):
    await add(house)
    house.sent.refusals = {Kind.SMS: InsufficientFunds(), Kind.CALL: BadParameters("no")}

    assert len(await fire(house)) == 3


@pytest.mark.parametrize(
    ("refusals", "expected"),
    [
        ({Kind.SMS: InsufficientFunds()}, NotPossible),
        ({Kind.SMS: Duplicate()}, Duplicate),
    ],
)
async def test_nothing_sent_is_a_refusal(house, refusals, expected):
    await add(house, to="79161234567", kinds="sms")
    house.sent.refusals = refusals

    with pytest.raises(expected):
        await fire(house)


async def test_the_same_alarm_within_a_minute_is_the_same_request(house):
    house.clients[1] = ALEX
    await add(house, to="79161234567", kinds="sms")
    kept = []

    class Intake:
        def put(self, draft):
            kept.append(draft)
            draft.answered.set_result(Accepted("1", 1, 0, None, []))

    house.alarms = Alarms(house.store, Sending(house.directory, Intake(), MOSCOW))
    for digest in (b"1", b"1", b"2"):
        await house.alarms.fire(ALEX, 1, event(digest=digest))

    first, second, third = (draft.digest for draft in kept)
    assert first == second != third


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"to": ""}, "needs recipients"),
        ({"to": "12"}, "'12' is neither"),
        ({"to": "79161234567,abc"}, "'abc' is neither"),
        ({"kinds": "pigeon"}, "'pigeon' cannot carry an alarm"),
        ({"kinds": ","}, "kinds are some of sms, call"),
        ({"failure": " "}, "needs a text"),
    ],
)
async def test_an_alarm_that_could_tell_nobody_is_not_made(house, given, words):
    with pytest.raises(BadParameters, match=words):
        await add(house, **given)


async def test_alarms_are_numbered_by_client_and_removed(house):
    assert [await add(house), await add(house), await add(house, "anna")] == [1, 2, 1]

    await house.store.write(alarms.remove, "alex", 1)
    with pytest.raises(NotFound, match="has no alarm 1"):
        await house.store.write(alarms.remove, "alex", 1)
    with pytest.raises(NotFound, match="no client"):
        await add(house, "nobody")

    left = await house.store.read(alarms.everything)
    assert [(one.client_id, one.id) for one in left] == [(1, 2), (2, 1)]
    assert await add(house) == 3
