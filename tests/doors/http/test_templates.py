import json

import pytest
from tests.building import rows_of
from tests.fakes.paperwork import Desk

from vestnik.domain.message import Kind
from vestnik.domain.refusals import NotFound
from vestnik.services.centre import names
from vestnik.services.senders import templates
from vestnik.store import schema

pytestmark = pytest.mark.anyio

ADD = "add=1&name=Greeting&msg=Hello"
LIFTED = {"identical_per_minute": 0}


@pytest.fixture
async def desk(store):
    made = await Desk().over(store)
    for login in ("alex", "boris"):
        await made.set(login, **LIFTED)
    return made


async def ask(desk, query, **more):
    return await desk.say("templates", query, **more)


async def listed(desk, **more):
    return json.loads(await ask(desk, "get=1&fmt=3", **more))


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "OK - ID - 1"), (1, "1"), (2, "<result><id>1</id></result>"), (3, '{\n"id": 1\n}')],
)
async def test_a_new_template_has_an_id(desk, fmt, expected):
    assert await ask(desk, f"{ADD}&fmt={fmt}") == expected


async def test_a_list_in_four_formats(desk):
    await ask(desk, f"{ADD}&format=sms&sender=Shop&fl[1]=1")
    await ask(desk, "add=1&name=Two&msg=a<b>,%0Ac")

    assert await ask(desk, "get=1") == (
        "id = 1, name = Greeting, message = Hello, format = sms, sender = Shop, flag = 2\n"
        "id = 2, name = Two, message = a<b>, c, format = , sender = , flag = 0"
    )
    assert await ask(desk, "get=1&fmt=1") == "1,Greeting,Hello,sms,Shop,2\n2,Two,a<b>, c,,,0"
    assert await ask(desk, "get=1&fmt=2") == (
        "<templates>\n<template><id>1</id><name>Greeting</name><message>Hello</message>"
        "<format>sms</format><sender>Shop</sender><flag>2</flag></template>\n"
        "<template><id>2</id><name>Two</name><message>a&lt;b&gt;,\nc</message><format></format>"
        "<sender></sender><flag>0</flag></template>\n</templates>"
    )
    assert await listed(desk) == [
        {
            "id": 1,
            "name": "Greeting",
            "message": "Hello",
            "format": "sms",
            "sender": "Shop",
            "flag": 2,
        },
        {"id": 2, "name": "Two", "message": "a<b>,\nc", "format": "", "sender": "", "flag": 0},
    ]


async def test_an_empty_list_is_error_3(desk):
    assert await ask(desk, "get=1") == "ERROR = 3 (record not found)"


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
async def test_texts_are_read_and_told_in_the_charset_of_the_request(desk, charset):
    await ask(desk, "add=1&name=Привет&msg=Здравствуйте", charset=charset)

    assert "message = Здравствуйте" in await ask(desk, "get=1", charset=charset)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "OK"), (1, "OK"), (2, "<result>OK</result>"), (3, '{\n"result": "OK"\n}')],
)
async def test_what_is_absent_stays_and_what_is_empty_is_cleared(desk, fmt, expected):
    await ask(desk, f"{ADD}&format=sms&sender=Shop")

    assert await ask(desk, f"chg=1&id=1&msg=Good+day&sender=&fmt={fmt}") == expected

    [one] = await listed(desk)
    assert one == {
        "id": 1,
        "name": "Greeting",
        "message": "Good day",
        "format": "sms",
        "sender": "",
        "flag": 0,
    }


async def test_a_forgotten_template_is_gone_and_its_id_is_not_given_again(desk):
    await ask(desk, ADD)
    assert await ask(desk, "del=1&id=1") == "OK"

    assert await ask(desk, "del=1&id=1") == "ERROR = 3 (record not found)"
    assert await ask(desk, ADD) == "OK - ID - 2"


WRONG = [
    "add=1",
    "add=1&name=x",
    "add=1&msg=x",
    "add=1&name=+&msg=x",
    "add=1&name=x&msg=+",
    "add=1&name=x&msg=x&format=sms2",
    "add=1&name=x&msg=x&fl[1]=2",
    f"add=1&name={'x' * 101}&msg=x",
    f"add=1&name=x&msg={'x' * 1001}",
    "add=1&name=x&msg=x&sender=a%0Ab",
    f"add=1&name=x&msg=x&sender={'x' * 101}",
    "chg=1&msg=x",
    "chg=1&id=1",
    "chg=1&id=1&msg=",
    "chg=1&id=1&name=+",
    "chg=1&id=-1&msg=x",
    "chg=1&id=99999999999999999999&msg=x",
    "chg=1&id=1;drop&msg=x",
    "del=1",
    "add=1&get=1",
    "",
    "get=2",
]


