import asyncio
import json

import pytest
from tests.building import rows_of
from tests.fakes.paperwork import Desk

from vestnik.domain.message import Flag
from vestnik.domain.refusals import (
    BadNumber,
    InsufficientFunds,
    MessageForbidden,
    StoreUnavailable,
    Undeliverable,
)
from vestnik.domain.sender import AtOperator, Status
from vestnik.services.centre import names
from vestnik.services.senders import codes, moderation
from vestnik.services.senders import names as senders
from vestnik.services.senders.fees import Fees
from vestnik.store import schema
from vestnik.store import senders as table

pytestmark = pytest.mark.anyio

PHONE = "79991234567"
HOUR, MINUTE = 3_600_000, 60_000
PDF = b"%PDF-1.4 a certificate"
LIFTED = {"identical_per_minute": 0, "senders_per_minute": 0}


@pytest.fixture
async def desk(store):
    return await furnished(Desk(), store)


@pytest.fixture
async def strict(store):
    """A desk whose operator approves names."""
    return await furnished(Desk(), store, registration=True)


async def furnished(desk, store, **more):
    await desk.over(store, **more)
    for login in ("alex", "boris"):
        await desk.set(login, **LIFTED)
    return desk


async def ask(desk, query, **more):
    return await desk.say("senders", query, **more)


async def listed(desk, query="all=1", **more):
    return json.loads(await ask(desk, f"get=1&fmt=3&{query}", **more))


async def judge(desk, name, status, reason="", login="alex"):
    await desk.store.write(moderation.judge, login, name, status, reason, desk.now)
    await desk.current.refresh()


async def at_operator(desk, name, operator, state, fee=0):
    fees = Fees(
        fee, 2025 * 12, desk.current.value.payers, lambda: desk.ids.take(desk.now)[0], desk.now
    )
    await desk.store.write(moderation.set_operator, "alex", name, operator, state, fees)


def error(answer):
    return int(answer[8 : answer.index(" (")]) if answer.startswith("ERROR = ") else 0


def usable(desk, name, login="alex"):
    return names.may_use(desk.current.value, desk.client(login), name)


# Adding and listing.


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "name = Shop, id = 1"),
        (1, "Shop,1"),
        (2, '<sender id="1">Shop</sender>'),
        (3, '{\n"sender": "Shop",\n"id": 1\n}'),
    ],
)
async def test_a_new_name_is_told_with_its_id(desk, fmt, expected):
    assert await ask(desk, f"add=1&sender=Shop&cmt=for+the+site&fmt={fmt}") == expected


async def test_the_list_of_approved_names_in_four_formats(desk):
    for name in ("Shop", "Shop-2", PHONE):
        await ask(desk, f"add=1&sender={name}")

    assert await ask(desk, "get=1") == "name = Shop, id = 1\nname = Shop-2, id = 2"
    assert await ask(desk, "get=1&fmt=1") == "Shop,1\nShop-2,2"
    assert await ask(desk, "get=1&fmt=2") == (
        '<senders>\n<sender id="1">Shop</sender>\n<sender id="2">Shop-2</sender>\n</senders>'
    )
    assert await ask(desk, "get=1&fmt=3") == (
        '[{\n"sender": "Shop",\n"id": 1\n},\n{\n"sender": "Shop-2",\n"id": 2\n}]'
    )


async def test_an_empty_list_in_four_formats(desk):
    told = [await ask(desk, f"get=1&fmt={fmt}") for fmt in range(4)]

    assert told == ["", "", "<senders></senders>", "[]"]


async def test_all_names_are_told_in_full(desk):
    await ask(desk, 'add=1&sender=Shop&cmt=a+<b>,%0A"c"&mts_step=1&mts=1&mega=1')
    await ask(desk, "add=1&sender=a@example.org&mail=1&name=Anna")
    await ask(desk, f"add=1&sender={PHONE}")
    await at_operator(desk, "Shop", "mts", AtOperator.REGISTERED)

    assert await ask(desk, "get=1&all=1") == (
        'name = Shop, id = 1, status = 1, cmt = a <b>, "c"\n'
        "name = a@example.org, id = 2, status = 1, cmt = , mail = 1, owner = Anna\n"
        f"name = {PHONE}, id = 3, status = 0, cmt = "
    )
    assert await ask(desk, "get=1&all=1&fmt=1") == (
        f'Shop,1,1,a <b>, "c"\na@example.org,2,1,,1,Anna\n{PHONE},3,0,'
    )
    assert (await ask(desk, "get=1&all=1&fmt=2")).splitlines()[1:3] == [
        '<sender id="1" status="1" cmt="a &lt;b&gt;,',
        '&quot;c&quot;">Shop</sender>',
    ]
    [shop, mail, phone] = await listed(desk, "all=1&operators=1")
    assert (shop["cmt"], shop["status"], mail["mail"], mail["name"]) == (
        'a <b>,\n"c"',
        1,
        1,
        "Anna",
    )
    assert (shop["operators"]["mts"], shop["operators"]["mega"]) == (3, 1)
    assert set(phone["operators"].values()) == {0}
    assert "mail" not in phone


