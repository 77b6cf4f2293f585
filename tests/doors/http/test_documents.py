import asyncio
import io
import json
from dataclasses import replace
from datetime import datetime

import pytest
from pypdf import PdfReader
from tests.building import rows_of
from tests.fakes.paperwork import Desk
from tests.fakes.reseller import MOSCOW

from vestnik.domain.ids import Ids
from vestnik.domain.refusals import InsufficientFunds
from vestnik.services.money import documents
from vestnik.services.senders import moderation
from vestnik.services.senders.fees import Fees
from vestnik.store import documents as table
from vestnik.store import ledger, schema
from vestnik.store.engine import DataRefused
from vestnik.workers.papers import Papers

pytestmark = pytest.mark.anyio

RUB = 1_000_000
MINUTE, DAY = 60_000, 86_400_000
LIFTED = {"identical_per_minute": 0}
ADD = "add_account=1&user=shop&sum=1500"
JUNE, JULY = 2025 * 12 + 5, 2025 * 12 + 6


@pytest.fixture
async def desk(store):
    return await furnished(store)


async def furnished(store, **more):
    """alex has a subclient `shop` with a balance of its own, boris has `kiosk`."""
    desk = await Desk().over(store, **more)
    for login in ("alex", "boris"):
        await desk.set(login, **LIFTED)
    await desk.subclient("shop")
    await desk.subclient("kiosk", main="boris")
    return desk


async def ask(desk, query, **more):
    """With fmt=3 unless the query has another: the form of this address's own errors."""
    fmt = "" if "fmt=" in query else "&fmt=3"
    return await desk.say("documents", query + fmt, **more)


async def fetched(desk, query, login="alex"):
    """The headers of a file, and its text."""
    answer = await desk.ask(f"/sys/documents.php?login={login}&psw=123&{query}")
    assert answer.content_type == "application/pdf", answer.body
    assert int(answer.headers["content-length"]) == len(answer.body)
    pages = PdfReader(io.BytesIO(answer.body)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).replace("\xa0", " ").split())
    return answer.headers["content-disposition"], text


def number(answer):
    return json.loads(answer)["error_code"]


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=MOSCOW).timestamp() * 1000)


async def spend(desk, login, moment, amount, messages=1, kind="capture"):
    """An entry of the ledger as a captured message, or a fee, makes it."""
    client = desk.client(login).id
    ids = Ids(5, last=0)
    entry = ledger.Entry(client, 0, ids.take(moment)[0], kind, -amount, 0, messages, "", "", moment)
    await desk.store.write(ledger.book, [entry])


def worker(desk, fee=0, language="ru"):
    """The worker of papers, at the moment of the desk."""

    class Clocked:
        """The store at the moment of the desk."""

        name, read, write = desk.store.name, desk.store.read, desk.store.write

        @staticmethod
        def now():
            return desk.now

    habits = documents.Habits(language, MOSCOW)
    return Papers(Clocked(), desk.current.current, habits, fee, lambda: desk.ids.take(desk.now)[0])


# Invoices.


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "OK, ID - 1"),
        (1, "1"),
        (2, "<result>\n<id>1</id>\n</result>"),
        (3, '{\n"id": 1,\n"num": "1"\n}'),
    ],
)
async def test_an_invoice_has_an_id_and_a_number(desk, fmt, expected):
    assert await ask(desk, f"{ADD}&fmt={fmt}") == expected


async def test_an_invoice_says_what_both_sides_have_told_of_themselves(desk):
    await desk.set("alex", name="ООО «Ромашка»", details="ИНН 7701234567\nг. Москва")
    await desk.set("shop", name="ИП Иванов", details="ИНН 770123456789", contract="12/2025")
    await desk.say("documents", f"{ADD}.50&service=СМС <b>сообщения</b>&fmt=3")

    head, text = await fetched(desk, "get_account=1&user=shop&id=1")

    assert head == 'attachment; filename="account_1.pdf"'
    for words in (
        "Счёт на оплату № 1 от 15 июня 2025 г.",
        "ООО «Ромашка» ИНН 7701234567 г. Москва",
        "ИП Иванов ИНН 770123456789",
        "Договор № 12/2025",
        "СМС <b>сообщения</b>",
        "Одна тысяча пятьсот рублей 50 копеек",
    ):
        assert words in text


