"""Rents, awaited calls, ported numbers, short links and alarms at the HTTP door."""

import json

import pytest
from tests.building import RUB
from tests.fakes.desk import Desk

from vestnik.domain.client import Client, Limits
from vestnik.domain.numbering import builtin
from vestnik.domain.ported import Gathered
from vestnik.domain.ported_file import day_of
from vestnik.domain.refusals import InsufficientFunds
from vestnik.services.centre import ported, setup
from vestnik.services.centre.ported import Change
from vestnik.services.incoming import rented
from vestnik.services.messages import links
from vestnik.services.messages.links import Made, rows_for
from vestnik.store import alarms as alarm_table
from vestnik.store import settings, store_at

pytestmark = pytest.mark.anyio

OURS, SECOND, CALLED = "79990000777", "79990000778", "74950000001"
LIFTED = Limits(identical_per_minute=0, rent_per_minute=0, simultaneous=0)
SALE = "https://a.example/sale?q=1&r=2"
DATE = "15.06.2025"
TWICE = "ERROR = 9 (duplicate request, wait a minute)"


@pytest.fixture
async def small_store(tmp_path):
    opened = store_at("", tmp_path)
    await opened.open()
    await setup.prepare(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def desk(small_store):
    return await Desk(limits=LIFTED).over(small_store)


async def write(desk, work, *args):
    return await desk.house.store.write(work, *args)


# receive_phones.php.


@pytest.fixture
async def renting(desk):
    for phone in (SECOND, OURS):
        await write(desk, rented.add, phone, rented.RENT, "30", builtin())
    return desk


async def rent(desk, query, fmt=0):
    return await desk.told("receive_phones", query, fmt)


async def test_free_numbers_in_four_formats(renting):
    assert await rent(renting, "get=1") == (
        f"phone = {OURS}, cost = 30.00, country = Россия\n"
        f"phone = {SECOND}, cost = 30.00, country = Россия"
    )
    assert await rent(renting, "get=1", 1) == f"{OURS},30.00,Россия\n{SECOND},30.00,Россия"
    assert await rent(renting, "get=1", 2) == (
        f"<phones>\n<phone><phone>{OURS}</phone><cost>30.00</cost><country>Россия</country>"
        f"</phone>\n<phone><phone>{SECOND}</phone><cost>30.00</cost><country>Россия</country>"
        "</phone>\n</phones>"
    )
    assert json.loads(await rent(renting, "get=1", 3)) == [
        {"phone": phone, "cost": "30.00", "country": "Россия"} for phone in (OURS, SECOND)
    ]


async def test_no_free_number_is_an_empty_list(desk):
    assert [await rent(desk, "get=1", fmt) for fmt in range(4)] == [
        "",
        "",
        "<phones></phones>",
        "[]",
    ]


async def test_a_number_is_rented_and_its_renewal_changed(renting):
    assert await rent(renting, f"buy=1&phone=%2B{OURS}") == "OK"
    assert await rent(renting, f"chg=1&phone={OURS}&noprolong=1", 3) == '{\n"result": "OK"\n}'
    assert await rent(renting, f"buy=1&phone={SECOND}&noprolong=1", 2) == "<result>OK</result>"

    found = await renting.house.store.read(rented.everything)
    assert [(n.phone, n.client_id, n.noprolong) for n in found] == [(OURS, 1, 1), (SECOND, 1, 1)]
    assert (await renting.house.money())[0] == 100 * RUB - 2 * 16 * RUB


async def test_a_rent_that_cannot_be_paid_is_error_3(renting):
    await write(renting, rented.add, "79990000779", rented.RENT, "1000", builtin())

    assert await rent(renting, "buy=1&phone=79990000779") == "ERROR = 3 (no money)"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "get=1&buy=1",
        "buy=1",
        "buy=1&phone=abc",
        "buy=1&phone=79990000000",
        f"buy=1&phone={OURS}&noprolong=2",
        f"chg=1&phone={OURS}&noprolong=1",
        f"chg=1&phone={OURS}",
        "chg=1&noprolong=1",
    ],
)
async def test_wrong_requests_for_rent_are_error_1(renting, query):
    assert (await rent(renting, query)).startswith("ERROR = 1 (parameters error")


async def test_two_identical_requests_for_rent_a_minute_are_answered(small_store):
    desk = await Desk().over(small_store)

    assert [await rent(desk, "get=1") for _ in range(3)] == ["", "", TWICE]


# wait_call.php.


