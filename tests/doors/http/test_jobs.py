"""jobs.php over real mailings on a real store."""

import dataclasses
import json
import xml.etree.ElementTree as ET
from urllib.parse import quote

import msgspec
import pytest
from tests.building import HOUR, MINUTE, OTHER, PHONE
from tests.doors.http.standins import NOON, Centre
from tests.mailing import Press, State

from vestnik.domain.client import Client, Limits
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.server import Door
from vestnik.services.clients.access import key_hash
from vestnik.services.mailings.settings import Settings
from vestnik.store import schema

pytestmark = pytest.mark.anyio

ADD = f"add=1&name=News&phones={PHONE}&mes=Hello"
FMTS = (0, 1, 2, 3)


class Jobs(Centre):
    """A centre that has mailings; alex is its client 1, and bob its client 2."""

    async def over(self, store):
        self.press = Press(store)
        self.press.store.at = NOON
        self.press.rate(None, 1_200_000)
        await self.press.client(1, limits=dataclasses.asdict(self.limits))
        await self.press.client(2)
        self.clients.clients[2] = Client(2, "bob", limits=self.limits)
        self.clients.keys[key_hash(b"a secret of this test only", "bobs")] = 2
        services = dataclasses.replace(self.services, jobs=self.press.jobs)
        self.door = Door(ENDPOINTS, services, clock=lambda: self.now)
        return self

    async def jobs(self, query, charset="utf-8", who="login=alex&psw=123", key=""):
        headers = [(b"idempotency-key", key.encode())] if key else []
        target = f"/sys/jobs.php?{who}&charset={charset}&{query}"
        answer = (await self.ask(target, headers=headers)).body
        return answer.decode({"windows-1251": "cp1251"}.get(charset, charset))

    def later(self, ms):
        self.now += ms
        self.press.later(ms)

    async def stored(self):
        """The only mailing, and how its messages are made."""
        [row] = await self.press.rows(schema.mailings)
        mailing = await self.press.mailing(row.wire_id, mail=bool(row.mail))
        return mailing, msgspec.json.decode(mailing.settings, type=Settings)


@pytest.fixture
async def door(store):
    return await Jobs(limits=Limits(identical_s=0)).over(store)


@pytest.fixture
async def strict(store):
    return await Jobs().over(store)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (
            0,
            ["OK, ID - 1", "2", "<result>\n<id>3</id>\n</result>", '{\n"id": 4\n}'],
        ),
        (
            1,
            [
                "OK, ID - 1, COST - 1.20",
                "2,1.20",
                "<result>\n<id>3</id>\n<cost>1.20</cost>\n</result>",
                '{\n"id": 4,\n"cost": "1.20"\n}',
            ],
        ),
    ],
)
async def test_an_order_is_answered_with_its_id_and_its_price(door, cost, expected):
    assert [await door.jobs(f"{ADD}&cost={cost}&fmt={fmt}") for fmt in FMTS] == expected


@pytest.mark.parametrize("operation", ["cancel", "del"])
async def test_what_is_switched_off_or_removed_is_answered_with_ok(door, operation):
    answers = []
    for number, fmt in enumerate(FMTS, start=1):
        await door.jobs(f"{ADD}&mes={fmt}")
        answers.append(await door.jobs(f"{operation}=1&id={number}&fmt={fmt}"))

    assert answers == ["OK", "OK", "<result>OK</result>", '{\n"result": "OK"\n}']


async def test_the_list_has_a_line_each_and_begins_with_the_id(door):
    name = quote("Новости, июнь")
    await door.jobs(f"{ADD}&name={name}&time=27.11.27%2010:00&rpt=5&rptn=3")
    await door.jobs(f"{ADD}&name=Second&time=27.11.27%2011:30")

    plain, commas, xml, objects = [await door.jobs(f"get_all=1&fmt={fmt}") for fmt in FMTS]
    assert plain == (
        "2, name = Second, time = 27.11.2027 11:30, rpt = 0, cnt = 1, status = 0\n"
        "1, name = Новости, июнь, time = 27.11.2027 10:00, rpt = 5, cnt = 1, status = 0\n"
    )
    assert commas == "2,1827304200,0,1,0,Second\n1,1827298800,5,1,0,Новости, июнь"
    assert [[field.tag for field in job] for job in ET.fromstring(xml)] == [
        ["id", "name", "time", "rpt", "rptn", "cnt", "status"]
    ] * 2
    assert ET.fromstring(xml).tag == "jobs"
    assert json.loads(objects)[1] == {
        "id": 1,
        "name": "Новости, июнь",
        "time": "27.11.2027 10:00",
        "rpt": 5,
        "rptn": "3",
        "cnt": 1,
        "status": 0,
    }


