import asyncio
from hashlib import md5, sha1
from zlib import crc32

import pytest
from tests.building import HOUR, MINUTE, OTHER, PHONE, THIRD, House
from tests.fakes.receiver import Receiver

from vestnik.domain.message import Incoming, Status
from vestnik.net.http import HttpClient
from vestnik.notifier.local import LocalNotifier
from vestnik.services.incoming import receiving
from vestnik.services.incoming.receiving import Came
from vestnik.services.news import Outboxes
from vestnik.workers.callbacks import Callbacks

pytestmark = pytest.mark.anyio


class Told:
    """A house whose client is told over HTTP, and its address."""

    def __init__(self, store):
        self.house = House(store)
        self.receiver = Receiver()

    async def start(self, query="?charset=utf-8"):
        await self.receiver.start()
        await self.house.client(limits={"callback_url": self.receiver.url + query})
        self.restart()
        self._line = asyncio.create_task(self.outboxes.line.run())

    def restart(self):
        """As after a crash: nothing in memory is left."""
        house = self.house
        self.outboxes = Outboxes(house.store, house.owner, LocalNotifier())
        self.http = HttpClient(private=True)
        self.worker = Callbacks(self.outboxes, house.directory, self.http, house.store.now)

    async def tell(self):
        """One run, to its end."""
        await self.worker.run_once()
        await self.worker.settled()

    async def delivered(self, phones=PHONE, text="Hello", status=Status.DELIVERED, err=0):
        accepted = await self.house.sent(phones, text)
        for flight in await self.house.take():
            await self.house.report(f"ref-{flight.message.phone}-1", status, err)
        return accepted.wire_id

    async def stop(self):
        self.outboxes.line.close()
        await self._line
        await self.worker.close()
        await self.http.close()
        await self.receiver.stop()


@pytest.fixture
async def told(store):
    told = Told(store)
    await told.start()
    yield told
    await told.stop()


async def test_a_delivered_message_is_told_with_its_fields(told):
    wire_id = await told.delivered()

    await told.tell()

    [(path, fields, charset)] = told.receiver.calls
    assert path == "/told"
    assert charset == "utf-8"
    assert {
        "id": wire_id,
        "phone": PHONE,
        "status": "1",
        "time": "15.06.2025 18:06:40",
        "ts": "1750000000",
        "err": "0",
        "type": "0",
        "flag": "0",
        "cost": "1.00",
        "cnt": "1",
        "sender": "Vestnik",
        "mccmnc": "25001",
    } == fields


async def test_what_was_taken_is_told_once(told):
    await told.delivered()

    await told.tell()
    await told.tell()

    assert len(told.receiver.calls) == 1


async def test_being_handed_to_the_operator_is_told_only_where_it_is_wanted(told):
    await told.house.sent(PHONE)
    await told.house.take()
    await told.tell()
    before = len(told.receiver.calls)
    told.house.limit(callback_sent=1)
    await told.house.sent(OTHER)
    await told.house.take()

    await told.tell()

    assert before == 0
    assert told.receiver.fields("status") == ["0"]


async def test_an_incoming_message_is_told_to_the_owner_of_its_number(told):
    told.house.limit(numbers="79000000777")
    came = Came(1, Incoming(PHONE, "79000000777", "Да; 100%"))
    await told.house.store.write(receiving.take, [came], told.house.setting())

    await told.tell()

    [(_, fields, _)] = told.receiver.calls
    assert tuple(fields[name] for name in ("id", "phone", "mes", "to")) == (
        "1",
        PHONE,
        "Да; 100%",
        "79000000777",
    )


