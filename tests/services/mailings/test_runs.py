"""Runs of mailings, from their order to the end of their messages."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa
from tests.building import DAY, HOUR, MINUTE, NOW, OTHER, PHONE, RUB, THIRD, taken
from tests.mailing import Press, State

from vestnik.domain.contact import Book, Given
from vestnik.domain.message import Err, Kind, Status
from vestnik.domain.refusals import BadParameters
from vestnik.services.contacts.blacklist import Blocks
from vestnik.services.contacts.books import Entry
from vestnik.services.mailings import lists, runs
from vestnik.services.mailings.jobs import Attached
from vestnik.services.messages.delivery import Postponed
from vestnik.services.sending.acceptance import accept
from vestnik.store import dedup, ledger, schema
from vestnik.store.engine import DataRefused
from vestnik.store.statement import Statement

pytestmark = pytest.mark.anyio

THREE = f"{PHONE},{OTHER},{THIRD}"
ALMATY = "77011234567"  # two hours before Moscow: it is 20:06 there
NOVOSIBIRSK = "73831234567"  # four hours before Moscow: 22:06


@pytest.fixture
async def press(store):
    press = Press(store)
    press.rate(None, RUB)
    await press.client()
    return press


def phones(count, first=0):
    return ",".join(f"7916{n:07}" for n in range(first, first + count))


async def statuses(press):
    return [message.status for message in await press.messages()]


async def test_a_mailing_without_a_time_is_made_at_once(press):
    wire_id = await press.ordered(THREE)
    await press.work()

    made = await press.messages()
    assert [m.phone for m in made] == [PHONE, OTHER, THIRD]
    assert {(m.wire_id, m.status, m.priority, m.shared) for m in made} == {
        (wire_id, -1, 2, "Hello")
    }
    assert await press.money() == (100 * RUB, 3 * RUB)
    assert await press.progress(wire_id) == [(3, 3, 0, 0, 0, 0)]
    assert (await press.mailing(wire_id)).state == State.RUNNING
    assert press.dispatchers.looked == [1]
    assert press.rung == 1
    assert await press.violations() == []


async def test_a_mailing_is_finished_when_none_of_it_waits(press):
    wire_id = await press.ordered(THREE)
    await press.work()
    await press.take()
    await press.work()

    mailing = await press.mailing(wire_id)
    assert (mailing.state, mailing.run, mailing.run_wire_id) == (State.FINISHED, 1, wire_id)
    assert await press.progress(wire_id) == [(3, 0, 3, 0, 0, 3 * RUB)]
    assert await press.violations() == []


async def test_what_becomes_of_its_messages_is_counted(press):
    press.limit(charge_on="delivered")
    wire_id = await press.ordered(THREE + ",123")
    await press.work()
    await press.take()
    await press.report(f"ref-{PHONE}-1")
    await press.report(f"ref-{OTHER}-1", Status.UNDELIVERABLE, 1)

    assert await press.progress(wire_id) == [(4, 0, 3, 1, 2, RUB)]
    assert await press.violations() == []


async def test_a_mailing_waits_for_its_time(press):
    wire_id = await press.ordered(THREE, time="+60")
    await press.work()

    assert (await press.mailing(wire_id)).state == State.WAITING
    assert await press.messages() == []

    press.later(HOUR)
    await press.work()

    assert (await press.mailing(wire_id)).state == State.RUNNING
    assert await statuses(press) == [-1, -1, -1]


async def test_a_repeat_is_a_run_of_its_own_with_an_id_of_its_own(press):
    wire_id = await press.ordered(PHONE, rpt=1)
    for _ in range(3):
        await press.work()
        await press.deliver()
        await press.work()
        press.later(HOUR)

    mailing = await press.mailing(wire_id)
    made = await press.messages()
    assert (mailing.state, mailing.run) == (State.WAITING, 3)
    assert mailing.start_at == NOW + 3 * HOUR
    assert len({m.wire_id for m in made}) == 3
    assert {m.mailing_id for m in made} == {mailing.id}
    assert await press.progress(wire_id) == [(1, 0, 1, 1, 0, RUB)] * 3
    assert await press.violations() == []


async def test_repeats_end_after_their_number(press):
    wire_id = await press.ordered(PHONE, rpt=1, rptn=2)
    for _ in range(5):
        await press.work()
        await press.deliver()
        await press.work()
        press.later(HOUR)

    assert ((await press.mailing(wire_id)).state, len(await press.messages())) == (
        State.FINISHED,
        3,
    )


async def test_no_repeat_is_one_run(press):
    wire_id = await press.ordered(PHONE, rpt=2, rptn=0)
    await press.work()
    await press.deliver()
    await press.work()

    assert (await press.mailing(wire_id)).state == State.FINISHED


async def test_runs_that_were_missed_are_not_made_up_for(press):
    wire_id = await press.ordered(PHONE, time="+10", rpt=2)
    press.later(5 * DAY)
    await press.work()
    await press.deliver()
    await press.work()

    mailing = await press.mailing(wire_id)
    assert (mailing.run, mailing.start_at) == (1, NOW + 10 * MINUTE + 5 * DAY)


async def test_a_run_of_groups_and_lists_goes_slice_by_slice(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 4)
    await press.ordered(phones(10))

    sizes = []
    for _ in range(5):
        await press.worker.run_once()
        sizes.append(len(await press.messages()))

        assert await press.violations() == []

    assert sizes == [0, 4, 8, 10, 10]
    assert [m.phone for m in await press.messages()] == phones(10).split(",")


async def test_a_list_has_its_own_texts_and_senders(press):
    wire_id = await press.ordered(listed=f"{PHONE},{OTHER}:One\nShop|{THIRD}:Two\\nlines")
    await press.work()

    made = await press.messages()
    assert [(m.phone, m.shared or m.text, m.sender) for m in made] == [
        (PHONE, "One", "Vestnik"),
        (OTHER, "One", "Vestnik"),
        (THIRD, "Two\nlines", "Shop"),
    ]
    shown = await press.jobs.one(press.clients[1], wire_id, mail=False)
    assert (shown.phones, shown.text) == (
        "",
        f"{PHONE},{OTHER}:One\nShop|{THIRD}:Two\\nlines",
    )


async def test_a_line_with_a_zone_is_due_by_its_clock(press):
    lines = f"{PHONE}:Here\nShop,2|{OTHER}:There"
    wire_id = await press.ordered(listed=lines, time="16.06.25 12:00")
    noon = NOW - 6 * HOUR - 6 * MINUTE - 40_000 + DAY  # in Moscow, tomorrow
    press.later(noon - 2 * HOUR - 1 - NOW)
    await press.work()

    assert await press.messages() == []

    press.later(1)
    await press.work()
    made = {m.phone: m.next_at for m in await press.messages()}

    assert made == {PHONE: noon, OTHER: noon - 2 * HOUR}
    assert (await press.mailing(wire_id)).start_at == noon


async def test_who_got_the_text_already_does_not_get_it_again(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 2)
    await press.ordered(f"{PHONE},{OTHER},{THIRD},{PHONE},{OTHER},8{PHONE[1:]}")
    await press.work()

    made = [(m.phone, m.status, m.err) for m in await press.messages()]
    again = (Status.FORBIDDEN, Err.NUMBER_LIMIT)
    assert made == [
        (PHONE, -1, 0),
        (OTHER, -1, 0),
        (THIRD, -1, 0),
        (PHONE, *again),
        (OTHER, *again),
        (PHONE, *again),
    ]


async def test_the_same_number_may_get_another_text(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 1)
    await press.ordered(listed=f"{PHONE}:One\n{PHONE}:Two")
    await press.work()

    assert await statuses(press) == [-1, -1]


async def test_who_cannot_be_paid_for_ends_with_24_and_the_others_go_on(press):
    press.rate(2, 40 * RUB)
    await press.client(2, balance=100 * RUB)
    wire_id = await press.ordered(THREE, client=2)
    await press.work()

    assert await statuses(press) == [-1, -1, 24]
    assert await press.money(2) == (100 * RUB, 80 * RUB)
    assert await press.progress(wire_id, 2) == [(3, 2, 0, 0, 1, 0)]
    assert await press.violations() == []


async def test_a_price_is_that_of_the_moment(press):
    await press.ordered(PHONE, time="+60")
    press.rates.clear()
    press.rate(None, 3 * RUB)
    press.later(HOUR)
    await press.work()

    assert (await press.message()).price == 3 * RUB


async def test_main_accounts_lose_their_share(press):
    press.rate(1, 2 * RUB)
    press.rate(2, RUB)
    await press.client(2, parent_id=1, balance=10 * RUB)
    await press.ordered(THREE, client=2)
    await press.work()

    assert (await press.money(1), await press.money(2)) == (
        (100 * RUB, 3 * RUB),
        (10 * RUB, 3 * RUB),
    )
    assert await press.violations() == []

    await press.deliver()

    assert (await press.money(1), await press.money(2)) == ((97 * RUB, 0), (7 * RUB, 0))
    assert await press.violations() == []


async def test_daily_limits_act(press):
    press.limit(day_limit=2, number_limit=1)
    await press.sent(PHONE)
    await press.ordered(THREE)
    await press.work()

    made = [(m.status, m.err) for m in await press.messages()]
    assert made == [(-1, 0), (23, Err.NUMBER_LIMIT), (-1, 0), (23, Err.DAILY_LIMIT)]
    assert await press.violations() == []


async def somebody_waits_for_a_lock(tx):
    locks = sa.table("pg_locks", sa.column("granted"))
    return await tx.one(
        Statement(sa.select(sa.literal(1)).select_from(locks).where(~locks.c.granted))
    )


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)  # the other has one writer
async def test_a_slice_and_a_send_at_one_time_keep_to_the_day(press):
    press.limit(day_limit=1)
    await press.ordered(PHONE)
    batch = press.batch(await press.draft(OTHER))
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def send(tx):
        await ledger.lock(tx, [(1, 0)])
        begun.set()
        await may_end.wait()
        return await accept(tx, batch)

    sending = asyncio.create_task(press.store.write(send))
    await begun.wait()
    working = asyncio.create_task(press.work())
    while not await press.store.read(somebody_waits_for_a_lock):
        assert not working.done()
        await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(sending, working)

    made = {m.phone: (m.status, m.err) for m in await press.messages()}
    assert made == {OTHER: (-1, 0), PHONE: (23, Err.DAILY_LIMIT)}


async def test_what_a_slice_has_counted_of_a_full_day_is_kept_for_the_next(press):
    press.limit(day_limit=2)
    for _ in range(2):  # the second finds three on record, and must know how many were refused
        await press.ordered(THREE)
        await press.work()

    kept = [row for row in await press.rows(schema.dedup) if row.kind == dedup.Kind.DAY]
    assert [row.client_id for row in kept] == [1]


async def test_whom_the_account_has_blocked_for_mailings_gets_none(press):
    alex = press.clients[1]
    await press.contacts.block(alex, Book.PHONES, PHONE, Blocks.MASS)
    await press.contacts.block(alex, Book.PHONES, OTHER, Blocks.SINGLE)
    press._directory = replace(press.directory(), blacklisted=frozenset({1}))
    await press.ordered(THREE)
    await press.work()

    made = [(m.status, m.err) for m in await press.messages()]
    assert made == [(23, Err.NUMBER_BARRED), (-1, 0), (-1, 0)]
    assert await press.money() == (100 * RUB, 2 * RUB)
    assert await press.violations() == []


# Hours.


async def hours(press, phone, client=1, **fields):
    """When a message to a number may leave: the moment, the hours of the day, their zone."""
    await press.ordered(phone, client=client, **fields)
    await press.work()
    queued = {row.message_id: row for row in await press.rows(schema.queue)}
    [message] = [m for m in await press.messages() if m.phone == phone]
    row = queued[message.id]
    assert message.expires_at - message.next_at == DAY
    return message.next_at, (row.window_from, row.window_to), row.zone


async def test_a_mailing_leaves_in_the_day_of_its_recipients(press):
    nine = NOW + (10 * HOUR) + (53 * MINUTE) + 20_000  # in Novosibirsk, the next morning

    assert await hours(press, PHONE) == (NOW, (540, 1320), "Europe/Moscow")
    assert await hours(press, ALMATY) == (NOW, (540, 1320), "Asia/Almaty")
    assert await hours(press, NOVOSIBIRSK) == (nine, (540, 1320), "Asia/Novosibirsk")


async def test_a_number_of_no_known_zone_has_that_of_the_account(press):
    await press.client(2, zone="Asia/Novosibirsk")
    opens, _, zone = await hours(press, "99912345678", client=2)

    assert (opens > NOW, zone) == (True, "Asia/Novosibirsk")


async def test_an_account_with_hours_of_its_own_keeps_to_those(press):
    press.limit(hours="10-18")
    tomorrow = NOW + 15 * HOUR + 53 * MINUTE + 20_000  # ten in Moscow

    assert await hours(press, PHONE) == (tomorrow, (600, 1080), "Europe/Moscow")

    press.limit(hours="20-24", hours_recipient=1)

    assert await hours(press, ALMATY) == (NOW, (1200, 1440), "Asia/Almaty")


@pytest.mark.parametrize("kind", [Kind.HLR, Kind.PING, Kind.MAIL])
async def test_what_wakes_nobody_leaves_at_any_hour(press, kind):
    phone = "bob@example.com" if kind is Kind.MAIL else NOVOSIBIRSK
    await press.ordered(phone, kind=kind)
    await press.work()
    message = await press.message()

    [queued] = await press.rows(schema.queue)
    assert (message.status, message.next_at, queued.window_from) == (-1, NOW, None)


async def test_portions_leave_one_after_the_other_and_are_made_as_they_are_due(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 2)
    wire_id = await press.ordered(phones(6), period="1", freq="20", valid="2")
    await press.work()
    at_once = await press.messages()
    press.later(20 * MINUTE)
    await press.work()

    assert [(m.next_at, m.expires_at) for m in at_once] == [(NOW, NOW + 2 * HOUR)] * 2
    assert [m.next_at for m in await press.messages()] == [NOW, NOW, *[NOW + 20 * MINUTE] * 2]

    press.later(20 * MINUTE)
    await press.work()

    assert [m.next_at for m in await press.messages()][4:] == [NOW + 40 * MINUTE] * 2
    assert (await press.mailing(wire_id)).whole


# Groups.


async def test_a_group_is_read_when_its_messages_are_made(press):
    group = await press.group(7, PHONE, OTHER)
    wire_id = await press.ordered("G7", time="+60")
    await press.contacts.add(
        press.clients[1], Book.PHONES, Entry((THIRD,), Given(name=""), (group,))
    )
    press.later(HOUR)
    await press.work()

    assert [m.phone for m in await press.messages()] == [PHONE, OTHER, THIRD]
    assert (await press.mailing(wire_id)).total == 3
    assert await press.violations() == []


async def test_a_big_group_goes_page_by_page(press, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK_ROWS", 2)
    members = phones(5).split(",")
    await press.group(7, *members)
    await press.ordered(f"g7,{PHONE}")
    sizes = []
    for _ in range(6):
        await press.worker.run_once()
        sizes.append(len(await press.messages()))

    assert sizes == [0, 2, 4, 5, 6, 6]
    assert [m.phone for m in await press.messages()] == [*members, PHONE]
    assert await press.violations() == []


async def test_a_text_has_the_words_of_each_member(press):
    await press.group(7, (PHONE, {"first_name": "Анна"}), OTHER)
    await press.ordered(f"G7,{THIRD}", "Hello, {first_name|friend}!")
    await press.work()

    assert [m.text or m.shared for m in await press.messages()] == [
        "Hello, Анна!",
        "Hello, friend!",
        "Hello, friend!",
    ]


async def test_a_text_without_groups_stays_as_it_is(press):
    await press.ordered(PHONE, "{{name}}")
    await press.work()

    assert (await press.message()).text == "{{name}}"


async def test_somebodys_words_that_make_a_text_too_long_stop_nobody_else(press):
    press.limit(text_max=20)
    await press.group(7, PHONE, (OTHER, {"first_name": "A" * 30}), THIRD)
    await press.ordered("G7", "Hi {first_name}")
    await press.work()

    assert [(m.phone, m.status, m.err) for m in await press.messages()] == [
        (PHONE, -1, 0),
        (OTHER, 23, Err.SPAM),
        (THIRD, -1, 0),
    ]
    assert await press.violations() == []


async def test_a_group_that_has_gone_by_then_is_nobody(press):
    group = await press.group(7, PHONE)
    wire_id = await press.ordered("G7", time="+60")
    await press.contacts.delete_group(press.clients[1], Book.PHONES, group)
    press.later(HOUR)
    await press.work()

    assert await press.messages() == []
    assert (await press.mailing(wire_id)).state == State.FINISHED


async def test_groups_are_those_of_the_account_or_of_its_main_one(press):
    await press.group(7, PHONE)
    await press.client(2, parent_id=1)

    with pytest.raises(BadParameters):
        await press.ordered("G7", client=2)

    press.limit(2, parent_contacts=1)
    await press.ordered("G7", client=2)
    await press.work()

    assert [(m.client_id, m.phone) for m in await press.messages()] == [(2, PHONE)]


# Switching off.


async def test_what_waits_of_a_mailing_is_stopped_and_its_money_goes_back(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 3)
    monkeypatch.setattr(runs, "STOPPED_MAX", 2)
    wire_id = await press.ordered(phones(9))
    for _ in range(3):
        await press.worker.run_once()
    [first] = await press.claim(room=1)
    await press.record((first, taken(first)))
    await press.jobs.cancel(press.clients[1], wire_id, mail=False)

    for _ in range(8):
        await press.worker.run_once()

        assert await press.violations() == []

    assert await statuses(press) == [0, -2, -2, -2, -2, -2]
    assert await press.money() == (99 * RUB, 0)
    assert await press.progress(wire_id) == [(6, 0, 1, 0, 0, RUB)]
    mailing = await press.mailing(wire_id)
    assert (mailing.state, mailing.leaving) == (State.CANCELLED, 0)


async def test_a_message_that_comes_back_from_its_carrier_is_stopped_too(press):
    wire_id = await press.ordered(PHONE)
    await press.work()
    [flight] = await press.claim()
    await press.jobs.cancel(press.clients[1], wire_id, mail=False)
    await press.work()

    assert (await press.mailing(wire_id)).leaving

    await press.record((flight, Postponed(press.now, 1, 0)))
    await press.work()

    assert await press.standing() == (None, -2, 0, 3)
    assert not (await press.mailing(wire_id)).leaving


async def test_a_mailing_that_waits_for_its_time_is_switched_off(press):
    wire_id = await press.ordered(PHONE, time="+60", rpt=2)
    await press.jobs.cancel(press.clients[1], wire_id, mail=False)
    press.later(DAY)
    await press.work()

    assert (await press.mailing(wire_id)).state == State.CANCELLED
    assert await press.messages() == []


async def test_a_removed_mailing_leaves_its_messages_and_nothing_else(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 1)
    monkeypatch.setattr(runs, "CHUNKS_DROPPED", 2)
    files = [Attached("f", "a.png", b"\0octets")]
    wire_id = await press.ordered(phones(5), files=files)
    await press.worker.run_once()
    await press.worker.run_once()
    await press.jobs.delete(press.clients[1], wire_id, mail=False)

    assert await press.mailing(wire_id) is None

    await press.work()

    assert await statuses(press) == [-2]
    for table in ("mailings", "mailing_chunks", "mailing_runs", "mailing_files"):
        assert await press.rows(schema.metadata.tables[table]) == []
    assert await press.violations() == []


async def test_a_late_report_for_a_removed_mailing_is_an_ordinary_one(press):
    wire_id = await press.ordered(PHONE)
    await press.work()
    await press.take()
    await press.work()
    await press.jobs.delete(press.clients[1], wire_id, mail=False)
    await press.work()
    await press.report(f"ref-{PHONE}-1")

    assert (await press.message()).status == 1
    assert await press.violations() == []


@pytest.mark.parametrize("limit", ["no_mailings", "no_mass", "locked"])
async def test_an_account_that_may_not_starts_none(press, limit):
    press.limit(**{limit: 1})
    wire_id = await press.ordered(PHONE)
    await press.work()

    assert (await press.mailing(wire_id)).state == State.FAILED
    assert await press.messages() == []


async def test_a_mailing_of_an_account_that_is_locked_meanwhile_stops(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 1)
    wire_id = await press.ordered(THREE)
    await press.worker.run_once()
    await press.worker.run_once()
    press.limit(locked=1)
    await press.work()

    assert (await press.mailing(wire_id)).state == State.FAILED
    assert await statuses(press) == [-2]


# The worker.


async def test_it_is_made_ahead_of_its_sending_by_so_many_and_no_more(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 2)
    monkeypatch.setattr(runs, "AHEAD_MAX", 4)
    await press.ordered(phones(10))
    await press.work()

    assert len(await press.messages()) == 4

    await press.take()
    await press.work()

    assert len(await press.messages()) == 8


async def test_every_mailing_has_its_turn(press, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 1)
    first, second = await press.ordered(THREE), await press.ordered(THREE, "Other")
    await press.worker.run_once()
    await press.worker.run_once()
    await press.worker.run_once()

    assert [m.wire_id for m in await press.messages()] == [first, second] * 2


async def test_two_nodes_do_not_make_the_same_messages(press):
    wire_id = await press.ordered(THREE)
    await press.runs.start(await press.mailing(wire_id))
    known = await press.mailing(wire_id)
    await press.runs.start(known)
    await press.runs.make(known)

    assert await press.runs.make(known) == set()

    assert len(await press.messages()) == 3
    assert await press.violations() == []


async def test_a_mailing_that_was_switched_off_meanwhile_makes_nothing(press):
    wire_id = await press.ordered(THREE)
    await press.runs.start(await press.mailing(wire_id))
    known = await press.mailing(wire_id)
    await press.jobs.cancel(press.clients[1], wire_id, mail=False)

    assert await press.runs.make(known) == set()

    assert await press.messages() == []


async def test_a_commit_that_fails_loses_nobody(press):
    await press.ordered(THREE)
    await press.worker.run_once()
    press.store.before.extend([DataRefused("a deadlock")])

    with pytest.raises(DataRefused):
        await press.worker.run_once()

    await press.work()

    assert len(await press.messages()) == 3
    assert await press.violations() == []


async def test_single_messages_overtake_a_mailing(press):
    await press.ordered(THREE)
    await press.work()
    await press.sent("79160000001", "Code")

    [flight] = await press.claim(room=1)

    assert flight.message.phone == "79160000001"


async def test_an_account_in_test_mode_sends_nothing(press):
    press.limit(test=1)
    wire_id = await press.ordered(THREE)
    await press.work()

    assert {(m.status, m.err) for m in await press.messages()} == {(1, Err.VIRTUAL)}
    assert (await press.mailing(wire_id)).state == State.FINISHED
    assert await press.progress(wire_id) == [(3, 0, 0, 3, 0, 0)]
    assert await press.violations() == []


async def test_clients_hear_of_its_messages_behind_those_of_single_ones(press):
    press.limit(callback_url="http://127.0.0.1/")
    await press.ordered(f"{PHONE},123")
    await press.work()
    await press.deliver()

    assert [(row.rank, row.message_id) for row in await press.rows(schema.news)] == [
        (1, m.id) for m in sorted(await press.messages(), key=lambda m: m.status, reverse=True)
    ]


# What the checker says.


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE mailings SET made = made - 1", "2 of 3 messages are made and its lists do not"),
        ("UPDATE mailing_runs SET delivered = 1", "delivered 1 for 0 counted"),
        ("UPDATE mailing_runs SET waiting = 0, made = 2", "made 2 for 3, waiting 0 for 3 counted"),
        ("DELETE FROM messages WHERE phone = '79161234567'", "made 3 for 2"),
    ],
)
async def test_the_checker_finds_what_does_not_agree(press, sql, words):
    await press.ordered(THREE)
    await press.work()

    async def spoil(tx):
        await tx.script(sql)

    await press.store.write(spoil)

    assert any(words in sentence for sentence in await press.violations())


async def test_runs_whose_messages_are_kept_no_longer_are_not_recounted(press):
    wire_id = await press.ordered(PHONE)
    await press.work()
    await press.deliver()
    press.later(12 * DAY)

    async def forget(tx):
        await tx.script(
            "INSERT INTO clients (id, login, limits, created_at)"
            " VALUES (1, 'client1', '{\"keep_days\": 10}', 1);"
            "DELETE FROM messages; DELETE FROM sums; DELETE FROM parts"
        )

    await press.store.write(forget)

    assert not any(f"run {wire_id}" in sentence for sentence in await press.violations())
