import asyncio
import re
from importlib.resources import files

import pytest
import zeep
from requests import Session
from tests.compatibility.centre import running
from tests.doors.http.standins import NOON, Centre, Found

from vestnik.domain import refusals
from vestnik.domain.refusals import StoreUnavailable
from vestnik.doors.http.envelope import SOAP_11, SOAP_12
from vestnik.doors.http.soap import BODY_MAX, OPERATIONS
from vestnik.services.clients.access import AccessSettings
from vestnik.services.messages.draft import Accepted

pytestmark = pytest.mark.anyio

NS = "https://reference.example/sys/soap.php"


def envelope(operation, version=SOAP_11, login="alex", psw="123", **params):
    members = {"login": login, "psw": psw, **params}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    return (
        f'<e:Envelope xmlns:e="{version}"><e:Body>'
        f'<{operation} xmlns="{NS}">{inside}</{operation}></e:Body></e:Envelope>'
    ).encode()


async def told(centre, operation, **params):
    """The members of the result, in order."""
    answer = await centre.ask("/sys/soap.php", envelope(operation, **params), "text/xml")
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")
    [result] = re.findall(r"<r:\w+result>(.*)</r:\w+result>", answer.body.decode())
    return dict(re.findall(r"<r:(\w+)>(.*?)</r:\1>", result))


HELLO = {"phones": "79161234567", "mes": "Hello"}


async def test_a_send_tells_id_balance_cost_and_count(centre):
    members = await told(centre, "send_sms", **HELLO, sender="SHOP", time="0", id="77")

    [order] = centre.sending.orders
    assert list(members.items()) == [
        ("id", "33"),
        ("balance", "100.50"),
        ("cost", "1.40"),
        ("cnt", "1"),
    ]
    assert centre.sending.lines[0][:2] == ("79161234567", "Hello")
    assert (order.sender, order.wire_id, order.now_ms) == ("SHOP", "77", NOON)


async def test_further_parameters_come_in_a_query(centre):
    query = "flash=1&amp;maxsms=2&amp;sender=%D0%AB&amp;cost=1&amp;phones=1"

    await told(centre, "send_sms2", **HELLO, query=query)

    [order] = centre.sending.orders
    assert (order.kind, order.maxsms, order.sender, order.cost) == (1, 2, "Ы", 3)
    assert centre.sending.lines[0].phones == "79161234567"


async def test_only_send_sms2_has_further_parameters(centre):
    await told(centre, "send_sms", **HELLO, query="flash=1", flash="1")

    assert centre.sending.orders[0].kind == 0


async def test_a_request_over_soap_is_another_than_one_over_http(centre):
    await told(centre, "send_sms", **HELLO)
    await centre.ask("/sys/send.php?login=alex&psw=123&phones=79161234567&mes=Hello&cost=3")

    one, other = (order.params_digest for order in centre.sending.orders)
    assert one != other


async def test_a_price_is_told_and_nothing_is_sent(centre):
    centre.sending.answer = Accepted("", 2, 2_800_000, None, [])

    assert await told(centre, "get_sms_cost", **HELLO) == {"cost": "2.80", "cnt": "2"}
    assert centre.sending.orders[0].cost == 1


LEVELS = {
    "": ["status", "last_date", "err", "error"],
    "1": [
        *("status", "last_date", "err", "send_date", "phone", "cost", "sender_id"),
        *("status_name", "message", "sms_cnt", "error"),
    ],
    "2": [
        *("status", "last_date", "err", "send_date", "phone", "cost", "sender_id"),
        *("status_name", "message", "sms_cnt", "operator", "region", "error"),
    ],
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("operation", ["get_status", "get_status2"])
async def test_a_status_tells_as_much_as_was_asked(centre, operation, level):
    centre.status.found = {("1", "79990000001"): Found(text="a < b")}

    members = await told(centre, operation, phone="79990000001", id="1", all=level)

    assert list(members) == LEVELS[level]
    assert (members["status"], members["error"]) == ("1", "0")
    assert members.get("message", "a &lt; b") == "a &lt; b"


async def test_a_message_that_is_not_there_has_status_minus_3(centre):
    assert await told(centre, "get_status", phone="79990000001", id="9") == {
        "status": "-3",
        "error": "0",
    }


async def test_a_status_is_of_one_message(centre):
    assert await told(centre, "get_status", phone="1,2", id="1") == {"error": "1"}


async def test_a_balance_is_told(centre):
    assert await told(centre, "get_balance") == {"balance": "1871.62", "error": "0"}


async def test_more_than_ten_balances_a_minute_are_error_9(centre):
    for _ in range(10):
        await told(centre, "get_balance")

    assert await told(centre, "get_balance") == {"error": "9"}


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (refusals.BadNumber(message_id="34"), {"id": "34", "error": "7"}),
        (refusals.InsufficientFunds(message_id="35"), {"id": "35", "error": "3"}),
        (refusals.Duplicate(), {"error": "9"}),
        (refusals.BadDate(), {"error": "5"}),
    ],
)
async def test_a_refusal_is_a_number(centre, refusal, expected):
    centre.sending.answer = refusal

    assert await told(centre, "send_sms", **HELLO) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"psw": "124", **HELLO}, "2"),
        ({"phones": "1"}, "1"),
        ({"query": "%FF", **HELLO}, "1"),
        ({"query": "a=%00", **HELLO}, "1"),
        ({"query": "bin=1", "phones": "1", "mes": "Ы"}, "1"),
        ({"query": "flash=2", **HELLO}, "1"),
    ],
)
async def test_mistakes_are_numbers_as_over_http(centre, params, expected):
    assert await told(centre, "send_sms2", **params) == {"error": expected}


