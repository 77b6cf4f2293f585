import asyncio
import json

import pytest
from tests.building import rows_of
from tests.doors.http.standins import PASSWORD
from tests.fakes.reseller import GOOD, Reseller

from vestnik.domain.client import Limits
from vestnik.domain.profile import PROFILE_NAMES
from vestnik.doors.http.endpoints.subclient_settings import FLAGS, SETTINGS
from vestnik.services.clients import clients, currencies
from vestnik.store import clients as table
from vestnik.store import schema

pytestmark = pytest.mark.anyio

RUB = 1_000_000
MINUTE = 60_000


@pytest.fixture
async def centre(store):
    return await Reseller().over(store)


def error(answer):
    """The number of an error, 0 for success."""
    return int(answer[8 : answer.index(" (")]) if answer.startswith("ERROR = ") else 0


ADD = f"add=1&user=shop&password={GOOD}"


# Making one.


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ID = 3"),
        (1, "3"),
        (2, "<result>\n<id>3</id>\n</result>"),
        (3, '{\n"id": 3\n}'),
    ],
)
async def test_a_new_subclient_has_an_id(centre, fmt, expected):
    assert await centre.users(f"{ADD}&fmt={fmt}") == expected
    assert centre.client("shop").parent_id == centre.client("alex").id


async def test_a_subclient_comes_in_at_once_with_its_password(centre):
    await centre.users(ADD)

    answer = await centre.ask(f"/sys/balance.php?login=shop&psw={GOOD}")

    assert answer.body == b"0.00"


BAD = [
    "add=1&user=shop",
    "add=1&password=Good-word-1",
    "add=1&user=shop&password=mypassword",
    "add=1&user=shop&password=Short-1",
    "add=1&user=shop&password=12345678",
    "add=1&user=s&password=Good-word-1",
    "add=1&user=boris&password=Good-word-1",
    "add=1&user=ALEX&password=Good-word-1",
    "add=1&user=sh op&password=Good-word-1",
    "add=1&user=shop';drop table clients--&password=Good-word-1",
    f"{ADD}&type=5",
    f"{ADD}&type=x",
    f"{ADD}&email=nobody",
    f"{ADD}&phone=none",
    f"{ADD}&phone2=none",
    f"{ADD}&url=ftp://example.com",
    f"{ADD}&url=http://a%0d%0aX: y",
    f"{ADD}&fmts=7,x",
    f"{ADD}&dlim=-1",
    f"{ADD}&dlim=many",
    f"{ADD}&tmlim=25-3",
    f"{ADD}&tz=25",
    f"{ADD}&curr=6",
    f"{ADD}&ktm=99999999999",
    f"{ADD}&sender=<b>",
    f"{ADD}&fl[29]=2",
    f"{ADD}&nb=much",
    f"{ADD}&tariff=9",
    "add=1&chg=1&user=shop&password=Good-word-1",
    "user=shop",
    "pay=1&get_stat=1",
    "add=2&user=shop",
]


async def test_bad_parameters_make_nobody(centre):
    await centre.set("alex", subclient_per_minute=0)

    for query in BAD:
        assert error(await centre.users(query)) == 1, query
    assert sorted(centre.current.value.by_login) == ["alex", "boris"]


async def test_three_kinds_of_characters_are_enough_for_a_password(centre):
    for number, password in enumerate(["abcdefg1-", "Abcdefgh1", "Пароль-АБ", "12345-Ab"]):
        centre.now += MINUTE
        answer = await centre.users(f"add=1&user=shop{number}&password={password}")

        assert error(answer) == 0, password


async def test_everything_a_main_account_may_set_is_kept(centre):
    answer = await centre.users(
        f"{ADD}&type=1&email=a@b.example&phone=8 (916) 123-45-67&fio=ООО Ромашка&props=ИНН 1"
        "&cntr=7/1&notes=late&fmts=7,-77&dlim=5&plim=4&tlim=3&ilim=2&tmlim=9-22&vld=60&ktm=30"
        "&url=https://shop.example/told&sender=Shop&tz=17&answ=Thanks&phone2=79160000001"
        "&email2=in@b.example&mph=79160000002,79160000003&sender2=Shop2&nb=10"
        "&fl[2]=1&fl[29]=1&fl2[27]=1&fl3[20]=1&fl[30]=1&mfl[4]=1&fl[99]=1"
    )

    client = centre.client("shop")
    assert answer == "ID = 3"
    assert (client.type, client.zone, client.sender) == (1, "Etc/GMT-5", "Shop")
    assert client.limits == Limits(
        prefixes="7,-77",
        day_limit=5,
        number_limit=4,
        text_limit=3,
        address_limit=2,
        hours="9-22",
        valid_max=60,
        keep_days=30,
        callback_url="https://shop.example/told",
        auto_answer="Thanks",
        incoming_phone="79160000001",
        incoming_email="in@b.example",
        mail_phone="79160000002,79160000003",
        mail_name="shop",
        parent_senders=1,
        test=1,
    )
    profile = await centre.profile("shop")
    kept = {n: getattr(profile, n) for n in PROFILE_NAMES if getattr(profile, n)}
    assert kept == {
        "email": "a@b.example",
        "phone": "79161234567",
        "name": "ООО Ромашка",
        "details": "ИНН 1",
        "contract": "7/1",
        "notes": "late",
        "reserve_sender": "Shop2",
        "notice_balance": "10",
        "any_address_login": 1,
        "api_log": 1,
        "mail_translit": 1,
    }


