"""Parts of long messages: kept, joined, sent once, and sent alone when the others never come."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from tests.building import MINUTE, PHONE, RUB, House, until

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag, Kind, Status
from vestnik.domain.refusals import (
    BadParameters,
    Duplicate,
    InsufficientFunds,
    StoreUnavailable,
)
from vestnik.domain.schedule import MOSCOW
from vestnik.services.messages.draft import Order
from vestnik.services.sending.parts import Part, PartsIn
from vestnik.services.sending.requests import Sending
from vestnik.store import schema
from vestnik.store.engine import CommitUnknown

pytestmark = pytest.mark.anyio

IDENTICAL_S = 60


class Desk:
    """A house that takes parts; `again` is the process that comes after a crash."""

    def __init__(self, house, intake):
        self.house, self.intake = house, intake
        self.sending = Sending(house.directory, intake, MOSCOW)
        self.again()
        self.orders = 0

    def again(self):
        self.parts = PartsIn(
            self.house.store, lambda: self.house.ids.take(self.house.now)[0], self.send
        )
        self.line = asyncio.create_task(self.parts.line.run())

    async def send(self, order):
        self.orders += 1
        return await self.sending.send(order)

    def compose(self, whole):
        client = self.house.clients.get(whole.client_id)
        if client is None:
            return None
        if whole.octets == b"unreadable":
            raise BadParameters
        return Order(
            client=client,
            kind=Kind.SMS,
            lines=[ListLine(whole.phone, whole.octets.decode())],
            params_digest=whole.octets[:16],
            now_ms=self.house.now,
            sender=whole.sender,
            flags=whole.flags,
        )

    async def take(self, number, octets, identical_s=IDENTICAL_S, **fields):
        return await self.parts.take(part(number, octets, **fields), identical_s, self.compose)

    async def sweep(self):
        return await self.parts.sweep(self.compose)

    async def messages(self):
        return [(m.wire_id, m.text) for m in await self.house.messages()]

    async def kept(self):
        return len(await self.house.rows(schema.submit_parts))


def part(number, octets, total=3, reference=7, phone=PHONE, sender="Shop", **fields):
    given = {"client_id": 1, "coding": 0, "manner": "", "flags": 0} | fields
    return Part(
        sender=sender,
        phone=phone,
        reference=reference,
        total=total,
        number=number,
        octets=octets,
        **given,
    )


@asynccontextmanager
async def desk_over(house):
    intake = house.intake()
    running = asyncio.create_task(intake.run())
    desk = Desk(house, intake)
    try:
        yield desk
    finally:
        desk.parts.line.close()
        intake.close()
        await asyncio.gather(desk.line, running)


@pytest.fixture
async def house(store):
    house = House(store)
    await house.client(limits={"identical_s": IDENTICAL_S})
    yield house
    assert await house.violations() == []


@pytest.fixture
async def desk(house):
    async with desk_over(house) as opened:
        yield opened


async def test_parts_become_one_message_under_the_id_that_each_was_told(desk):
    ids = [await desk.take(n, text) for n, text in ((1, b"one "), (2, b"two "), (3, b"three"))]

    assert ids == ["1", "1", "1"]
    assert await desk.messages() == [("1", "one two three")]


async def test_their_order_does_not_matter_nor_do_they_wait_for_one_another(desk):
    ids = await asyncio.gather(desk.take(3, b"three"), desk.take(1, b"one "), desk.take(2, b"two "))

    assert set(ids) == {"1"}
    assert await desk.messages() == [("1", "one two three")]


async def test_a_flag_of_any_part_is_one_of_the_message(desk):
    await desk.take(1, b"one ", 60, total=2)
    await desk.take(2, b"two", 60, total=2, flags=Flag.RECEIPT_WANTED)

    [message] = await desk.house.messages()
    assert message.flags & Flag.RECEIPT_WANTED


@pytest.mark.parametrize(
    "other", [{"reference": 8}, {"sender": "Other"}, {"phone": "79160000002"}, {"coding": 8}]
)
async def test_parts_of_different_messages_do_not_meet(desk, other):
    first = await desk.take(1, b"one", total=2)
    second = await desk.take(2, b"two", total=2, **other)

    assert (first, second) == ("1", "2")
    assert await desk.messages() == []


async def test_parts_of_different_clients_do_not_meet(desk):
    await desk.house.client(2)
    await desk.take(1, b"one", total=2)
    assert await desk.take(2, b"two", total=2, client_id=2) == "1"

    assert await desk.messages() == []


async def test_a_part_that_comes_again_is_told_the_same(desk):
    ids = [await desk.take(1, b"one "), await desk.take(1, b"one ")]
    ids += [await desk.take(2, b"two "), await desk.take(3, b"three")]
    ids += [await desk.take(3, b"three"), await desk.take(1, b"one ")]

    assert ids == ["1"] * 6
    assert await desk.messages() == [("1", "one two three")]
    assert desk.orders == 1


async def test_another_text_with_the_same_reference_is_another_message(desk):
    await desk.take(1, b"old", total=2)
    ids = [await desk.take(1, b"new ", total=2), await desk.take(2, b"text", total=2)]

    assert ids == ["2", "2"]
    assert await desk.messages() == [("2", "new text")]


async def test_the_same_message_twice_in_a_minute_is_refused_with_its_last_part(desk):
    for reference in (1, 2):
        await desk.take(1, b"one ", total=2, reference=reference)
        if reference == 1:
            await desk.take(2, b"two", total=2, reference=reference)

    with pytest.raises(Duplicate):
        await desk.take(2, b"two", total=2, reference=2)
    with pytest.raises(Duplicate):
        await desk.take(2, b"two", total=2, reference=2)
    assert await desk.messages() == [("1", "one two")]


async def test_two_that_say_the_same_and_are_whole_in_one_commit_are_one(desk):
    for reference in (1, 2):
        await desk.take(1, b"one ", total=2, reference=reference)

    ends = (desk.take(2, b"two", total=2, reference=reference) for reference in (1, 2))
    found = await asyncio.gather(*ends, return_exceptions=True)

    assert [type(one) for one in found] == [str, Duplicate]
    assert await desk.messages() == [("1", "one two")]


async def test_where_the_limit_is_lifted_the_same_may_come_again_at_once(desk):
    for _ in range(2):
        await desk.take(1, b"one ", 0, total=2)
        await desk.take(2, b"two", 0, total=2)

    assert await desk.messages() == [("1", "one two"), ("2", "one two")]


async def test_a_message_that_is_refused_says_so_with_its_last_part_and_again(desk):
    await desk.house.client(2, balance=RUB // 2)
    await desk.take(1, b"one ", total=2, client_id=2)

    desk.house.rate(None, RUB)
    with pytest.raises(InsufficientFunds):
        await desk.take(2, b"two", total=2, client_id=2)
    with pytest.raises(Duplicate):
        await desk.take(2, b"two", total=2, client_id=2)

    [message] = await desk.house.messages()
    assert message.status == Status.NO_FUNDS


async def test_parts_that_cannot_be_read_together_are_refused_with_the_last(desk):
    await desk.take(1, b"unread", total=2)

    with pytest.raises(BadParameters):
        await desk.take(2, b"able", total=2)
    assert await desk.messages() == []


async def test_what_waits_for_more_than_a_minute_is_sent_in_pieces(desk):
    await desk.take(1, b"one ")
    await desk.take(3, b"three")
    desk.house.later(MINUTE)
    assert await desk.sweep() is False

    desk.house.later(5_001)
    assert await desk.sweep() is True

    assert sorted(await desk.messages()) == [("1", "one "), ("1", "three")]
    assert await desk.kept() == 0
    assert await desk.sweep() is False


async def test_a_part_that_comes_after_a_minute_begins_anew(desk):
    await desk.take(1, b"one ", total=2)
    desk.house.later(MINUTE)

    assert await desk.take(2, b"two", total=2) == "2"
    assert await desk.messages() == []


async def test_what_was_sent_is_forgotten_after_two_minutes(desk):
    await desk.take(1, b"one ", total=2)
    await desk.take(2, b"two", total=2)
    desk.house.later(2 * MINUTE + 1)
    await desk.sweep()

    assert await desk.kept() == 0
    assert desk.orders == 1
    assert desk.parts._sent == set()


async def test_parts_survive_a_process_that_dies_between_them(desk):
    await desk.take(1, b"one ", total=2)
    desk.parts.line.close()
    desk.again()

    assert await desk.take(2, b"two", total=2) == "1"
    assert await desk.messages() == [("1", "one two")]


async def crash_before_sending(desk):
    """A process that has stored the last part and dies before it can send the message."""

    async def die(order):
        raise StoreUnavailable("dead")

    desk.parts._send = die
    await desk.take(1, b"one ", total=2)
    with pytest.raises(StoreUnavailable):
        await desk.take(2, b"two", total=2)
    desk.parts.line.close()
    desk.again()


async def test_a_whole_message_that_was_not_sent_goes_when_its_part_comes_again(desk):
    await crash_before_sending(desk)

    assert await desk.take(2, b"two", total=2) == "1"
    assert await desk.messages() == [("1", "one two")]


async def test_a_whole_message_that_was_not_sent_goes_by_itself_in_the_end(desk):
    await crash_before_sending(desk)
    desk.house.later(2 * MINUTE + 1)
    await desk.sweep()

    assert await desk.messages() == [("1", "one two")]
    assert await desk.kept() == 0


async def test_a_message_that_was_sent_before_a_crash_is_not_sent_again(desk):
    await desk.take(1, b"one ", total=2)
    await desk.take(2, b"two", total=2)
    desk.parts.line.close()
    desk.again()

    assert await desk.take(2, b"two", total=2) == "1"
    desk.house.later(2 * MINUTE + 1)
    await desk.sweep()

    assert await desk.messages() == [("1", "one two")]
    assert desk.orders == 2  # the first one, and one that got its answer


async def test_a_commit_whose_answer_was_lost_makes_no_double(desk):
    desk.house.store.after.append(CommitUnknown("lost"))
    with pytest.raises(StoreUnavailable):
        await desk.take(1, b"one ", total=2)

    assert await desk.take(1, b"one ", total=2) == "1"
    assert await desk.take(2, b"two", total=2) == "1"
    assert await desk.messages() == [("1", "one two")]


async def test_the_parts_of_a_client_that_is_no_more_are_dropped(desk):
    await desk.take(1, b"one ")
    del desk.house.clients[1]
    desk.house.later(2 * MINUTE)
    await desk.sweep()

    assert await desk.kept() == 0
    assert await desk.messages() == []


async def test_hundreds_of_late_parts_are_all_sent(desk):
    count = 700
    await asyncio.gather(
        *(desk.take(1, b"%d" % n, reference=n, total=2, sender=f"S{n % 7}") for n in range(count))
    )
    desk.house.limit(flood_count=0)
    desk.house.later(MINUTE + 5_001)

    async def done():
        return not await desk.sweep()

    await until(done)

    texts = [text for _, text in await desk.messages()]
    assert sorted(texts) == sorted(str(n) for n in range(count))