async def wait(desk, query, fmt=0):
    return await desk.told("wait_call", query, fmt)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, f"phone = {CALLED}, all_phones = {CALLED};74950000002"),
        (1, f"{CALLED},{CALLED};74950000002"),
        (
            2,
            (
                f"<result>\n<phone>{CALLED}</phone>\n<all_phones><phone>{CALLED}</phone>"
                "<phone>74950000002</phone></all_phones>\n</result>"
            ),
        ),
        (3, f'{{\n"phone": "{CALLED}",\n"all_phones": ["{CALLED}", "74950000002"]\n}}'),
    ],
)
async def test_the_number_to_call_in_four_formats(desk, fmt, expected):
    for phone in (CALLED, "74950000002"):
        await write(desk, rented.add, phone, rented.CALL, "0", builtin())

    assert await wait(desk, "phone=79160000002", fmt) == expected


async def test_errors_of_an_awaited_call(desk):
    assert await wait(desk, "phone=79160000001") == "ERROR = 7 (there is no number to call)"

    await write(desk, rented.add, CALLED, rented.CALL, "0", builtin())

    assert (await wait(desk, "phone=")).startswith("ERROR = 1 (parameters error")
    assert await wait(desk, "phone=abc") == "ERROR = 5 (invalid number)"
    for _ in range(6):
        assert (await wait(desk, "phone=79160000001")).startswith("phone = ")
    assert await wait(desk, "phone=79160000001", 1) == "0,-6"


# get_mnp.php.


async def load(desk, *numbers):
    gathered = Gathered()
    for number in numbers:
        gathered.add(number, "25002")
    await ported.load(desk.house.store, gathered, lambda done: None)
    desk.plan = desk.plan.with_ported(
        await desk.house.store.read(
            ported.whole, ported.present_of(await desk.house.store.read(settings.everything))
        )
    )


async def test_the_whole_list_is_a_file(desk):
    await load(desk, 79160000007, 79160000001)

    answer = await desk.ask("/sys/get_mnp.php?login=alex&psw=123&fmt=3")

    assert answer.body == b"Phone;mccmnc\n79160000001;25002\n79160000007;25002\n"
    assert answer.headers == {
        "content-type": "text/csv; charset=windows-1251",
        "content-length": str(len(answer.body)),
        "content-disposition": 'attachment; filename="mnp.csv"',
    }


async def test_the_changes_of_a_day_are_json_whatever_the_format(desk):
    await load(desk, 79160000001)
    changes = [Change(day_of(DATE), 79160000000 + n, "25020" if n else "") for n in range(3)]
    await ported.record(desk.house.store, changes, day_of(DATE))

    answer = await desk.ask(f"/sys/get_mnp.php?login=alex&psw=123&date={DATE}&fmt=1")

    assert answer.body.decode() == (
        '[{\n"phone": "79160000000",\n"mccmnc": ""\n},\n'
        '{\n"phone": "79160000001",\n"mccmnc": "25020"\n},\n'
        '{\n"phone": "79160000002",\n"mccmnc": "25020"\n}]'
    )
    assert answer.content_type == "application/json; charset=windows-1251"
    assert await desk.told("get_mnp", "date=14.06.2025") == "[]"


async def test_many_changes_of_a_day_are_one_array(desk):
    await load(desk, 79160000001)
    changes = [Change(day_of(DATE), 79160000000 + n, "25020") for n in range(2_500)]
    await ported.record(desk.house.store, changes, day_of(DATE))

    found = await desk.json("get_mnp", f"date={DATE}")

    assert [int(one["phone"]) for one in found] == [c.number for c in changes]


async def test_where_nothing_is_ported_it_is_error_3(desk):
    expected = "ERROR = 3 (there are no ported numbers here)"

    assert await desk.told("get_mnp", "") == expected
    assert await desk.told("get_mnp", f"date={DATE}") == expected


@pytest.mark.parametrize(
    "date", ["15.06.25", "2025-06-15", "31.02.2025", "..%2F..%2Fetc", "x%0d%0a"]
)
async def test_what_is_no_day_is_error_1(desk, date):
    answer = await desk.ask(f"/sys/get_mnp.php?login=alex&psw=123&date={date}")

    assert answer.body.startswith(b"ERROR = 1 (parameters error")


# tinyurls.php, and the links themselves.


async def link(desk, code="aaaaaaaaa", client=1, address=SALE):
    made = rows_for(client, 0, [Made(code, address)])
    await write(desk, links.write, made, desk.house.now)


