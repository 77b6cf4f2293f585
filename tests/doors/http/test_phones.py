import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest
from tests.fakes.book import BOB_KEY, FREE, MINUTE, Book

from vestnik.domain.client import Limits

pytestmark = pytest.mark.anyio

ADD = "add=1&phone=79999999999&name=Contact"
BOB = f"apikey={BOB_KEY}"


@pytest.fixture
def book(store):
    return Book(limits=FREE).over(store)


async def listed(book, query="", **more):
    return json.loads(await book.phones(f"get=1&fmt=3&{query}", **more))


@pytest.mark.parametrize(
    ("fmt", "contact", "group", "entry"),
    [
        (0, "ID = 1", "ID = 3", "ID = 1"),
        (1, "1", "3", "1"),
        (
            2,
            "<phone>\n<id>1</id>\n</phone>",
            "<group>\n<id>3</id>\n</group>",
            "<phone>\n<id>1</id>\n</phone>",
        ),
        (3, '{\n"id": 1\n}', '{\n"id": 3\n}', '{\n"id": 1\n}'),
    ],
)
async def test_what_is_made_is_answered_with_its_id(book, fmt, contact, group, entry):
    assert await book.phones(f"{ADD}&fmt={fmt}") == contact
    assert await book.phones(f"add_group=1&name=Group&fmt={fmt}") == group
    assert await book.phones(f"add_black=1&phone=79999999998&type=1&fmt={fmt}") == entry


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "OK"), (1, "OK"), (2, "<result>OK</result>"), (3, '{\n"result": "OK"\n}')],
)
async def test_what_is_changed_is_answered_with_ok(book, fmt, expected):
    await book.phones(ADD)
    await book.phones("add_black=1&phone=79999999998")

    for query in (
        "chg=1&phone=79999999999&name=Contact1",
        "chg_group=1&grp=1&name=Group1",
        "move_group=1&grp=1&phone=79999999999",
        "move_group=2&grp=2&phone=79999999999",
        "move_group=3&grp=1&phone=79999999999",
        "del_black=1&phone=79999999998",
        "del_group=1&grp=2",
        "del=1&phone=79999999999",
    ):
        assert await book.phones(f"{query}&fmt={fmt}") == expected


async def test_contacts_in_four_formats(book):
    await book.phones(
        "add=1&phone=79999999999,123&name=Contact&grp=1,2&myid=100500&lnm=Doe&fnm=Jane&mnm=M"
        '&bd=01.02.1990&cmt=a, "b"&tags=x, y&pho=any%20thing&lmt=5'
    )

    assert await book.phones("get=1") == (
        "int_id = 1, id = 100500, name = Contact, phone = 79999999999,123, group = 1|2, "
        "first_name = Jane, last_name = Doe, middle_name = M, birthday = 01.02.1990, "
        'comments = a, "b", tags = x, y, phone_other = any thing'
    )
    assert await book.phones("get=1&fmt=1") == (
        '1,100500,Contact,"79999999999,123",1|2,Jane,Doe,M,01.02.1990,"a, ""b""","x, y",any thing'
    )
    assert await book.phones("get=1&fmt=2") == (
        "<contacts>\n<contact><int_id>1</int_id><id>100500</id><name>Contact</name>"
        "<phone>79999999999,123</phone><group>1|2</group><first_name>Jane</first_name>"
        "<last_name>Doe</last_name><middle_name>M</middle_name><birthday>01.02.1990</birthday>"
        "<comments>a, &quot;b&quot;</comments><tags>x, y</tags>"
        "<phone_other>any thing</phone_other></contact>\n</contacts>"
    )
    assert await book.phones("get=1&fmt=3") == (
        '[{\n"int_id": 1,\n"id": "100500",\n"name": "Contact",\n"phone": "79999999999,123",\n'
        '"group": "1|2",\n"first_name": "Jane",\n"last_name": "Doe",\n"middle_name": "M",\n'
        '"birthday": "01.02.1990",\n"comments": "a, \\"b\\"",\n"tags": "x, y",\n'
        '"phone_other": "any thing"\n}]'
    )


