import json
import zlib

import pytest
from tests.fakes.archive import Archive
from tests.fakes.history import DAY, NOON, message, put, put_incoming

from vestnik.domain.client import Limits
from vestnik.domain.ids import first_id

pytestmark = pytest.mark.anyio

MESSAGES = "get_messages=1"
ANSWERS = "get_answers=1"


@pytest.fixture
async def archive(store, store_url, tmp_path):
    return Archive(limits=Limits(identical_per_minute=0)).over(store, store_url, tmp_path)


async def ids(archive, query):
    answer = json.loads(await archive.get(f"{MESSAGES}&fmt=3&{query}"))
    return [one["id"] for one in answer] if isinstance(answer, list) else answer["error_code"]


async def test_a_history_in_json(archive):
    await put(archive.store, [message(1, text="Привет, {мир}", mccmnc="25002")])

    answer = await archive.get(f"{MESSAGES}&fmt=3")

    number = first_id(NOON) + 1
    assert answer == (
        "[{\n"
        '"status": 1,\n'
        '"last_date": "15.06.2025 12:00:05",\n'
        '"last_timestamp": 1749978005,\n'
        '"err": 0,\n'
        '"send_date": "15.06.2025 12:00:00",\n'
        '"send_timestamp": 1749978000,\n'
        '"phone": "79160000001",\n'
        '"cost": "1.20",\n'
        '"sender_id": "SHOP",\n'
        '"status_name": "Доставлено",\n'
        '"message": "Привет, {мир}",\n'
        '"type": 0,\n'
        '"country": "Россия",\n'
        '"operator": "МегаФон",\n'
        '"region": "г.Москва",\n'
        '"id": 1,\n'
        f'"int_id": {number},\n'
        '"sms_cnt": 1,\n'
        '"format": 0,\n'
        f'"crc": {zlib.crc32(f"{number}:Привет, {{мир}}".encode())},\n'
        '"mccmnc": "25002"\n'
        "}]"
    )


async def test_a_history_in_lines(archive):
    await put(
        archive.store,
        [
            message(1, text="one, two", phone="49"),
            message(2, text="two\r\nlines", status=20, err=6, wire_id="my-id"),
        ],
    )
    base = first_id(NOON)
    crcs = [
        zlib.crc32(f"{base + 2}:two\r\nlines".encode()),
        zlib.crc32(f"{base + 1}:one, two".encode()),
    ]

    assert await archive.get(MESSAGES) == (
        "Status = 20, check_time = 15.06.2025 12:00:05, err = 6, send_date = 15.06.2025 12:00:00, "
        "phone = 79160000001, mccmnc = 25001, country = Россия, operator = МТС, region = г.Москва, "
        "cost = 1.20, sender_id = SHOP, status_name = Невозможно доставить, message = two lines, "
        f"type = 0, ID = my-id, int_id = {base + 2}, sms_cnt = 1, format = 0, crc = {crcs[0]}\n"
        "Status = 1, check_time = 15.06.2025 12:00:05, send_date = 15.06.2025 12:00:00, "
        "phone = 49, mccmnc = 25001, country = , operator = МТС, region = , "
        "cost = 1.20, sender_id = SHOP, status_name = Доставлено, message = one, two, "
        f"type = 0, ID = 1, int_id = {base + 1}, sms_cnt = 1, format = 0, crc = {crcs[1]}"
    )
    assert await archive.get(f"{MESSAGES}&fmt=1&cnt=1") == (
        "20,1749978005,6,1749978000,79160000001,25001,Россия,МТС,г.Москва,1.20,SHOP,"
        f"Невозможно доставить,two lines,0,my-id,{base + 2},1,0,{crcs[0]}"
    )


async def test_a_history_in_xml(archive):
    await put(archive.store, [message(1, text="a<b")])

    answer = await archive.get(f"{MESSAGES}&fmt=2")

    assert answer.startswith("<list>\n<item><status>1</status><last_date>15.06.2025 12:00:05<")
    assert "<message>a&lt;b</message>" in answer
    assert answer.endswith("<mccmnc>25001</mccmnc></item>\n</list>")


async def test_a_history_is_told_in_the_charset_of_the_request(archive):
    await put(archive.store, [message(1, text="Привет, 😀")])

    answer = await archive.get(MESSAGES, charset="windows-1251")

    assert "message = Привет, ?" in answer


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ERROR = 3 (message not found)"),
        (1, "0,-3"),
        (3, '{\n"error": "message not found",\n"error_code": 3\n}'),
    ],
)
async def test_an_empty_history_is_error_3(archive, fmt, expected):
    assert await archive.get(f"{MESSAGES}&fmt={fmt}") == expected


