import asyncio

import pytest
from tests.building import DAY, OTHER, PHONE, House

from vestnik.domain.message import Incoming, Kind
from vestnik.domain.schedule import MOSCOW
from vestnik.notifier.local import LocalNotifier
from vestnik.services.incoming import receiving
from vestnik.services.incoming.receiving import Came
from vestnik.services.news import Outboxes
from vestnik.services.sending.requests import Sending
from vestnik.store import schema
from vestnik.workers.forwards import Forwards

pytestmark = pytest.mark.anyio

OURS = "79990000001"
MAIL = "shop@mail.example"
EVERYTHING = {
    "numbers": OURS,
    "incoming_to_phone": 1,
    "incoming_phone": OTHER,
    "incoming_to_email": 1,
    "incoming_email": MAIL,
    "auto_answer": "Thank you",
}


class Kiosk:
    """A house whose client sends on what comes in, with its intake."""

    def __init__(self, store):
        self.house = House(store)

    async def start(self):
        await self.house.client(1, limits=EVERYTHING)
        self.intake = self.house.intake()
        self.restart()
        self.tasks = [
            asyncio.create_task(self.intake.run()),
            asyncio.create_task(self.outboxes.line.run()),
        ]

    def restart(self):
        house = self.house
        self.outboxes = Outboxes(house.store, house.owner, LocalNotifier())
        sending = Sending(house.directory, self.intake, MOSCOW)
        self.worker = Forwards(self.outboxes, house.directory, sending.send, house.store.now)

    async def stop(self):
        self.intake.close()
        self.outboxes.line.close()
        await asyncio.gather(*self.tasks)

    async def come(self, text="Reboot", phone=PHONE):
        came = [Came(1, Incoming(phone, OURS, text))]
        await self.house.store.write(receiving.take, came, self.house.setting())

    async def made(self):
        """What is sent because of what came: (type, phone, text)."""
        return [(m.type, m.phone, m.text) for m in await self.house.messages()]

    async def waiting(self):
        return len(await self.house.rows(schema.news))


@pytest.fixture
async def kiosk(store):
    made = Kiosk(store)
    await made.start()
    yield made
    await made.stop()


async def test_an_incoming_message_is_sent_on_and_answered(kiosk):
    await kiosk.come("Reboot\n~~~\nnow")

    assert await kiosk.worker.run_once() is False
    assert await kiosk.made() == [
        (Kind.SMS, OTHER, f"{PHONE}: Reboot ~~~ now"),
        (Kind.MAIL, MAIL, f"{PHONE}: Reboot ~~~ now"),
        (Kind.SMS, PHONE, "Thank you"),
    ]
    assert await kiosk.waiting() == 0
    assert (await kiosk.house.money())[1] > 0


async def test_a_crash_between_sending_and_noting_it_sends_nothing_twice(kiosk):
    await kiosk.come()
    kept = await kiosk.outboxes.lease("forward", [1])
    [news] = await kiosk.outboxes.waiting("forward", 1, 10)
    assert kept
    taken = kiosk.outboxes.taken

    async def crash(_):
        raise RuntimeError("the plug was pulled")

    kiosk.outboxes.taken = crash
    with pytest.raises(RuntimeError):
        await kiosk.worker.run_once()
    kiosk.outboxes.taken = taken
    assert news.kind == "incoming"
    kiosk.house.later(60_000)
    await kiosk.worker.run_once()

    assert len(await kiosk.made()) == 3
    assert await kiosk.waiting() == 0


async def test_what_a_stranger_writes_chooses_no_channel(kiosk):
    await kiosk.come("__CALL__ wake up")
    await kiosk.worker.run_once()

    assert {kind for kind, _, _ in await kiosk.made()} == {Kind.SMS, Kind.MAIL}


async def test_who_has_no_number_gets_no_answer(kiosk):
    await kiosk.come(phone="MTS")
    await kiosk.worker.run_once()

    assert [phone for _, phone, _ in await kiosk.made()] == [OTHER, MAIL]


async def test_numbers_of_the_centre_do_not_answer_one_another(kiosk):
    await kiosk.house.client(2, limits={"numbers": "79990000002"})
    await kiosk.come(phone="79990000002")
    await kiosk.worker.run_once()

    assert [phone for _, phone, _ in await kiosk.made()] == [OTHER, MAIL]


async def test_what_cannot_be_paid_is_dropped(kiosk):
    kiosk.house.limit(incoming_to_email=0, auto_answer="")
    kiosk.house.rate(None, 10**12)
    await kiosk.come()
    await kiosk.worker.run_once()

    assert [m.status for m in await kiosk.house.messages()] == [24]
    assert await kiosk.waiting() == 0


async def test_a_locked_account_sends_nothing_on(kiosk):
    await kiosk.come()
    kiosk.house.limit(locked=1)
    await kiosk.worker.run_once()

    assert await kiosk.made() == []
    assert await kiosk.waiting() == 0


async def test_what_waited_a_day_is_not_sent_on(kiosk):
    await kiosk.come()
    kiosk.house.later(DAY + 1)
    await kiosk.worker.run_once()

    assert await kiosk.made() == []
    assert await kiosk.waiting() == 0


async def test_nothing_waits_for_an_account_that_wants_nothing_sent_on(kiosk):
    kiosk.house.limit(incoming_to_phone=0, incoming_to_email=0, auto_answer="")
    await kiosk.come()

    assert await kiosk.waiting() == 0


async def test_a_long_text_is_cut_to_what_the_account_may_send(kiosk):
    await kiosk.come("x" * 5_000)
    await kiosk.worker.run_once()

    assert [len(text) for _, _, text in await kiosk.made()] == [1_000, 1_000, 9]
