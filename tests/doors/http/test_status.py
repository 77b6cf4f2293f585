import pytest
from tests.doors.http.standins import KEY, Centre, Found

from vestnik.domain.client import Limits
from vestnik.domain.refusals import NotPossible

pytestmark = pytest.mark.anyio

ONE = f"/sys/status.php?apikey={KEY}&charset=utf-8&phone=79990000001&id=1"
MANY = f"/sys/status.php?apikey={KEY}&charset=utf-8&phone=79990000001,79990000002&id=1,2"
HLR = {
    "imsi": "250023012345678",
    "msc": "79232510066",
    "mcc": "250",
    "mnc": "02",
    "cn": "Russian Federation",
    "net": "МегаФон",
    "rcn": "",
    "rnet": "",
}


@pytest.fixture
def centre():
    made = Centre(Limits(status_per_minute=0, status_mass_per_minute=0))
    made.status.found[("1", "79990000001")] = Found()
    return made


def with_hlr(centre, **changed):
    made = Found(kind=4, flag=4, sender="79", text="", hlr=HLR, **changed)
    centre.status.found[("1", "79990000001")] = made


FIRST = (
    '"status": 1,\n"last_date": "26.05.2017 21:39:32",\n"last_timestamp": 1495823972,\n'
    '"flag": 0,\n"err": 0'
)
FULL = (
    ',\n"send_date": "26.05.2017 21:39:27",\n"send_timestamp": 1495823967,\n'
    '"phone": "79990000001",\n{place}"cost": "1.20",\n"sender_id": "SHOP",\n'
    '"status_name": "Доставлено",\n"message": "test",\n"comment": "",\n"type": 0'
)
PLACE = '"country": "Россия",\n"operator": "МегаФон",\n"region": "г.Москва",\n'


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "Status = 1, check_time = 26.05.2017 21:39:32, err = 0"),
        ("&fmt=1", "1,1495823972,0"),
        (
            "&fmt=2",
            (
                "<sms>\n<status>1</status>\n<last_date>26.05.2017 21:39:32</last_date>\n"
                "<last_timestamp>1495823972</last_timestamp>\n<flag>0</flag>\n<err>0</err>\n</sms>"
            ),
        ),
        ("&fmt=3", "{\n" + FIRST + "\n}"),
        (
            "&all=1",
            (
                "Status = 1, check_time = 26.05.2017 21:39:32, err = 0, "
                "send_date = 26.05.2017 21:39:27, phone = 79990000001, cost = 1.20, "
                "sender_id = SHOP, status_name = Доставлено, message = test, comment = , type = 0"
            ),
        ),
        (
            "&all=1&fmt=1",
            "1,1495823972,0,1495823967,79990000001,1.20,SHOP,Доставлено,test,,0",
        ),
        ("&all=1&fmt=3", "{\n" + FIRST + FULL.format(place="") + "\n}"),
        (
            "&all=2",
            (
                "Status = 1, check_time = 26.05.2017 21:39:32, err = 0, "
                "send_date = 26.05.2017 21:39:27, phone = 79990000001, country = Россия, "
                "operator = МегаФон, region = г.Москва, cost = 1.20, sender_id = SHOP, "
                "status_name = Доставлено, message = test, comment = , type = 0"
            ),
        ),
        (
            "&all=2&fmt=1",
            (
                "1,1495823972,0,1495823967,79990000001,Россия,МегаФон,г.Москва,1.20,SHOP,"
                "Доставлено,test,,0"
            ),
        ),
        (
            "&all=2&fmt=3",
            "{\n" + FIRST + FULL.format(place=PLACE) + ',\n"mccmnc": "25002",\n"sms_cnt": 1\n}',
        ),
    ],
)
async def test_one_message_is_told_in_every_format(centre, query, expected):
    assert (await centre.body(ONE + query)).decode() == expected


async def test_the_operator_before_porting_is_told_if_it_is_known(centre):
    centre.status.found[("1", "79990000001")].operator_orig = "МТС"

    assert (await centre.body(ONE + "&all=2&fmt=3")).endswith(
        '"sms_cnt": 1,\n"operator_orig": "МТС"\n}'.encode()
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "Status = -3"),
        ("&fmt=1", "-3,,"),
        ("&fmt=2", "<sms>\n<status>-3</status>\n</sms>"),
        ("&fmt=3", '{\n"status": -3\n}'),
        ("&fmt=3&all=2", '{\n"status": -3\n}'),
    ],
)
async def test_an_unknown_message_has_a_status_of_its_own(centre, query, expected):
    centre.status.found.clear()

    assert await centre.body(ONE + query) == expected.encode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "",
            (
                "Status = 1, check_time = 26.05.2017 21:39:32, err = 0, id = 1, "
                "phone = 79990000001\n"
                "Status = -3, id = 2, phone = 79990000002"
            ),
        ),
        ("&fmt=1", "1,1495823972,0,1,79990000001\n-3,,,2,79990000002"),
        (
            "&fmt=2",
            (
                "<result>\n<sms><status>1</status><last_date>26.05.2017 21:39:32</last_date>"
                "<last_timestamp>1495823972</last_timestamp><flag>0</flag><err>0</err>"
                "<id>1</id><phone>79990000001</phone></sms>\n"
                "<sms><status>-3</status><id>2</id><phone>79990000002</phone></sms>\n</result>"
            ),
        ),
        (
            "&fmt=3",
            "[{\n" + FIRST + ',\n"id": 1,\n"phone": "79990000001"\n},\n'
            '{\n"status": -3,\n"id": 2,\n"phone": "79990000002"\n}]',
        ),
        (
            "&fmt=1&all=1",
            "1,1495823972,0,1495823967,79990000001,1.20,SHOP,Доставлено,test,,0,1\n-3,,,2",
        ),
    ],
)
async def test_many_messages_are_a_list(centre, query, expected):
    assert (await centre.body(MANY + query)).decode() == expected