async def test_groups_in_four_formats(book):
    await book.phones("del_group=1&grp=1")
    await book.phones("chg_group=1&grp=2&name=A, b&num=7")
    await book.phones(f"{ADD}&grp=2")

    assert await book.phones("get_group=1") == "id = 2, name = A, b, number = 7, cnt = 1"
    assert await book.phones("get_group=1&fmt=1") == '2,"A, b",7,1'
    assert await book.phones("get_group=1&fmt=2") == (
        "<groups>\n<group><id>2</id><name>A, b</name><number>7</number><cnt>1</cnt></group>\n"
        "</groups>"
    )
    assert await book.phones("get_group=1&fmt=3") == (
        '[{\n"id": 2,\n"name": "A, b",\n"number": "7",\n"cnt": "1"\n}]'
    )


async def test_contacts_by_e_mail_are_in_a_book_of_their_own(book):
    assert await book.mails("add=1&mail=Anna@x.org b@x.org&name=Anna&fmt=2") == (
        "<mail>\n<id>1</id>\n</mail>"
    )
    assert await book.mails("add_black=1&mail=c@x.org&fmt=2") == "<mail>\n<id>1</id>\n</mail>"
    assert await book.mails("chg=1&mail=ANNA@x.org&new_mail=Anna@y.org") == "OK"
    [found] = json.loads(await book.mails("get=1&fmt=3"))
    assert list(found)[3] == "mail"
    assert found["mail"] == "Anna@y.org"
    assert await book.phones("get=1") == "ERROR = 3 (no records found)"
    assert await book.mails("get_group=1") == "ERROR = 3 (no records found)"
    assert await book.phones("add_group=1&name=of mails&type=1") == "ID = 3"
    assert await book.mails("get_group=1") == "id = 3, name = of mails, number = 1, cnt = 0"
    assert await book.mails("move_group=1&grp=3&mail=anna@y.org") == "OK"
    assert (await book.mails("add=1&phone=79990000001&name=x")).startswith("ERROR = 1 ")


WRONG = [
    "",
    "get=2",
    "get=0",
    "move_group=4&grp=1&phone=123",
    "add=1",
    "add=1&phone=79990000001",
    "add=1&phone=&name=x",
    "add=1&phone=12&name=x",
    "add=1&phone=abc&name=x",
    "add=1&phone=79990000001&name=x&grp=one",
    "add=1&phone=79990000001&name=x&grp=-1",
    "add=1&phone=79990000001&name=x&grp=9999999999999999999",
    "add=1&phone=79990000001&name=x&bd=1990-01-01",
    f"add=1&phone=79990000001&name={'x' * 101}",
    f"add=1&phone=79990000001&name=x&cmt={'x' * 1001}",
    "chg=1&phone=79990000001&new_phone=",
    "chg=1&name=x",
    "add_group=1",
    "add_group=1&name=%20",
    "add_group=1&name=x&num=-1",
    "add_group=1&name=x&num=x",
    "add_group=1&name=x&type=2",
    "chg_group=1&grp=1",
    "chg_group=1&name=x",
    "move_group=1&phone=79990000001",
    "del_group=1&grp=0",
    "get=1&after_id=x",
    "get=1&after_id=99999999999999999999",
    "get=1&grp=1,2",
    f"get=1&search={'x' * 201}",
    "get=1&phone=123,456",
    "add_black=1",
    "add_black=1&phone=123,456",
    "add_black=1&phone=79990000001&type=3",
]


async def test_what_cannot_be_meant_is_error_1(book):
    for query in WRONG:
        assert (await book.phones(query)).startswith("ERROR = 1 (parameters error"), query
        assert await book.phones(f"{query}&fmt=1") == "0,-1", query