async def test_every_setting_and_flag_is_one_of_an_account():
    names = {s.name for s in SETTINGS} | {n for flags in FLAGS.values() for n in flags.values()}
    of_account = {
        *Limits.__dataclass_fields__,
        *PROFILE_NAMES,
        "type",
        "currency",
        "zone",
        "sender",
    }

    assert names <= of_account


async def test_a_new_subclient_has_no_smpp_access_unless_it_is_given(centre):
    await centre.users(ADD)
    await centre.users(f"add=1&user=other&password={GOOD}&fl[2]=1")

    assert (centre.client("shop").limits.smpp, centre.client("other").limits.smpp) == (0, 1)


# Changing one.


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "OK"), (1, "OK"), (2, "<result>OK</result>"), (3, '{\n"result": "OK"\n}')],
)
async def test_a_change_is_answered_ok(centre, fmt, expected):
    await centre.subclient(day_limit=5, hours="9-22")

    assert await centre.users(f"chg=1&user=SHOP&dlim=7&fmt={fmt}") == expected
    assert centre.client("shop").limits == Limits(day_limit=7, hours="9-22")


async def test_what_is_given_empty_gets_its_default_back(centre):
    await centre.subclient(day_limit=5, hours="9-22", type=2, locked=1, email="a@b.example")

    await centre.users("chg=1&user=shop&dlim=&tmlim=0&type=&fl2[10]=&email=")

    assert centre.client("shop").limits == Limits()
    assert centre.client("shop").type == 2
    assert (await centre.profile("shop")).email == ""


async def test_a_change_with_one_mistake_changes_nothing(centre):
    await centre.subclient()
    before = centre.client("shop")

    answers = [
        await centre.users("chg=1&user=shop&dlim=7&new_login=boris&password=Other-word-1"),
        await centre.users("chg=1&user=shop&dlim=7&tmlim=99&password=Other-word-1"),
    ]

    assert [error(answer) for answer in answers] == [1, 1]
    assert centre.client("shop") == before
    [secret] = await centre.store.read(table.secrets_of, before.id, table.PASSWORD)
    assert secret.hash == PASSWORD


async def test_login_and_password_are_changed_together(centre):
    await centre.subclient()

    await centre.users("chg=1&user=shop&new_login=Kiosk&password=Other-word-1&pswc=123")

    answers = [
        await centre.ask(f"/sys/balance.php?login={login}&psw={psw}")
        for login, psw in [("kiosk", "Other-word-1"), ("shop", "Other-word-1"), ("kiosk", "123")]
    ]
    assert [answer.body for answer in answers] == [
        b"0.00",
        b"ERROR = 2 (authorise error)",
        b"ERROR = 2 (authorise error)",
    ]


async def test_a_present_password_that_is_sent_must_be_right(centre):
    await centre.subclient()

    assert error(await centre.users("chg=1&user=shop&dlim=7&pswc=wrong")) == 1
    assert error(await centre.users("chg=1&user=shop&dlim=7&pswc=123")) == 0


async def test_letters_to_a_login_are_taken_until_that_is_switched_off(centre):
    await centre.subclient()

    await centre.users("chg=1&user=shop&mph=79160000002")
    assert centre.client("shop").limits.mail_name == "shop"

    await centre.users("chg=1&user=shop&mfl[0]=1")
    assert centre.client("shop").limits.mail_name == ""

    await centre.users("chg=1&user=shop&mfl[0]=0")
    assert centre.client("shop").limits.mail_name == "shop"


async def test_a_locked_subclient_gets_error_2(centre):
    await centre.subclient()
    await centre.users("chg=1&user=shop&fl2[10]=1")

    answer = await centre.ask("/sys/balance.php?login=shop&psw=123")

    assert answer.body == b"ERROR = 2 (authorise error)"