async def test_where_names_stand_with_operators_in_lines_and_attributes(desk):
    await ask(desk, "add=1&sender=Shop&mts=1&by_reg=0")
    zeros = "mega:0;mts:1;tele2:0;bee:0;motiv:0;sber:0;winmob:0;volnamob:0;ua:0;by:0"

    assert await ask(desk, "get=1&operators=1") == f"name = Shop, id = 1, operators = {zeros}"
    assert await ask(desk, "get=1&operators=1&fmt=1") == f"Shop,1,{zeros}"
    assert (await ask(desk, "get=1&operators=1&fmt=2")).splitlines()[1] == (
        '<sender id="1" mega="0" mts="1" tele2="0" bee="0" motiv="0" sber="0" winmob="0" '
        'volnamob="0" ua="0" by="0">Shop</sender>'
    )


async def test_a_list_goes_back_page_by_page(desk):
    for number in range(1, 6):
        await ask(desk, f"add=1&sender=Shop{number}")

    assert await ask(desk, "get=1&fmt=1&cnt=2") == "Shop4,4\nShop5,5"
    assert await ask(desk, "get=1&fmt=1&cnt=2&prev_id=4") == "Shop2,2\nShop3,3"
    assert await ask(desk, "get=1&fmt=1&prev_id=1") == ""
    assert len((await ask(desk, "get=1&fmt=1&cnt=junk")).splitlines()) == 5


async def test_names_whose_status_at_an_operator_changed_since_a_day(desk):
    await ask(desk, "add=1&sender=Old&mts=1")
    desk.now += 3 * 24 * HOUR  # 18 June
    await ask(desk, "add=1&sender=New&mts=1")
    await ask(desk, "add=1&sender=None")

    assert await ask(desk, "get=1&fmt=1&from_date=15.06.2025") == "Old,1\nNew,2"
    assert await ask(desk, "get=1&fmt=1&from_date=16.06.2025") == "New,2"
    await at_operator(desk, "Old", "mts", AtOperator.REFUSED)
    assert await ask(desk, "get=1&fmt=1&from_date=18.06.2025") == "Old,1\nNew,2"


async def test_names_differ_by_more_than_capitals_and_stay_as_first_written(desk):
    await ask(desk, "add=1&sender=Shop")

    assert error(await ask(desk, "add=1&sender=SHOP")) == 5
    assert await ask(desk, "chg=1&sender=sHOp&cmt=x") == "OK"
    assert [one["sender"] for one in await listed(desk)] == ["Shop"]
    assert error(await ask(desk, "add=1&sender=SHOP", login="boris")) == 0


async def test_two_of_the_same_name_at_one_time_make_one(desk):
    answers = await asyncio.gather(*(ask(desk, "add=1&sender=Shop&fmt=1") for _ in range(5)))

    assert sorted(answers) == ["0,-5"] * 4 + ["Shop,1"]
    assert len(await listed(desk)) == 1


WRONG = [
    "",
    "get=1&add=1",
    "add=1",
    "add=1&sender=",
    "add=1&sender=Магазин",
    "add=1&sender=TwelveLetter",
    "add=1&sender=a+b",
    "add=1&sender=900",
    "add=1&sender=a'b",
    "add=1&sender=a@example.org",
    "add=1&sender=shop&mail=1",
    "add=1&sender=Shop&mts=2",
    "add=1&sender=Shop&ua_reg=1",
    "add=1&sender=Shop&by_reg=1&by_fio=A&by_inn=1&by_address=B",
    f"add=1&sender=Shop&cmt={'x' * 501}",
    f"add=1&sender=Shop&fio={'x' * 501}",
    "get=1&all=2",
    "get=1&operators=yes",
    "get=1&from_date=2025-06-01",
    "get=1&prev_id=x",
    "chg=1&cmt=x",
    "del=1",
    "del=1&id=x",
    "check_code=1&sender=79991234567",
    "get=1&user=nobody",
]


