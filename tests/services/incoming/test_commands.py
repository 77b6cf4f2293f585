import asyncio
from contextlib import suppress

import pytest
from tests.building import HOUR, OTHER, PHONE, RUB, THIRD, House, taken

from vestnik.domain.message import Incoming
from vestnik.domain.refusals import NotFound, StoreUnavailable
from vestnik.domain.schedule import MOSCOW
from vestnik.notifier.local import LocalNotifier
from vestnik.services.incoming import commands, receiving
from vestnik.services.incoming.commands import Command, SmsCommands
from vestnik.services.incoming.receiving import Came
from vestnik.services.messages.by_id import ById
from vestnik.services.money.billing import Billing
from vestnik.services.news import COMMAND, HTTP, Outboxes
from vestnik.services.sending.requests import Sending
from vestnik.store import schema
from vestnik.workers.commands import Commands

pytestmark = pytest.mark.anyio

CENTRES = "79990000001"  # a number of the centre, which no account owns
HOLDER = "79160000007"


class Mailings:
    """Stands where mailings are ordered."""

    def __init__(self):
        self.cancelled = []

    async def cancel(self, client, wire_id, *, mail):
        if wire_id != ("77" if not mail else "88"):
            raise NotFound("there is no such mailing")
        self.cancelled.append((client.id, wire_id, mail))


class Office:
    """A house whose client may command it from a phone, and the worker that does as it is told."""

    def __init__(self, store):
        self.house = House(store)
        self.mailings = Mailings()

    async def start(self):
        await self.house.client(1, limits={"command_phones": f"8 (916) 000-00-07, {THIRD}"})
        self.intake = self.house.intake()
        self.tasks = [asyncio.create_task(self.intake.run())]
        self.outboxes = None
        self.restart()

    def restart(self):
        """As after a crash: nothing in memory is left."""
        house = self.house
        if self.outboxes is not None:
            self.outboxes.line.close()
        self.outboxes = Outboxes(house.store, house.owner, LocalNotifier())
        self.sending = Sending(house.directory, self.intake, MOSCOW)
        self.commands = SmsCommands(
            house.store,
            Billing(house.store, house.directory),
            ById(house.store, house.setting),
            self.mailings,
            self.sending.send,
        )
        self.tasks.append(asyncio.create_task(self.outboxes.line.run()))
        self.worker = Commands(self.outboxes, house.directory, self.commands, house.store.now)

    async def stop(self):
        self.intake.close()
        self.outboxes.line.close()
        await asyncio.gather(*self.tasks)

    async def come(self, text, phone=HOLDER, to=CENTRES):
        came = [Came(1, Incoming(phone, to, text))]
        await self.house.store.write(receiving.take, came, self.house.setting())

    async def told(self, text, **how):
        """The text that answers a command; None where nothing does."""
        before = len(await self.house.messages())
        await self.come(text, **how)
        await self.worker.run_once()
        made = (await self.house.messages())[before:]
        answers = [m.text for m in made if m.phone == how.get("phone", HOLDER)]
        assert len(answers) <= 1
        return answers[0] if answers else None

    async def sent(self):
        """Everything that was sent: (phone, text)."""
        return [(m.phone, m.text or m.shared) for m in await self.house.messages()]


@pytest.fixture
async def office(store):
    office = Office(store)
    await office.start()
    yield office
    await office.stop()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BALANCE", Command("BALANCE", "")),
        (" balance\n", Command("BALANCE", "")),
        ("Send  7916 Hello  you", Command("SEND", "7916 Hello  you")),
        ("STATUS\t5", Command("STATUS", "5")),
        ("Balances", None),
        ("What is my BALANCE", None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_command_is_told_by_its_first_word(text, expected):
    assert commands.read(text) == expected


async def test_the_balance_is_told_and_its_telling_is_paid(office):
    first = await office.told("BALANCE")
    second = await office.told("balance")

    assert (first, second) == ("100.00 RUB", "99.00 RUB")
    assert await office.house.violations() == []


async def test_a_message_is_sent_and_its_id_is_told(office):
    answer = await office.told(f"SEND {PHONE},{OTHER} Come at 5: \nall of you")

    assert answer == "OK, ID - 1"
    assert await office.sent() == [
        (PHONE, "Come at 5: \nall of you"),
        (OTHER, "Come at 5: \nall of you"),
        (HOLDER, answer),
    ]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SEND", "ERROR = 1 (SEND phones text)"),
        (f"SEND {PHONE}", "ERROR = 1 (SEND phones text)"),
        ("SEND 123 Hello", "ERROR = 7 (invalid number), ID - 1"),
        ("STATUS", "ERROR = 1 (STATUS id)"),
        ("STATUS 1 2", "ERROR = 1 (STATUS id)"),
        ("STATUS 4", "Status = -3"),
        ("STATUS ' OR 1=1 --", "ERROR = 1 (STATUS id)"),
        ("STOP", "ERROR = 1 (STOP id)"),
        ("STOP 76", "ERROR = 3 (there is no such mailing)"),
    ],
)
async def test_what_cannot_be_done_is_told_as_send_tells_it(office, text, answer):
    assert await office.told(text) == answer


