import pytest
from tests.doors.http.standins import FINE, KEY, NOON, REFUSED

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.domain.refusals import (
    BadDate,
    BadNumber,
    Duplicate,
    InsufficientFunds,
    MessageForbidden,
    Undeliverable,
)
from vestnik.services.messages.draft import Accepted

pytestmark = pytest.mark.anyio

BARE = f"/sys/send.php?apikey={KEY}"
SEND = f"{BARE}&phones=79990000001&mes=Hello"


async def order_of(centre, target, body=None, content_type=""):
    answer = await centre.body(target, body, content_type)
    assert centre.sending.orders, answer
    return centre.sending.orders[-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "OK - 1 SMS, ID - 33"),
        ("&fmt=1", "33,1"),
        ("&fmt=2", "<result>\n<id>33</id>\n<cnt>1</cnt>\n</result>"),
        ("&fmt=3", '{\n"id": 33,\n"cnt": 1\n}'),
        ("&cost=2", "OK - 1 SMS, ID - 33, COST - 1.40"),
        ("&cost=2&fmt=1", "33,1,1.40"),
        ("&cost=2&fmt=2", "<result>\n<id>33</id>\n<cnt>1</cnt>\n<cost>1.40</cost>\n</result>"),
        ("&cost=2&fmt=3", '{\n"id": 33,\n"cnt": 1,\n"cost": "1.40"\n}'),
        ("&cost=3", "OK - 1 SMS, ID - 33, COST - 1.40, BALANCE - 100.50"),
        ("&cost=3&fmt=1", "33,1,1.40,100.50"),
        (
            "&cost=3&fmt=2",
            (
                "<result>\n<id>33</id>\n<cnt>1</cnt>\n<cost>1.40</cost>\n"
                "<balance>100.50</balance>\n</result>"
            ),
        ),
        (
            "&cost=3&fmt=3",
            '{\n"id": 33,\n"cnt": 1,\n"cost": "1.40",\n"balance": "100.50"\n}',
        ),
        ("&cost=1", "1.40 (1 SMS)"),
        ("&cost=1&fmt=1", "1.40,1"),
        ("&cost=1&fmt=2", "<result>\n<cnt>1</cnt>\n<cost>1.40</cost>\n</result>"),
        ("&cost=1&fmt=3", '{\n"cost": "1.40",\n"cnt": 1\n}'),
    ],
)
async def test_an_accepted_request_is_told_in_every_format(centre, query, expected):
    assert await centre.body(SEND + query) == expected.encode()


PHONES = (
    '"phones": [{\n"phone": "79990000001",\n"mccmnc": "25001",\n"cost": "1.40",\n"status": "",\n'
    '"error": ""\n},\n{\n"phone": "79990000002",\n"mccmnc": "",\n"cost": "0",\n"status": "25",\n'
    '"error": "248"\n}]'
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "&op=1",
            (
                "OK - 1 SMS, ID - 33\n"
                "79990000001, mccmnc = 25001, cost = 1.40, status = , error = \n"
                "79990000002, mccmnc = , cost = 0, status = 25, error = 248"
            ),
        ),
        ("&op=1&fmt=1", "33,1\n79990000001,25001,1.40,,\n79990000002,,0,25,248"),
        (
            "&op=1&fmt=2",
            (
                "<result>\n<id>33</id>\n<cnt>1</cnt>\n<phones>"
                '<phone mccmnc="25001" cost="1.40" status="" error="">79990000001</phone>'
                '<phone mccmnc="" cost="0" status="25" error="248">79990000002</phone>'
                "</phones>\n</result>"
            ),
        ),
        ("&op=1&fmt=3", '{\n"id": 33,\n"cnt": 1,\n' + PHONES + "\n}"),
        ("&op=1&err=1&fmt=3", '{\n"id": 33,\n"cnt": 1,\n' + PHONES + "\n}"),
        ("&op=1&cost=1&fmt=3", '{\n"cost": "1.40",\n"cnt": 1,\n' + PHONES + "\n}"),
        ("&err=1", "OK - 1 SMS, ID - 33\n79990000002, status = 25, error = 248"),
        ("&err=1&fmt=1", "33,1\n79990000002,25,248"),
        (
            "&err=1&fmt=2",
            (
                "<result>\n<id>33</id>\n<cnt>1</cnt>\n"
                '<phones><phone status="25" error="248">79990000002</phone></phones>\n</result>'
            ),
        ),
        (
            "&err=1&fmt=3",
            (
                '{\n"id": 33,\n"cnt": 1,\n"phones": [{\n"phone": "79990000002",\n"status": "25",\n'
                '"error": "248"\n}]\n}'
            ),
        ),
    ],
)
async def test_recipients_are_told_if_they_are_asked_for(centre, query, expected):
    centre.sending.answer = Accepted("33", 1, 1_400_000, None, [FINE, REFUSED])

    assert await centre.body(SEND + query) == expected.encode()


