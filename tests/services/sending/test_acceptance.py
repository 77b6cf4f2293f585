import asyncio

import pytest
from tests.building import MINUTE, OTHER, PHONE, RUB, THIRD, House

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Err, Status
from vestnik.domain.refusals import BadParameters, Duplicate, InsufficientFunds
from vestnik.services.sending.acceptance import accept, landed
from vestnik.store import schema
from vestnik.store.engine import DataRefused
from vestnik.store.queue import Stage

pytestmark = pytest.mark.anyio

KEY = "an order of mine"


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=3 * RUB)
    return made


def refusals(decisions):
    return [type(d.refusal) if d.refusal else None for d in decisions]


async def test_what_is_accepted_waits_and_its_price_is_held(house):
    accepted = await house.sent()

    message = await house.message()
    assert (message.stage, message.status, message.money) == (Stage.WAITING, Status.WAITING, 1)
    assert (message.price, message.held, message.cost) == (RUB, RUB, 0)
    assert (message.phone, message.text, message.sender) == (PHONE, "Hello", "Vestnik")
    assert (message.mccmnc, message.queue_carrier, message.carrier_id) == ("25001", 1, 0)
    assert await house.money() == (3 * RUB, RUB)
    assert (accepted.wire_id, accepted.count, accepted.cost) == ("1", 1, RUB)
    assert accepted.balance == 2 * RUB
    assert await house.violations() == []


async def test_an_empty_account_refuses_a_draft_whole_and_the_next_may_fit(house):
    dear = await house.draft(f"{PHONE},{OTHER},{THIRD},79161234560")
    decisions = await house.accept(await house.draft(), dear, await house.draft(OTHER, "Hi"))

    assert refusals(decisions) == [None, InsufficientFunds, None]
    assert decisions[1].refusal.message_id == decisions[1].wire_id == "2"
    statuses = [(m.wire_id, m.status, m.stage, m.money) for m in await house.messages()]
    assert statuses == [("1", -1, 0, 1), *[("2", Status.NO_FUNDS, None, 0)] * 4, ("3", -1, 0, 1)]
    assert await house.money() == (3 * RUB, 2 * RUB)
    assert [d.accepted.balance for d in decisions if d.accepted] == [2 * RUB, RUB]
    assert await house.violations() == []


async def test_credit_may_be_spent_and_no_more(store):
    house = House(store)
    await house.client(1, balance=0, credit=2 * RUB)

    decisions = await house.accept(*[await house.draft(text=str(n)) for n in range(3)])

    assert refusals(decisions) == [None, None, InsufficientFunds]
    assert decisions[1].accepted.balance == -2 * RUB


async def test_refused_recipients_are_rows_without_money(house):
    decisions = await house.accept(await house.draft(f"{PHONE},123,{PHONE}"))

    rows = [(m.phone, m.status, m.err, m.stage, m.held) for m in await house.messages()]
    assert rows == [
        (PHONE, Status.WAITING, 0, Stage.WAITING, RUB),
        ("123", Status.BAD_NUMBER, Err.BAD_FORMAT, None, 0),
        (PHONE, Status.FORBIDDEN, Err.NUMBER_LIMIT, None, 0),
    ]
    assert decisions[0].accepted.count == 1
    assert [(f.status, f.err) for f in decisions[0].accepted.recipients] == [
        (None, 0),
        (Status.BAD_NUMBER, Err.BAD_FORMAT),
        (Status.FORBIDDEN, Err.NUMBER_LIMIT),
    ]
    assert await house.violations() == []


async def test_texts_that_several_get_are_stored_once(house):
    await house.sent(f"{PHONE},{OTHER}")

    first, second = await house.messages()
    assert (first.text, second.text) == (None, None)
    assert first.text_id == second.text_id == first.id
    assert (first.shared, second.shared) == ("Hello", "Hello")


async def test_the_later_of_two_equal_requests_in_a_batch_is_a_duplicate(house):
    decisions = await house.accept(
        await house.draft(), await house.draft(text="another"), await house.draft()
    )

    assert refusals(decisions) == [None, None, Duplicate]
    assert len(await house.messages()) == 2


async def test_an_equal_request_within_a_minute_is_a_duplicate(house):
    await house.sent()
    house.later(MINUTE - 1)
    [soon] = await house.accept(await house.draft(params_digest=b"x"))
    [same] = await house.accept(await house.draft(params_digest=b"x"))
    house.later(MINUTE)
    [later] = await house.accept(await house.draft(params_digest=b"x"))

    assert refusals([soon, same, later]) == [None, Duplicate, None]