async def test_filters_of_a_history(archive):
    await put(
        archive.store,
        [
            message(1, at=NOON - 3 * DAY),
            message(2, at=NOON - 2 * DAY, phone="79160000002"),
            message(3, at=NOON - 1 * DAY, type=8, phone="anna@example.org"),
            message(4),
        ],
    )

    assert await ids(archive, "") == [4, 2, 1]
    assert await ids(archive, "cnt=2") == [4, 2]
    assert await ids(archive, "cnt=0") == [4, 2, 1]
    assert await ids(archive, "cnt=some") == [4, 2, 1]
    assert await ids(archive, "cnt=99999") == [4, 2, 1]
    assert await ids(archive, "phone=8(916)0000002,79160000003") == [2]
    assert await ids(archive, "email=anna@example.org") == [3]
    assert await ids(archive, "format=8") == [3]
    assert await ids(archive, "start=13.06.2025&end=13.06.2025") == [2]
    assert await ids(archive, "start=14.06.2025") == [4]
    assert await ids(archive, "end=13.06.2025") == [2, 1]
    assert await ids(archive, f"prev_id={first_id(NOON) + 4}") == [2, 1]


@pytest.mark.parametrize(
    "query",
    [
        "start=13.06.25",
        "start=15.06.2025&end=14.06.2025",
        "start=01.12.2024",
        "start=01.01.2024&end=31.01.2024",
        "prev_id=x",
        "format=5",
        "get_answers=1",
    ],
)
async def test_what_cannot_be_meant_is_error_1(archive, query):
    await put(archive.store, [message(1)])

    assert await ids(archive, query) == 1


@pytest.mark.parametrize("query", ["", "get_nothing=1", "get_messages=1&get_stat=1"])
async def test_an_unknown_question_is_error_1_in_plain_words(archive, query):
    assert (await archive.get(query)).startswith(
        "ERROR = 1 (parameters error: get.php takes one of get_messages=1, get_answers=1, "
    )


async def incoming(archive):
    await put_incoming(
        archive.store,
        [
            (1, 1, "79160000001", "7777", "early", NOON - 3 * DAY, NOON - 3 * DAY + 1_000),
            (1, 2, "79160000002", "7778", "two\nlines", NOON - 4_000, NOON - 1_000),
        ],
    )


async def test_incoming_messages_in_four_formats(archive):
    await incoming(archive)

    assert await archive.get(ANSWERS) == (
        "id = 2, received = 15.06.2025 11:59:59, phone = 79160000002, message = two lines, "
        "to_phone = 7778, sent = 15.06.2025 11:59:56"
    )
    assert await archive.get(f"{ANSWERS}&fmt=1&hour=100") == (
        "2,15.06.2025 11:59:59,79160000002,7778,15.06.2025 11:59:56,two lines\n"
        "1,12.06.2025 12:00:01,79160000001,7777,12.06.2025 12:00:00,early"
    )
    assert await archive.get(f"{ANSWERS}&fmt=2") == (
        "<list>\n<item><id>2</id><received>15.06.2025 11:59:59</received>"
        "<phone>79160000002</phone><message>two\nlines</message><to_phone>7778</to_phone>"
        "<sent>15.06.2025 11:59:56</sent></item>\n</list>"
    )
    assert await archive.get(f"{ANSWERS}&fmt=3") == (
        '[{\n"id": 2,\n"received": "15.06.2025 11:59:59",\n"phone": "79160000002",\n'
        '"message": "two\\nlines",\n"to_phone": "7778",\n"sent": "15.06.2025 11:59:56"\n}]'
    )


@pytest.mark.parametrize(("fmt", "expected"), [(0, ""), (1, ""), (2, "<list></list>"), (3, "[]")])
async def test_no_incoming_messages_are_an_empty_list(archive, fmt, expected):
    assert await archive.get(f"{ANSWERS}&fmt={fmt}") == expected


async def test_filters_of_incoming_messages(archive):
    await incoming(archive)

    async def found(query):
        return [one["id"] for one in json.loads(await archive.get(f"{ANSWERS}&fmt=3&{query}"))]

    assert await found("hour=0.1") == [2]
    assert await found("hour=500") == [2, 1]
    assert await found("after_id=0") == [2, 1]
    assert await found("after_id=1") == [2]
    assert await found("after_id=0&cnt=1") == [1]
    assert await found("hour=168&to_phone=7777") == [1]


@pytest.mark.parametrize("query", ["hour=-1", "hour=x", "hour=1e3", "after_id=x"])
async def test_an_unreadable_filter_of_incoming_messages_is_error_1(archive, query):
    assert (await archive.get(f"{ANSWERS}&{query}")).startswith("ERROR = 1 ")


async def test_the_fourth_identical_request_in_a_minute_is_error_9(store, store_url, tmp_path):
    archive = Archive().over(store, store_url, tmp_path)
    await put(store, [message(1)])

    asked = [await archive.get(f"{MESSAGES}&fmt={fmt}") for fmt in (0, 1, 3)]

    assert not any("ERROR" in answer for answer in asked)
    assert await archive.get(MESSAGES) == "ERROR = 9 (duplicate request, wait a minute)"
    assert "ERROR" not in await archive.get(f"{MESSAGES}&cnt=5")
    await archive.a_minute_later()
    assert "ERROR" not in await archive.get(MESSAGES)
