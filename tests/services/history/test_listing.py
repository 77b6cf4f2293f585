import zlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from tests.fakes.history import DAY, NOON, message, put, put_incoming

from vestnik.domain.client import Client
from vestnik.domain.ids import first_id
from vestnik.domain.numbering import Numbering, builtin
from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.services.history import listing
from vestnik.services.history.listing import Cells, History, filter_from, period
from vestnik.store.history import Filter

pytestmark = pytest.mark.anyio

ALEX = Client(1, "alex")
MOSCOW = ZoneInfo("Europe/Moscow")
MIDNIGHT = NOON - 12 * 3_600_000
HOUR = 3_600_000
ALL = Filter()


@dataclass
class Directory:
    numbering: Numbering


@pytest.fixture
def service(store):
    return History(store, lambda: Directory(builtin()))


async def sent(service, wanted=ALL, since=NOON - 30 * DAY, until=NOON + 30 * DAY, **more):
    found = await service.sent(ALEX, wanted, since, until, **{"most": 1_000, **more})
    return [one.wire_id for one in found]


def test_a_period_is_whole_days_of_the_clients_zone():
    assert period("14.06.2025", "15.06.2025", MOSCOW, NOON) == (MIDNIGHT - DAY, MIDNIGHT + DAY)
    omsk = ZoneInfo("Asia/Omsk")
    assert period("15.06.2025", "15.06.2025", omsk, NOON)[0] == MIDNIGHT - 3 * HOUR


def test_without_an_end_it_goes_on_to_now_and_without_a_start_it_begins_six_months_ago():
    since, until = period("15.06.2025", "", MOSCOW, NOON)
    assert since == MIDNIGHT
    assert NOON < until <= NOON + HOUR

    since, until = period("", "", MOSCOW, NOON)
    assert since == NOON - 184 * DAY


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("15.06.2025", "14.06.2025"),
        ("01.12.2024", "15.06.2025"),
        ("2025-06-01", ""),
        ("31.06.2025", ""),
        ("01.06.2025", "tomorrow"),
    ],
)
def test_a_period_that_is_reversed_too_long_or_unreadable_is_refused(start, end):
    with pytest.raises(BadParameters):
        period(start, end, MOSCOW, NOON)


def test_the_longest_period_is_six_months():
    assert period("15.12.2024", "15.06.2025", MOSCOW, NOON)
    assert period("01.01.2024", "30.06.2024", MOSCOW, NOON)  # wherever it lies


def test_a_filter_is_read_as_clients_write_it():
    assert filter_from("8(916)000-00-01, +79160000002,79160000002", "", "") == Filter(
        recipients=("79160000001", "79160000002")
    )
    assert filter_from("", "anna@example.org, b@example.org", "") == Filter(
        recipients=("anna@example.org", "b@example.org"), mail=True
    )
    assert filter_from("", "anna@example.org", "0").mail is False
    assert filter_from("", "", "8", "-1, 20,,1", "SHOP") == Filter(
        mail=True, statuses=(-1, 20, 1), sender="SHOP"
    )


@pytest.mark.parametrize(
    ("format", "statuses"),
    [("1", ""), ("x", ""), ("", "7"), ("", "-3"), ("", "one"), ("", "--1"), ("", "9" * 5_000)],
)
def test_a_filter_that_means_nothing_is_refused(format, statuses):
    with pytest.raises(BadParameters):
        filter_from("", "", format, statuses)


async def test_a_message_is_told_in_words(store, service):
    await put(store, [message(1, status=20, err=6, text="Привет", money=1, price=1_500_000)])

    [one] = await service.sent(ALEX, ALL, NOON - DAY, NOON + DAY, most=10)

    assert (one.status, one.status_name, one.err) == (20, "Невозможно доставить", 6)
    assert (one.cost, one.parts, one.kind, one.format) == (1_500_000, 1, 0, 0)
    assert (one.mccmnc, one.country) == ("25001", "Россия")
    assert (one.sent_at, one.changed_at) == (NOON, NOON + 5_000)
    assert one.checksum == zlib.crc32(f"{one.id}:Привет".encode())


async def test_statuses_have_english_names_too(store):
    await put(store, [message(1)])
    service = History(store, lambda: Directory(builtin()), "en")

    [one] = await service.sent(ALEX, ALL, NOON - DAY, NOON + DAY, most=10)

    assert one.status_name == "Delivered"


async def test_what_is_not_sent_yet_has_the_moment_of_its_accept(store, service):
    await put(store, [message(1, sent_at=0, status=-1)])

    [one] = await service.sent(ALEX, ALL, NOON - DAY, NOON + DAY, most=10)

    assert one.sent_at == NOON


async def test_a_mail_goes_by_its_address(store, service):
    await put(store, [message(1, type=8, phone="anna@example.org", mccmnc="")])

    [one] = await service.sent(
        ALEX, filter_from("", "anna@example.org", ""), NOON - DAY, NOON + DAY, most=10
    )

    assert (one.phone, one.kind, one.format, one.country) == ("anna@example.org", 8, 8, "")