async def follow(desk, code="aaaaaaaaa", method="GET"):
    answer = await desk.ask(f"/l/{code}", method=method)
    await desk.numbers.links.flush()
    return answer


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "id = 1, cnt = 2, cnt_mon = 2, cnt_day = 2, cnt_yes = 0"),
        (1, "1,2,2,2,0"),
        (
            2,
            (
                "<link>\n<id>1</id>\n<cnt>2</cnt>\n<cnt_mon>2</cnt_mon>\n<cnt_day>2</cnt_day>\n"
                "<cnt_yes>0</cnt_yes>\n</link>"
            ),
        ),
        (3, '{\n"id": 1,\n"cnt": 2,\n"cnt_mon": 2,\n"cnt_day": 2,\n"cnt_yes": 0\n}'),
    ],
)
async def test_clicks_in_four_formats(desk, fmt, expected):
    await link(desk)
    await follow(desk)
    await follow(desk)

    assert await desk.told("tinyurls", "get=1&id=1", fmt) == expected
    assert await desk.told("tinyurls", f"get=1&link={SALE.replace('&', '%26')}", fmt) == expected
    assert await desk.told("tinyurls", "get=1&id=1&link=https%3A%2F%2Fother", fmt) == expected


async def test_a_link_leads_on(desk):
    await link(desk)

    answer = await follow(desk)

    assert (answer.status, answer.headers["location"], answer.body) == (302, SALE, b"")
    assert answer.headers["cache-control"] == "no-store"


async def test_programs_that_only_look_are_not_counted(desk):
    await link(desk)

    assert (await follow(desk, method="HEAD")).headers["location"] == SALE
    assert await desk.told("tinyurls", "get=1&id=1", 1) == "1,0,0,0,0"
    assert (await desk.ask("/l/aaaaaaaaa", b"x=1")).status == 405


@pytest.mark.parametrize(
    "code", ["bbbbbbbbb", "", "aaaaaaaaa/", "..%2f", "aaaaaaaaa%0d%0aSet-Cookie:x", "a" * 5_000]
)
async def test_an_unknown_code_is_404(desk, code):
    await link(desk)

    answer = await follow(desk, code)

    assert answer.status == 404
    assert "location" not in answer.headers


async def test_nobody_else_has_the_link(desk):
    await link(desk, client=2)

    for query in ("id=1", f"link={SALE.replace('&', '%26')}"):
        assert await desk.told("tinyurls", f"get=1&{query}") == "ERROR = 3 (link not found)"


@pytest.mark.parametrize("query", ["", "get=1", "id=1", "get=1&id=x", "get=1&id=-1", "get=2&id=1"])
async def test_wrong_requests_for_clicks_are_error_1(desk, query):
    assert (await desk.told("tinyurls", query)).startswith("ERROR = 1 (parameters error")


# ping.php.


@pytest.fixture
async def alarmed(desk):
    group = alarm_table.Alarm(1, 3, "night", "79161234567", "sms", "{NAME} {HOST} {INFO}", "ok")
    await write(desk, alarm_table.add, group)
    return desk


async def test_an_alarm_is_answered_with_ok(alarmed):
    query = "id=3&name=%D0%B1%D0%B4&host=192.0.2.7&info=full"

    assert await alarmed.told("ping", query) == "OK"
    assert await alarmed.told("ping", f"{query}&ok=1", 1) == "OK"
    assert await alarmed.told("ping", query, 2) == "<result>OK</result>"
    assert await alarmed.told("ping", query, 3) == '{\n"result": "OK"\n}'
    assert [order.lines[0].text for order in alarmed.sending.orders[:2]] == [
        "бд 192.0.2.7 full",
        "ok",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "ERROR = 1 (parameters error: id says which alarm group is meant)"),
        ("id=x", "ERROR = 1 (parameters error: id is not a whole number)"),
        ("id=3&ok=2", "ERROR = 1 (parameters error: ok is 0 or 1)"),
        ("id=4", "ERROR = 3 (task group not found)"),
    ],
)
async def test_errors_of_an_alarm(alarmed, query, expected):
    assert await alarmed.told("ping", query) == expected
    assert alarmed.sending.orders == []


async def test_an_alarm_that_cannot_be_sent_says_why(alarmed):
    alarmed.sending.answer = InsufficientFunds()

    assert await alarmed.told("ping", "id=3") == "ERROR = 5 (operation failed: no money)"


async def test_the_alarm_of_another_is_not_there(alarmed):
    alarmed.clients.clients[1] = Client(1, "alex", limits=LIFTED)
    group = alarm_table.Alarm(2, 5, "", "79161234567", "sms", "x", "y")
    await write(alarmed, alarm_table.add, group)

    assert await alarmed.told("ping", "id=5", 1) == "0,-3"
