import asyncio
from contextlib import asynccontextmanager

import pytest
from tests.building import until

from vestnik.domain.refusals import StoreUnavailable
from vestnik.services import gathering
from vestnik.services.gathering import Gathering
from vestnik.store.engine import CommitUnknown, DataRefused

pytestmark = pytest.mark.anyio


class Store:
    """Keeps batches; a commit waits for its gate and fails as it is told."""

    def __init__(self):
        self.batches = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = []

    async def commit(self, batch):
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        if "bad" in batch:
            raise DataRefused("a value")
        self.batches.append(batch)


@pytest.fixture
def store():
    return Store()


@asynccontextmanager
async def line(store):
    made = Gathering("things", store.commit)
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        made.close()
        await running


async def test_what_gathers_while_a_commit_runs_is_committed_together(store):
    async with line(store) as things:
        store.gate.clear()
        first = things.put(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [things.put(number) for number in (2, 3, 4)]

        assert not first.done()

        store.gate.set()
        await asyncio.gather(first, *others)

    assert store.batches == [[1], [2, 3, 4]]


async def test_a_batch_has_a_most(store, monkeypatch):
    monkeypatch.setattr(gathering, "BATCH_MAX", 2)
    async with line(store) as things:
        await asyncio.gather(*(things.put(number) for number in range(5)))

    assert store.batches == [[0, 1], [2, 3], [4]]


async def test_a_bad_item_harms_no_other(store):
    async with line(store) as things:
        done = await asyncio.gather(
            *(things.put(item) for item in ("a", "bad", "b")), return_exceptions=True
        )

    assert [type(d) for d in done] == [type(None), DataRefused, type(None)]
    assert store.batches == [["a"], ["b"]]


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), CommitUnknown("lost")])
async def test_who_put_an_item_is_told_that_the_store_is_away(store, failure, monkeypatch):
    monkeypatch.setattr(gathering, "AGAIN_S", 0.0)
    store.failures = [failure]
    async with line(store) as things:
        done = await asyncio.gather(things.put(1), things.put(2), return_exceptions=True)
        again = await things.put(1)

    assert done == [failure, failure]
    assert again is None
    assert store.batches == [[1]]


async def test_who_waits_no_more_takes_nothing_from_the_others(store):
    async with line(store) as things:
        store.gate.clear()
        gone, stays = things.put("gone"), things.put("stays")
        await asyncio.sleep(0)
        gone.cancel()
        store.gate.set()
        await stays

    assert store.batches == [["gone", "stays"]]


async def test_closing_commits_what_waits(store):
    things = Gathering("things", store.commit)
    store.gate.clear()
    running = asyncio.create_task(things.run())
    put = [things.put(number) for number in range(3)]
    things.close()
    store.gate.set()
    await until(running.done)

    assert [p.done() for p in put] == [True] * 3
    assert store.batches == [[0, 1, 2]]
