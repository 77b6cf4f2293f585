"""How many, at what price; and the refusals of send.md, over a store."""

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.building import OTHER, PHONE, RUB, THIRD, House, Memory

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Err, Kind, Status
from vestnik.domain.refusals import (
    BadNumber,
    BadParameters,
    InsufficientFunds,
    MessageForbidden,
    Undeliverable,
)
from vestnik.domain.schedule import MOSCOW
from vestnik.services.sending import requests
from vestnik.services.sending.requests import WHOLE_MAX, Sending

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house():
    made = House(Memory())
    await made.client(1)
    return made


async def recipient(house, *args, **fields):
    [only] = (await house.draft(*args, **fields)).recipients
    return only


async def refused(house, *args, **fields):
    [only] = (await house.refused_draft(*args, **fields)).recipients
    return only.status, only.err


# How many.


async def test_a_request_has_no_more_recipients_than_the_account_may(house):
    house.limit(rows_per_request=2)

    assert len((await house.draft(f"{PHONE},{OTHER}")).recipients) == 2
    with pytest.raises(BadParameters, match="more than 2 recipients"):
        await house.draft(f"{PHONE},{OTHER},{THIRD}")


@pytest.mark.parametrize("phones", ["", ",;,"])
async def test_a_request_has_recipients(house, phones):
    with pytest.raises(BadParameters, match="no recipient is given"):
        await house.draft(phones)


async def test_a_long_list_lets_others_have_their_turn(house):
    house.limit(rows_per_request=0)
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    draft = await house.draft(",".join(f"7916{n:07}" for n in range(5_000)))
    counting.cancel()

    assert len(draft.recipients) == 5_000
    assert turns >= 10
    assert (draft.priority, draft.urgent) == (2, False)


async def test_a_list_too_long_for_one_commit_is_packed_as_it_is_read(house):
    house.limit(rows_per_request=0)
    lines = (ListLine(f"7916{n:07}", "Hello") for n in range(WHOLE_MAX + 1))
    draft = await house.draft(lines=lines)

    assert (draft.recipients, draft.total) == ([], WHOLE_MAX + 1)
    assert draft.holds == {1: (WHOLE_MAX + 1) * RUB}
    assert (draft.count, draft.cost) == (WHOLE_MAX + 1, (WHOLE_MAX + 1) * RUB)


async def test_an_account_with_limits_sends_lists_that_are_too_long_for_one_commit(
    house, monkeypatch
):
    monkeypatch.setattr(requests, "WHOLE_MAX", 2)
    house.limit(rows_per_request=0, day_limit=2, number_limit=1)
    house._directory = replace(house.directory(), blacklisted=frozenset({1}))
    draft = await house.draft(",".join(f"7916{n:07}" for n in range(5)))

    assert (draft.recipients, draft.total, draft.holds) == ([], 5, {1: 5 * RUB})


# Test mode, prices, chains.


async def test_in_test_mode_nothing_is_sent_or_charged(house):
    house.limit(test=1)
    draft = await house.draft(f"{PHONE},123")

    assert [(r.status, r.err, r.price) for r in draft.recipients] == [
        (Status.DELIVERED, Err.VIRTUAL, 0),
        (Status.BAD_NUMBER, Err.BAD_FORMAT, 0),
    ]
    assert (draft.test, draft.count, draft.cost) == (True, 1, 0)


async def test_test_mode_does_not_cover_letters(house):
    house.limit(test=1)

    made = await recipient(house, "a@b.ru", kind=Kind.MAIL)
    house.carrier(2)

    assert (made.status, made.price) == (Status.WAITING, RUB)
    assert await refused(house, "a@b.ru", kind=Kind.MAIL) == (Status.UNREACHABLE, Err.NO_ROUTE)


