"""The contract of an engine, kept by each."""

import asyncio
import time

import apsw
import pytest
import sqlalchemy as sa
from tests.postgres import Server, binaries

from vestnik.domain.refusals import StoreUnavailable
from vestnik.store import schema, store_at
from vestnik.store.engine import DataRefused
from vestnik.store.migrations.run import migrate
from vestnik.store.statement import Statement, insert_into, rows

pytestmark = pytest.mark.anyio

settings = schema.settings
PUT = insert_into(settings)
ALL = Statement(sa.select(settings.c.name, settings.c.value).order_by(settings.c.name))
ONE = Statement(sa.select(settings.c.value).where(settings.c.name == sa.bindparam("which")))
REPLACE = Statement(
    sa.update(settings)
    .values(value=sa.bindparam("new", type_=sa.Text()))
    .where(settings.c.value == sa.bindparam("old"))
)
_change = rows("change", name=sa.Text, value=sa.Text)
CHANGE = Statement(
    sa.update(settings)
    .values(value=_change.c.value)
    .where(settings.c.name == _change.c.name)
    .returning(settings.c.name, settings.c.value),
    many=True,
)


def numbered(count, value="v"):
    return [(f"{number:05}", value) for number in range(count)]


async def put(tx, data):
    return await tx.many(PUT, data)


async def everything(tx):
    return [tuple(row) for row in await tx.all(ALL)]


async def test_what_is_written_is_read(store):
    await store.write(put, [("a", "1"), ("b", "2")])

    assert await store.read(everything) == [("a", "1"), ("b", "2")]


async def test_a_transaction_returns_what_its_function_returns(store):
    async def work(tx, number, *, word):
        return number, word, tx.dialect

    assert await store.write(work, 7, word="seven") == (7, "seven", store.name)


async def test_a_function_that_raises_leaves_nothing_behind(store):
    async def half(tx):
        await put(tx, [("a", "1")])
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        await store.write(half)

    assert await store.read(everything) == []


async def test_the_first_row_or_none(store):
    async def one(tx, which):
        return await tx.one(ONE, which=which)

    await store.write(put, [("a", "1")])

    assert (await store.read(one, "a"))[0] == "1"
    assert await store.read(one, "b") is None


async def test_changed_rows_are_counted(store):
    async def replace(tx, old, new):
        return await tx.run(REPLACE, old=old, new=new)

    await store.write(put, numbered(3))

    assert await store.write(replace, "v", "w") == 3
    assert await store.write(replace, "v", "w") == 0


@pytest.mark.parametrize("count", [0, 1, 3, 200, 1000])
async def test_many_rows_are_inserted_and_changed_each_by_its_own_value(store, count):
    wanted = [(name, f"new {name}") for name, _ in numbered(count)]

    async def change(tx):
        await put(tx, numbered(count))
        return await tx.many(CHANGE, wanted)

    returned = await store.write(change)

    assert sorted(map(tuple, returned)) == wanted
    assert await store.read(everything) == wanted


async def test_a_row_that_exists_already_is_refused_and_its_transaction_undone(store):
    with pytest.raises(DataRefused):
        await store.write(put, [("a", "1"), ("b", "2"), ("a", "3")])

    assert await store.read(everything) == []


@pytest.mark.parametrize("value", [None, "lone \ud800 surrogate"])
async def test_a_bad_value_is_refused_and_the_store_goes_on(store, value):
    with pytest.raises(DataRefused):
        await store.write(put, [("a", value)])

    await store.write(put, [("b", "2")])

    assert await store.read(everything) == [("b", "2")]


async def test_reads_change_nothing(store):
    with pytest.raises((DataRefused, StoreUnavailable)):
        await store.read(put, [("a", "1")])

    assert await store.read(everything) == []


async def test_a_read_sees_one_state_whatever_is_written_meanwhile(store, store_url, tmp_path):
    other = store_at(store_url, tmp_path)
    await other.open()
    loop = asyncio.get_running_loop()

    def write_elsewhere():
        asyncio.run_coroutine_threadsafe(other.write(put, [("b", "2")]), loop).result()

    async def twice(tx):
        before = await everything(tx)
        if tx.dialect == "sqlite":
            write_elsewhere()  # in the reader's thread: the loop goes on
        else:
            await other.write(put, [("b", "2")])
        return before, await everything(tx)

    await store.write(put, [("a", "1")])
    before, after = await store.read(twice)
    await other.close()

    assert before == after == [("a", "1")]
    assert await store.read(everything) == [("a", "1"), ("b", "2")]


async def test_a_write_returns_after_its_commit(store, store_url, tmp_path):
    other = store_at(store_url, tmp_path)
    await other.open()

    await store.write(put, [("a", "1")])
    seen = await other.read(everything)
    await other.close()

    assert seen == [("a", "1")]


async def test_writes_of_many_tasks_are_all_there(store):
    await asyncio.gather(*(store.write(put, [row]) for row in numbered(50)))

    assert await store.read(everything) == numbered(50)


async def test_the_stores_clock_is_the_present(store):
    assert abs(store.now() - time.time() * 1000) < 5_000


async def test_on_sqlite_a_transaction_may_wait_for_nothing_else(tmp_path):
    async def waits(tx):
        await put(tx, [("a", "1")])
        await asyncio.sleep(0)

    store = store_at("", tmp_path)
    await store.open()
    await migrate(store)

    with pytest.raises(RuntimeError, match="awaited something other than its transaction"):
        await store.write(waits)

    assert await store.read(everything) == []

    await store.close()


async def test_a_folder_that_cannot_be_made_is_a_store_that_is_away(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    store = store_at("", tmp_path / "file")

    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await store.open()


async def test_a_file_that_is_no_store_is_named(tmp_path):
    (tmp_path / "vestnik.db").write_text(
        "this is no database, but long enough to look like one" * 99
    )
    store = store_at("", tmp_path)

    with pytest.raises(StoreUnavailable, match=r"vestnik.db cannot be opened"):
        await store.open()


async def test_a_store_that_another_process_keeps_locked_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr("vestnik.store.sqlite.PRAGMAS", ("PRAGMA journal_mode = WAL",))
    store = store_at("", tmp_path)
    await store.open()
    await migrate(store)
    other = apsw.Connection(str(tmp_path / "vestnik.db"))
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="cannot be written or read now"):
        await store.write(put, [("a", "1")])

    other.execute("ROLLBACK")
    other.close()
    await store.write(put, [("a", "1")])

    assert await store.read(everything) == [("a", "1")]

    await store.close()


async def test_nobody_answers_at_the_address_of_the_server(tmp_path):
    store = store_at(f"postgresql:///vestnik?host={tmp_path}&user=postgres", tmp_path)

    with pytest.raises(StoreUnavailable, match="PostgreSQL cannot be reached"):
        await store.open()


async def test_a_server_that_goes_away_is_a_store_that_is_away(tmp_path):
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    server = Server(binaries())
    await asyncio.to_thread(server.start)
    store = store_at(server.url("vestnik"), tmp_path)
    await store.open()
    await store.write(put, [("a", "1")])
    await asyncio.to_thread(server.stop)

    with pytest.raises(StoreUnavailable, match="PostgreSQL cannot be reached"):
        await store.write(put, [("b", "2")])
    with pytest.raises(StoreUnavailable, match="PostgreSQL cannot be reached"):
        await store.read(everything)

    await store.close()


async def test_an_address_without_an_engine_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="no engine for the store 'mysql://…'; there are: postgresql"
    ):
        store_at("mysql://somewhere/db", tmp_path)