MISSING = [
    ("get=1&search=nobody", "no records found"),
    ("get=1&grp=99", "no records found"),
    ("chg=1&phone=79990000009&name=x", "there is no such contact"),
    ("del=1&phone=79990000009", "there is no such contact"),
    ("move_group=2&grp=99&phone=79999999999", "there is no group 99"),
    ("move_group=2&grp=1&phone=79990000009", "there is no such contact"),
    ("add=1&phone=79990000002&name=x&grp=99", "there is no group 99"),
    ("chg_group=1&grp=99&name=x", "there is no group 99"),
    ("del_group=1&grp=99", "there is no group 99"),
    ("del_black=1&phone=79990000009", "it is not on the black list"),
]


async def test_what_is_not_there_is_error_3(book):
    await book.phones(ADD)

    for query, words in MISSING:
        assert await book.phones(query) == f"ERROR = 3 ({words})"
        assert await book.phones(f"{query}&fmt=1") == "0,-3"
        assert await book.phones(f"{query}&fmt=2") == (
            f"<result>\n<error>{words}</error>\n<error_code>3</error_code>\n</result>"
        )
        assert json.loads(await book.phones(f"{query}&fmt=3")) == {"error": words, "error_code": 3}


async def test_what_somebody_else_has_is_error_5(book):
    await book.phones(ADD)
    await book.phones("add=1&phone=123&name=other")

    for query in (
        "add=1&phone=123,79999999999&name=x",
        "chg=1&phone=123&new_phone=79999999999",
        "add_group=1&name=x&num=2",
        "chg_group=1&grp=1&name=x&num=2",
    ):
        assert (await book.phones(query)).startswith("ERROR = 5 ")
        assert await book.phones(f"{query}&fmt=1") == "0,-5"


async def test_of_several_commands_the_first_of_the_list_counts(book):
    assert await book.phones(f"{ADD}&get=1&del=1&add_group=1") == "ID = 1"
    assert await book.phones("chg=1&get=1&phone=79999999999&name=changed") == "OK"
    assert (await listed(book))[0]["name"] == "changed"


async def test_a_full_name_is_split_and_its_parts_win_by_themselves(book):
    await book.phones("add=1&phone=111&name=&fio=Ivanov Ivan Ivanovich&fnm=Pyotr&lnm=")

    [found] = await listed(book, "fio=ivanov")
    assert (found["last_name"], found["first_name"], found["middle_name"]) == (
        "Ivanov",
        "Pyotr",
        "Ivanovich",
    )
    await book.phones("chg=1&phone=111&fio=Petrov")
    [found] = await listed(book, "fio=petrov")
    assert (found["first_name"], found["middle_name"]) == ("", "")
    await book.phones("chg=1&phone=111&lnm=&fnm=Anna")
    [found] = await listed(book)
    assert (found["last_name"], found["first_name"], found["name"]) == ("", "Anna", "")


async def test_a_change_may_name_a_list_of_numbers_and_take_all_groups_away(book):
    await book.phones("add=1&phone=111, 222&name=x&grp=1,2")

    assert await book.phones("chg=1&phone=999, 222&grp=2&cmt=c") == "OK"
    assert [(c["group"], c["comments"]) for c in await listed(book)] == [("2", "c")]
    assert await book.phones("chg=1&phone=111&grp=") == "OK"
    assert [c["group"] for c in await listed(book)] == ["0"]


async def test_numbers_may_come_as_an_array_in_a_form_and_in_json(book):
    await book.ask(
        "/sys/phones.php",
        b"login=alex&psw=123&add=1&name=a&phone%5B%5D=111&phone%5B%5D=222",
        "application/x-www-form-urlencoded",
    )
    answer = await book.ask(
        "/rest/phones/",
        '{"login":"alex","psw":"123","add":1,"phone":["333",444],"name":"Анна","grp":1}'.encode(),
        "application/json",
    )

    assert answer.body == b'{\n"id": 2\n}'
    assert [(c["phone"], c["name"], c["group"]) for c in await listed(book)] == [
        ("111,222", "a", "0"),
        ("333,444", "Анна", "1"),
    ]


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r"])
async def test_names_come_back_in_the_charset_they_came_in(book, charset):
    await book.phones("add=1&phone=111&name=Анна Ёлкина", charset=charset)

    [line] = (await book.phones("get=1&fmt=1&search=ЕЛКИНА", charset=charset)).splitlines()
    assert line.split(",")[2] == "Анна Ёлкина"