async def test_wrong_parameters_are_error_1(desk):
    for query in WRONG:
        assert await ask(desk, f"{query}&fmt=1") == "0,-1", query
    assert await listed(desk) == []


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
async def test_comments_are_read_and_told_in_the_charset_of_the_request(desk, charset):
    await ask(desk, "add=1&sender=Shop&cmt=для+сайта", charset=charset)

    assert "cmt = для сайта" in await ask(desk, "get=1&all=1", charset=charset)


async def test_the_sixth_name_within_a_minute_is_error_9_and_so_is_the_fourth_same_list(desk):
    await desk.set("alex", identical_per_minute="", senders_per_minute="")

    added = [error(await ask(desk, f"add=1&sender=Shop{n}")) for n in range(6)]
    told = [error(await ask(desk, "get=1")) for _ in range(4)]

    assert (added, told) == ([0] * 5 + [9], [0, 0, 0, 9])


async def test_there_is_a_limit(desk, monkeypatch):
    monkeypatch.setattr(senders, "SENDERS_MAX", 1)
    await ask(desk, "add=1&sender=Shop")

    assert error(await ask(desk, "add=1&sender=Shop2")) == 5


# Changing and forgetting.


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "OK"), (1, "OK"), (2, "<result>OK</result>"), (3, '{\n"result": "OK"\n}')],
)
async def test_a_name_is_changed_and_forgotten_by_id_or_by_itself(desk, fmt, expected):
    await ask(desk, "add=1&sender=Shop")
    await ask(desk, "add=1&sender=Other")

    assert await ask(desk, f"chg=1&sender=Shop&id=2&cmt=second&fmt={fmt}") == expected
    assert [one["cmt"] for one in await listed(desk)] == ["", "second"]
    assert await ask(desk, f"del=1&sender=Shop&fmt={fmt}") == expected
    assert await ask(desk, f"del=1&id=2&fmt={fmt}") == expected
    assert await listed(desk) == []


async def test_what_is_absent_stays(desk):
    await ask(desk, "add=1&sender=a@example.org&mail=1&cmt=one&name=Anna&mts=1")
    await ask(desk, "chg=1&id=1&mail=1&name=Boris")

    [one] = await listed(desk, "all=1&operators=1")
    assert (one["cmt"], one["name"], one["operators"]["mts"]) == ("one", "Boris", 1)
    assert await ask(desk, "chg=1&sender=a@example.org&mail=1&cmt=") == "OK"
    assert (await listed(desk))[0]["cmt"] == ""


async def test_what_is_not_there_is_error_3(desk):
    await ask(desk, "add=1&sender=Shop")

    for query in ("del=1&sender=Unknown", "del=1&id=7", "chg=1&id=7&cmt=x", "chg=1&id=1&mail=1"):
        assert error(await ask(desk, query)) == 3
    assert await ask(desk, "del=1&sender=Unknown&fmt=3") == (
        '{\n"error": "sender name not found",\n"error_code": 3\n}'
    )


async def test_nobody_sees_or_touches_another_accounts_names(desk):
    await ask(desk, "add=1&sender=Shop")

    for query in ("del=1&id=1", "del=1&sender=Shop", "chg=1&id=1&cmt=x"):
        assert error(await ask(desk, query, login="boris")) == 3
    assert await listed(desk, login="boris") == []
    assert len(await listed(desk)) == 1


async def test_a_main_account_may_speak_for_its_subclient_and_nobody_else_may(desk):
    await desk.subclient("shop")

    assert await ask(desk, "add=1&sender=Sub&user=shop&fmt=1") == "Sub,1"
    assert [one["sender"] for one in await listed(desk, login="shop")] == ["Sub"]
    assert await listed(desk) == []
    assert await ask(desk, "chg=1&id=1&cmt=x&user=SHOP") == "OK"
    for login, user in (("boris", "shop"), ("alex", "boris"), ("shop", "alex"), ("alex", "alex")):
        assert error(await ask(desk, f"get=1&user={user}", login=login)) == 1
    assert await ask(desk, "del=1&id=1&user=shop") == "OK"