async def test_a_duplicate_of_what_did_not_fit_is_a_duplicate(store):
    house = House(store)
    await house.client(1, balance=0)

    [first] = await house.accept(await house.draft())
    [second] = await house.accept(await house.draft())

    assert refusals([first, second]) == [InsufficientFunds, Duplicate]


async def test_two_clients_may_ask_the_same(house):
    await house.client(2)

    decisions = await house.accept(
        await house.draft(params_digest=b"x"), await house.draft(client=2, params_digest=b"x")
    )

    assert refusals(decisions) == [None, None]
    assert [d.wire_id for d in decisions] == ["1", "1"]


async def test_an_account_without_the_limit_may_repeat_itself(house):
    house.limit(identical_s=0)

    decisions = await house.accept(await house.draft(), await house.draft())

    assert refusals(decisions) == [None, None]


async def test_a_key_gives_its_first_answer_for_a_day(house):
    first = await house.sent(idempotency_key=KEY)
    house.later(23 * 60 * MINUTE)
    [again] = await house.accept(await house.draft(idempotency_key=KEY))

    assert again.refusal is None
    assert again.accepted == first
    assert len(await house.messages()) == 1
    assert await house.money() == (3 * RUB, RUB)


async def test_a_key_with_other_parameters_is_refused(house):
    await house.sent(idempotency_key=KEY)

    [decision] = await house.accept(await house.draft(text="Other", idempotency_key=KEY))

    assert refusals([decision]) == [BadParameters]
    assert len(await house.messages()) == 1


async def test_a_key_twice_in_one_batch_is_answered_once(house):
    decisions = await house.accept(
        await house.draft(idempotency_key=KEY),
        await house.draft(idempotency_key=KEY),
        await house.draft(text="Other", idempotency_key=KEY),
    )

    assert refusals(decisions) == [None, None, BadParameters]
    assert decisions[0].accepted == decisions[1].accepted
    assert decisions[1].wire_id == "1"
    assert len(await house.messages()) == 1


async def test_a_key_remembers_that_there_was_no_money(store):
    house = House(store)
    await house.client(1, balance=0)

    [first] = await house.accept(await house.draft(idempotency_key=KEY))
    [again] = await house.accept(await house.draft(idempotency_key=KEY))

    assert refusals([first, again]) == [InsufficientFunds, InsufficientFunds]
    assert again.refusal.message_id == first.refusal.message_id
    assert len(await house.messages()) == 1


async def test_an_own_id_is_sent_once_to_a_phone_whatever_the_text(house):
    house.limit(unique_ids=1)

    first = await house.sent(wire_id="77")
    [again] = await house.accept(await house.draft("+7 916 123-45-67", "Hello!", wire_id="77"))
    [other] = await house.accept(await house.draft(OTHER, wire_id="77"))
    decisions = await house.accept(
        *[await house.draft(THIRD, text, wire_id="77") for text in ("one", "two")]
    )

    assert again.accepted == first
    assert other.refusal is None
    assert refusals(decisions) == [None, None]
    assert decisions[0].accepted == decisions[1].accepted
    assert [m.phone for m in await house.messages()] == [PHONE, OTHER, THIRD]


async def test_an_own_id_is_unique_in_a_list_too(house):
    house.limit(unique_ids=1)
    lines = [ListLine(PHONE, "one"), ListLine(OTHER, "two")]

    first = await house.sent(lines=iter(lines), wire_id="77")
    [again] = await house.accept(await house.draft(lines=iter(lines), wire_id="77"))

    assert again.accepted == first
    assert len(await house.messages()) == 2


async def test_an_own_id_need_not_be_unique_without_the_setting(house):
    await house.sent(wire_id="77")
    await house.sent(text="again", wire_id="77")

    assert [m.wire_id for m in await house.messages()] == ["77", "77"]


async def test_wire_ids_are_the_accounts_own_and_never_used_again(house):
    await house.client(2)
    await house.client(3)
    before = [await house.sent(text=str(n), client=3) for n in range(2)]
    decisions = await house.accept(
        await house.draft(text="2", client=3),
        await house.draft(client=2),
        await house.draft(wire_id="own"),
    )
    restarted = House(house.store)  # its blocks are gone with it
    restarted.clients = house.clients
    after = await restarted.sent(text="after", client=3)

    assert [a.wire_id for a in before] == ["1", "2"]
    assert [d.wire_id for d in decisions] == ["3", "1", "own"]
    assert after.wire_id == "101"


