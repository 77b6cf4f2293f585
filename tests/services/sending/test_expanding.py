"""Requests too big for one commit become messages; the rules of the account act as they do."""

from dataclasses import replace

import pytest
from tests.building import DAY, RUB, House

from vestnik.domain.contact import Book
from vestnik.domain.message import Err
from vestnik.services.contacts import blacklist
from vestnik.services.contacts.blacklist import Blocks
from vestnik.services.messages import bulk
from vestnik.services.sending import expanding, requests
from vestnik.store import mailings, schema

pytestmark = pytest.mark.anyio

PHONES = [f"7916123450{n}" for n in range(6)]
FINE = (-1, 0)
MOST, TOO_OFTEN = (23, Err.DAILY_LIMIT), (23, Err.NUMBER_LIMIT)
BARRED = (23, Err.NUMBER_BARRED)


@pytest.fixture
async def house(store, monkeypatch):
    """One whose lists of more than two are stored, in chunks of two."""
    monkeypatch.setattr(requests, "WHOLE_MAX", 2)
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 2)
    made = House(store)
    await made.client(1)
    made.rate(None, RUB)
    return made


async def listed(house, phones=PHONES, client=1, **fields):
    """Have a list accepted, which is to be expanded."""
    draft = await house.draft(",".join(phones), client=client, **fields)
    draft.mailing_id = house.ids.take(house.now)[0]
    [decision] = await house.accept(draft)
    assert decision.refusal is None


async def expand(house):
    return await house.store.write(expanding.expand, house.ids.take(house.now, 2), house.setting())


async def expanded(house):
    """Expand all there is; nothing is ever wrong in between.  What became of each message."""
    while await expand(house) is not None:
        assert await house.violations() == []
    return [(m.status, int(m.err)) for m in await house.messages()]


async def bar(house, *phones, client=1, blocks=Blocks.ALL):
    for phone in phones:
        await house.store.write(blacklist.add, client, Book.PHONES, phone, blocks)
    house._directory = replace(house.directory(), blacklisted=frozenset({client}))


async def test_whom_a_black_list_names_gets_nothing_and_costs_nothing(house):
    await listed(house)
    await bar(house, PHONES[1], PHONES[4], PHONES[5])

    assert await house.money() == (100 * RUB, 6 * RUB)
    assert await expanded(house) == [FINE, BARRED, FINE, FINE, BARRED, BARRED]
    assert await house.money() == (100 * RUB, 3 * RUB)
    assert await house.rows(schema.mailing_holds) == []
    assert len(await house.rows(schema.queue)) == 3


async def test_what_goes_back_is_an_entry_of_each_commit(house):
    await listed(house)
    await bar(house, PHONES[1], PHONES[4], PHONES[5])
    await expanded(house)

    made = [e for e in await house.rows(schema.entries) if e.kind == "release"]
    assert [(e.account_id, e.held, e.messages) for e in made] == [(1, -RUB, 1), (1, -2 * RUB, 2)]


async def test_what_a_subclient_and_its_main_account_lose_goes_back_to_each_purse(house):
    await house.client(2, balance=0, electronic=9 * RUB, parent_id=1)
    house.rate(2, RUB // 2)
    await listed(house, client=2)
    await bar(house, PHONES[0], PHONES[3], client=2)
    held = await house.money(1), await house.money(2, 1)
    await expanded(house)

    assert held == ((100 * RUB, 3 * RUB), (9 * RUB, 3 * RUB))
    assert (await house.money(1), await house.money(2, 1)) == (
        (100 * RUB, 2 * RUB),
        (9 * RUB, 2 * RUB),
    )


async def test_a_day_has_room_for_so_many_whatever_they_came_in(house):
    await house.sent(PHONES[0], "Before")
    await listed(house)
    house.limit(day_limit=4)

    assert await expanded(house) == [FINE] * 4 + [MOST] * 3
    assert await house.money() == (100 * RUB, 4 * RUB)


async def test_the_day_is_that_of_the_request(house):
    await listed(house)
    house.limit(day_limit=4)
    house.later(DAY)
    await house.sent(PHONES[0], "The next day")

    told = await expanded(house)
    assert sorted(told) == sorted([FINE] * 5 + [MOST] * 2)


async def test_a_number_gets_so_many_a_day(house):
    await house.sent(PHONES[3], "Before")
    await listed(house)
    house.limit(number_limit=1)

    assert await expanded(house) == [FINE, FINE, FINE, FINE, TOO_OFTEN, FINE, FINE]


async def test_a_text_reaches_a_number_so_often_a_day(house):
    await house.sent(PHONES[3], "Hello")
    await listed(house)
    house.limit(text_limit=1)

    assert await expanded(house) == [FINE, FINE, FINE, FINE, TOO_OFTEN, FINE, FINE]


async def test_an_address_sends_so_many_a_day_in_lists_and_besides(house):
    await listed(house, address="192.0.2.1")
    house.limit(address_limit=5)

    assert await expanded(house) == [FINE] * 5 + [MOST]

    await house.accept(await house.draft(PHONES[0], "Later", address="192.0.2.1"))
    await house.accept(await house.draft(PHONES[0], "Elsewhere", address="192.0.2.2"))

    last = [(m.status, int(m.err)) for m in await house.messages()][-2:]
    assert last == [MOST, FINE]


async def test_a_run_that_was_broken_off_counts_for_nothing(house, monkeypatch):
    await listed(house, address="192.0.2.1")
    house.limit(address_limit=3, day_limit=3)
    await bar(house, PHONES[0], PHONES[2])

    async def lost(*_, **__):
        raise RuntimeError("no power")

    with monkeypatch.context() as broken:
        broken.setattr(mailings, "advance", lost)
        with pytest.raises(RuntimeError, match="power"):
            await expand(house)

    assert await house.messages() == []
    assert await house.money() == (100 * RUB, 6 * RUB)
    assert await expanded(house) == [BARRED, FINE, BARRED, FINE, FINE, MOST]


async def test_the_run_of_the_request_counts_those_that_were_stopped(house):
    await listed(house)
    await bar(house, *PHONES[:4])
    await expanded(house)

    [run] = await house.rows(schema.mailing_runs)
    assert (run.made, run.waiting, run.failed) == (6, 2, 4)


async def test_an_account_that_nobody_knows_any_more_has_its_messages_made(house):
    await listed(house)
    setting = house.setting()
    setting = replace(setting, directory=replace(setting.directory, clients={}))
    await house.store.write(expanding.expand, house.ids.take(house.now, 2), setting)

    assert [m.status for m in await house.messages()] == [-1, -1]