async def test_a_registration_is_asked_for_once_and_a_refused_one_again(desk):
    await ask(desk, "add=1&sender=Shop&mts=1&mega_int=1")
    await at_operator(desk, "Shop", "mts", AtOperator.IN_WORK)
    await ask(desk, "chg=1&id=1&mts=1")
    [before] = await desk.store.read(rows_of(schema.sender_operators))

    await at_operator(desk, "Shop", "mts", AtOperator.REFUSED)
    await ask(desk, "chg=1&id=1&mts=1&mts_int=1")
    [again] = await desk.store.read(rows_of(schema.sender_operators))
    await at_operator(desk, "Shop", "mts", AtOperator.REGISTERED)
    await ask(desk, "chg=1&id=1&mts_step=1")
    [dearer] = await desk.store.read(rows_of(schema.sender_operators))

    told = [(r.operator, r.tariff, r.status) for r in (before, again, dearer)]
    assert told == [("mts", "free", 2), ("mts", "free", 1), ("mts", "paid", 1)]
    [sender] = await desk.store.read(rows_of(schema.senders))
    assert sender.common == "mega,mts"


async def test_a_country_gets_its_details_once(desk):
    details = "fio=A&email=a@b.c&address=C&desc=D&subj=E"
    assert error(await ask(desk, f"add=1&sender=Shop&ua_reg=1&{details}")) == 0

    assert await ask(desk, "chg=1&id=1&ua_int=1") == "OK"
    [sender] = await desk.store.read(rows_of(schema.senders))
    assert json.loads(sender.details) == {
        "fio": "A",
        "email": "a@b.c",
        "address": "C",
        "desc": "D",
        "subj": "E",
    }


# Documents.


def form(octets, name="certificate.pdf", field="doc"):
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + octets + b"\r\n--x--\r\n"


async def upload(desk, query, octets=PDF, name="certificate.pdf", **more):
    kind = "multipart/form-data; boundary=x"
    return await ask(desk, query, body=form(octets, name), content_type=kind, **more)


async def test_a_document_comes_with_a_name_or_later(desk):
    await upload(desk, "add=1&sender=Shop&doc_info=trade+mark", name="../mark.PDF")
    await upload(desk, "chg=1&id=1", octets=b"\x89PNG\r\n\x1a\n...", name="scan.png")

    found = await desk.store.read(moderation.documents, "alex", "shop")

    assert [(file.name, file.type, file.about, octets[:4]) for file, octets in found] == [
        ("mark.pdf", "application/pdf", "trade mark", b"%PDF"),
        ("scan.png", "image/png", "", b"\x89PNG"),
    ]
    await ask(desk, "del=1&id=1")
    assert await desk.store.read(rows_of(schema.sender_files)) == []


async def test_a_file_of_a_wrong_kind_or_too_large_is_error_1_and_nothing_is_kept(desk):
    for octets, name in ((b"MZ", "a.exe"), (b"MZ", "a.pdf"), (PDF + b"x" * 3 * 1024**2, "a.pdf")):
        assert error(await upload(desk, "add=1&sender=Shop", octets, name)) == 1
    assert await listed(desk) == []


async def test_a_name_has_so_many_documents(desk, monkeypatch):
    monkeypatch.setattr(senders, "FILES_MAX", 1)
    await upload(desk, "add=1&sender=Shop")

    assert error(await upload(desk, "chg=1&id=1")) == 5
    monkeypatch.setattr(senders, "FILES_MAX", 10)
    monkeypatch.setattr(senders, "ALL_FILES_MAX", 1)
    assert error(await upload(desk, "add=1&sender=Shop2")) == 5
    assert len(await listed(desk)) == 1


# The moderator.


async def test_a_name_waits_for_the_moderator_where_names_must_be_registered(strict):
    await ask(strict, "add=1&sender=Shop")
    assert await ask(strict, "get=1") == ""
    assert not usable(strict, "Shop")

    await judge(strict, "Shop", Status.APPROVED)

    assert await ask(strict, "get=1&fmt=1") == "Shop,1"
    assert usable(strict, "SHOP")
    assert not usable(strict, "Shop", login="boris")


async def test_a_refused_name_comes_back_with_new_documents_or_flags(strict):
    await ask(strict, "add=1&sender=Shop")
    told = []
    for status, change in (
        (Status.REFUSED, "cmt=please"),
        (Status.REFUSED, "mts=1"),
        (Status.NEEDS_DOCUMENTS, "tele2=1"),
        (Status.APPROVED, "bee_step=1"),
    ):
        await judge(strict, "Shop", status, "why")
        await ask(strict, f"chg=1&id=1&{change}")
        told.append((await listed(strict))[0]["status"])

    assert told == [2, 0, 0, 1]
    await judge(strict, "Shop", Status.NEEDS_DOCUMENTS)
    await upload(strict, "chg=1&id=1")
    assert (await listed(strict))[0]["status"] == 0