async def test_an_order_with_a_key_is_told_its_first_answer_in_any_shape(strict):
    first = await strict.jobs(f"{ADD}&cost=1", key="order 7")
    again = await strict.jobs(f"{ADD}&cost=1&fmt=3", key="order 7")
    other = await strict.jobs(f"{ADD}&cost=1&rpt=1&fmt=1", key="order 7")

    assert first == "OK, ID - 1, COST - 1.20"
    assert json.loads(again) == {"id": 1, "cost": "1.20"}
    assert other == "0,-1"
    assert len(await strict.press.rows(schema.mailings)) == 1


async def test_no_mailings_are_an_empty_list(door):
    answers = [await door.jobs(f"get_all=1&fmt={fmt}") for fmt in FMTS]

    assert answers == ["", "", "<jobs></jobs>", "[]"]


async def test_the_list_is_narrowed_by_days(door):
    await door.jobs(f"{ADD}&time=27.11.27%2000:00")
    await door.jobs(f"{ADD}&time=28.11.27%2023:59")

    async def ids(query):
        return [job["id"] for job in json.loads(await door.jobs(f"get_all=1&fmt=3&{query}"))]

    assert await ids("start=27.11.2027&end=27.11.2027") == [1]
    assert await ids("start=28.11.2027") == [2]
    assert await ids("end=28.11.2027") == [2, 1]
    assert await ids("start=29.11.2027") == []


async def test_everything_is_told_about_one(door):
    await door.jobs(f"{ADD}&phones={PHONE},{OTHER}&sender=Shop&rpt=1&rptn=4")
    await door.press.work()
    await door.press.deliver()
    await door.press.work()

    told = json.loads(await door.jobs("get=1&id=1&fmt=3"))
    assert told == {
        "id": 1,
        "name": "News",
        "time": "15.01.2027 12:00",
        "rpt": 1,
        "rptn": "4",
        "cnt": 2,
        "status": 0,
        "phones": f"{PHONE},{OTHER}",
        "mes": "Hello",
        "sender": "Shop",
        "created": "15.01.2027 11:00:00",
        "last_run": "15.01.2027 11:00:00",
        "runs": 1,
        "cost": "2.40",
        "ids": "1",
        "made": 2,
        "sent": 2,
        "delivered": 2,
        "failed": 0,
    }
    assert list(told)[:3] == ["id", "name", "time"]
    plain, commas, xml = [await door.jobs(f"get=1&id=1&fmt={fmt}") for fmt in (0, 1, 2)]
    assert plain.startswith("id = 1, name = News, time = 15.01.2027 12:00, rpt = 1, rptn = 4, ")
    assert plain.endswith(", ids = 1, made = 2, sent = 2, delivered = 2, failed = 0")
    assert commas == ",".join(map(str, told.values()))
    assert [field.tag for field in ET.fromstring(xml)] == list(told)
    assert ET.fromstring(xml).tag == "job"


