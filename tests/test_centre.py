"""The whole centre in this process: HTTP in, `virtual` out, the status and the balance back."""

import asyncio
import json
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from tests.building import MINUTE, PHONE, House, until
from tests.migrated import new_store

from vestnik import config
from vestnik.domain.money import parse_money
from vestnik.domain.schedule import MOSCOW, day_number
from vestnik.doorkeeper import Doors
from vestnik.main import AlreadyServing, Centre
from vestnik.services.centre import carriers, check
from vestnik.services.centre.carriers import NewRoute
from vestnik.services.clients import clients
from vestnik.services.clients.access import hash_password
from vestnik.store import schema
from vestnik.store.queue import Stage

pytestmark = pytest.mark.anyio

SECRET = hash_password("correct horse")
CALLERS = ThreadPoolExecutor(64)  # not those in which the centre verifies passwords


@asynccontextmanager
async def centre_at(folder, url):
    if not url:
        new_store(folder)
    environment = {"VESTNIK_ACCESS__WRONG_REQUESTS": "0", "VESTNIK_STORE__URL": url}
    centre = Centre(config.load(folder, None, environment), folder)
    await centre.start(Doors(http="127.0.0.1:0"))
    try:
        yield centre
    finally:
        await centre.stop()


@asynccontextmanager
async def serving(folder, url, **limits):
    """A fresh centre with a client alex who has 100.00."""
    async with centre_at(folder, url) as centre:
        alex = clients.New("alex", SECRET, balance=parse_money("100"))
        await centre.store.write(clients.add, alex, centre.road.ids, centre.store.now())
        written = {name: str(value) for name, value in limits.items()}
        await centre.store.write(
            clients.change, "alex", written, centre.road.ids, centre.store.now()
        )
        await centre.current.refresh()
        yield centre


async def ask(centre, name, **parameters):
    """The JSON answer of a script."""
    host, port = centre.ports["http"]
    given = {"login": "alex", "psw": "correct horse", "fmt": "3", "charset": "utf-8", **parameters}
    body = urllib.parse.urlencode(given).encode()
    address = f"http://{host}:{port}/sys/{name}.php"

    def post():
        with urllib.request.urlopen(address, body, timeout=60) as answer:
            return json.loads(answer.read())

    return await asyncio.get_running_loop().run_in_executor(CALLERS, post)


async def status(centre, wire_id, phone=PHONE):
    [found] = await centre.assembly.services.status.look(
        centre.current.value.clients[1], [(str(wire_id), phone)], 0
    )
    return found and found.status


async def sound(centre):
    now = centre.store.now()
    known = check.Circumstances(now, day_number(now, MOSCOW), {}, serving=True)
    return await centre.store.read(check.violations, known) == []


def is_delivered(centre, wire_id, phone=PHONE):
    async def delivered():
        return await status(centre, wire_id, phone) == 1

    return delivered


async def test_a_message_is_sent_delivered_and_paid(store_url, tmp_path):
    async with serving(tmp_path, store_url) as centre:
        sent = await ask(centre, "send", phones=PHONE, mes="Привет", cost="3")
        await until(is_delivered(centre, 1))
        told = await ask(centre, "status", phone=PHONE, id="1", all="1")
        balance = await ask(centre, "balance")
        fine = await sound(centre)

    assert sent == {"id": 1, "cnt": 1, "cost": "1.00", "balance": "99.00"}
    assert (told["status"], told["err"], told["message"]) == (1, 0, "Привет")
    assert (told["cost"], told["sender_id"], told["type"]) == ("1.00", "Vestnik", 0)
    assert balance == {"balance": "99.00"}
    assert fine


async def test_refusals_are_told_and_on_record(store_url, tmp_path):
    async with serving(tmp_path, store_url) as centre:
        wrong = await ask(centre, "send", phones="123", mes="Hi")
        again = await ask(centre, "send", phones="123", mes="Hi")
        dear = await ask(
            centre, "send", phones=",".join(f"7916{n:07}" for n in range(101)), mes="x"
        )
        balance = await ask(centre, "balance")
        statuses = [await status(centre, 1, "123"), await status(centre, dear["id"], "79160000100")]
        fine = await sound(centre)

    assert (wrong["error_code"], wrong["id"]) == (7, 1)
    assert again["error_code"] == 9
    assert dear["error_code"] == 3
    assert statuses == [22, 24]
    assert balance == {"balance": "100.00"}
    assert fine


