import pytest
from tests.building import Memory
from tests.fakes.desk import Desk

from vestnik.domain.client import Limits
from vestnik.domain.ported import Gathered, Ported

pytestmark = pytest.mark.anyio

MTS, MEGAFON, INDIA, UNKNOWN = "79160000001", "79200000001", "919812345678", "99999999999"
NOT_FOUND = "ERROR = 3 (operator not found)"


@pytest.fixture
async def desk():
    return await Desk(limits=Limits(identical_per_minute=0)).over(Memory())


async def operator(desk, phone, fmt=0, charset="utf-8"):
    return await desk.told("info", f"get_operator=1&phone={phone}", fmt, charset)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (
            0,
            (
                f"phone = {MTS}, country = Россия, operator = МТС, region = г.Москва, область, "
                "mcc = 250, mnc = 01, tz = 3"
            ),
        ),
        (1, "Россия,МТС,250,01,3,г.Москва, область"),
        (
            2,
            (
                "<info>\n<country>Россия</country>\n<operator>МТС</operator>\n"
                "<region>г.Москва, область</region>\n<mcc>250</mcc>\n<mnc>01</mnc>\n"
                "<tz>3</tz>\n</info>"
            ),
        ),
        (
            3,
            (
                '{\n"country": "Россия",\n"operator": "МТС",\n"region": "г.Москва, область",\n'
                '"mcc": "250",\n"mnc": "01",\n"tz": "3"\n}'
            ),
        ),
    ],
)
async def test_one_number_is_one_record(desk, fmt, expected):
    assert await operator(desk, MTS, fmt) == expected


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (
            0,
            (
                f"phone = {MTS}, country = Россия, operator = МТС, region = г.Москва, область, "
                f"mcc = 250, mnc = 01, tz = 3\nphone = {UNKNOWN}, country = , operator = , "
                "region = , mcc = , mnc = , tz = "
            ),
        ),
        (1, f"{MTS},Россия,МТС,250,01,3,г.Москва, область\n{UNKNOWN},,,,,,"),
        (
            2,
            (
                f"<list>\n<info><phone>{MTS}</phone><country>Россия</country>"
                "<operator>МТС</operator>"
                "<region>г.Москва, область</region><mcc>250</mcc><mnc>01</mnc><tz>3</tz></info>\n"
                f"<info><phone>{UNKNOWN}</phone><country></country><operator></operator>"
                "<region></region><mcc></mcc><mnc></mnc><tz></tz></info>\n</list>"
            ),
        ),
        (
            3,
            (
                f'[{{\n"phone": "{MTS}",\n"country": "Россия",\n"operator": "МТС",\n'
                '"region": "г.Москва, область",\n"mcc": "250",\n"mnc": "01",\n"tz": "3"\n},\n'
                f'{{\n"phone": "{UNKNOWN}",\n"country": "",\n"operator": "",\n"region": "",\n'
                '"mcc": "",\n"mnc": "",\n"tz": ""\n}]'
            ),
        ),
    ],
)
async def test_a_list_has_a_record_for_each_number_and_empty_ones_for_the_unknown(
    desk, fmt, expected
):
    assert await operator(desk, f"{MTS},{UNKNOWN}", fmt) == expected


async def test_a_trailing_comma_makes_a_list_and_numbers_are_read_as_people_write_them(desk):
    [one] = await desk.json("info", "get_operator=1&phone=8(916)000-00-01,")

    assert (one["phone"], one["operator"]) == (MTS, "МТС")


async def test_hours_of_a_zone_may_be_west_and_have_a_half(desk):
    found = await desk.json("info", f"get_operator=1&phone={INDIA},12125550123")

    assert [one["tz"] for one in found] == ["5.5", "-4"]  # New York in June