async def test_who_has_told_nothing_goes_by_its_login_and_the_service_has_a_usual_name(store):
    desk = await furnished(store, language="en")
    await ask(desk, f"{ADD}&user_id={desk.client('shop').id}&user=nobody")

    _, text = await fetched(desk, "get_account=1&user=shop&id=1")

    assert "Seller alex Buyer shop" in text
    assert "Services of message delivery 1 item 1,500.00 1,500.00" in text


async def test_a_paper_says_what_was_true_when_it_was_made(desk):
    await ask(desk, ADD)
    before = await fetched(desk, "get_account=1&user=shop&id=1")
    await desk.set("alex", name="ООО «Другое»", details="всё иначе")
    await desk.set("shop", name="Кто-то", contract="7")

    assert await fetched(desk, "get_account=1&user=shop&id=1") == before


async def test_an_invoice_moves_no_money(desk):
    await ask(desk, ADD)

    assert await desk.money("alex") == 100 * RUB
    assert await desk.money("shop") == 0


WRONG = [
    "",
    "add_account=1",
    "add_account=1&user=shop",
    "add_account=1&sum=5",
    *(
        f"add_account=1&user=shop&sum={sum_}"
        for sum_ in ("0", "0.00", "-1", "1e3", "1,5", "1.555", "x", "9999999999999", "%2B1", "٣")
    ),
    f"{ADD}&service={'x' * 301}",
    "add_account=2&user=shop&sum=5",
    "get_account=1&user=shop",
    "get_account=1&user=shop&num=1",
    "get_account=1&user=shop&id=x",
    "get_act=1&user=shop",
    "get_act=1&user=shop&id=-1",
    "get_act=1&user=shop&num=99999999999",
    "get_act=1&id=1",
    "get_act=1&user_id=x&id=1",
]


async def test_wrong_parameters_are_error_1(desk):
    for query in WRONG:
        assert number(await ask(desk, query)) == 1, query
    assert await desk.store.read(rows_of(schema.papers)) == []


async def test_the_first_command_of_several_wins(desk):
    assert json.loads(await ask(desk, f"{ADD}&get_act=1&id=1")) == {"id": 1, "num": "1"}


async def test_only_ones_own_subclients_have_papers(desk):
    await ask(desk, ADD)
    kiosk = desk.client("kiosk").id
    for query in ("user=kiosk", f"user_id={kiosk}", "user=alex", "user=nobody", "user_id=999"):
        assert number(await ask(desk, f"add_account=1&sum=5&{query}")) == 6, query
        assert number(await ask(desk, f"get_account=1&id=1&{query}")) == 6, query
    assert number(await ask(desk, "get_account=1&user=shop&id=1", login="boris")) == 6
    assert number(await ask(desk, "get_account=1&user=shop&id=1", login="shop")) == 6
    assert number(await ask(desk, "get_account=1&user=kiosk&id=1", login="boris")) == 3


async def test_another_subclients_paper_and_another_kind_are_not_there(desk):
    await desk.subclient("second")
    await ask(desk, ADD)

    for query in (
        "get_account=1&user=second&id=1",
        "get_account=1&user=shop&id=2",
        "get_act=1&user=shop&id=1",
        "get_act=1&user=shop&num=1",
    ):
        assert await ask(desk, query) == '{\n"error": "no such document",\n"error_code": 3\n}'


@pytest.mark.parametrize("kind", [2, 3, 4])
async def test_who_shares_a_balance_has_no_invoices(desk, kind):
    await desk.set("shop", type=kind)

    assert number(await ask(desk, ADD)) == 5


async def test_the_fourth_identical_request_within_a_minute_is_error_9(desk):
    await desk.set("alex", identical_per_minute="")
    answers = [await ask(desk, f"{ADD}&fmt=1") for _ in range(4)]

    assert answers == ["1", "2", "3", "0,-9"]


# Numbers.


async def test_numbers_have_no_gaps_for_each_main_account_and_year(desk):
    await desk.subclient("second")
    for query, login in ((ADD, "alex"), (ADD.replace("shop", "second"), "alex")):
        await ask(desk, query, login=login)
    await ask(desk, ADD.replace("shop", "kiosk"), login="boris")
    assert number(await ask(desk, ADD.replace("shop", "nobody"))) == 6
    desk.now += 200 * DAY  # 2026
    await ask(desk, ADD)

    rows = await desk.store.read(rows_of(schema.papers))

    assert [(row.id, row.owner_id, row.year, row.num) for row in rows] == [
        (1, 1, 2025, 1),
        (2, 1, 2025, 2),
        (3, 2, 2025, 1),
        (4, 1, 2026, 1),
    ]