async def test_the_messages_of_the_first_run_have_the_id_of_the_mailing(door):
    await door.jobs(ADD)
    await door.press.work()

    assert (await door.press.message()).wire_id == "1"


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ERROR = 3 (there is no such mailing)"),
        (1, "0,-3"),
        (
            2,
            (
                "<result>\n<error>there is no such mailing</error>\n"
                "<error_code>3</error_code>\n</result>"
            ),
        ),
        (3, '{\n"error": "there is no such mailing",\n"error_code": 3\n}'),
    ],
)
@pytest.mark.parametrize("operation", ["get", "cancel", "del"])
async def test_an_unknown_mailing_is_error_3(door, operation, fmt, expected):
    assert await door.jobs(f"{operation}=1&id=7&fmt={fmt}") == expected


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", 1),
        ("add=0", 1),
        ("get=2", 1),
        ("get=1", 1),
        ("del=1&id=0", 1),
        ("cancel=1&id=abc", 1),
        ("cancel=1&id=-5", 1),
        (f"{ADD}&name=", 1),
        (f"{ADD}&name={'x' * 101}", 1),
        (f"{ADD}&phones=", 1),
        (f"{ADD}&phones=G9", 1),
        (f"{ADD}&mes=", 1),
        (f"{ADD}&rpt=8", 1),
        (f"{ADD}&rpt=daily", 1),
        (f"{ADD}&rptn=-1", 1),
        (f"{ADD}&rptn=many", 1),
        (f"{ADD}&period=1000", 1),
        (f"{ADD}&period=1&freq=0", 1),
        (f"{ADD}&valid=25", 1),
        (f"{ADD}&tz=99", 1),
        (f"{ADD}&cost=4", 1),
        (f"{ADD}&translit=3", 1),
        (f"{ADD}&flash=yes", 1),
        (f"{ADD}&bin=2", 1),
        (f"{ADD}&tpl=5", 1),
        (f"{ADD}&tpl=-5", 1),
        ("add=1&name=News&list=nothing", 1),
        (f"{ADD}&time=tomorrow", 5),
        (f"{ADD}&time=3102271000", 5),
        ("get_all=1&start=2027-11-27", 5),
        ("get_all=1&end=31.02.2027", 5),
    ],
)
async def test_what_is_wrong_has_its_number_and_is_not_stored(door, query, error):
    assert await door.jobs(f"{query}&fmt=1") == f"0,-{error}"
    assert await door.press.rows(schema.mailings) == []


async def test_the_first_operation_counts(door):
    assert await door.jobs(f"get_all=1&get=1&cancel=1&del=1&{ADD}&id=7") == "OK, ID - 1"
    assert await door.jobs("get_all=1&get=1&cancel=1&del=1&id=1") == "OK"
    assert await door.press.mailing("1") is None


async def test_the_id_of_an_order_is_taken_and_means_nothing(door):
    assert await door.jobs(f"{ADD}&id=10") == "OK, ID - 1"


async def test_one_identical_request_a_minute_is_served(strict):
    assert await strict.jobs(ADD) == "OK, ID - 1"
    assert await strict.jobs(ADD) == "ERROR = 9 (duplicate request, wait a minute)"
    assert await strict.jobs(f"{ADD}&name=Other") == "OK, ID - 2"
    for query in ("get_all=1", "get=1&id=1", "cancel=1&id=1", "del=1&id=1"):
        assert await strict.jobs(f"{query}&fmt=3") != "0,-9"
        assert await strict.jobs(f"{query}&fmt=1") == "0,-9"
    strict.later(MINUTE)

    assert await strict.jobs(f"{ADD}&fmt=1") == "3"
    assert await strict.jobs("get=1&id=3&fmt=1") != "0,-9"


async def test_e_mail_has_mailings_of_its_own(door):
    letter = "add=1&mail=1&name=Letters&phones=bob@example.com&mes=Hello&subj=Hi&sender=a@b.ru"
    assert await door.jobs(letter) == "OK, ID - 1"
    assert await door.jobs(ADD) == "OK, ID - 2"

    assert (await door.jobs("get_all=1&mail=1")).startswith("1, name = Letters")
    assert (await door.jobs("get_all=1")).startswith("2, name = News")
    assert await door.jobs("get=1&id=1&fmt=1") == "0,-3"
    assert (await door.jobs("get=1&id=1&mail=1&fmt=1")).startswith("1,Letters")
    assert await door.jobs("del=1&id=2&mail=1&fmt=1") == "0,-3"
    assert await door.jobs("del=1&id=1&mail=1&fmt=1") == "OK"


async def test_nobody_sees_or_touches_mailings_of_others(door):
    await door.jobs(ADD)
    bob = "apikey=bobs"

    assert await door.jobs("get_all=1", who=bob) == ""
    for operation in ("get", "cancel", "del"):
        assert await door.jobs(f"{operation}=1&id=1&fmt=1", who=bob) == "0,-3"
    assert (await door.press.mailing("1")).state == State.WAITING


async def test_every_option_reaches_the_messages(door):
    options = (
        "sender=Shop&translit=1&tinyurl=1&time=27.11.27%2010:00&tz=2&rpt=5&rptn=3&period=2&freq=30"
        "&valid=12&viber=1&subj=Hi&voice=w&param=22,20,5&fileurl=http://a.b/c&mes2=By%20SMS"
        "&sender2=Shop2&fl[5]=1"
    )
    await door.jobs(f"{ADD}&{options}")

    mailing, settings = await door.stored()
    assert settings == Settings(
        kind=10,
        text="Hello",
        sender="Shop",
        translit=1,
        tz="2",
        period="2",
        freq="30",
        valid="12",
        options={
            "tinyurl": 1,
            "subj": "Hi",
            "voice": "w",
            "param": "22,20,5",
            "fileurl": "http://a.b/c",
        },
        mes2="By SMS",
        sender2="Shop2",
        repeat=True,
    )
    assert (mailing.rpt, mailing.rptn) == (5, 3)
    assert mailing.start_at == 1_827_298_800_000 - 2 * HOUR


