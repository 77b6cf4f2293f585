"""Carriers that are away, slow, throttling or mad, and what the client sees and pays.

Two carriers take every message: "first" by preference, "second" when first does not.
"""

import shutil
import time

import pytest
from tests import serving
from tests.fakes.carrier import (
    GARBAGE,
    HALF_PDU,
    OVERSIZED_PDU,
    Drop,
    FakeCarrier,
    Refuse,
    Swallow,
    throttle,
)
from tests.serving import Centre, until

from vestnik.wire.smpp import command_status as c

pytestmark = pytest.mark.anyio

WINDOW = 10
ANSWER_S_MAX = 2.5  # what comes at once comes sooner, however busy the machine is
SLOW_S = 0.5
SETTINGS = (
    f"window={WINDOW}",
    f"response_timeout_s={ANSWER_S_MAX}",
    "reconnect_min_s=0.1",
    "reconnect_max_s=0.2",
    "throttle_pause_s=0.3",
)
PHONE = "79161112233"


@pytest.fixture(scope="module")
def ports():
    return {"first": serving.free_port(), "second": serving.free_port()}


@pytest.fixture(scope="module")
def routed(furnished, ports, tmp_path_factory):
    """A furnished folder with the carriers and their routes."""
    folder = shutil.copytree(furnished, tmp_path_factory.mktemp("routed") / "data")
    for name, priority in (("first", "10"), ("second", "5")):
        words = ("carrier", "add", name, "--port", str(ports[name]), *SETTINGS)
        serving.command(folder, *words)
        serving.command(folder, "route", "add", "--carrier", name, "--priority", priority)
    return folder


@pytest.fixture
async def centre(routed, tmp_path):
    async with Centre(shutil.copytree(routed, tmp_path / "data")) as serving_one:
        yield serving_one


@pytest.fixture
async def first(ports):
    carrier = FakeCarrier(receipts="DELIVRD")
    await carrier.start(port=ports["first"])
    yield carrier
    await carrier.stop()


@pytest.fixture
async def second(ports):
    carrier = FakeCarrier(receipts="DELIVRD")
    await carrier.start(port=ports["second"])
    yield carrier
    await carrier.stop()


def phones_of(carrier):
    return [submit.destination_addr for submit in carrier.submits]


async def up(centre, *names):
    for name in names:
        await until(lambda name=name: centre.carrier_up(name))


async def send(centre, text, phones=PHONE):
    answer = await centre.ask("send", phones=phones, mes=text)
    return [(answer["id"], phone) for phone in phones.split(",")]


async def one_status(centre, pairs):
    [status] = (await centre.statuses(pairs)).values()
    return status


async def marked_uncertain(centre):
    return {row[0] for row in await centre.rows("SELECT phone FROM messages WHERE uncertain = 1")}


async def test_what_waits_for_a_carrier_that_is_away_goes_to_the_next_one(centre, ports):
    waiting = await send(centre, "Nobody is there")

    assert await one_status(centre, waiting) == -1
    assert await centre.balance() == "99999.00"

    async with FakeCarrier(receipts="DELIVRD") as elsewhere:
        await centre.run("carrier", "set", "second", f"port={elsewhere.port}")
        await centre.ended(waiting)
        taken = phones_of(elsewhere)

    assert taken == [PHONE]
    assert await centre.balance() == "99999.00"
    await centre.sound()


async def test_what_waits_for_its_only_carrier_leaves_when_that_comes_back(centre, ports):
    waiting = await send(centre, "Nobody is there")

    assert await one_status(centre, waiting) == -1

    carrier = FakeCarrier(receipts="DELIVRD")
    await carrier.start(port=ports["first"])
    statuses = await centre.ended(waiting)
    await carrier.stop()

    assert list(statuses.values()) == [1]
    assert phones_of(carrier) == [PHONE]


async def test_a_carrier_that_falls_in_mid_window_gets_nothing_twice(centre, first):
    await up(centre, "first")
    first.next(*[Swallow()] * 4, Drop())
    phones = [str(int(PHONE) + number) for number in range(50)]
    pairs = await send(centre, "Many", ",".join(phones))
    await until(lambda: settled(centre, 50))
    statuses = await centre.statuses(pairs)
    unknown = await marked_uncertain(centre)

    assert sorted(phones_of(first)) == sorted(phones)
    assert 5 <= len(unknown) <= WINDOW
    assert {phone for (_, phone), status in statuses.items() if status == 0} == unknown
    assert {status for status in statuses.values() if status} == {1}
    assert await centre.balance() == "99950.00"
    await centre.sound()


async def settled(centre, count):
    """Every message is delivered or unknown."""
    rows = await centre.rows(
        "SELECT count(*) FROM messages m LEFT JOIN queue q"
        " ON q.client_id = m.client_id AND q.message_id = m.id WHERE q.stage = 3 OR m.status = 1"
    )
    return rows == [(count,)]