async def test_many_invoices_at_one_time_have_numbers_without_gaps(desk):
    await desk.set("alex", simultaneous=0)

    answers = await asyncio.gather(*(ask(desk, f"{ADD}.{n:02}") for n in range(20)))

    assert sorted(int(json.loads(a)["num"]) for a in answers) == list(range(1, 21))
    assert sorted(json.loads(a)["id"] for a in answers) == list(range(1, 21))


async def test_a_number_that_was_drawn_in_vain_is_drawn_again(desk):
    class Broken(Exception):
        pass

    async def fail(tx, *args):
        await documents._invoice(tx, *args)
        raise Broken

    main, of = desk.client("alex"), documents.Subclient("shop")
    habits = documents.Habits("ru", MOSCOW)
    with pytest.raises(Broken):
        await desk.store.write(fail, main, of, 5 * RUB, "SMS", habits, desk.now)

    assert json.loads(await ask(desk, ADD)) == {"id": 1, "num": "1"}


# Acts.


async def test_an_act_is_made_on_the_first_of_what_the_month_before_has_cost(desk):
    await spend(desk, "shop", at("2025-05-31T23:59:59"), 1 * RUB)
    await spend(desk, "shop", at("2025-06-01T00:00:00"), 2 * RUB, messages=2)
    await spend(desk, "shop", at("2025-06-15T12:00:00"), 1_234_567, messages=1)
    await spend(desk, "shop", at("2025-06-15T12:00:01"), 30 * RUB, 0, kind="fee")
    await spend(desk, "shop", at("2025-06-15T12:00:02"), 500 * RUB, 0, kind="correction")
    await spend(desk, "shop", at("2025-06-30T23:59:59"), 3 * RUB, messages=3)
    await spend(desk, "shop", at("2025-07-01T00:00:00"), 4 * RUB)
    desk.now = at("2025-07-01T00:20:00")

    await worker(desk).run_once()

    head, text = await fetched(desk, "get_act=1&user=shop&num=1")
    assert head == 'attachment; filename="act_1.pdf"'
    for words in (
        "Акт об оказании услуг № 1 от 1 июля 2025 г. за июнь 2025 г.",
        "1 Доставка сообщений 6 сообщ. 6,23",
        "2 Абонентская плата за имена отправителя 1 мес. 30,00",
        "Итого 36,23",
    ):
        assert words in text
    [row] = await desk.store.read(rows_of(schema.papers))
    assert await fetched(desk, f"get_act=1&user=shop&id={row.id}&num=77") == (head, text)


async def test_acts_are_made_once_however_often_and_by_whomever_it_is_tried(desk):
    await desk.subclient("second")
    await desk.subclient("shared", type=2)
    await desk.subclient("idle")
    for login in ("shop", "second", "shared", "kiosk"):
        await spend(desk, login, desk.now, 5 * RUB)
    desk.now = at("2025-07-01T09:00:00")

    first, second = worker(desk), worker(desk)
    await asyncio.gather(first.run_once(), second.run_once())
    await first.run_once()
    await worker(desk).run_once()

    rows = await desk.store.read(rows_of(schema.papers))
    logins = {desk.client(login).id: login for login in ("shop", "second", "kiosk")}
    assert sorted((logins[r.client_id], r.kind, r.month) for r in rows) == [
        ("kiosk", "act", JUNE),
        ("second", "act", JUNE),
        ("shop", "act", JUNE),
    ]
    assert sorted((r.owner_id, r.num) for r in rows) == [(1, 1), (1, 2), (2, 1)]


async def test_the_same_act_cannot_be_put_on_record_twice(desk):
    await spend(desk, "shop", desk.now, 5 * RUB)
    habits = documents.Habits("ru", MOSCOW)
    shop = desk.client("shop").id
    made = await desk.store.write(documents.make_act, 1, shop, JUNE, habits, desk.now)
    with pytest.raises(DataRefused):
        await desk.store.write(table.put, replace(made, id=99, num=99))
    assert await desk.store.write(documents.make_act, 1, shop, JUNE, habits, desk.now) is None


async def test_after_a_long_silence_every_month_gets_its_act(desk):
    desk.now = at("2025-06-20T12:00:00")
    await worker(desk).run_once()
    for month in (6, 7, 8):
        await spend(desk, "shop", at(f"2025-0{month}-20T12:00:00"), month * RUB)
    desk.now = at("2025-09-02T12:00:00")

    await worker(desk).run_once()

    rows = await desk.store.read(rows_of(schema.papers))
    assert [(row.num, row.month) for row in rows] == [(1, JUNE), (2, JULY), (3, JULY + 1)]