async def test_what_became_of_a_message_is_told(office):
    await office.told(f"SEND {PHONE} Hello")
    flights = await office.house.claim()
    await office.house.record(*((flight, taken(flight)) for flight in flights))

    before = await office.told("STATUS 1")
    await office.house.report(f"ref-{PHONE}-1")
    after = await office.told("STATUS 1")

    assert before == "Status = 0, check_time = 15.06.2025 18:06:40, err = 0"
    assert after == "Status = 1, check_time = 15.06.2025 18:06:40, err = 0"


async def test_the_messages_of_another_account_are_unknown(office):
    await office.house.client(2)
    await office.house.sent(PHONE, client=2, wire_id="secret")

    assert await office.told("STATUS secret") == "Status = -3"


@pytest.mark.parametrize(("wire_id", "mail"), [("77", False), ("88", True)])
async def test_a_mailing_is_stopped(office, wire_id, mail):
    assert await office.told(f"STOP {wire_id}") == "OK"
    assert office.mailings.cancelled == [(1, wire_id, mail)]


async def test_a_stranger_is_not_answered(office):
    assert await office.told("BALANCE", phone=OTHER) is None
    assert await office.sent() == []


async def test_any_other_text_is_an_ordinary_message(office):
    office.house.limit(numbers=CENTRES, callback_url="http://127.0.0.1:1/")
    await office.come("Hello")
    await office.come("BALANCE")

    assert [news.payload["text"] for news in await office.outboxes.waiting(HTTP, 1, 10)] == [
        "Hello"
    ]
    assert len(await office.house.rows(schema.incoming)) == 2


async def test_what_comes_to_an_accounts_number_is_no_command_of_another(office):
    await office.house.client(2, limits={"numbers": OTHER})

    assert await office.told("BALANCE", to=OTHER) is None


async def test_an_account_is_commanded_through_its_own_number_too(office):
    office.house.limit(numbers=OTHER)

    assert await office.told("BALANCE", to=OTHER) == "100.00 RUB"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("BALANCE Sesame", "100.00 RUB"),
        ("STATUS Sesame 4", "Status = -3"),
        (f"SEND Sesame {PHONE} Hi", "OK, ID - 1"),
        ("BALANCE", None),
        ("BALANCE sesame", None),
        ("BALANCE Sesame2", None),
        (f"SEND {PHONE} Sesame", None),
    ],
)
async def test_where_there_is_a_code_word_it_must_be_said(office, text, answer):
    office.house.limit(command_word="Sesame")

    assert await office.told(text) == answer
    assert len(await office.sent()) == (0 if answer is None else 2 if PHONE in text else 1)


async def test_ten_commands_an_hour_are_followed(office):
    answers = [await office.told("STATUS none") for _ in range(12)]
    office.restart()  # a restart lets nobody begin anew
    answers.append(await office.told("STATUS none"))
    office.house.later(HOUR + 1)
    answers.append(await office.told("STATUS none"))

    assert answers == ["Status = -3"] * 10 + [None] * 3 + ["Status = -3"]


async def test_wrong_code_words_are_counted_too(office):
    office.house.limit(command_word="Sesame", commands_per_hour=3)
    for guess in ("a", "b", "c"):
        await office.told(f"BALANCE {guess}")

    assert await office.told("BALANCE Sesame") is None


async def test_an_account_that_is_trusted_may_command_without_end(office):
    office.house.limit(commands_per_hour=0)

    assert [await office.told("STATUS none") for _ in range(12)] == ["Status = -3"] * 12


@pytest.mark.parametrize("failing", range(1, 6))
async def test_whatever_fails_in_between_a_command_is_done_and_answered_once(office, failing):
    await office.come(f"SEND {PHONE} Hello")
    await office.come("BALANCE")
    away = StoreUnavailable("the store is away")
    office.house.store.after.extend([None] * failing + [away])  # it took place, nobody heard
    for _ in range(6):
        office.restart()
        with suppress(StoreUnavailable):
            await office.worker.run_once()

    sent = await office.sent()
    assert [phone for phone, _ in sent] == [PHONE, HOLDER, HOLDER]
    assert sent[1][1] == "OK, ID - 1"
    assert await office.outboxes.waiting(COMMAND, 1, 10) == []
    assert await office.house.violations() == []


async def test_an_account_without_money_gets_no_answer_and_no_second_try(office):
    await office.house.client(3, balance=RUB // 2, limits={"command_phones": OTHER})

    assert await office.told("BALANCE", phone=OTHER) == "0.50 RUB"
    assert await office.outboxes.waiting(COMMAND, 3, 10) == []
    [message] = await office.house.messages()
    assert message.status == 24  # not enough money: on record, never sent


async def test_a_locked_account_takes_no_commands(office):
    office.house.limit(locked=1)

    assert await office.told("BALANCE") is None
    assert await office.outboxes.waiting(COMMAND, 1, 10) == []


async def test_a_phone_of_two_accounts_commands_the_older(office):
    await office.house.client(2, balance=7 * RUB, limits={"command_phones": HOLDER})

    assert await office.told("BALANCE") == "100.00 RUB"