async def test_a_currency_is_chosen_before_there_is_money(centre):
    await centre.subclient()

    assert error(await centre.users("chg=1&user=shop&curr=2")) == 5

    await centre.store.write(currencies.tell, "USD", "90", "RUB")
    assert error(await centre.users("chg=1&user=shop&curr=2")) == 0
    assert centre.client("shop").currency == "USD"

    await centre.users("pay=1&user=shop&sum=90")
    centre.now += MINUTE
    assert await centre.money("shop") == RUB
    assert error(await centre.users("chg=1&user=shop&curr=1")) == 5


# Whose.


@pytest.mark.parametrize("query", ["chg=1&dlim=1", "pay=1&sum=1", "get_stat=1", "get_stat_all=1"])
@pytest.mark.parametrize("user", ["nobody", "boris", "alex", "kiosk", "grandchild"])
async def test_a_login_that_is_no_subclient_of_the_callers_is_error_6(centre, query, user):
    await centre.subclient("kiosk", "boris")
    await centre.subclient("shop")
    await centre.subclient("grandchild", "shop")

    assert error(await centre.users(f"{query}&user={user}")) == 6


@pytest.mark.parametrize("query", ["get_stat=1", "get_stat_all=1"])
async def test_an_id_that_is_no_subclient_of_the_callers_is_error_6(centre, query):
    foreign = await centre.subclient("kiosk", "boris")
    own = await centre.subclient("shop")

    assert error(await centre.users(f"{query}&user_id={foreign}")) == 6
    assert error(await centre.users(f"{query}&user_id=999")) == 6
    assert error(await centre.users(f"{query}&user_id={own}&user=kiosk")) == 6


@pytest.mark.parametrize(
    "query", [ADD, "chg=1&user=x", "pay=1&user=x&sum=1", "get_stat=1", "get_stat_all=1"]
)
async def test_a_subclient_may_not_use_the_address(centre, query):
    await centre.subclient()

    assert error(await centre.users(query, login="shop")) == 5


# Money.


async def test_money_goes_to_a_subclient_and_back(centre):
    await centre.subclient()

    assert await centre.users("pay=1&user=shop&sum=30.50") == "OK"
    assert (await centre.money("alex"), await centre.money("shop")) == (69_500_000, 30_500_000)

    assert await centre.users("pay=1&user=shop&sum=-10") == "OK"
    assert (await centre.money("alex"), await centre.money("shop")) == (79_500_000, 20_500_000)


async def test_money_that_is_not_there_is_error_10(centre):
    await centre.subclient(credit=1000)
    await centre.users("pay=1&user=shop&sum=30")

    assert error(await centre.users("pay=1&user=shop&sum=70.000001")) == 10
    assert error(await centre.users("pay=1&user=shop&sum=-30.01")) == 10
    assert (await centre.money("alex"), await centre.money("shop")) == (70 * RUB, 30 * RUB)


async def test_a_main_account_may_give_what_it_may_owe(centre):
    await centre.subclient()
    await centre.set("alex", credit=50)

    assert error(await centre.users("pay=1&user=shop&sum=150")) == 0
    assert await centre.money("alex") == -50 * RUB


@pytest.mark.parametrize("kind", [2, 3, 4])
async def test_a_shared_balance_takes_no_money(centre, kind):
    await centre.subclient(type=kind)

    assert error(await centre.users("pay=1&user=shop&sum=1")) == 7
    assert error(await centre.users("pay=1&user=shop&sum=1&balance2=1")) == 7


@pytest.mark.parametrize("amount", ["0", "", "x", "1e3", "0.0000001", "9999999999999", "NaN"])
async def test_what_is_no_amount_is_error_1(centre, amount):
    await centre.subclient()

    assert error(await centre.users(f"pay=1&user=shop&sum={amount}")) == 1


async def test_the_electronic_balance_is_another_purse(centre):
    await centre.subclient()
    await centre.store.write(clients.top_up, "alex", 9 * RUB, "", centre.ids, centre.now, 1)

    assert error(await centre.users("pay=1&user=shop&sum=10&balance2=1")) == 10
    assert error(await centre.users("pay=1&user=shop&sum=4&balance2=1")) == 0
    assert (await centre.money("shop"), await centre.money("shop", 1)) == (0, 4 * RUB)
    assert (await centre.money("alex"), await centre.money("alex", 1)) == (100 * RUB, 5 * RUB)