async def test_an_empty_history_is_a_refusal(store, service):
    await put(store, [message(1, client_id=2)])

    with pytest.raises(NotFound):
        await sent(service)


async def test_a_history_goes_on_before_an_id(store, service):
    await put(store, [message(number) for number in range(5)])

    assert await sent(service, most=2) == ["4", "3"]
    assert await sent(service, most=2, before_id=first_id(NOON) + 3) == ["2", "1"]
    with pytest.raises(NotFound):
        await sent(service, before_id=1)


async def test_rare_messages_are_found_through_many_short_transactions(store, service, monkeypatch):
    monkeypatch.setattr(listing, "SCANNED_MAX", 10)
    await put(store, [message(n, status=20 if n % 33 == 0 else 1) for n in range(100)])
    reads = []
    read = store.read

    async def counted(work, *args, **kwargs):
        reads.append(work)
        return await read(work, *args, **kwargs)

    monkeypatch.setattr(store, "read", counted)

    assert await sent(service, Filter(statuses=(20,))) == ["99", "66", "33", "0"]
    assert len(reads) == 11
    assert await sent(service, Filter(statuses=(20,)), most=2) == ["99", "66"]


@pytest.mark.parametrize("scanned", [1, 2, 3, 7, 100])
async def test_no_message_is_skipped_or_told_twice_however_short_the_pages(
    store, scanned, monkeypatch
):
    monkeypatch.setattr(listing, "SCANNED_MAX", scanned)
    await put(store, [message(n, phone=f"7916000000{n % 3}") for n in range(20)])
    low, top = first_id(NOON - DAY), first_id(NOON + DAY)
    for wanted in (ALL, Filter(recipients=("79160000001",)), Filter(recipients=("7",) * 9)):
        found, high, first = [], top, True
        while low < high:
            rows, high = await store.read(listing.page, 1, wanted, low, high, scanned, first=first)
            found += [row[1] for row in rows]
            first = False

        kept = [n for n in range(19, -1, -1) if wanted == ALL or n % 3 == 1]
        assert found == ([] if "7" in wanted.recipients else [str(n) for n in kept])


async def received(service, **more):
    found = await service.received(ALEX, NOON, **{"most": 100, **more})
    return [one.id for one in found]


async def test_incoming_messages_are_those_of_the_last_hour_newest_first(store, service):
    times = {1: NOON - 8 * DAY, 2: NOON - 5 * DAY, 3: NOON - 2 * HOUR, 4: NOON - HOUR // 2, 5: NOON}
    await put_incoming(
        store,
        [(1, n, "79160000001", f"7777{n % 2}", "text", at - 3, at) for n, at in times.items()],
    )

    assert await received(service) == [5, 4]
    assert await received(service, hours=0.1) == [5]
    assert await received(service, hours=3) == [5, 4, 3]
    assert await received(service, hours=9_999) == [5, 4, 3, 2]
    assert await received(service, hours=168, to_phone="77771") == [5, 3]
    assert await received(service, hours=168, most=2) == [5, 4]


async def test_who_pages_forward_skips_none(store, service):
    await put_incoming(
        store, [(1, n, "79160000001", "7777", "text", NOON, NOON) for n in range(1, 8)]
    )

    assert await received(service, after_id=2, most=3) == [5, 4, 3]
    assert await received(service, after_id=5, most=3) == [7, 6]
    assert await received(service, after_id=7) == []


async def test_an_id_alone_goes_back_seven_days(store, service):
    times = (NOON - 8 * DAY, NOON - 6 * DAY, NOON)
    await put_incoming(
        store, [(1, n, "7", "7777", "text", at, at) for n, at in enumerate(times, start=1)]
    )

    assert await received(service, after_id=0) == [3, 2]
    assert await received(service, after_id=0, hours=1) == [3]


async def test_a_message_that_was_long_in_coming_is_not_missed(store, service):
    times = (NOON - 20 * HOUR, NOON - 1, NOON - 20 * HOUR, NOON)
    await put_incoming(
        store, [(1, n, "7", "7777", "text", at, at) for n, at in enumerate(times, start=1)]
    )

    assert await received(service, hours=1) == [4, 2]


def test_cells_are_the_columns_of_an_export():
    cells = Cells("Europe/Moscow", builtin())
    row = (7, "a", "79160000001", NOON, NOON + 5_000, 3, 6, 1_200_000, 2, "SHOP", 0, "", "test")

    [made] = cells([row])

    told = dict(zip(listing.FIELDS, made, strict=True))
    network = builtin().find("79160000001")
    assert told == {
        "id": "a",
        "int_id": "7",
        "phone": "79160000001",
        "send_date": "15.06.2025 12:00:00",
        "last_date": "15.06.2025 12:00:05",
        "status": "3",
        "status_name": "Просрочено",
        "err": "6",
        "cost": "1.20",
        "sms_cnt": "2",
        "sender_id": "SHOP",
        "type": "0",
        "mccmnc": network.mccmnc,
        "country": "Россия",
        "operator": network.operator,
        "region": network.region,
        "message": "test",
    }