async def test_frequent_mistakes_shut_an_address_out():
    centre = Centre(settings=AccessSettings(wrong_requests=2))
    for _ in range(2):
        await told(centre, "get_balance", psw="124")

    assert await told(centre, "get_balance") == {"error": "4"}


async def test_the_key_stands_in_the_place_of_the_password(centre):
    members = await told(centre, "get_balance", login="", psw="", apikey="a-key-of-alex")

    assert members["error"] == "0"


async def test_the_operation_may_be_named_by_the_header_alone(centre):
    headers = [(b"soapaction", b'"urn:x#get_balance"')]

    answer = await centre.ask(
        "/sys/soap.php", envelope("BalanceRequest"), "text/xml", headers=headers
    )

    assert b"<r:balance>1871.62</r:balance>" in answer.body


async def test_soap_1_2_is_answered_in_kind(centre):
    answer = await centre.ask("/sys/soap.php", envelope("get_balance", SOAP_12))

    assert answer.content_type == "application/soap+xml; charset=utf-8"
    assert SOAP_12.encode() in answer.body


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"hello", 500, b"the envelope is not XML"),
        (envelope("delete_all"), 500, b"there is no such operation; there are: send_sms,"),
        (envelope("delete_all", SOAP_12), 400, b"there is no such operation"),
        (b"x" * (BODY_MAX + 1), 500, b"the envelope is longer than 1000000 octets"),
    ],
)
async def test_an_envelope_that_cannot_be_read_is_a_fault(centre, body, status, words):
    answer = await centre.ask("/sys/soap.php", body)

    assert answer.status == status
    assert words in answer.body


async def test_a_store_that_is_away_is_503(centre):
    centre.sending.answer = StoreUnavailable("away")

    answer = await centre.ask("/sys/soap.php", envelope("send_sms", **HELLO))

    assert answer.status == 503


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "wsdl="])
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"centre.example:8080", b"http://centre.example:8080/sys/soap.php"),
        (b'x"/><evil', b"http://localhost/sys/soap.php"),
    ],
)
async def test_the_description_names_the_address_it_was_asked_at(centre, query, host, expected):
    answer = await centre.ask(f"/sys/soap.php?{query}", headers=[(b"host", host)])

    assert answer.content_type == "text/xml; charset=utf-8"
    assert b'targetNamespace="' + expected + b'"' in answer.body
    assert b'<soap:address location="' + expected + b'"/>' in answer.body


async def test_a_visit_is_told_where_to_look(centre):
    answer = await centre.ask("/sys/soap.php")

    assert answer.status == 405
    assert b"?wsdl" in answer.body


async def test_calls_are_observed():
    seen = []
    centre = Centre(door_options={"observe": lambda *told: seen.append(told[:2])})
    await told(centre, "get_balance")
    await told(centre, "get_balance", psw="124")
    await centre.ask("/sys/soap.php", b"hello")

    assert seen == [("soap", 0), ("soap", 2), ("soap", 1)]


def test_the_description_has_the_operations_there_are():
    text = files("vestnik.doors.http").joinpath("soap.wsdl").read_text()

    described = dict(
        re.findall(
            r'<xs:element name="(\w+)">\s+<xs:complexType>(.*?)</xs:complexType>', text, re.DOTALL
        )
    )
    types = dict(
        re.findall(r'<xs:complexType name="(\w+)">(.*?)</xs:complexType>', text, re.DOTALL)
    )
    for name, operation in OPERATIONS.items():
        taken = ["login", "psw", "apikey", *operation.params, *["query"] * operation.query]
        assert members(described[name]) == taken
        assert members(described[operation.wrapper]) == [operation.result]
        kind = operation.wrapper + "Type"
        assert members(types[kind]) == [*operation.members, "error"]


def members(text):
    return re.findall(r'<xs:element name="(\w+)"', text)


async def test_somebody_elses_client_sends_asks_and_pays(tmp_path):
    async with running(tmp_path) as (port, key):

        def talk():
            session = Session()
            session.trust_env = False
            client = zeep.Client(
                f"http://127.0.0.1:{port}/sys/soap.php?wsdl",
                transport=zeep.Transport(session=session),
            )
            call, alex = client.service, {"login": "alex", "psw": "123"}
            sent = call.send_sms(**alex, phones="79999999999", mes="Привет", id="", sender="ivan")
            again = call.send_sms(**alex, phones="79999999999", mes="Привет", id="", sender="ivan")
            cost = call.get_sms_cost2(apikey=key, phones="79999999999", mes="Hi", query="flash=1")
            found = call.get_status(**alex, phone="79999999999", id=sent.id, all="2")
            balance = call.get_balance(apikey=key)
            session.close()
            return sent, again, cost, found, balance

        sent, again, cost, found, balance = await asyncio.to_thread(talk)

    assert (sent.id, sent.cost, sent.cnt, sent.balance, sent.error) == (
        "1",
        "1.00",
        "1",
        "99.00",
        None,
    )
    assert (again.error, again.id) == ("9", None)
    assert (cost.cost, cost.cnt, cost.error) == ("1.00", "1", None)
    assert (found.message, found.sender_id, found.sms_cnt, found.error) == (
        "Привет",
        "ivan",
        "1",
        "0",
    )
    assert (balance.balance, balance.error) == ("99.00", "0")