async def test_a_day_has_no_more_messages_than_the_account_may(house):
    house.limit(day_limit=2)

    decisions = await house.accept(
        await house.draft(text="1"), await house.draft(f"{PHONE},{OTHER}", text="2")
    )
    [later] = await house.accept(await house.draft(text="3"))
    house.later(24 * 60 * MINUTE)
    [tomorrow] = await house.accept(await house.draft(text="4"))

    statuses = [(m.status, m.err, m.stage) for m in await house.messages()]
    assert statuses == [
        (-1, 0, 0),
        (-1, 0, 0),
        (Status.FORBIDDEN, Err.DAILY_LIMIT, None),
        (Status.FORBIDDEN, Err.DAILY_LIMIT, None),
        (-1, 0, 0),
    ]
    assert [d.accepted.count for d in (*decisions, later, tomorrow)] == [1, 1, 0, 1]
    assert [d.accepted.cost for d in decisions] == [RUB, RUB]
    assert await house.money() == (3 * RUB, 3 * RUB)
    assert await house.violations() == []


async def test_drafts_of_one_batch_share_the_days_limit(house):
    house.limit(day_limit=1)

    await house.accept(*[await house.draft(text=str(n)) for n in range(3)])

    assert [m.status for m in await house.messages()] == [-1, 23, 23]
    assert await house.money() == (3 * RUB, RUB)


async def test_a_number_gets_no_more_in_a_day_than_the_account_may_send_it(house):
    house.limit(number_limit=1)
    lines = [ListLine(PHONE, "one"), ListLine(PHONE, "two"), ListLine(OTHER, "three")]

    await house.accept(await house.draft(lines=lines), await house.draft(OTHER, "four"))

    rows = [(m.phone, m.status, m.err) for m in await house.messages()]
    assert rows == [
        (PHONE, -1, 0),
        (PHONE, 23, Err.NUMBER_LIMIT),
        (OTHER, -1, 0),
        (OTHER, 23, Err.NUMBER_LIMIT),
    ]
    assert await house.violations() == []


async def test_what_was_refused_does_not_use_up_a_numbers_limit(store):
    house = House(store)
    await house.client(1, balance=0, limits={"number_limit": 1})
    await house.accept(await house.draft())
    house.clients[1] = house.clients.pop(1)
    await house.client(2, limits={"number_limit": 1})

    [first] = await house.accept(await house.draft(client=2))
    await house.accept(await house.draft(text="again"))

    statuses = [(m.client_id, m.status) for m in await house.messages()]
    assert statuses == [(1, Status.NO_FUNDS), (2, -1), (1, Status.NO_FUNDS)]
    assert first.refusal is None


async def test_what_is_handed_over_is_written_as_being_sent(house):
    draft = await house.draft(f"{PHONE},{OTHER}")
    batch = house.batch(draft)
    draft.recipients[0].handed = True

    await house.store.write(accept, batch)

    first, second = await house.messages()
    assert (first.stage, first.next_at, first.fence) == (Stage.SENDING, batch.lease, 1)
    assert (second.stage, second.next_at, second.fence) == (Stage.WAITING, house.now, 0)


async def test_a_transaction_that_runs_twice_decides_the_same(house):
    house.limit(day_limit=2)
    batch = house.batch(await house.draft(f"{PHONE},{OTHER}"), await house.draft(THIRD))

    async def twice(tx):
        try:
            return await house.store.write(fail_after, batch)
        except ZeroDivisionError:
            return await house.store.write(accept, batch)

    async def fail_after(tx, batch):
        await accept(tx, batch)
        raise ZeroDivisionError

    decisions = await twice(None)

    assert [d.accepted.count for d in decisions.of] == [2, 0]
    assert [m.status for m in await house.messages()] == [-1, -1, 23]
    assert await house.money() == (3 * RUB, 2 * RUB)
    assert await house.violations() == []


async def test_a_commit_that_took_place_is_found_by_its_ids(house):
    batch = house.batch(await house.draft())

    before = await house.store.write(landed, batch)
    await house.store.write(accept, batch)

    assert (before, await house.store.write(landed, batch)) == (False, True)