@pytest.mark.parametrize(
    ("option", "name", "sign"),
    [
        ("md5", "md5", lambda octets: md5(octets).hexdigest()),
        ("sha1", "sha1", lambda octets: sha1(octets).hexdigest()),
        ("crc", "crc32", lambda octets: str(crc32(octets))),
        ("crc32", "crc32", lambda octets: str(crc32(octets))),
    ],
)
async def test_calls_are_signed_with_the_secret_of_the_address(told, option, name, sign):
    told.house.limit(callback_url=f"{told.receiver.url}?token=7&{option}=Secret")
    wire_id = await told.delivered()

    await told.tell()

    [(path, fields, charset)] = told.receiver.calls
    assert path == "/told?token=7"
    assert charset == "windows-1251"
    assert sign(f"{wire_id}:{PHONE}:1:Secret".encode()) == fields[name]


async def test_an_address_that_was_dead_for_an_hour_gets_everything_in_order_per_message(told):
    port = told.receiver.port
    await told.receiver.stop()
    await told.delivered(PHONE, status=Status.EXPIRED)
    await told.delivered(f"{OTHER},{THIRD}")
    for _ in range(6):
        await told.tell()
        told.house.later(10 * MINUTE)
    await told.house.report(f"ref-{PHONE}-1", Status.DELIVERED)  # late, after it had expired
    await told.receiver.start(port)
    told.house.later(HOUR)

    await told.tell()

    assert {PHONE, OTHER, THIRD} == set(told.receiver.fields("phone"))
    of_first = [f["status"] for _, f, _ in told.receiver.calls if f["phone"] == PHONE]
    assert of_first == ["3", "1"]


async def test_a_dead_address_spends_no_tries_and_is_left_alone_for_a_while(told):
    await told.delivered()
    told.receiver.answers = [503]

    await told.tell()
    await told.tell()
    told.house.later(MINUTE)
    await told.tell()

    assert len(told.receiver.calls) == 2


async def test_a_call_that_is_refused_is_repeated_later_and_delays_no_other(told):
    await told.delivered(PHONE)
    await told.delivered(OTHER)
    told.receiver.answers = [404]

    await told.tell()
    first = list(told.receiver.fields("phone"))
    told.house.later(MINUTE)
    await told.tell()

    assert len(first) == 2
    assert len(told.receiver.calls) == 3
    assert told.receiver.calls[2][1] == told.receiver.calls[0][1]


async def test_what_a_client_refuses_again_and_again_is_dropped(told):
    await told.delivered()
    told.receiver.answers = [400] * 6

    for _ in range(7):
        await told.tell()
        told.house.later(7 * HOUR)

    assert len(told.receiver.calls) == 6


async def test_one_clients_dead_address_delays_nobody_else(told):
    dead = Receiver()
    await dead.start()
    await dead.stop()
    await told.house.client(2, limits={"callback_url": dead.url})
    for client in (1, 2):
        await told.house.sent(PHONE, f"to {client}", client=client)
    for _ in await told.house.take():
        pass
    await told.house.report(f"ref-{PHONE}-1")
    await told.house.sent(OTHER, "more")
    await told.house.take()
    await told.house.report(f"ref-{OTHER}-1")

    await told.tell()

    assert OTHER in told.receiver.fields("phone")


async def test_news_survives_a_restart(told):
    await told.delivered()
    told.outboxes.line.close()
    await told._line
    told.restart()
    told._line = asyncio.create_task(told.outboxes.line.run())

    await told.tell()

    assert len(told.receiver.calls) == 1


async def test_the_window_bounds_the_calls_at_one_time(told):
    told.house.limit(callback_window=2)
    for number in range(20):
        await told.delivered(str(79160000000 + number))

    await told.tell()

    assert len(told.receiver.calls) == 20


async def test_an_account_without_an_address_makes_no_news(told):
    told.house.limit(callback_url="")
    await told.delivered()

    assert await told.outboxes.clients("http") == []


async def test_test_mode_is_told_too(told):
    told.house.limit(test=1)
    await told.house.sent(PHONE)

    await told.tell()

    assert [(f["status"], f["err"]) for _, f, _ in told.receiver.calls] == [("1", "200")]