async def test_what_a_slow_clock_still_writes_into_the_old_month_stands_in_its_act(desk):
    late = worker(desk)
    desk.now = at("2025-07-01T00:05:00")
    await late.run_once()
    await spend(desk, "shop", at("2025-06-30T23:59:59"), 5 * RUB)
    desk.now = at("2025-07-01T00:15:00")

    await late.run_once()

    assert len(await desk.store.read(rows_of(schema.papers))) == 1


async def test_a_number_of_two_years_is_that_of_the_last(desk):
    await spend(desk, "shop", at("2025-06-20T12:00:00"), 5 * RUB)
    desk.now = at("2025-07-01T12:00:00")
    await worker(desk).run_once()
    await spend(desk, "shop", at("2026-06-20T12:00:00"), 6 * RUB)
    desk.now = at("2026-07-01T12:00:00")
    await worker(desk).run_once()

    _, text = await fetched(desk, "get_act=1&user=shop&num=1")

    assert "за июнь 2026 г." in text


# Fees of sender names, which the same worker charges.


@pytest.fixture
async def paying(desk):
    """Shop is asked for at MTS, paid, and at Tele2, free."""
    await desk.say("senders", "add=1&sender=Shop&mts_step=1&tele2=1")
    return desk


async def connect(desk, operator, fee, month=JUNE, state=3):
    fees = Fees(fee, month, desk.current.value.payers, lambda: desk.ids.take(desk.now)[0], desk.now)
    await desk.store.write(moderation.set_operator, "alex", "Shop", operator, state, fees)


async def states(desk):
    rows = await desk.store.read(rows_of(schema.sender_operators))
    return {row.operator: row.status for row in rows}


async def test_a_paid_name_costs_when_it_is_connected_and_on_each_first(paying):
    await connect(paying, "mts", 30 * RUB)
    await connect(paying, "tele2", 30 * RUB)
    assert await paying.money("alex") == 70 * RUB

    paid = []
    for moment in ("2025-06-30T23:59:59", "2025-07-01T00:00:01", "2025-07-20T00:00:00"):
        paying.now = at(moment)
        await worker(paying, fee=30 * RUB).run_once()
        paid.append(await paying.money("alex") // RUB)

    assert paid == [70, 40, 40]
    entries = [e for e in await paying.store.read(rows_of(schema.entries)) if e.kind == "fee"]
    assert [(e.posted, e.note) for e in entries] == [(-30 * RUB, "sender name Shop at mts")] * 2


async def test_who_connects_a_name_again_pays_no_month_twice(paying):
    await connect(paying, "mts", 30 * RUB)
    await connect(paying, "mts", 30 * RUB, state=5)
    await connect(paying, "mts", 30 * RUB)

    assert await paying.money("alex") == 70 * RUB


async def test_who_cannot_pay_is_not_connected_and_is_switched_off(paying):
    with pytest.raises(InsufficientFunds):
        await connect(paying, "mts", 101 * RUB)
    assert (await states(paying))["mts"] == 1
    await connect(paying, "mts", 60 * RUB)
    paying.now = at("2025-07-01T12:00:00")

    await worker(paying, fee=60 * RUB).run_once()

    assert (await states(paying))["mts"] == 5
    assert await paying.money("alex") == 40 * RUB


async def test_without_a_price_nothing_is_charged(paying):
    await connect(paying, "mts", 0)
    paying.now = at("2025-07-01T12:00:00")
    await worker(paying).run_once()

    assert await paying.money("alex") == 100 * RUB
    assert (await states(paying))["mts"] == 3


async def test_two_workers_charge_a_month_once(paying):
    await connect(paying, "mts", 10 * RUB)
    paying.now = at("2025-07-01T12:00:00")

    await asyncio.gather(*(worker(paying, fee=10 * RUB).run_once() for _ in range(4)))

    assert await paying.money("alex") == 80 * RUB


async def test_a_subclient_that_shares_a_balance_is_charged_to_it(paying):
    await paying.subclient("login2", type=4)
    await paying.say("senders", "add=1&sender=Second&mts_step=1&user=login2")
    fees = Fees(
        5 * RUB, JUNE, paying.current.value.payers, lambda: paying.ids.take(paying.now)[0], 1
    )
    await paying.store.write(moderation.set_operator, "login2", "second", "mts", 3, fees)

    assert await paying.money("alex") == 95 * RUB
