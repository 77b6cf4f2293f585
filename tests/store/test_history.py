import pytest
from tests.fakes.history import DAY, NOON, message, put, put_incoming, put_text

from vestnik.domain.ids import first_id
from vestnik.store import history
from vestnik.store.history import Filter

pytestmark = pytest.mark.anyio

ALL = Filter()
LOW, HIGH = first_id(NOON - 30 * DAY), first_id(NOON + 30 * DAY)


async def scanned(store, wanted=ALL, low=LOW, high=HIGH, most=100, client=1):
    rows = await store.read(history.scan, client, wanted, low, high, most)
    return [row[1] for row in rows]


async def probed(store, wanted, low=LOW, high=HIGH, most=100):
    rows = await store.read(history.probe, 1, wanted, low, high, most)
    return [row[1] for row in rows]


async def test_a_page_is_the_newest_of_a_range_newest_first(store):
    await put(store, [message(number, at=NOON + number * DAY) for number in range(5)])
    await put(store, [message(9, client_id=2)])

    assert await scanned(store) == ["4", "3", "2", "1", "0"]
    assert await scanned(store, most=2) == ["4", "3"]
    assert await scanned(store, low=first_id(NOON + DAY), high=first_id(NOON + 3 * DAY) + 3) == [
        "2",
        "1",
    ]
    assert await scanned(store, client=3) == []


async def test_a_page_has_the_columns_it_promises(store):
    await put_text(store, 77, "to everybody")
    await put(store, [message(1, err=6, status=3, text=None, text_id=77, parts=2)])

    [row] = await store.read(history.scan, 1, Filter(), LOW, HIGH, 10)

    assert tuple(row) == (
        first_id(NOON) + 1,
        "1",
        "79160000001",
        NOON,
        NOON + 5_000,
        3,
        6,
        1_200_000,
        2,
        "SHOP",
        0,
        "25001",
        "to everybody",
    )


@pytest.mark.parametrize(("money", "expected"), [(0, 0), (1, 1_500_000), (2, 1_200_000), (3, 0)])
async def test_the_cost_is_what_was_taken_or_is_still_held(store, money, expected):
    await put(store, [message(1, money=money, price=1_500_000, cost=1_200_000)])

    [row] = await store.read(history.scan, 1, Filter(), LOW, HIGH, 10)

    assert row[7] == expected


async def test_hidden_messages_and_the_other_format_are_left_out(store):
    await put(
        store,
        [
            message(1),
            message(2, hidden=1),
            message(3, type=8, phone="anna@example.org"),
            message(4, type=4),
        ],
    )

    assert await scanned(store) == ["4", "1"]
    assert await scanned(store, Filter(mail=True)) == ["3"]


async def test_statuses_and_senders_are_filtered(store):
    statuses = (-2, -1, 0, 1, 2, 3, 4, 20, 22, 23, 24, 25)
    await put(store, [message(n, status=s) for n, s in enumerate(statuses)])
    await put(store, [message(50, status=1, sender="shop")])

    assert await scanned(store, Filter(statuses=(-1, 20, 25))) == ["11", "7", "1"]
    assert await scanned(store, Filter(statuses=(-2,))) == ["0"]
    assert await scanned(store, Filter(statuses=(1,))) == ["50", "3"]
    assert await scanned(store, Filter(statuses=(1,), sender="shop")) == ["50"]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 513, 700])
async def test_as_many_recipients_as_one_likes_are_found(store, count):
    await put(store, [message(n, phone=f"7916{n:07}", at=NOON + n) for n in range(1_000)])
    wanted = Filter(recipients=tuple(f"7916{n:07}" for n in range(count)))

    found = await scanned(store, wanted, most=2_000)

    assert found == [str(n) for n in reversed(range(count))]
    assert wanted.few == (count <= 8)


async def test_a_probe_finds_what_a_scan_finds(store):
    await put(
        store,
        [message(n, phone=f"7916000000{n % 10}", at=NOON + n * DAY // 7) for n in range(150)],
    )
    await put(store, [message(900, type=8), message(901, hidden=1), message(902, status=20)])
    for recipients in (("79160000001",), ("79160000003", "79160000007"), ("7",)):
        for statuses in ((), (1,)):
            wanted = Filter(recipients=recipients, statuses=statuses)
            low, high = first_id(NOON + 2 * DAY), first_id(NOON + 20 * DAY)

            assert await probed(store, wanted, low, high) == await scanned(store, wanted, low, high)
            assert await probed(store, wanted, most=3) == await scanned(store, wanted, most=3)


async def test_a_probe_reaches_the_edges_of_the_centres_days(store):
    midnight = NOON - 12 * 3_600_000  # of Moscow: 21:00 UTC of the day before
    await put(store, [message(1, at=midnight), message(2, at=midnight + DAY - 1)])
    wanted = Filter(recipients=("79160000001",))

    found = await probed(store, wanted, first_id(midnight), first_id(midnight + DAY))

    assert found == ["2", "1"]


async def test_a_reach_ends_at_the_message_that_was_counted_to(store):
    await put(store, [message(number) for number in range(10)])
    base = first_id(NOON)

    assert await store.read(history.reach, 1, LOW, HIGH, 1) == base + 9
    assert await store.read(history.reach, 1, LOW, HIGH, 10) == base
    assert await store.read(history.reach, 1, LOW, HIGH, 11) == LOW
    assert await store.read(history.reach, 1, LOW, base + 5, 2) == base + 3


async def test_the_newest_id_is_the_clients_own(store):
    await put(store, [message(1), message(7, client_id=2)])

    assert await store.read(history.newest_id, 1) == first_id(NOON) + 1
    assert await store.read(history.newest_id, 3) == 0


async def test_incoming_messages_go_by_id_and_moment_and_number(store):
    await put_incoming(
        store,
        [
            (1, n, "79160000001", f"7777{n % 2}", f"text {n}", NOON + n, NOON + n)
            for n in range(1, 8)
        ],
    )
    await put_incoming(store, [(2, 3, "79160000001", "77770", "another's", NOON, NOON)])

    async def ids(after, since, to_phone, most, newest):
        rows = await store.read(history.received, 1, after, since, to_phone, most, newest=newest)
        return [row[0] for row in rows]

    assert await ids(0, 0, "", 3, True) == [7, 6, 5]
    assert await ids(2, 0, "", 3, False) == [5, 4, 3]
    assert await ids(0, NOON + 6, "", 10, True) == [7, 6]
    assert await ids(0, 0, "77770", 10, True) == [6, 4, 2]
    assert await store.read(history.last_received, 1) == 7
    assert await store.read(history.last_received, 9) == 0
    assert tuple(await store.read(history.received_at, 1, 4)) == (4, NOON + 4)
    assert await store.read(history.received_at, 1, 8) is None
