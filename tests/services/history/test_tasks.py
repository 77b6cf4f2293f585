import msgspec
import pytest
from tests.fakes.history import DAY, NOON

from vestnik.domain.client import Client, Limits
from vestnik.domain.refusals import BadParameters, NotFound, NotPossible
from vestnik.services.history.task_files import files_of
from vestnik.services.history.tasks import Order, Tasks, Wanted
from vestnik.store import tasks as table
from vestnik.store.history import Filter
from vestnik.store.tasks import Claim, File, State

pytestmark = pytest.mark.anyio

ALEX, ANNA = Client(1, "alex"), Client(2, "anna")
WANTED = Wanted(NOON - DAY, NOON, Filter(recipients=("79160000001",), statuses=(-1, 1)))
PIECES = b"0123456789" * 300_000


@pytest.fixture
def rung():
    return []


@pytest.fixture
def service(store, tmp_path, rung):
    return Tasks(store, files_of(store, tmp_path), lambda: rung.append(1))


def order(name="june", time=""):
    return Order(WANTED, name, "csv", time)


async def claimed(store, task_id, client=1):
    task = await store.write(table.claim, client, task_id, 0, NOON, NOON + 1_000, 7)
    return Claim(client, task_id, 0, task.fence)


async def finished(store, task_id, file="1_20250615120000.csv", size=0):
    held = await claimed(store, task_id)
    about = File(file, 1, size, size, "")
    await store.write(table.finish, held, about, NOON)
    return held, about


async def test_tasks_are_numbered_from_one_for_each_client(service, rung):
    numbers = [await service.add(client, order(), NOON) for client in (ALEX, ALEX, ANNA, ALEX)]

    assert numbers == [1, 2, 1, 3]
    assert len(rung) == 4


async def test_a_new_task_waits_for_its_start(service):
    await service.add(ALEX, order(time="+10"), NOON)

    [task] = await service.listed(ALEX, None, 10)

    assert (task.id, task.name, task.status, task.file) == (1, "june", State.WAITING, "")
    assert (task.created_at, task.start_at) == (NOON, NOON + 600_000)


async def test_what_is_wanted_survives_the_store(service):
    await service.add(ALEX, order(), NOON)
    [task] = await service.listed(ALEX, None, 10)

    assert msgspec.json.decode(task.filter, type=Wanted) == WANTED


@pytest.mark.parametrize(
    ("name", "time"),
    [("a,b", ""), ("a;b", ""), ("a/b", ""), ("a\nb", ""), ('a"b', ""), ("x" * 101, ""), ("a", "?")],
)
async def test_an_unfit_name_or_time_is_refused(service, name, time):
    with pytest.raises(BadParameters):
        await service.add(ALEX, order(name, time), NOON)

    assert await service.listed(ALEX, None, 10) == []


async def test_ten_unfinished_tasks_are_enough(service, store):
    for _ in range(10):
        await service.add(ALEX, order(), NOON)
    with pytest.raises(NotPossible, match="10 tasks"):
        await service.add(ALEX, order(), NOON)

    await service.cancel(ALEX, 3, NOON)
    assert await service.add(ALEX, order(), NOON) == 11
    assert await service.add(Client(1, "alex", limits=Limits(tasks_max=0)), order(), NOON) == 12
    assert await service.add(ANNA, order(), NOON) == 1


async def test_a_list_is_the_last_tasks_or_those_past_an_id(service):
    for _ in range(5):
        await service.add(ALEX, order(), NOON)
    await service.add(ANNA, order(), NOON)

    async def ids(after_id, most):
        return [task.id for task in await service.listed(ALEX, after_id, most)]

    assert await ids(None, 2) == [4, 5]
    assert await ids(0, 2) == [1, 2]
    assert await ids(2, 2) == [3, 4]
    assert await ids(5, 2) == []


async def test_a_file_is_found_by_id_or_name_and_only_by_its_owner(service, store, tmp_path):
    made = tmp_path / "made"
    made.write_bytes(PIECES)
    await service.add(ALEX, order(), NOON)
    held, about = await finished(store, 1, size=len(PIECES))
    files = files_of(store, tmp_path)
    (tmp_path / "exports").mkdir()
    if store.name == "postgres":
        await store.write(_reopen)
    assert await files.keep(held, made, about, lambda: NOON + 1_000)
    if store.name == "postgres":
        await store.write(table.finish, held, about, NOON)

    for task_id, name in ((1, ""), (1, "nothing"), (None, "june"), (None, about.name)):
        task, pieces = await service.file(ALEX, task_id, name)
        assert task.id == 1
        assert b"".join([piece async for piece in pieces]) == PIECES
    for client, task_id, name in ((ALEX, 2, ""), (ALEX, None, "july"), (ANNA, 1, "")):
        with pytest.raises(NotFound):
            await service.file(client, task_id, name)


async def _reopen(tx):
    await tx.script("UPDATE tasks SET status = 1")


async def test_a_file_that_is_not_ready_says_why(service, store):
    await service.add(ALEX, order(), NOON)
    with pytest.raises(NotPossible, match="file is not ready: the task waits"):
        await service.file(ALEX, 1, "")

    held = await claimed(store, 1)
    with pytest.raises(NotPossible, match="being executed"):
        await service.file(ALEX, 1, "")

    await store.write(table.fail, held, "the disk is full", NOON)
    with pytest.raises(NotPossible, match="has failed \\(the disk is full\\)"):
        await service.file(ALEX, 1, "")


async def test_only_what_waits_or_runs_can_be_cancelled(service, store):
    for _ in range(3):
        await service.add(ALEX, order(), NOON)
    await finished(store, 1)
    await claimed(store, 2)

    await service.cancel(ALEX, 2, NOON)
    await service.cancel(ALEX, 3, NOON)

    assert [task.status for task in await service.listed(ALEX, None, 9)] == [2, 3, 3]
    for task_id in (1, 2):
        with pytest.raises(NotPossible):
            await service.cancel(ALEX, task_id, NOON)
    for client, task_id in ((ALEX, 9), (ANNA, 3)):
        with pytest.raises(NotFound):
            await service.cancel(client, task_id, NOON)


async def test_what_runs_cannot_be_deleted(service, store):
    for _ in range(2):
        await service.add(ALEX, order(), NOON)
    held = await claimed(store, 1)

    with pytest.raises(NotPossible, match="cancel it first"):
        await service.delete(ALEX, 1)
    await service.delete(ALEX, 2)
    await store.write(table.fail, held, "no", NOON)
    await service.delete(ALEX, 1)

    assert await service.listed(ALEX, None, 9) == []
    with pytest.raises(NotFound):
        await service.delete(ALEX, 1)
    assert await service.add(ALEX, order(), NOON) == 3
