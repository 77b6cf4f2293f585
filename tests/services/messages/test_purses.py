"""Which purse pays: the second one for what the first cannot cover whole (data-model.md, 5)."""

import asyncio
import random

import pytest
from tests.building import HOUR, OTHER, PHONE, RUB, THIRD, House, taken
from tests.mailing import Press

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag, Status
from vestnik.domain.refusals import InsufficientFunds, NotFound
from vestnik.domain.schedule import MOSCOW
from vestnik.services.history.statistics import Asked, Statistics
from vestnik.services.mailings import lists
from vestnik.services.messages import bulk, upkeep
from vestnik.services.messages.delivery import Lost, flight_of_draft
from vestnik.services.messages.status import Statuses
from vestnik.services.sending import expanding, requests
from vestnik.services.sending.acceptance import accept
from vestnik.store import schema

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(store):
    """An account with 2.00, and 5.00 in its electronic purse; a part costs 1.00."""
    made = House(store)
    await made.client(1, balance=2 * RUB, electronic=5 * RUB)
    return made


async def both(house, account=1):
    """What is on each purse of an account, and what is held there, in whole units."""
    return [tuple(n // RUB for n in await house.money(account, purse)) for purse in (0, 1)]


async def paying(house):
    """The purse of each message, as the store has it and as its flags say."""
    messages = await house.messages()
    assert {m.flags & Flag.SECOND_PURSE for m in messages if not m.purse} <= {0}
    assert {m.flags & Flag.SECOND_PURSE for m in messages if m.purse} <= {Flag.SECOND_PURSE}
    return [m.purse for m in messages]


async def test_the_first_purse_pays_as_long_as_it_can(house):
    await house.sent(PHONE)
    await house.sent(OTHER)

    assert await paying(house) == [0, 0]
    assert await both(house) == [(2, 2), (5, 0)]


async def test_what_it_cannot_cover_whole_is_all_paid_by_the_second(house):
    await house.sent(f"{PHONE},{OTHER},{THIRD}")

    assert await paying(house) == [1, 1, 1]
    assert await both(house) == [(2, 0), (5, 3)]
    assert await house.violations() == []


async def test_two_purses_never_pay_together(house):
    phones = [f"7916123450{n}" for n in range(6)]
    [decision] = await house.accept(await house.draft(",".join(phones)))

    assert isinstance(decision.refusal, InsufficientFunds)
    assert [m.status for m in await house.messages()] == [Status.NO_FUNDS] * 6
    assert await paying(house) == [0] * 6
    assert await both(house) == [(2, 0), (5, 0)]
    assert await house.violations() == []


async def test_each_request_of_a_batch_is_judged_by_what_is_left(house):
    drafts = [
        await house.draft(f"{PHONE},{OTHER},{THIRD}"),  # by the second: 2.00 is left there
        await house.draft(PHONE, "Hello again"),  # by the first: 1.00 is left there
        await house.draft(f"{PHONE},{OTHER}", "And again"),  # by the second: nothing is left
        await house.draft(f"{PHONE},{OTHER}", "Too much"),
        await house.draft(PHONE, "The last"),  # by the first
    ]
    decisions = await house.accept(*drafts)

    assert [d.refusal is None for d in decisions] == [True, True, True, False, True]
    assert await paying(house) == [1, 1, 1, 0, 1, 1, 0, 0, 0]
    assert await both(house) == [(2, 2), (5, 5)]
    assert await house.violations() == []


async def test_each_purse_has_one_entry_of_a_batch(house):
    await house.accept(
        await house.draft(PHONE), await house.draft(f"{PHONE},{OTHER}"), await house.draft(OTHER)
    )

    holds = [e for e in await house.rows(schema.entries) if e.kind == "hold"]
    assert [(e.purse, e.held // RUB, e.messages) for e in holds] == [(0, 2, 2), (1, 2, 2)]


async def test_a_refused_recipient_is_paid_by_nobody(house):
    await house.sent(f"{PHONE},{OTHER},{THIRD},123")

    assert [(m.status, m.purse) for m in await house.messages()] == [(-1, 1)] * 3 + [(22, 0)]
    assert await paying(house) == [1, 1, 1, 0]
    assert await house.violations() == []


async def test_what_costs_nothing_needs_no_purse(store):
    house = House(store)
    house.rate(None, 0)
    await house.client(1, balance=-RUB, electronic=RUB)
    await house.sent(PHONE)

    assert await paying(house) == [0]
    assert await both(house) == [(-1, 0), (1, 0)]


async def test_credit_belongs_to_the_first_purse(store):
    house = House(store)
    await house.client(1, balance=0, credit=RUB, electronic=RUB)
    for text in ("on credit", "from the second"):
        await house.sent(PHONE, text)
    [decision] = await house.accept(await house.draft(PHONE, "nobody pays"))

    assert isinstance(decision.refusal, InsufficientFunds)
    assert await both(house) == [(0, 1), (1, 1)]


async def test_the_balance_that_is_answered_is_that_of_the_first(house):
    first = await house.sent(PHONE)
    second = await house.sent(f"{PHONE},{OTHER}")

    assert (first.cost, first.balance) == (RUB, RUB)
    assert (second.cost, second.balance) == (2 * RUB, RUB)


async def test_capture_takes_from_the_purse_that_holds(house):
    await house.sent(f"{PHONE},{OTHER},{THIRD}")
    await house.take()

    assert await both(house) == [(2, 0), (2, 0)]
    assert await house.violations() == []


async def test_what_is_handed_over_at_accept_is_settled_with_its_purse(house):
    """Its flight is made of the draft, not of what is stored: the two agree."""
    draft = await house.draft(f"{PHONE},{OTHER},{THIRD}")
    batch = house.batch(draft)
    draft.recipients[0].handed = True
    await house.store.write(accept, batch)
    handed = flight_of_draft(draft, draft.recipients[0], {})
    claimed = await house.claim()
    same = ("account_id", "purse", "price", "held", "cost", "money", "flags", "mccmnc", "day")

    assert len(claimed) == 2
    for name in same:
        assert getattr(handed.standing, name) == getattr(claimed[0].standing, name)

    await house.record((handed, taken(handed)))

    assert await both(house) == [(2, 0), (4, 2)]
    assert await house.violations() == []


async def test_release_gives_back_to_the_purse_that_held(house):
    await house.sent(f"{PHONE},{OTHER},{THIRD}", valid="1")
    [flight] = await house.claim(room=1)
    await house.record((flight, Lost(Status.UNDELIVERABLE, 11)))

    assert await both(house) == [(2, 0), (5, 2)]

    house.later(2 * HOUR)
    await house.do(upkeep.expire)

    assert await both(house) == [(2, 0), (5, 0)]
    assert await house.violations() == []


async def test_a_message_that_is_deleted_gives_back_to_the_purse_that_held(house):
    accepted = await house.sent(f"{PHONE},{OTHER},{THIRD}")
    statuses = Statuses(house.store, house.directory, house.setting)
    await statuses.delete(house.clients[1], [(accepted.wire_id, PHONE)])

    assert await both(house) == [(2, 0), (5, 2)]
    assert await house.violations() == []


async def test_the_flag_tells_a_client_which_balance_paid(house):
    first = await house.sent(PHONE)
    second = await house.sent(f"{PHONE},{OTHER}")
    statuses = Statuses(house.store, house.directory, house.setting)
    asked = [(first.wire_id, PHONE), (second.wire_id, PHONE)]

    assert [s.flag for s in await statuses.look(house.clients[1], asked, 0)] == [0, 32]


# Subclients (users.md, 3.1).


async def test_a_subclient_that_shares_the_balance_spends_both_purses_of_its_main_account(house):
    await house.client(2, balance=0, parent_id=1, type=2)
    await house.sent(f"{PHONE},{OTHER},{THIRD}", client=2)

    assert await paying(house) == [1, 1, 1]
    assert await both(house) == [(2, 0), (5, 3)]
    assert await both(house, 2) == [(0, 0), (0, 0)]


async def test_ancestors_lose_by_their_first_purse(house):
    house.rate(2, RUB // 2)
    await house.client(2, balance=0, electronic=5 * RUB, parent_id=1)
    await house.sent(f"{PHONE},{OTHER}", client=2)

    assert (await paying(house), await both(house, 2)) == ([1, 1], [(0, 0), (5, 1)])
    assert await both(house) == [(2, 1), (5, 0)]

    await house.take()

    assert (await both(house), await both(house, 2)) == ([(1, 0), (5, 0)], [(0, 0), (4, 0)])
    assert await house.violations() == []


async def test_an_ancestors_second_purse_makes_up_for_nothing(store):
    house = House(store)
    house.rate(2, RUB // 2)
    await house.client(1, balance=0, electronic=5 * RUB)
    await house.client(2, balance=5 * RUB, electronic=5 * RUB, parent_id=1)
    [decision] = await house.accept(await house.draft(client=2))

    assert isinstance(decision.refusal, InsufficientFunds)
    assert await both(house, 2) == [(5, 0), (5, 0)]


# Lists: requests too big for one commit, and mailings.


async def test_a_list_that_is_expanded_later_is_held_and_made_by_one_purse(house, monkeypatch):
    monkeypatch.setattr(requests, "WHOLE_MAX", 2)
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 2)
    await house.client(2, balance=0, electronic=9 * RUB, parent_id=1)
    house.rate(2, RUB // 2)
    lines = [ListLine(f"7916123450{n}", "Hello") for n in range(4)]
    draft = await house.draft(lines=lines, client=2)
    draft.mailing_id = house.ids.take(house.now)[0]
    await house.accept(draft)

    holds = await house.rows(schema.mailing_holds)
    assert [(h.account_id, h.purse, h.held) for h in holds] == [
        (1, 0, 2 * RUB),
        (2, 1, 2 * RUB),
    ]
    assert (await both(house), await both(house, 2)) == ([(2, 2), (5, 0)], [(0, 0), (9, 2)])
    assert await house.violations() == []

    made = 0
    while await house.store.write(expanding.expand, house.ids.take(house.now, 2), house.setting()):
        made += 2

        assert await paying(house) == [1] * made
        assert await house.violations() == []

    await house.take()

    assert made == 4
    assert (await both(house), await both(house, 2)) == ([(0, 0), (5, 0)], [(0, 0), (7, 0)])
    assert await house.violations() == []


async def test_a_mailing_goes_on_with_the_second_purse_recipient_by_recipient(store, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 3)
    press = Press(store)
    await press.client(1, balance=2 * RUB, electronic=3 * RUB)
    wire_id = await press.ordered(",".join(f"7916123450{n}" for n in range(7)))
    await press.work()

    assert await paying(press) == [0, 0, 1, 1, 1, 0, 0]
    assert [m.status for m in await press.messages()] == [-1] * 5 + [24] * 2
    assert await both(press) == [(2, 2), (3, 3)]
    assert await press.violations() == []

    await press.deliver()

    assert await press.progress(wire_id) == [(7, 0, 5, 5, 2, 5 * RUB)]
    assert await both(press) == [(0, 0), (0, 0)]
    assert await press.violations() == []


async def test_a_dear_recipient_of_a_mailing_leaves_the_first_purse_to_the_cheap_ones(store):
    press = Press(store)
    await press.client(1, balance=2 * RUB, electronic=3 * RUB)
    lines = f"{PHONE}:{'x' * 300}\n{OTHER}:Hello\n{THIRD}:Hello"
    await press.ordered(listed=lines)
    await press.work()

    assert [(m.phone, m.purse) for m in await press.messages()] == [
        (PHONE, 0),
        (OTHER, 1),
        (THIRD, 1),
    ]

    await press.ordered(listed=f"{PHONE}:{'y' * 200}\n{OTHER}:Hello")
    await press.work()

    assert [m.status for m in await press.messages()][3:] == [24, -1]
    assert await press.violations() == []


# Statistics (get.md, 3; users.md, 4).


def days_of(house, statistics):
    return statistics.days("", "", house.now)


async def test_statistics_count_what_each_balance_paid_for(house):
    await house.sent(PHONE)
    await house.sent(f"{PHONE},{OTHER},123")
    await house.take()
    statistics = Statistics(house.store, house.directory, MOSCOW)
    client, days = house.clients[1], days_of(house, statistics)
    first = await statistics.of_client(client, days)
    second = await statistics.of_client(client, days, 1)

    # What nobody paid for is counted with the first.
    assert (first.messages, first.spent, first.received) == (2, RUB, 2 * RUB)
    assert (second.messages, second.spent, second.received) == (2, 2 * RUB, 5 * RUB)


async def test_statistics_of_subclients_are_of_the_balance_that_was_asked_for(house):
    await house.client(2, balance=RUB, electronic=5 * RUB, parent_id=1)
    await house.sent(PHONE, client=2)
    await house.sent(f"{PHONE},{OTHER}", client=2)
    await house.take()
    statistics = Statistics(house.store, house.directory, MOSCOW)
    main, days = house.clients[1], days_of(house, statistics)

    async def counted(work, purse):
        found = await work(main, Asked(days, shared=False, purse=purse))
        return [(t.messages, t.spent) for t in found]

    for work in (statistics.of_subclients, statistics.detailed):
        assert await counted(work, 0) == [(1, RUB)]
        assert await counted(work, 1) == [(2, 2 * RUB)]


async def test_there_are_no_details_of_a_balance_that_paid_for_nothing(house):
    await house.client(2, balance=RUB, parent_id=1)
    await house.sent(PHONE, client=2)
    statistics = Statistics(house.store, house.directory, MOSCOW)

    with pytest.raises(NotFound):
        await statistics.detailed(
            house.clients[1], Asked(days_of(house, statistics), shared=False, purse=1)
        )


async def test_the_daily_limit_counts_what_either_balance_paid_for(house):
    house.limit(day_limit=3)
    await house.sent(PHONE)
    await house.sent(f"{PHONE},{OTHER}")
    await house.accept(await house.draft(f"{PHONE},{OTHER}", "One too many"))

    assert [m.status for m in await house.messages()] == [-1, -1, -1, 23, 23]


# Everything at once.


@pytest.mark.parametrize("seed", range(3))
async def test_requests_at_the_same_time_never_spend_more_than_either_purse_has(store, seed):
    chance = random.Random(seed)
    house = House(store)
    house.rate(2, RUB // 2)
    await house.client(1, balance=6 * RUB, electronic=6 * RUB)
    await house.client(2, balance=3 * RUB, electronic=3 * RUB, parent_id=1)
    await house.client(3, balance=0, parent_id=1, type=2)
    drafts = []
    for number in range(24):
        phones = [f"791612345{n:02}" for n in range(chance.randint(1, 4))]
        draft = await house.draft(",".join(phones), str(number), client=chance.randint(1, 3))
        draft.wire_id = str(number + 1)
        drafts.append(draft)

    async def commit(some):
        return (await house.store.write(accept, house.batch(*some))).of

    batches = [drafts[at : at + 3] for at in range(0, len(drafts), 3)]
    decided = [d for of in await asyncio.gather(*map(commit, batches)) for d in of]

    assert {d.refusal is None for d in decided} == {True, False}
    assert set(await paying(house)) == {0, 1}
    assert await house.violations() == []

    await house.take()

    left = [await house.money(account, purse) for account in house.clients for purse in (0, 1)]
    assert [(posted >= 0, held) for posted, held in left] == [(True, 0)] * 6
    assert await house.violations() == []