HOSTILE = 'a\r\nb,"c" <script>&amp; \'); DROP TABLE contacts; -- =1+1 ../../x {0} {id} \u2028'


async def test_hostile_words_are_only_words(book):
    hostile = HOSTILE.replace("\r\n", "%0D%0A").replace("&", "%26").replace("+", "%2B")
    flat = " ".join(HOSTILE.splitlines())

    await book.phones(f"add=1&phone=111&name={hostile}&cmt={hostile}")
    await book.phones(f"add_group=1&name={hostile}")

    [found] = await listed(book)
    assert (found["name"], found["comments"]) == (HOSTILE, HOSTILE)
    [row] = csv.reader(io.StringIO(await book.phones("get=1&fmt=1")))
    assert row[2] == row[9] == flat
    assert len((await book.phones("get=1")).split("\n")) == 1
    root = ET.fromstring(await book.phones("get=1&fmt=2"))
    assert root.find("contact/name").text == HOSTILE
    groups = json.loads(await book.phones("get_group=1&fmt=3"))
    assert groups[-1]["name"] == HOSTILE.strip()


async def test_nobody_sees_or_changes_what_others_have(book):
    await book.phones(f"{ADD}&grp=1")
    await book.phones("add_group=1&name=third")
    await book.phones("add_black=1&phone=79990000001")

    for query in (
        "get=1",
        "get=1&grp=1",
        "get=1&phone=79999999999",
        "chg=1&phone=79999999999&name=x",
        "del=1&phone=79999999999",
        "move_group=3&grp=1&phone=79999999999",
        "chg_group=1&grp=3&name=x",
        "del_group=1&grp=3",
        "del_black=1&phone=79990000001",
    ):
        assert (await book.phones(query, who=BOB)).startswith("ERROR = 3 ")
    assert len((await book.phones("get_group=1", who=BOB)).splitlines()) == 2
    assert [c["name"] for c in await listed(book)] == ["Contact"]


async def test_a_long_list_is_asked_for_page_by_page(book):
    for start in range(0, 1_100, 1_000):
        many = ",".join(str(79_990_000_000 + n) for n in range(start, min(start + 1_000, 1_100)))
        await book.ask(
            "/sys/phones.php",
            f"login=alex&psw=123&add=1&name=x&phone={many}".encode(),
            "application/x-www-form-urlencoded",
        )
    for n in range(3):
        await book.phones(f"add=1&phone=10{n}&name=n{n}")

    assert [c["int_id"] for c in await listed(book)] == [1, 2, 3, 4, 5]
    assert [c["int_id"] for c in await listed(book, "after_id=3")] == [4, 5]
    assert len((await listed(book))[0]["phone"].split(",")) == 1_000


async def test_the_directory_is_read_again_when_somebody_is_blocked(book):
    await book.phones("add_black=1&phone=79990000001")
    await book.phones("del_black=1&phone=79990000001")

    assert book.changes == 2


@pytest.mark.parametrize("query", [ADD, "get=1", "get_group=1", "add_black=1&phone=111"])
async def test_the_fourth_identical_request_in_a_minute_is_error_9(store, query):
    book = Book(limits=Limits()).over(store)
    refused = "ERROR = 9 (duplicate request, wait a minute)"

    answers = [await book.phones(f"{query}&fmt={fmt}") for fmt in (0, 1, 3)]

    assert not any("-9" in answer or "9 (" in answer for answer in answers)
    assert await book.phones(query) == refused
    assert await book.phones(f"{query}&x=1") != refused
    assert await book.mails(query) != refused
    book.now += MINUTE
    assert await book.phones(query) != refused
