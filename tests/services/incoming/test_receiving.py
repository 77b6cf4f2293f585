import itertools

import pytest
from tests.building import DAY, OTHER, PHONE, House

from vestnik.domain.message import Incoming
from vestnik.services.incoming import receiving
from vestnik.services.incoming.receiving import Came
from vestnik.store import schema, segments

pytestmark = pytest.mark.anyio

OURS, THEIRS, NOBODYS = "79990000001", "79990000002", "79990000003"


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, limits={"numbers": f"{OURS},79990000009"})
    await made.client(2, limits={"numbers": THEIRS})
    return made


async def come(house, *messages, carrier=1):
    came = [Came(carrier, message) for message in messages]
    await house.store.write(receiving.take, came, house.setting())


async def stored(house):
    return [(m.client_id, m.id, m.text) for m in await house.rows(schema.incoming)]


async def test_a_message_belongs_to_whose_number_it_came_to(house):
    await come(
        house,
        Incoming(PHONE, OURS, "one"),
        Incoming(PHONE, f"+{THEIRS}", "two"),
        Incoming(PHONE, NOBODYS, "three"),
        Incoming(PHONE, OURS, "four"),
    )
    await come(house, Incoming(PHONE, OURS, "five"))

    assert await stored(house) == [
        (0, 1, "three"),
        (1, 1, "one"),
        (1, 2, "four"),
        (1, 3, "five"),
        (2, 1, "two"),
    ]


@pytest.mark.parametrize(
    ("limits", "transports"),
    [
        ({}, []),
        ({"callback_url": "http://a.example"}, ["http"]),
        ({"callback_url": "http://a.example", "callback_incoming": 0}, []),
        ({"callback_url": "http://a.example", "callback_statuses": 0}, ["http"]),
        ({"callback_url": "http://a.example", "smpp_incoming": 1}, ["smpp"]),
        ({"auto_answer": "Thanks"}, ["forward"]),
        (
            {"smpp_incoming": 1, "incoming_to_phone": 1, "auto_answer": "Thanks"},
            ["forward", "smpp"],
        ),
        ({"incoming_to_email": 1}, ["forward"]),
    ],
)
async def test_the_owner_is_told_as_it_wishes(house, limits, transports):
    house.limit(**limits)
    await come(house, Incoming(PHONE, OURS, "one"))

    assert sorted(news.transport for news in await house.rows(schema.news)) == transports


async def test_numbers_are_stored_as_they_are_asked_for(house):
    await come(house, Incoming(f"+{PHONE}", OURS, "hi", sent_at=7), Incoming("MTS", OURS, "ad"))

    first, second = await house.rows(schema.incoming)
    assert (first.phone, first.to_phone, first.sent_at) == (PHONE, OURS, 7)
    assert (first.received_at, first.carrier_id) == (house.now, 1)
    assert (second.phone, second.sent_at) == ("MTS", house.now)


def parts_of(text, reference=7, phone=PHONE):
    return [
        Incoming(phone, OURS, piece, reference, len(text), index)
        for index, piece in enumerate(text, start=1)
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:4])
async def test_segments_are_joined_in_whatever_order_they_come(house, order):
    pieces = parts_of("abc")
    for place in order:
        assert await stored(house) == []
        await come(house, pieces[place])

    assert await stored(house) == [(1, 1, "abc")]
    assert await house.rows(schema.segments) == []


async def test_segments_of_one_batch_are_joined(house):
    await come(house, *parts_of("ab"), Incoming(PHONE, OURS, "whole"))

    assert await stored(house) == [(1, 1, "ab"), (1, 2, "whole")]


async def test_a_repeated_segment_changes_nothing(house):
    first, second = parts_of("ab")
    await come(house, first)
    await come(house, first)
    await come(house, second)

    assert await stored(house) == [(1, 1, "ab")]


async def test_segments_of_others_are_not_mixed_in(house):
    first, _ = parts_of("ab")
    _, of_other_phone = parts_of("xy", phone=OTHER)
    _, of_other_series = parts_of("xy", reference=8)
    _, second = parts_of("ab")
    await come(house, first, of_other_phone, of_other_series)
    await come(house, second, carrier=2)

    assert await stored(house) == []
    assert len(await house.rows(schema.segments)) == 4


async def test_what_is_left_of_an_older_series_is_not_mixed_in(house):
    await come(house, parts_of("xyz")[2])
    house.later(1000)
    first, second = parts_of("ab")
    await come(house, first)

    assert await stored(house) == []

    await come(house, second)

    assert await stored(house) == [(1, 1, "ab")]


async def test_segments_wait_for_a_day(house):
    first, second = parts_of("ab")
    await come(house, first)
    house.later(DAY)
    await come(house, second)

    assert await stored(house) == []
    assert await house.store.write(segments.drop_old, house.now) == 1