async def test_a_payment_with_a_key_is_made_once(centre):
    await centre.subclient()
    key = [(b"idempotency-key", b"payment 1")]

    first = await centre.users("pay=1&user=shop&sum=5", headers=key)
    again = await centre.users("pay=1&user=shop&sum=5", headers=key)
    other = await centre.users("pay=1&user=shop&sum=6", headers=key)

    assert (first, again, error(other)) == ("OK", "OK", 1)
    assert await centre.money("shop") == 5 * RUB


async def test_a_refused_payment_may_be_tried_again_with_its_key(centre):
    await centre.subclient()
    key = [(b"idempotency-key", b"payment 1")]
    refused = await centre.users("pay=1&user=shop&sum=105", headers=key)
    await centre.store.write(clients.top_up, "alex", 9 * RUB, "", centre.ids, centre.now)

    assert error(refused) == 10
    assert await centre.users("pay=1&user=shop&sum=105", headers=key) == "OK"


async def test_a_transfer_of_two_currencies_is_exchanged(centre):
    await centre.store.write(currencies.tell, "USD", "90", "RUB")
    await centre.subclient(currency="USD")

    await centre.users("pay=1&user=shop&sum=10")
    assert (await centre.money("alex"), await centre.money("shop")) == (90 * RUB, 111_111)

    await centre.users("pay=1&user=shop&sum=-9.999")
    assert (await centre.money("alex"), await centre.money("shop")) == (99_999_000, 11)


async def test_a_transfer_stands_in_both_accounts_with_the_others_id(centre):
    shop = await centre.subclient()
    await centre.users("pay=1&user=shop&sum=5")

    entries = [e for e in await centre.store.read(rows_of(schema.entries)) if e.kind == "transfer"]

    told = [(e.account_id, e.posted, e.ref, e.note) for e in entries]
    assert told == [(1, -5 * RUB, str(shop), "to shop"), (shop, 5 * RUB, "1", "from alex")]


# How often.


async def test_a_fourth_request_to_add_within_a_minute_is_error_9(centre):
    answers = [await centre.users(f"add=1&user=shop{n}&password={GOOD}&fmt=3") for n in range(4)]

    assert json.loads(answers[3]) == {
        "error": "duplicate request, wait a minute",
        "error_code": 9,
    }
    assert "shop2" in centre.current.value.by_login

    centre.now += MINUTE
    assert error(await centre.users(f"add=1&user=shop3&password={GOOD}")) == 0


async def test_changes_and_payments_of_one_subclient_are_counted_together(centre):
    await centre.subclient("shop")
    await centre.subclient("kiosk")
    queries = ["chg=1&user=shop&dlim=1", "pay=1&user=Shop&sum=1", "chg=1&user=shop&type=9"]

    assert [error(await centre.users(query)) for query in queries] == [0, 0, 1]
    assert error(await centre.users("pay=1&user=shop&sum=1")) == 9
    assert error(await centre.users("pay=1&user=kiosk&sum=1")) == 0


async def test_a_restart_makes_no_room_for_more_payments(centre):
    await centre.subclient()
    for _ in range(3):
        assert error(await centre.users("pay=1&user=shop&sum=1")) == 0

    centre.start()
    assert error(await centre.users("pay=1&user=shop&sum=1")) == 9
    assert await centre.money("shop") == 3 * RUB

    centre.now += MINUTE
    assert error(await centre.users("pay=1&user=shop&sum=1")) == 0


async def test_a_trusted_account_may_pay_as_often_as_it_likes(centre):
    await centre.subclient()
    await centre.set("alex", subclient_per_minute=0)

    assert [error(await centre.users("pay=1&user=shop&sum=1")) for _ in range(5)] == [0] * 5


# Errors.


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ERROR = 6 (no subclient with this login)"),
        (1, "0,-6"),
        (
            2,
            (
                "<result>\n<error>no subclient with this login</error>\n"
                "<error_code>6</error_code>\n</result>"
            ),
        ),
        (3, '{\n"error": "no subclient with this login",\n"error_code": 6\n}'),
    ],
)
async def test_an_error_in_four_formats(centre, fmt, expected):
    assert await centre.users(f"chg=1&user=nobody&fmt={fmt}") == expected


async def test_two_that_take_one_login_at_once_do_not_both_get_it(centre):
    answers = await asyncio.gather(centre.users(ADD), centre.users(ADD, login="boris"))

    assert sorted(error(answer) for answer in answers) in ([0, 1], [0, 8])


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-8"])
async def test_names_come_in_three_charsets(centre, charset):
    await centre.subclient()
    body = f"login=alex&psw=123&chg=1&user=shop&charset={charset}&fio=Ромашка".encode(charset)

    await centre.body("/sys/users.php", body, "application/x-www-form-urlencoded")

    assert (await centre.profile("shop")).name == "Ромашка"