async def test_many_clients_at_once_are_all_answered_and_delivered(store_url, tmp_path):
    async with serving(tmp_path, store_url, simultaneous=0, identical_s=0) as centre:
        phones = [f"7916000{n:04}" for n in range(60)]
        answers = await asyncio.gather(*(ask(centre, "send", phones=p, mes="Hi") for p in phones))
        for phone, answer in zip(phones, answers, strict=True):
            await until(is_delivered(centre, answer["id"], phone))
        balance = await ask(centre, "balance")
        fine = await sound(centre)

    assert sorted(a["id"] for a in answers) == list(range(1, 61))
    assert balance == {"balance": "40.00"}
    assert fine


async def test_what_was_sent_before_a_restart_is_reported_after_it(store_url, tmp_path):
    async with serving(tmp_path, store_url) as centre:
        await ask(centre, "send", phones="79161239903", mes="takes a minute")
        await ask(centre, "send", phones=PHONE, mes="later", time="+60")
        await until(is_sent(centre))
        old = centre.store.now()
    async with centre_at(tmp_path, store_url) as centre:
        channel = centre.road.dispatchers.get(1).channel
        timers = len(channel._timers)
        again = await ask(centre, "send", phones=PHONE, mes="new")
        statuses = [await status(centre, 1, "79161239903"), await status(centre, 2)]
        fine = await sound(centre)

    assert old < centre.road.ids.take(old + MINUTE)[0]
    assert timers == 1
    assert statuses == [0, -1]
    assert again["id"] == 101
    assert fine


def is_sent(centre):
    async def sent():
        return await status(centre, 1, "79161239903") == 0

    return sent


async def test_what_was_being_sent_when_it_died_is_sent_again_where_that_is_allowed(
    store, store_url, tmp_path
):
    async with serving(tmp_path, store_url) as centre:
        await ask(centre, "send", phones=PHONE, mes="later", time="+1")
    house = House(store)
    house.store.at = centre.store.now() + MINUTE
    house.owner = centre.road.owner
    [flight] = await house.claim()  # and the process is gone
    assert flight.message.text == "later"

    async with centre_at(tmp_path, store_url) as centre:
        await until(is_delivered(centre, 1))
        fine = await sound(centre)

    message = await house.message()
    assert (message.stage, message.uncertain, message.money) == (None, 1, 2)
    assert fine


async def test_no_id_is_made_twice_when_the_clock_has_stepped_back(
    store, store_url, tmp_path, monkeypatch
):
    async with serving(tmp_path, store_url) as centre:
        await ask(centre, "send", phones=PHONE, mes="before")
        await until(is_delivered(centre, 1))
    entries = [entry.id for entry in await House(store).rows(schema.entries)]

    clock = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: clock() - MINUTE * 1_000_000)
    async with centre_at(tmp_path, store_url) as centre:
        await ask(centre, "send", phones=PHONE, mes="after, and a minute earlier")
        await until(is_delivered(centre, 101))
        fine = await sound(centre)

    later = [entry.id for entry in await House(store).rows(schema.entries)][len(entries) :]
    assert min(later) > max(entries) > (await House(store).messages())[0].id
    assert fine


async def test_a_new_carrier_and_route_are_followed(store_url, tmp_path):
    async with serving(tmp_path, store_url) as centre:
        write = centre.store.write
        judge = {"virtual": dict}
        await write(carriers.add, "second", "virtual", {}, dict)
        await write(carriers.add_route, NewRoute("second"))
        await centre._follow()
        await ask(centre, "send", phones=PHONE, mes="by the second")
        await until(is_delivered(centre, 1))

        await write(carriers.change, "second", {"enabled": "0"}, judge)
        await centre._follow()
        refused = await ask(centre, "send", phones=PHONE, mes="no way")
        working = [d.carrier.name for d in centre.road.dispatchers.all()]

    assert (refused["error_code"], refused["id"]) == (8, 2)
    assert working == ["virtual"]


async def test_stopping_leaves_nothing_in_the_air(store, store_url, tmp_path):
    async with serving(tmp_path, store_url) as centre:
        phones = ",".join(f"7916000{n:04}" for n in range(90))
        await ask(centre, "send", phones=phones, mes="Hi")

    stages = {m.stage for m in await House(store).messages()}
    assert stages <= {Stage.WAITING, Stage.SENT, None}
    assert {m.uncertain for m in await House(store).messages()} == {0}


async def test_one_process_serves_a_folder(tmp_path):
    async with centre_at(tmp_path, ""):
        second = Centre(config.load(tmp_path, None, {}), tmp_path)

        with pytest.raises(AlreadyServing, match="another 'vestnik serve' runs on"):
            await second.start(Doors(http="off"))

    async with centre_at(tmp_path, "") as third:
        assert third.ready_line.startswith("vestnik ready http=127.0.0.1:")