async def test_err_adds_nothing_if_nobody_was_refused(centre):
    assert await centre.body(SEND + "&err=1&fmt=3") == b'{\n"id": 33,\n"cnt": 1\n}'


async def test_in_test_mode_phones_have_no_price(centre):
    centre.sending.answer = Accepted("33", 1, 0, 100_500_000, [FINE], test=True)

    assert await centre.body(SEND + "&op=1&cost=3&fmt=3") == (
        b'{\n"id": 33,\n"cnt": 1,\n"cost": "0",\n"balance": "100.50",\n"phones": [{\n'
        b'"phone": "79990000001",\n"mccmnc": "25001",\n"status": "",\n"error": ""\n}]\n}'
    )
    assert await centre.body(SEND + "&op=1&fmt=1") == b"33,1\n79990000001,25001,,,"


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (InsufficientFunds(message_id="275"), "ERROR = 3 (no money), ID - 275"),
        (BadDate("never"), "ERROR = 5 (invalid date)"),
        (MessageForbidden(message_id="542"), "ERROR = 6 (message is denied), ID - 542"),
        (BadNumber(message_id="541"), "ERROR = 7 (invalid number), ID - 541"),
        (Undeliverable(message_id="639"), "ERROR = 8 (can't to deliver), ID - 639"),
        (Duplicate(), "ERROR = 9 (duplicate request, wait a minute)"),
    ],
)
async def test_refusals_have_the_numbers_of_send(centre, refusal, expected):
    centre.sending.answer = refusal

    assert await centre.body(SEND) == expected.encode()


async def test_an_id_that_is_no_number_is_a_string_in_json(centre):
    centre.sending.answer = Accepted("order-1", 1, 0, None, [])

    assert await centre.body(SEND + "&fmt=3") == b'{\n"id": "order-1",\n"cnt": 1\n}'


async def test_an_order_says_all_that_was_asked(centre):
    query = (
        "&id=a.1-_&sender=Shop&translit=2&time=0101301200&tz=-2&period=0.5&freq=5&valid=01:00"
        "&maxsms=3&cost=3&tinyurl=1&subj=s&userip=192.0.2.1&voice=w,en&nd=1"
    )

    order = await order_of(centre, SEND + query)

    assert order.client.login == "alex"
    assert order.kind is Kind.SMS
    assert centre.sending.lines == [ListLine("79990000001", "Hello")]
    assert (order.wire_id, order.sender, order.translit) == ("a.1-_", "Shop", 2)
    assert (order.time, order.tz, order.period, order.freq) == ("0101301200", "-2", "0.5", "5")
    assert (order.valid, order.maxsms, order.cost) == ("01:00", 3, 3)
    assert order.options == {"tinyurl": 1, "subj": "s", "userip": "192.0.2.1", "voice": "w,en"}
    assert (order.address, order.now_ms, order.origin) == ("203.0.113.7", NOON, "http")
    assert len(order.params_digest) == 16


async def test_what_clients_send_for_nothing_is_nothing(centre):
    order = await order_of(centre, SEND + "&id=0&time=0&sender=&tz=&tinyurl=0&maxsms=&translit=0")

    assert (order.wire_id, order.sender, order.translit, order.maxsms) == ("", None, 0, 0)
    assert (order.tz, order.options) == ("", {})


async def test_a_dot_switches_the_default_sender_off(centre):
    assert (await order_of(centre, SEND + "&sender=.")).sender == ""


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", Kind.SMS),
        ("&flash=0", Kind.SMS),
        ("&hlr=1&ping=1", Kind.HLR),
        ("&ping=1&flash=1", Kind.PING),
        ("&flash=1&push=1", Kind.FLASH),
        ("&push=1&bin=2", Kind.PUSH),
        ("&bin=2&mms=1", Kind.BINARY),
        ("&mms=1&mail=1", Kind.MMS),
        ("&mail=1&call=1", Kind.MAIL),
        ("&call=1&viber=1", Kind.CALL),
        ("&viber=1&soc=1", Kind.VIBER),
        ("&soc=1&whatsapp=1", Kind.SOCIAL),
        ("&whatsapp=1&tg=1", Kind.WHATSAPP),
        ("&tg=1&bot=@a_bot", Kind.TELEGRAM),
        ("&bot=@a_bot", Kind.BOT),
        ("&bot=wa:7999", Kind.WHATSAPP),
    ],
)
async def test_the_first_channel_flag_decides(centre, flags, expected):
    order = await order_of(centre, f"{BARE}&phones=79990000001&mes=00" + flags)

    assert order.kind is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("&list=79990000001:a%0AShop,3|79990000002;b", 2),
        ("&phones=7&mes=x&list=79990000001:a", 1),
        ("&nl=1&list=79990000001:a%0Ab%0A79990000002:c", 2),
    ],
)
async def test_a_list_wins_over_phones(centre, query, expected):
    await order_of(centre, BARE + query)

    assert len(centre.sending.lines) == expected
    assert centre.sending.lines[0].phones == "79990000001"