async def test_a_forgotten_name_cannot_be_used_any_more(strict):
    await ask(strict, "add=1&sender=Shop")
    await judge(strict, "Shop", Status.APPROVED)
    await ask(strict, "del=1&id=1")

    assert not usable(strict, "Shop")


async def test_where_names_need_no_registration_any_may_be_shown(desk):
    assert usable(desk, "Anything")


async def test_the_centres_own_name_and_none_at_all_may_always_be_shown(strict):
    assert usable(strict, "")
    assert usable(strict, "vestnik")


async def test_a_subclient_uses_the_names_of_its_main_account_if_it_may(strict):
    await strict.subclient("shop")
    await ask(strict, "add=1&sender=Shop")
    await judge(strict, "Shop", Status.APPROVED)
    assert not usable(strict, "Shop", login="shop")

    await strict.set("shop", parent_senders=1)

    assert usable(strict, "Shop", login="shop")


async def test_the_reserve_name_stands_in_for_one_that_may_not_be_shown(strict):
    for name in ("Shop", "Spare"):
        await ask(strict, f"add=1&sender={name}")
        await judge(strict, name, Status.APPROVED)

    def shown(name):
        return names.sender_for(strict.current.value, strict.client("alex"), name)

    assert [shown("Shop"), shown("Other")] == ["Shop", None]
    await strict.set("alex", reserve_sender="Spare")
    assert [shown("Shop"), shown("Other")] == ["Shop", "Spare"]
    await strict.set("alex", no_replaced_sender=1)
    assert shown("Other") is None
    await strict.set("alex", no_replaced_sender=0, reserve_sender="Unknown")
    assert shown("Other") is None


# Digital names and their codes.


async def test_a_number_is_confirmed_by_the_code_that_came_to_it(desk):
    assert await ask(desk, f"send_code=1&sender=%2B{PHONE}&site_name=shop.example") == "OK"
    [(phone, text)] = desk.texts()
    assert (phone, text[:-6]) == (PHONE, "Код подтверждения имени отправителя shop.example: ")

    assert await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}") == "OK"

    assert await ask(desk, "get=1&fmt=1") == f"{PHONE},1"


async def test_the_text_is_in_the_language_of_the_centre(store):
    desk = await furnished(Desk(), store, language="en")
    await ask(desk, f"send_code=1&sender={PHONE}")

    assert desk.texts()[0][1][:-6] == "Confirmation code of the sender name: "


async def test_the_account_that_asks_pays_and_its_history_hides_the_text(desk):
    await desk.subclient("shop")
    await ask(desk, f"send_code=1&sender={PHONE}&user=shop")

    [order] = desk.orders
    assert (order.client.login, order.sender, order.flags) == ("alex", "Vestnik", Flag.SECRET)
    assert await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}&fmt=1") == "0,-11"
    assert await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}&user=shop") == "OK"
    assert [one["sender"] for one in await listed(desk, login="shop")] == [PHONE]


async def test_a_name_that_was_added_waits_for_its_code(strict):
    await ask(strict, f"add=1&sender={PHONE}")
    assert not usable(strict, PHONE)

    await ask(strict, f"send_code=1&sender={PHONE}")
    await ask(strict, f"check_code=1&sender={PHONE}&code={strict.code()}")

    assert usable(strict, f"+{PHONE}")
    assert len(await listed(strict)) == 1


async def test_another_code_is_sent_after_eight_hours_also_after_a_restart(desk):
    await ask(desk, f"send_code=1&sender={PHONE}")
    first = desk.code()
    desk.now += 8 * HOUR - 1
    desk.start()
    assert error(await ask(desk, f"send_code=1&sender={PHONE}")) == 10
    assert error(await ask(desk, f"send_code=1&sender={PHONE}", login="boris")) == 0
    desk.now += 1

    assert await ask(desk, f"send_code=1&sender={PHONE}") == "OK"

    second = desk.code()
    if first != second:
        assert error(await ask(desk, f"check_code=1&sender={PHONE}&code={first}")) == 11
    assert await ask(desk, f"check_code=1&sender={PHONE}&code={second}") == "OK"


async def test_two_requests_for_a_code_at_one_time_send_one(desk):
    answers = await asyncio.gather(*(ask(desk, f"send_code=1&sender={PHONE}") for _ in range(5)))

    assert sorted(map(error, answers)) == [0, 10, 10, 10, 10]
    assert len(desk.orders) == 1