async def test_a_cost_request_in_test_mode_gives_the_usual_price(house):
    house.limit(test=1)
    sending = Sending(house.directory, None, MOSCOW)

    accepted = await sending.price(house.order(f"{PHONE},123", cost=1))

    assert (accepted.count, accepted.cost, accepted.wire_id) == (1, RUB, "")
    assert [(f.cost, f.status, f.err) for f in accepted.recipients] == [
        (RUB, None, 0),
        (0, Status.BAD_NUMBER, Err.BAD_FORMAT),
    ]


@pytest.mark.parametrize(
    ("kind", "accounts", "price", "shares"),
    [
        (0, (2, 1), 1_500_000, (-500_000,)),
        (1, (2, 1), RUB, (0,)),
        (2, (1,), RUB, ()),
        (3, (1,), 1_500_000, ()),
        (4, (1,), RUB, ()),
    ],
)
async def test_a_subclient_pays_by_its_type(house, kind, accounts, price, shares):
    house.rate(1, RUB)
    house.rate(2, 1_500_000)
    await house.client(2, parent_id=1, type=kind)
    draft = await house.draft(client=2)
    [made] = draft.recipients

    assert (draft.accounts, made.price, made.shares) == (accounts, price, shares)


async def test_a_flood_to_one_number_is_stopped(house):
    house.limit(flood_count=2, flood_gap_s=30, identical_s=0)
    seen = []

    class Kept:
        def put(self, draft):
            seen.append(draft.recipients[0].err)
            raise MessageForbidden

    sending = Sending(house.directory, Kept(), MOSCOW)
    for gap in (0, 29_000, 29_000, 30_000):
        house.later(gap)
        await sending.price(house.order())  # to ask the price is no message
        with pytest.raises(MessageForbidden):
            await sending.send(house.order())

    assert seen == [0, 0, Err.NUMBER_LIMIT, 0]


# What a door is told; with a store.


@asynccontextmanager
async def sending_over(store, **limits):
    house = House(store)
    await house.client(1, balance=2 * RUB, limits=limits)
    intake = house.intake()
    running = asyncio.create_task(intake.run())
    try:
        yield house, Sending(house.directory, intake, MOSCOW)
    finally:
        intake.close()
        await running


@pytest.mark.parametrize(
    ("asked", "refusal", "status"),
    [
        ({"phones": "123"}, BadNumber, Status.BAD_NUMBER),
        ({"sender": "ТелеШоп"}, MessageForbidden, Status.FORBIDDEN),
        ({"kind": Kind.CALL}, Undeliverable, Status.UNREACHABLE),
        ({"text": "x" * 400}, InsufficientFunds, Status.NO_FUNDS),
    ],
)
async def test_a_lonely_refusal_carries_the_id_it_is_on_record_under(store, asked, refusal, status):
    async with sending_over(store) as (house, sending):
        house.carrier(2)

        with pytest.raises(refusal) as caught:
            await sending.send(house.order(**asked))

        assert caught.value.message_id == "1"
        assert re.fullmatch("[0-9]+", caught.value.message_id)
        assert (await house.message()).status == status
        assert await house.violations() == []


async def test_what_is_refused_among_others_is_no_refusal_of_the_request(store):
    async with sending_over(store) as (house, sending):
        accepted = await sending.send(house.order(f"{PHONE},123"))

        assert (accepted.wire_id, accepted.count, accepted.cost) == ("1", 1, RUB)
        assert [f.status for f in accepted.recipients] == [None, Status.BAD_NUMBER]
        assert accepted.balance == RUB


async def test_a_repeated_key_gets_its_first_answer_whatever_has_become_of_limits(store):
    async with sending_over(store, number_limit=1) as (house, sending):
        first = await sending.send(house.order(idempotency_key="a"))
        with pytest.raises(MessageForbidden) as second:
            await sending.send(house.order(text="2", idempotency_key="b"))
        house.limit(number_limit=0, flood_count=1)

        again = await sending.send(house.order(idempotency_key="a"))
        with pytest.raises(MessageForbidden) as still:
            await sending.send(house.order(text="2", idempotency_key="b"))

        assert again == first
        assert still.value.message_id == second.value.message_id == "2"
        assert len(await house.messages()) == 2