async def test_wrong_parameters_are_error_1(desk):
    await ask(desk, ADD)

    for query in WRONG:
        assert await ask(desk, f"{query}&fmt=1") == "0,-1", query
    assert len(await listed(desk)) == 1


async def test_a_letter_may_be_long(desk):
    assert await ask(desk, f"add=1&name=x&format=mail&msg={'x' * 5000}") == "OK - ID - 1"
    assert await ask(desk, "chg=1&id=1&format=sms&fmt=1") == "0,-1"


async def test_nobody_sees_or_touches_another_accounts_templates(desk):
    await ask(desk, ADD)

    for query in ("get=1", "chg=1&id=1&msg=x", "del=1&id=1"):
        assert await ask(desk, query, login="boris") == "ERROR = 3 (record not found)"
    assert [one["message"] for one in await listed(desk)] == ["Hello"]


async def test_the_fourth_identical_request_within_a_minute_is_error_9(desk):
    await desk.set("alex", identical_per_minute="")
    answers = [await ask(desk, ADD) for _ in range(4)]

    assert answers[:3] == [f"OK - ID - {n}" for n in (1, 2, 3)]
    assert answers[3].startswith("ERROR = 9 (")


async def test_there_is_a_limit(desk, monkeypatch):
    monkeypatch.setattr(templates, "TEMPLATES_MAX", 2)
    await ask(desk, ADD)
    await ask(desk, ADD)

    assert (await ask(desk, ADD)).startswith("ERROR = 5 (an account keeps 2 templates")


async def test_markup_and_quotes_come_back_as_they_are(desk):
    text = """'; DROP TABLE templates; -- <script>"&amp;" =1+1"""
    await ask(
        desk, "add=1&name=x&msg=" + text.replace("&", "%26").replace(";", "%3B").replace("+", "%2B")
    )

    assert (await listed(desk))[0]["message"] == text


async def test_a_mailing_takes_a_template_by_its_id(desk):
    await ask(desk, ADD)
    alex, boris = desk.client("alex").id, desk.client("boris").id

    assert await desk.store.read(templates.text_of, alex, 1) == "Hello"
    with pytest.raises(NotFound):
        await desk.store.read(templates.text_of, boris, 1)


# Signatures.


def signed(desk, kind=Kind.SMS, text="Hi", login="alex"):
    return names.signed(desk.current.value, desk.client(login).id, kind, text)


async def test_a_signature_is_appended_to_texts_of_its_format_at_once(desk):
    await ask(desk, "add=1&name=s&msg=Your+shop&format=sms&fl[1]=1")

    assert signed(desk) == "Hi\nYour shop"
    assert signed(desk, Kind.VIBER) == "Hi"
    assert signed(desk, text="Hi, Your shop") == "Hi, Your shop"
    assert signed(desk, text="") == "Your shop"
    assert signed(desk, login="boris") == "Hi"


async def test_a_signature_of_no_format_serves_where_there_is_no_other(desk):
    await ask(desk, "add=1&name=s&msg=Any&fl[1]=1")
    await ask(desk, "add=1&name=s&msg=Short&format=sms&fl[1]=1")

    assert signed(desk) == "Hi\nShort"
    assert signed(desk, Kind.VIBER) == "Hi\nAny"
    assert [signed(desk, kind) for kind in (Kind.BINARY, Kind.PUSH, Kind.HLR)] == ["Hi"] * 3


async def test_of_two_signatures_the_newer_is_used(desk):
    await ask(desk, "add=1&name=s&msg=One&fl[1]=1")
    await ask(desk, "add=1&name=s&msg=Two&fl[1]=1")
    assert signed(desk) == "Hi\nTwo"

    await ask(desk, "del=1&id=2")
    assert signed(desk) == "Hi\nOne"


async def test_a_signature_may_be_changed_and_switched_off(desk):
    await ask(desk, "add=1&name=s&msg=One&fl[1]=1")
    await ask(desk, "chg=1&id=1&msg=Two")
    assert signed(desk) == "Hi\nTwo"

    await ask(desk, "chg=1&id=1&fl[1]=0")
    assert signed(desk) == "Hi"


async def test_other_templates_do_not_wake_the_directory(desk):
    before = desk.current.value.version
    await ask(desk, ADD)
    await ask(desk, "chg=1&id=1&msg=x")
    await ask(desk, "del=1&id=1")
    await desk.current.refresh()

    assert desk.current.value.version == before
    assert await desk.store.read(rows_of(schema.templates)) == []