async def test_five_wrong_tries_spend_the_code(desk):
    await ask(desk, f"send_code=1&sender={PHONE}")
    wrong = f"{(int(desk.code()) + 1) % 10**6:06}"

    tries = [await ask(desk, f"check_code=1&sender={PHONE}&code={wrong}") for _ in range(5)]

    assert tries == ["ERROR = 11 (wrong code)"] * 5
    assert error(await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}")) == 11
    assert await listed(desk) == []


async def test_a_code_is_good_for_a_day_and_once(desk):
    await ask(desk, f"send_code=1&sender={PHONE}")
    desk.now += 24 * HOUR
    assert error(await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}")) == 11

    desk.now -= 1
    assert await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}") == "OK"
    assert error(await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}")) == 11


async def test_where_no_code_was_sent_every_code_is_wrong(desk):
    assert error(await ask(desk, f"check_code=1&sender={PHONE}&code=")) == 1
    assert error(await ask(desk, f"check_code=1&sender={PHONE}&code=000000")) == 11
    for operation in ("send_code=1", "check_code=1&code=1"):
        for wrong in ("Shop", "123", "", "79991", "7999123456789012"):
            assert error(await ask(desk, f"{operation}&sender={wrong}")) == 7


@pytest.mark.parametrize(
    ("refusal", "number"),
    [
        (Undeliverable(), 8),
        (InsufficientFunds(), 8),
        (MessageForbidden(), 8),
        (BadNumber(), 8),
    ],
)
async def test_a_code_that_cannot_leave_is_no_code_and_may_be_tried_again(desk, refusal, number):
    desk.refusal = refusal
    assert error(await ask(desk, f"send_code=1&sender={PHONE}")) == number
    assert error(await ask(desk, f"check_code=1&sender={PHONE}&code={desk.code()}")) == 11

    desk.refusal = None
    assert await ask(desk, f"send_code=1&sender={PHONE}") == "OK"


async def test_when_nobody_knows_whether_it_left_it_is_not_sent_again(desk):
    desk.refusal = StoreUnavailable("away")
    answer = await desk.ask(f"/sys/senders.php?login=alex&psw=123&send_code=1&sender={PHONE}")
    assert answer.status == 503

    desk.refusal = None
    assert error(await ask(desk, f"send_code=1&sender={PHONE}")) == 10


async def test_a_code_does_not_overrule_the_moderator(strict):
    await ask(strict, f"add=1&sender={PHONE}")
    await ask(strict, f"send_code=1&sender={PHONE}")
    await judge(strict, PHONE, Status.REFUSED)

    assert error(await ask(strict, f"check_code=1&sender={PHONE}&code={strict.code()}")) == 5
    strict.now += 9 * HOUR
    assert error(await ask(strict, f"send_code=1&sender={PHONE}")) == 5
    assert len(strict.orders) == 1


async def test_the_site_cannot_break_out_of_its_place(desk):
    await ask(desk, f"send_code=1&sender={PHONE}&site_name=a%0D%0A~~~%0Ab{'x' * 100}")

    [(_, text)] = desk.texts()
    assert "\n" not in text
    assert len(text) < 110


async def test_only_a_keyed_hash_of_a_code_is_on_record(desk):
    await ask(desk, f"send_code=1&sender={PHONE}")

    [row] = await desk.store.read(rows_of(schema.sender_codes))
    assert desk.code() not in repr(row)
    assert len(row.digest) == 32


async def test_old_codes_are_forgotten(desk):
    await ask(desk, f"send_code=1&sender={PHONE}")
    assert await desk.store.write(codes.forget_old, desk.now + 24 * HOUR) == 0
    assert await desk.store.write(codes.forget_old, desk.now + 24 * HOUR + 1) == 1


async def test_moderation_and_files_are_of_one_account(desk):
    await ask(desk, "add=1&sender=Shop")
    await ask(desk, "add=1&sender=Shop", login="boris")
    await upload(desk, "chg=1&id=1")

    shown = await desk.store.read(moderation.everybodys)
    assert [(one.login, one.sender.name, one.documents) for one in shown] == [
        ("alex", "Shop", 1),
        ("boris", "Shop", 0),
    ]
    assert len(await desk.store.read(moderation.everybodys, "boris")) == 1
    assert (await desk.store.read(table.files_of, 2, 1)) == []
