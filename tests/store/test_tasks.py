import asyncio

import pytest

from vestnik.store import counters, task_chunks, tasks
from vestnik.store.tasks import Claim, File, State

pytestmark = pytest.mark.anyio

NOW = 1_749_978_000_000
FILE = File("1_20250615120000.csv", 10, 300, 200, "ab" * 32)


async def put(store, task_id, *, client=1, start_at=NOW, name="june"):
    await store.write(counters.reserve, counters.TASK, [(client, 1)])
    await store.write(tasks.put, client, task_id, name, "{}", "csv", NOW, start_at)


async def claim(store, task_id, *, client=1, owner=5, now=NOW, lease=NOW + 100):
    task = await store.write(tasks.claim, client, task_id, owner, now, lease, 77)
    return task and Claim(task.client_id, task.id, owner, task.fence)


async def status(store, task_id, client=1):
    return (await store.read(tasks.one, client, task_id)).status


async def test_the_oldest_due_task_of_each_idle_client_is_due(store):
    await put(store, 1, start_at=NOW - 1)
    await put(store, 2, start_at=NOW - 2)
    await put(store, 3, start_at=NOW + 1)
    await put(store, 1, client=2, start_at=NOW)

    assert await store.read(tasks.due, NOW, 10) == [(1, 2), (1, 1), (2, 1)]

    assert await claim(store, 2)
    assert await store.read(tasks.due, NOW, 10) == [(2, 1)]


async def test_a_claim_marks_the_task_and_fixes_its_end(store):
    await put(store, 1)

    held = await claim(store, 1, now=NOW + 3)
    task = await store.read(tasks.one, 1, 1)

    assert (task.status, task.started_at, task.high_id) == (State.RUNNING, NOW + 3, 77)
    assert (task.tries, task.fence) == (1, held.fence)


async def test_a_client_has_one_task_running(store):
    await put(store, 1)
    await put(store, 2)
    await claim(store, 1)

    assert await claim(store, 2) is None
    assert await claim(store, 1) is None


async def test_two_claims_at_once_take_one_task_of_a_client(store):
    for task_id in range(1, 9):
        await put(store, task_id)

    async def locked_claim(tx, task_id):
        await tasks.lock_client(tx, 1, counters.TASK)
        return await tasks.claim(tx, 1, task_id, task_id, NOW, NOW + 100, 77)

    found = await asyncio.gather(*(store.write(locked_claim, n) for n in range(1, 9)))

    assert len([task for task in found if task]) == 1


async def test_a_finished_task_has_its_file(store):
    await put(store, 1)
    held = await claim(store, 1)

    assert await store.write(tasks.renew, held, 5, NOW + 200)
    assert (await store.read(tasks.one, 1, 1)).rows_done == 5
    assert await store.write(tasks.finish, held, FILE, NOW + 9)

    task = await store.read(tasks.one, 1, 1)
    assert (task.status, task.ended_at, task.file) == (State.DONE, NOW + 9, FILE.name)
    assert (task.rows_done, task.octets_utf8, task.octets_single) == (10, 300, 200)
    assert [tuple(row) for row in await store.read(tasks.files)] == [(1, FILE.name)]
    assert not await store.write(tasks.finish, held, FILE, NOW + 9)


async def test_a_cancelled_task_answers_to_no_worker(store):
    await put(store, 1)
    held = await claim(store, 1)

    assert await store.write(tasks.cancel, 1, 1, NOW)

    assert not await store.write(tasks.renew, held, 5, NOW + 200)
    assert not await store.write(tasks.finish, held, FILE, NOW)
    assert not await store.write(tasks.fail, held, "no", NOW)
    assert not await store.write(tasks.give_back, held, "no", NOW)
    assert not await store.write(tasks.put_down, held)
    assert await status(store, 1) == State.CANCELLED
    assert not await store.write(tasks.cancel, 1, 1, NOW)


async def test_the_third_lease_that_lapses_ends_the_task(store):
    await put(store, 1)
    ends = []

    for _ in range(3):
        await claim(store, 1, lease=NOW + 100)
        assert list(await store.write(tasks.give_back_lapsed, "slow", NOW + 100)) == []
        ends += await store.write(tasks.give_back_lapsed, "slow", NOW + 101)

    assert [tuple(end) for end in ends] == [(1, 1, 0), (1, 1, 0), (1, 1, 4)]
    task = await store.read(tasks.one, 1, 1)
    assert (task.reason, task.ended_at) == ("slow", NOW + 101)
    assert await store.read(tasks.due, NOW + 200, 10) == []


async def test_an_earlier_claim_is_fenced_off(store):
    await put(store, 1)
    first = await claim(store, 1, owner=5)
    await store.write(tasks.give_back, first, "broke", NOW)
    second = await claim(store, 1, owner=5)

    assert not await store.write(tasks.renew, first, 1, NOW + 200)
    assert await store.write(tasks.renew, second, 1, NOW + 200)


async def test_a_node_that_starts_gives_back_what_it_held(store):
    await put(store, 1)
    await put(store, 1, client=2)
    await claim(store, 1, owner=5)
    await claim(store, 1, client=2, owner=6)

    given = await store.write(tasks.give_back_own, 5, "crash", NOW)

    assert [tuple(row) for row in given] == [(1, 1, 0)]
    assert await status(store, 1, client=2) == State.RUNNING


async def test_a_task_that_is_put_down_has_lost_no_try(store):
    await put(store, 1)

    for _ in range(5):
        assert await store.write(tasks.put_down, await claim(store, 1))

    assert (await store.read(tasks.one, 1, 1)).tries == 0


async def test_a_name_finds_the_newest_that_is_ready(store):
    for task_id, name in ((1, "june"), (2, "june"), (3, "june"), (4, "other"), (5, FILE.name)):
        await put(store, task_id, name=name)
    assert (await store.read(tasks.named, 1, "june")).id == 3

    for task_id in (1, 2, 4):
        await store.write(tasks.finish, await claim(store, task_id), FILE, NOW)

    assert (await store.read(tasks.named, 1, "june")).id == 2
    assert (await store.read(tasks.named, 1, FILE.name)).id == 5
    assert await store.read(tasks.named, 1, "july") is None
    assert await store.read(tasks.named, 2, "june") is None


async def test_a_running_task_cannot_be_dropped(store):
    await put(store, 1)
    held = await claim(store, 1)

    assert not await store.write(tasks.drop, 1, 1)
    await store.write(tasks.fail, held, "no", NOW)
    assert await store.write(tasks.drop, 1, 1)
    assert await store.read(tasks.one, 1, 1) is None


async def test_pieces_are_stored_under_the_guard(store):
    await put(store, 1)
    first = await claim(store, 1)
    assert await store.write(task_chunks.put, first, 1, NOW + 100, 0, b"old")
    await store.write(tasks.give_back, first, "broke", NOW)
    second = await claim(store, 1)

    assert not await store.write(task_chunks.put, first, 1, NOW + 100, 1, b"late")
    await store.write(task_chunks.drop_own, first)
    assert await store.read(task_chunks.one, 1, 1, 0) == b"old"
    await store.write(task_chunks.drop_own, second)
    assert await store.read(task_chunks.one, 1, 1, 0) is None
    assert await store.write(task_chunks.put, second, 1, NOW + 100, 0, b"\0\xff")
    assert await store.read(task_chunks.one, 1, 1, 0) == b"\0\xff"