async def test_texts_are_read_in_the_charset_of_the_request(centre):
    await order_of(centre, f"{BARE}&phones=79990000001&mes=%CF%F0%E8&charset=windows-1251")

    assert centre.sending.lines[0].text == "При"


@pytest.mark.parametrize(
    "query",
    [
        "&bin=1&mes=%00%01%FF%98",
        "&bin=2&mes=0001FF98",
        "&bin=1&charset=utf-8&list=79990000001:%00%01%FF%98",
    ],
)
async def test_binary_data_are_hex_digits_however_they_come(centre, query):
    await order_of(centre, f"{BARE}&phones=79990000001{query}")

    assert centre.sending.lines[0].text.lower() == "0001ff98"


async def test_binary_data_keep_their_tail(centre):
    await order_of(centre, f"{BARE}&phones=79990000001&bin=1&mes=%00A%0A~~~%0Apid: 1, dcs: 2")

    assert centre.sending.lines[0].text == "0041\n~~~\npid: 1, dcs: 2"


@pytest.mark.parametrize(
    "query",
    [
        "&phones=79990000001",
        "&mes=a",
        "&phones=&mes=a",
        "&phones=79990000001&mes=a&cost=4",
        "&phones=79990000001&mes=a&cost=x",
        "&phones=79990000001&mes=a&translit=3",
        "&phones=79990000001&mes=a&id=%D1%8F",
        "&phones=79990000001&mes=a&id=" + "1" * 41,
        "&phones=79990000001&mes=a&flash=yes",
        "&phones=79990000001&mes=a&maxsms=-1",
        "&phones=79990000001&call=1",
        "&list=no record",
    ],
)
async def test_wrong_parameters_are_error_1(centre, query):
    assert (await centre.body(BARE + query)).startswith(b"ERROR = 1 (parameters error: ")


@pytest.mark.parametrize(
    "query",
    [
        "&hlr=1",
        "&ping=1",
        "&mms=1&subj=s",
        "&mms=1&fileurl=http://a/b",
        "&call=1&fileurl=http://a/b",
    ],
)
async def test_some_kinds_need_no_text(centre, query):
    await order_of(centre, f"{BARE}&phones=79990000001{query}")

    assert centre.sending.lines == [ListLine("79990000001", "")]


async def test_a_file_may_stand_for_the_text(centre):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file0"; filename="a.wav"\r\n\r\nRIFF\r\n'
        b'--x\r\nContent-Disposition: form-data; name="phones"\r\n\r\n79990000001\r\n--x--\r\n'
    )

    order = await order_of(centre, BARE + "&call=1", body, "multipart/form-data; boundary=x")

    assert [(file.name, file.octets) for file in order.options["files"]] == [("a.wav", b"RIFF")]


async def test_json_sends_too(centre):
    body = (
        '{"login": "alex", "psw": "123", "phones": ["79990000001", 79990000002],'
        ' "mes": "Привет", "cost": 3}'
    ).encode()

    answer = await centre.body("/rest/send/", body, "application/json")

    assert answer == b'{\n"id": 33,\n"cnt": 1,\n"cost": "1.40",\n"balance": "100.50"\n}'
    assert centre.sending.lines == [ListLine("79990000001,79990000002", "Привет")]


async def test_the_same_request_has_the_same_digest_however_it_is_made(centre):
    first = await order_of(centre, SEND)
    second = await order_of(
        centre,
        "/rest/send/",
        b'{"mes": "Hello", "phones": "79990000001", "login": "alex", "psw": "123", "id": 0}',
        "application/json",
    )

    assert first.params_digest == second.params_digest


async def test_an_idempotency_key_goes_along(centre):
    await centre.ask(SEND, headers=[(b"idempotency-key", b"abc")])

    assert centre.sending.orders[0].idempotency_key == "abc"


async def test_five_identical_price_requests_a_minute_are_enough(centre):
    for _ in range(5):
        assert await centre.body(SEND + "&cost=1") == b"1.40 (1 SMS)"

    assert await centre.body(SEND + "&cost=1&fmt=1") == b"0,-9"
    assert await centre.body(SEND + "+you&cost=1&fmt=1") == b"1.40,1"
    assert await centre.body(SEND) == b"OK - 1 SMS, ID - 33"