@pytest.mark.parametrize(
    ("flag", "kind"),
    [("hlr", 4), ("ping", 5), ("flash", 1), ("mms", 6), ("call", 7), ("viber", 10), ("soc", 12)],
)
async def test_each_channel_has_its_flag(door, flag, kind):
    await door.jobs(f"{ADD}&{flag}=1")
    await door.press.work()

    assert (await door.press.message()).type == kind


@pytest.mark.parametrize("flag", ["hlr", "ping"])
async def test_a_look_up_needs_no_text(door, flag):
    assert await door.jobs(f"add=1&name=News&phones={PHONE}&{flag}=1") == "OK, ID - 1"


@pytest.mark.parametrize(("form", "text"), [(1, "%00%FFA"), (2, "00ff41")])
async def test_octets_come_as_they_are_or_in_hex(door, form, text):
    await door.jobs(f"add=1&name=News&phones={PHONE}&mes={text}&bin={form}", "windows-1251")
    await door.press.work()

    assert (await door.press.message()).text == "00ff41"


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
async def test_name_and_text_come_in_three_charsets(door, charset):
    name = quote("Новости".encode(charset))
    await door.jobs(f"add=1&name={name}&phones={PHONE}&mes={name}", charset)
    await door.press.work()

    assert (await door.press.message()).text == "Новости"
    assert "name = Новости," in await door.jobs("get_all=1", charset)


@pytest.mark.parametrize(
    "hostile",
    [
        "'; DROP TABLE mailings; --",
        "<b>&amp;</b>",
        "=1+1",
        "../../etc/passwd",
        "a\r\nSet-Cookie: b",
    ],
)
async def test_a_hostile_name_is_a_name(door, hostile):
    await door.jobs(f"add=1&name={quote(hostile)}&phones={PHONE}&mes={quote(hostile)}")

    [job] = json.loads(await door.jobs("get_all=1&fmt=3"))
    assert job["name"] == hostile
    assert len((await door.jobs("get_all=1")).splitlines()) == 1
    [element] = ET.fromstring(await door.jobs("get_all=1&fmt=2"))
    assert element.find("name").text.split() == hostile.split()
    await door.press.work()
    assert (await door.press.message()).text == hostile.replace("\r\n", "\n")


async def test_a_list_is_ordered_line_by_line(door):
    lines = quote(f"{PHONE}:Code 1111\n{OTHER}:Code 2222")
    assert await door.jobs(f"add=1&name=Codes&list={lines}&cost=1") == "OK, ID - 1, COST - 2.40"
    await door.press.work()

    assert [m.text for m in await door.press.messages()] == ["Code 1111", "Code 2222"]
    told = json.loads(await door.jobs("get=1&id=1&fmt=3"))
    assert (told["phones"], told["mes"]) == ("", f"{PHONE}:Code 1111\n{OTHER}:Code 2222")


async def test_files_come_by_multipart_with_options_in_the_query(door):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f1"; filename="a.png"\r\n\r\n'
        + bytes(range(256))
        + b"\r\n--b--\r\n"
    )
    answer = await door.body(
        f"/sys/jobs.php?login=alex&psw=123&add=1&name=News&phones={PHONE}&mms=1",
        body,
        "multipart/form-data; boundary=b",
    )

    assert answer == b"OK, ID - 1"
    [file] = await door.press.rows(schema.mailing_files)
    assert (file.field, file.name, bytes(file.octets)) == ("f1", "a.png", bytes(range(256)))


async def test_it_speaks_json_too(door):
    asked = {"login": "alex", "psw": "123", "add": 1, "name": "News", "mes": "Hello"}
    body = json.dumps(asked | {"phones": [PHONE, OTHER], "cost": 1}).encode()
    answer = await door.body("/rest/jobs/", body, "application/json")

    assert json.loads(answer) == {"id": 1, "cost": "2.40"}