async def test_a_comma_at_the_end_makes_a_list_of_one(centre):
    target = ONE.replace("phone=79990000001", "phone=79990000001,").replace("id=1", "id=1,")

    assert (await centre.body(target + "&fmt=1")) == b"1,1495823972,0,1,79990000001"
    assert (await centre.body(target + "&fmt=3")).startswith(b"[{\n")


async def test_an_unknown_number_is_told_as_it_was_asked(centre):
    target = f"/sys/status.php?apikey={KEY}&phone=%2B79990000009,&id=138&fmt=3"

    assert await centre.body(target) == (
        b'[{\n"status": -3,\n"id": 138,\n"phone": "+79990000009"\n}]'
    )


@pytest.mark.parametrize(
    ("ids", "phones", "expected"),
    [
        ("32", "7999,8999", [("32", "7999"), ("32", "8999")]),
        ("32,33", "7999,8999,9999", [("32", "7999"), ("33", "8999"), ("33", "9999")]),
        ("x", "ann@example.org,", [("x", "ann@example.org")]),
    ],
)
async def test_the_last_id_serves_the_phones_that_are_left(centre, ids, phones, expected):
    await centre.body(f"/sys/status.php?apikey={KEY}&phone={phones}&id={ids}")

    [(pairs, _)] = centre.status.asked
    assert pairs == expected


@pytest.mark.parametrize(
    "query", ["&id=1", "&phone=7999", "&phone=7999&id=1,2", "&phone=,&id=,", "&phone=7&id=1&all=3"]
)
async def test_what_does_not_name_a_message_is_error_1(centre, query):
    assert await centre.body(f"/sys/status.php?apikey={KEY}&fmt=1{query}") == b"0,-1"


async def test_a_look_up_tells_what_it_found(centre):
    with_hlr(centre)

    assert (await centre.body(ONE + "&fmt=1")).decode() == (
        "1,1495823972,0,250023012345678,79232510066,250,02,Russian Federation,МегаФон,,"
    )
    assert (
        (await centre.body(ONE))
        .decode()
        .endswith(
            ", err = 0, IMSI = 250023012345678, msc = 79232510066, mcc = 250, mnc = 02, "
            "cn = Russian Federation, net = МегаФон, rcn = , rnet = "
        )
    )
    assert b'"err": 0,\n"imsi": "250023012345678",\n"msc"' in await centre.body(ONE + "&fmt=3")


@pytest.mark.parametrize(("full", "place"), [(1, 14), (2, 17)])
async def test_libraries_know_a_look_up_by_its_sender(centre, full, place):
    with_hlr(centre)

    row = (await centre.body(f"{ONE}&fmt=1&all={full}")).decode()

    assert row.split(",")[place] == "HLR"


async def test_a_look_up_without_an_answer_has_empty_fields(centre):
    with_hlr(centre)
    centre.status.found[("1", "79990000001")].hlr = None

    assert await centre.body(ONE + "&fmt=1") == b"1,1495823972,0,,,,,,,,"


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", b"OK"), ("&fmt=2", b"<result>OK</result>"), ("&fmt=3", b'{\n"result": "OK"\n}')],
)
async def test_a_message_is_deleted(centre, query, expected):
    assert await centre.body(ONE + "&del=1" + query) == expected
    assert centre.status.deleted == [[("1", "79990000001")]]


async def test_what_cannot_be_deleted_is_error_5(centre):
    centre.status.refusal = NotPossible("it is on its way")

    assert await centre.body(ONE + "&del=1") == b"ERROR = 5 (message could not be deleted)"


async def test_one_message_is_told_five_times_a_minute():
    centre = Centre()
    for number in range(5):
        assert await centre.body(f"{ONE}&all={number % 3}&fmt=1") == b"-3,,"

    assert await centre.body(ONE + "&fmt=1") == b"0,-9"
    assert await centre.body(ONE + "2&fmt=1") == b"-3,,"


async def test_a_list_is_told_once_a_minute_and_another_list_too():
    centre = Centre()

    assert await centre.body(MANY + "&fmt=1") != b"0,-9"
    assert await centre.body(MANY + "&fmt=1") == b"0,-9"
    assert await centre.body(MANY + ",3&fmt=1") == b"0,-1"
    assert await centre.body(MANY.replace("id=1", "id=7") + "&fmt=1") != b"0,-9"
    centre.now += 60_000
    assert await centre.body(MANY + "&fmt=1") != b"0,-9"