async def test_a_ported_number_is_where_it_moved_to(desk):
    gathered = Gathered()
    gathered.add(int(MTS), "25002")
    desk.plan = desk.plan.with_ported(Ported(gathered.blocks(), gathered.networks))

    found = await desk.json("info", f"get_operator=1&phone={MTS}")

    assert (found["operator"], found["mnc"], found["region"]) == (
        "МегаФон",
        "02",
        "г.Москва, область",
    )


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, NOT_FOUND),
        (1, "0,-3"),
        (
            2,
            "<result>\n<error>operator not found</error>\n<error_code>3</error_code>\n</result>",
        ),
        (3, '{\n"error": "operator not found",\n"error_code": 3\n}'),
    ],
)
async def test_nothing_known_of_any_number_is_error_3(desk, fmt, expected):
    assert await operator(desk, UNKNOWN, fmt) == expected
    assert await operator(desk, f"{UNKNOWN},nobody,", fmt) == expected


@pytest.mark.parametrize(
    "phone", ["nobody", "<b>", "{phone}", "{0.__class__}", "' OR 1=1 --", "=cmd()"]
)
async def test_what_is_no_number_is_only_repeated(desk, phone):
    answer = await operator(desk, f"{phone},{MTS}", fmt=1)

    assert answer == f"{phone},,,,,,\n{MTS},Россия,МТС,250,01,3,г.Москва, область"


async def test_a_hostile_number_stays_text_in_xml(desk):
    answer = await operator(desk, f"%3Cx%3E%26,{MTS}", fmt=2)

    assert "<phone>&lt;x&gt;&amp;</phone>" in answer


@pytest.mark.parametrize(
    "query",
    [
        "",
        "phone=79160000001",
        "get_operator=2&phone=79160000001",
        "get_operator=1",
        "get_operator=1&phone=",
        "get_operator=1&phone=,,",
        "get_operator=1&phone=" + "1," * 1_001,
    ],
)
async def test_wrong_parameters_are_error_1(desk, query):
    assert (await desk.told("info", query)).startswith("ERROR = 1 (parameters error")


async def test_three_charsets(desk):
    for charset in ("windows-1251", "utf-8", "koi8-r"):
        assert await operator(desk, MTS, 1, charset) == "Россия,МТС,250,01,3,г.Москва, область"


async def test_three_identical_requests_a_minute_are_answered():
    desk = await Desk().over(Memory())
    again = "ERROR = 9 (duplicate request, wait a minute)"

    assert [await operator(desk, MTS) == again for _ in range(4)] == [False, False, False, True]
    assert await operator(desk, MEGAFON) != again


async def test_a_hundred_requests_a_minute_are_answered_whatever_they_ask():
    desk = await Desk().over(Memory())
    answers = [await operator(desk, 79160000000 + n, 1) for n in range(101)]

    assert answers.count("0,-9") == 1
    assert answers[-1] == "0,-9"

    desk.a_minute_later()
    assert await operator(desk, MTS, 1) != "0,-9"


async def test_prices_come_zone_by_zone(desk):
    desk.house.rate(None, 2_500_000)
    price = dict.fromkeys(("mms", "hlr", "call", "viber", "soc", "mail"), "1.00")

    assert await desk.json("get", "get_price=1") == {
        "currency": "RUB",
        "zones": [{"zone": 1, "name": "Все направления", "api": "2.50", "mass": "2.50", **price}],
    }
    assert await desk.told("get", "get_price=1", 0) == (
        "zone = 1, name = Все направления, api = 2.50, mass = 2.50, mms = 1.00, hlr = 1.00, "
        "call = 1.00, viber = 1.00, soc = 1.00, mail = 1.00"
    )
    assert await desk.told("get", "get_price=1", 1) == (
        "1,2.50,2.50,1.00,1.00,1.00,1.00,1.00,1.00,Все направления"
    )
    assert (await desk.told("get", "get_price=1", 2)).startswith(
        "<zones>\n<item><zone>1</zone><name>Все направления</name><api>2.50</api>"
    )


@pytest.mark.parametrize("query", ["get_mega_accounts=1", "get_mega_accounts=1&account=7"])
async def test_there_are_no_accounts_at_operators(desk, query):
    assert await desk.told("get", query) == "ERROR = 3 (no such accounts)"
