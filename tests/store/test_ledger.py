import asyncio

import pytest

from vestnik.store import ledger
from vestnik.store.engine import DataRefused
from vestnik.store.ledger import Account, Entry

pytestmark = pytest.mark.anyio


def entry(account_id, number, *, posted=0, held=0, purse=0):
    return Entry(account_id, purse, number, "topup", posted, held, 0, "", "", 1_000)


async def test_a_new_account_has_two_empty_purses(store):
    await store.write(ledger.open_account, 7, "RUB", 500)

    assert await store.read(ledger.account, 7) == Account(7, 0, "RUB", 0, 0, 500)
    assert await store.read(ledger.account, 7, 1) == Account(7, 1, "RUB", 0, 0, 0)
    assert await store.read(ledger.account, 8) is None


async def test_entries_and_their_account_agree(store):
    await store.write(ledger.open_account, 7, "RUB")
    await store.write(ledger.open_account, 8, "USD")

    await store.write(
        ledger.book,
        [
            entry(7, 1, posted=100),
            entry(8, 2, posted=30, held=5),
            entry(7, 3, held=40),
            entry(7, 4, posted=-10, held=-10),
            entry(7, 5, posted=1, purse=1),
        ],
    )

    assert await store.read(ledger.account, 7) == Account(7, 0, "RUB", 90, 30, 0)
    assert await store.read(ledger.account, 7, 1) == Account(7, 1, "RUB", 1, 0, 0)
    assert await store.read(ledger.account, 8) == Account(8, 0, "USD", 30, 5, 0)


async def test_what_may_be_spent_counts_credit_and_holds(store):
    await store.write(ledger.open_account, 7, "RUB")
    await store.write(ledger.book, [entry(7, 1, posted=100, held=30)])
    await store.write(ledger.set_credit, 7, 50)

    assert (await store.read(ledger.account, 7)).available == 120


async def test_an_entry_is_written_once(store):
    await store.write(ledger.open_account, 7, "RUB")
    await store.write(ledger.book, [entry(7, 1, posted=100)])

    with pytest.raises(DataRefused):
        await store.write(ledger.book, [entry(7, 1, posted=100)])

    assert (await store.read(ledger.account, 7)).posted == 100


async def test_accounts_are_found_by_id_and_purse(store):
    for account_id in (7, 8, 9):
        await store.write(ledger.open_account, account_id, "RUB")

    found = await store.write(ledger.lock, [(9, 0), (7, 1), (10, 0)])

    assert set(found) == {(7, 1), (9, 0)}


async def test_together_they_move_an_account_by_all_they_wrote(store):
    async def spend(tx, number):
        held = (await ledger.lock(tx, [(7, 0)]))[7, 0]
        if held.available >= 10:
            await ledger.book(tx, [entry(7, number, posted=-10)])

    await store.write(ledger.open_account, 7, "RUB")
    await store.write(ledger.book, [entry(7, 1, posted=100)])

    await asyncio.gather(*(store.write(spend, number) for number in range(2, 22)))

    assert (await store.read(ledger.account, 7)).posted == 0


async def test_ancestors_shares_are_found_by_message(store):
    await store.write(ledger.charge, [(1, 100, 7, 5), (2, 100, 7, -3), (1, 101, 7, 8)])

    found = await store.read(ledger.charged, [(7, 100), (7, 102)])

    assert found == {(7, 100): [(1, 5), (2, -3)]}