async def test_a_slow_carrier_is_waited_for(centre, first):
    first.answer_delay_s = SLOW_S
    await up(centre, "first")
    phones = [str(int(PHONE) + number) for number in range(2 * WINDOW)]
    statuses = await centre.ended(await send(centre, "Slowly", ",".join(phones)))

    assert set(statuses.values()) == {1}
    assert sorted(phones_of(first)) == phones
    assert await marked_uncertain(centre) == set()


async def test_a_carrier_that_is_too_busy_is_asked_again_after_a_pause(centre, first, second):
    await up(centre, "first", "second")
    first.next(*throttle(3))
    statuses = await centre.ended(await send(centre, "Patience"))

    assert list(statuses.values()) == [1]
    assert phones_of(first) == [PHONE] * 4
    assert phones_of(second) == []
    assert await centre.balance() == "99999.00"


@pytest.mark.parametrize(
    ("reaction", "lost"),
    [(GARBAGE, 1), (HALF_PDU, 2), (OVERSIZED_PDU, 1), (Swallow(), 1)],
    ids=["garbage", "half a PDU", "a PDU beyond measure", "silence"],
)
async def test_what_a_mad_carrier_may_have_is_unknown_and_not_sent_again(
    centre, first, second, reaction, lost
):
    """After half a PDU the next answer seems to be its other half, so that is lost as well."""
    await up(centre, "first", "second")
    phones = [str(int(PHONE) + number) for number in range(lost + 1)]
    first.next(reaction)
    unknown = []
    for number, phone in enumerate(phones[:lost], 1):
        unknown += await send(centre, "Are you mad?", phone)
        await until(lambda number=number: uncertain_are(centre, number))
        await up(centre, "first")
    await centre.ended(await send(centre, "Better now?", phones[lost]))

    assert set((await centre.statuses(unknown)).values()) == {0}
    assert phones_of(first) == phones
    assert phones_of(second) == []
    assert await centre.balance() == f"{100_000 - len(phones)}.00"
    await centre.sound()


async def uncertain_are(centre, count):
    return len(await marked_uncertain(centre)) == count


async def test_a_refusal_that_may_pass_leads_to_the_next_carrier(centre, first, second):
    await up(centre, "first", "second")
    first.next(Refuse(c.ESME_RSYSERR))
    statuses = await centre.ended(await send(centre, "Who takes it?"))

    assert list(statuses.values()) == [1]
    assert (phones_of(first), phones_of(second)) == ([PHONE], [PHONE])
    assert await centre.balance() == "99999.00"
    assert await marked_uncertain(centre) == set()


async def test_refused_by_everybody_it_is_tried_again_later(centre, first, second):
    await up(centre, "first", "second")
    first.next(*[Refuse(c.ESME_RSYSERR)] * 20)
    second.next(*[Refuse(c.ESME_RSYSERR)] * 20)
    pairs = await send(centre, "Nobody wants it")
    await until(lambda: both_asked(first, second))
    await until(lambda: waits_for_a_while(centre))

    assert await one_status(centre, pairs) == -1
    assert await centre.balance() == "99999.00"


async def both_asked(first, second):
    return first.submits and second.submits


async def waits_for_a_while(centre):
    """One message waits, and its next try is some seconds away."""
    [(stage, next_at)] = await centre.rows("SELECT stage, next_at FROM queue")
    return stage == 0 and next_at > (time.time() + 2) * 1000


async def test_refused_by_its_only_carrier_it_is_delivered_at_a_later_try(centre, first):
    await centre.run("route", "remove", "2")
    await up(centre, "first")
    first.next(Refuse(c.ESME_RSYSERR))
    statuses = await centre.ended(await send(centre, "Not now"))

    assert list(statuses.values()) == [1]
    assert phones_of(first) == [PHONE, PHONE]
    assert await centre.balance() == "99999.00"


@pytest.mark.parametrize(
    ("refusal", "status", "err"),
    [(c.ESME_RSUBMITFAIL, 20, 255), (c.ESME_RINVDSTADR, 22, 249)],
    ids=["failed", "bad number"],
)
async def test_a_refusal_for_good_ends_it_and_gives_the_money_back(
    centre, first, second, refusal, status, err
):
    await up(centre, "first", "second")
    first.next(Refuse(refusal))
    [pair] = pairs = await send(centre, "Never")
    await centre.ended(pairs)
    answer = await centre.ask("status", id=pair[0], phone=pair[1], all=1)

    assert (answer["status"], answer["err"]) == (status, err)
    assert phones_of(second) == []
    assert await centre.balance() == "100000.00"


async def test_what_was_taken_and_not_delivered_is_paid(centre, first):
    first.receipts = "UNDELIV"
    await up(centre, "first")
    statuses = await centre.ended(await send(centre, "To a phone that is no more"))

    assert list(statuses.values()) == [20]
    assert await centre.balance() == "99999.00"


async def test_refused_while_the_other_carrier_is_away_it_keeps_its_tries(centre, first):
    await up(centre, "first")
    first.next(*[Refuse(c.ESME_RSYSERR)] * 20)
    pairs = await send(centre, "Not now")
    await until(lambda: waits_for_a_while(centre))

    assert await one_status(centre, pairs) == -1
    assert 1 <= len(first.submits) <= 3
