import asyncio

import pytest
from tests.building import OTHER, PHONE, House
from tests.fakes.receiver import Receiver

from vestnik.domain.message import Err, Kind, Report, Status
from vestnik.net.http import HttpClient
from vestnik.notifier.local import LocalNotifier
from vestnik.services.messages import reports
from vestnik.services.messages.reports import Heard
from vestnik.services.messages.status import Statuses
from vestnik.services.news import HTTP, Outboxes
from vestnik.workers.callbacks import Callbacks

pytestmark = pytest.mark.anyio

FOUND = {
    "imsi": "250023012345678",
    "msc": "79232510066",
    "mcc": "250",
    "mnc": "02",
    "cn": "Российская Федерация",
    "net": "MegaFon & Co",
    "rcn": "",
    "rnet": "",
}


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, limits={"callback_url": "http://127.0.0.1:1/"})
    return made


async def report(house, ref, hlr=FOUND, status=Status.DELIVERED, err=0):
    heard = Heard(1, Report(ref, "", status, err, hlr=hlr))
    await house.store.write(reports.apply, [heard], house.setting())


async def shown(house, phone=PHONE):
    statuses = Statuses(house.store, house.directory, house.setting)
    [found] = await statuses.look(house.clients[1], [("1", phone)], 0)
    return found.status, found.hlr


async def told(house):
    outboxes = Outboxes(house.store, house.owner, LocalNotifier())
    return [news.payload for news in await outboxes.waiting(HTTP, 1, 10)]


async def test_what_a_look_up_finds_is_shown_and_told(house):
    await house.sent(PHONE, "", kind=Kind.HLR)
    await house.take()
    before = await shown(house)

    await report(house, f"ref-{PHONE}-1")

    [news] = await told(house)
    assert before == (Status.SENT, None)
    assert await shown(house) == (Status.DELIVERED, FOUND)
    assert news["hlr"] == FOUND
    assert await house.violations() == []


async def test_an_answer_that_came_before_its_look_up_was_known_is_kept_whole(house):
    await house.sent(PHONE, "", kind=Kind.HLR)
    await report(house, f"ref-{PHONE}-1")
    await house.take()

    [news] = await told(house)
    assert await shown(house) == (Status.DELIVERED, FOUND)
    assert news["hlr"] == FOUND


async def test_an_answer_that_is_repeated_changes_nothing(house):
    await house.sent(PHONE, "", kind=Kind.HLR)
    await house.take()
    await report(house, f"ref-{PHONE}-1")
    await report(house, f"ref-{PHONE}-1", FOUND | {"imsi": "1"})

    assert await shown(house) == (Status.DELIVERED, FOUND)
    assert len(await told(house)) == 1


async def test_a_look_up_that_finds_nothing_says_so(house):
    await house.sent(PHONE, "", kind=Kind.HLR)
    await house.take()
    await report(house, f"ref-{PHONE}-1", None, Status.UNDELIVERABLE, Err.UNKNOWN_SUBSCRIBER)

    [news] = await told(house)
    assert await shown(house) == (Status.UNDELIVERABLE, None)
    assert "hlr" not in news


async def test_every_look_up_of_a_batch_has_its_own_answer(house):
    await house.sent(f"{PHONE},{OTHER}", "", kind=Kind.HLR)
    await house.take()
    heard = [
        Heard(1, Report(f"ref-{phone}-1", "", Status.DELIVERED, hlr=FOUND | {"msc": phone}))
        for phone in (PHONE, OTHER)
    ]
    await house.store.write(reports.apply, heard, house.setting())

    assert [(await shown(house, p))[1]["msc"] for p in (PHONE, OTHER)] == [PHONE, OTHER]


async def test_an_address_is_told_what_was_found(house):
    receiver = Receiver()
    await receiver.start()
    house.limit(callback_url=f"{receiver.url}?charset=utf-8")
    await house.sent(PHONE, "", kind=Kind.HLR)
    await house.take()
    await report(house, f"ref-{PHONE}-1")
    outboxes = Outboxes(house.store, house.owner, LocalNotifier())
    line = asyncio.create_task(outboxes.line.run())
    http = HttpClient(private=True)
    worker = Callbacks(outboxes, house.directory, http, house.store.now)

    await worker.run_once()
    await worker.settled()

    outboxes.line.close()
    await line
    await http.close()
    await receiver.stop()
    [(_, fields, _)] = receiver.calls
    assert {name: fields[name] for name in FOUND} == FOUND
    assert (fields["type"], fields["status"]) == ("4", "1")