async def test_a_value_that_the_store_refuses_takes_the_whole_batch_back(house):
    bad = await house.draft(OTHER)
    bad.recipients[0].price = 1 << 70
    good = await house.draft()

    with pytest.raises(DataRefused):
        await house.accept(good, bad)

    assert await house.messages() == []
    assert await house.rows(schema.dedup) == []
    assert await house.money() == (3 * RUB, 0)


async def test_holds_of_a_batch_are_one_entry_an_account(house):
    await house.client(2)
    await house.accept(
        await house.draft(f"{PHONE},{OTHER}"), await house.draft(THIRD), await house.draft(client=2)
    )

    holds = [e for e in await house.rows(schema.entries) if e.kind == "hold"]

    assert [(e.account_id, e.held, e.messages) for e in holds] == [(1, 3 * RUB, 3), (2, RUB, 1)]


async def test_batches_at_the_same_time_never_spend_more_than_there_is(house):
    drafts = [await house.draft(text=str(n)) for n in range(8)]

    async def one(draft):
        batch = house.batch(draft)
        return (await house.store.write(accept, batch)).of[0]

    house.wire_ids.keep({1: range(1, 20)})
    decisions = await asyncio.gather(*(one(draft) for draft in drafts))

    assert sorted(d.refusal is None for d in decisions) == [False] * 5 + [True] * 3
    assert await house.money() == (3 * RUB, 3 * RUB)
    assert await house.violations() == []


# Who pays whom: users.md, section 5, and data-model.md, section 5.


@pytest.fixture
async def family(store):
    """A main account that pays 1.00 a part and its subclient's account; types differ by test."""

    async def made(kind, own=None, top=RUB):
        house = House(store)
        house.rate(1, top)
        if own is not None:
            house.rate(2, own)
        await house.client(1, balance=10 * RUB)
        await house.client(2, balance=10 * RUB, parent_id=1, type=kind)
        return house

    return made


@pytest.mark.parametrize(
    ("kind", "own", "held_below", "held_above"),
    [
        (0, 1_400_000, 1_400_000, 0),  # own tariff and balance, dearer: nothing is lost above
        (0, 700_000, 700_000, 300_000),  # cheaper: the main account loses the difference
        (1, 1_400_000, RUB, 0),  # main tariff, own balance
        (2, 1_400_000, 0, RUB),  # main tariff and balance
        (3, 1_400_000, 0, 1_400_000),  # own tariff, main balance
        (4, 1_400_000, 0, RUB),
    ],
)
async def test_each_type_of_subclient_holds_where_it_pays(
    family, kind, own, held_below, held_above
):
    house = await family(kind, own)

    await house.sent(client=2)

    assert (await house.money(2))[1] == held_below
    assert (await house.money(1))[1] == held_above
    assert await house.violations() == []


async def test_a_subclient_is_refused_when_its_main_account_cannot_bear_the_loss(store):
    house = House(store)
    house.rate(1, RUB)
    house.rate(2, 400_000)
    await house.client(1, balance=RUB)
    await house.client(2, balance=10 * RUB, parent_id=1)

    decisions = await house.accept(await house.draft(client=2), await house.draft(OTHER, client=2))

    assert refusals(decisions) == [None, InsufficientFunds]
    assert await house.money(1) == (RUB, 600_000)
    assert await house.money(2) == (10 * RUB, 400_000)
    assert await house.violations() == []


async def test_shares_of_ancestors_stand_in_charges(store):
    house = House(store)
    for client, price in ((1, RUB), (2, 1_200_000), (3, 1_100_000)):
        house.rate(client, price)
        await house.client(client, parent_id=client - 1 or None)

    await house.sent(client=3)

    charged = [(c.account_id, c.client_id, c.amount) for c in await house.rows(schema.charges)]
    assert charged == [(1, 3, -200_000), (2, 3, 100_000)]
    held = [(await house.money(account))[1] for account in (1, 2, 3)]
    assert held == [0, 100_000, 1_100_000]
    assert await house.violations() == []


async def test_what_costs_a_subclient_nothing_still_holds_its_main_accounts_share(family):
    house = await family(0, own=0)

    await house.sent(client=2)

    message = await house.message()
    assert (message.held, message.money) == (0, 1)
    assert await house.money(1) == (10 * RUB, RUB)
    assert await house.violations() == []
