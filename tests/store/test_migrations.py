import asyncio
from types import SimpleNamespace

import apsw
import asyncpg
import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from vestnik.domain.ids import first_id
from vestnik.domain.refusals import StoreUnavailable
from vestnik.store import schema, statistics, store_at
from vestnik.store.migrations import revisions, run
from vestnik.store.partitions import ensure_months

pytestmark = pytest.mark.anyio

NOVEMBER = 1_794_960_000_000  # 2026-11-18
MONTH = 31 * 86_400_000


def declared(dialect):
    """What schema.py says, as SQL."""
    written = []
    for table in schema.metadata.sorted_tables:
        written.append(str(CreateTable(table).compile(dialect=dialect)))
        written += [str(CreateIndex(i).compile(dialect=dialect)) for i in table.indexes]
    return ";\n".join(written)


def sqlite_shape(path):
    """Columns, keys, indexes and kinds of every table of a file."""
    connection = apsw.Connection(str(path))

    def ask(pragma):
        return list(connection.execute(pragma))

    shape = {}
    for _, table, kind, _, without_rowid, strict in ask("PRAGMA table_list"):
        if table.startswith("sqlite_") or table == "alembic_version":
            continue
        indexes = [
            (row[2:], ask(f"PRAGMA index_xinfo('{row[1]}')"), row[1] if row[3] == "c" else "")
            for row in ask(f"PRAGMA index_list('{table}')")
        ]
        partial = ask(
            f"SELECT name, sql FROM sqlite_master WHERE type='index' AND tbl_name='{table}'"
        )
        columns = ask(f"PRAGMA table_xinfo('{table}')")
        shape[table] = (columns, sorted(map(repr, indexes)), sorted(map(repr, partial)))
        shape[table] += (kind, without_rowid, strict)
    connection.close()
    return shape


async def postgres_shape(url):
    """Columns, keys and indexes of every table of a database, partitions aside."""
    connection = await asyncpg.connect(url)
    tables = """SELECT c.oid FROM pg_class c WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'"""
    columns = await connection.fetch(f"""
        SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod),
            a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        WHERE a.attnum > 0 AND a.attrelid IN ({tables}) ORDER BY 1, a.attnum""")
    keys = await connection.fetch(f"""
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE conrelid IN ({tables}) ORDER BY 1, 2""")
    indexes = await connection.fetch(f"""
        SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN ({tables}) ORDER BY 1""")
    partitioned = await connection.fetch(
        "SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid) FROM pg_partitioned_table"
        " ORDER BY 1"
    )
    await connection.close()
    return [list(map(tuple, found)) for found in (columns, keys, indexes, partitioned)]


@pytest.fixture
def empty_postgres_url(postgres_server):
    name = postgres_server.create("template0")
    yield postgres_server.url(name)
    postgres_server.drop(name)


async def test_on_sqlite_migrations_make_what_the_schema_declares(tmp_path):
    migrated = store_at("", tmp_path)
    await migrated.open()
    await run.migrate(migrated)
    await migrated.close()
    plain = apsw.Connection(str(tmp_path / "plain.db"))
    plain.execute(declared(sqlite.dialect()))
    plain.close()

    assert sqlite_shape(tmp_path / "vestnik.db") == sqlite_shape(tmp_path / "plain.db")
    assert set(sqlite_shape(tmp_path / "vestnik.db")) == set(schema.metadata.tables)


async def test_on_postgres_migrations_make_what_the_schema_declares(
    postgres_url, empty_postgres_url
):
    connection = await asyncpg.connect(empty_postgres_url)
    await connection.execute(declared(postgresql.dialect()))
    await connection.close()

    assert await postgres_shape(postgres_url) == await postgres_shape(empty_postgres_url)


async def test_a_store_is_migrated_once(tmp_path):
    store = store_at("", tmp_path)
    await store.open()

    assert await store.read(run.version) == ""
    assert (await run.migrate(store))[0] == "0001 The first tables"
    assert await run.migrate(store) == []
    assert await store.read(run.version) == run.newest()

    await store.close()


async def test_a_store_of_a_newer_program_is_left_alone(store):
    async def stamp(tx):
        await tx.script("UPDATE alembic_version SET version_num = '9999'")

    await store.write(stamp)

    with pytest.raises(StoreUnavailable, match="version 9999"):
        await run.migrate(store)


async def test_two_nodes_migrate_one_database_together(empty_postgres_url):
    stores = [store_at(empty_postgres_url, None) for _ in range(2)]
    for store in stores:
        await store.open()

    done = await asyncio.gather(*(run.migrate(store) for store in stores))
    for store in stores:
        await store.close()

    nothing, everything = sorted(done)
    assert nothing == []
    assert everything[0] == "0001 The first tables"


async def bounds(url, table):
    connection = await asyncpg.connect(url)
    found = await connection.fetch(
        """SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits
        JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = $1::text::regclass ORDER BY 1""",
        table,
    )
    await connection.close()
    return dict(found)


async def test_months_are_made_ahead_and_meet_without_a_gap(empty_postgres_url):
    store = store_at(empty_postgres_url, None)
    await store.open()
    store.now = lambda: NOVEMBER
    await run.migrate(store)
    starts = [first_id(ms) for ms in (1793491200000, 1796083200000, 1798761600000)]

    found = await bounds(empty_postgres_url, "messages")

    assert list(found) == [
        "messages_2026_11",
        "messages_2026_12",
        "messages_2027_01",
        "messages_2027_02",
        "messages_old",
    ]
    assert found["messages_old"] == f"FOR VALUES FROM (MINVALUE) TO ('{starts[0]}')"
    assert found["messages_2026_11"] == f"FOR VALUES FROM ('{starts[0]}') TO ('{starts[1]}')"
    assert found["messages_2026_12"] == f"FOR VALUES FROM ('{starts[1]}') TO ('{starts[2]}')"

    made = await store.write(ensure_months, NOVEMBER + 6 * MONTH)
    await store.close()

    assert [name for name in made if name.startswith("charges")] == [
        f"charges_2027_{month:02d}" for month in range(3, 9)
    ]
    assert len(await bounds(empty_postgres_url, "entries")) == 11


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request):
    return request.getfixturevalue("empty_postgres_url") if request.param == "postgres" else ""


@pytest.fixture
async def bare(empty_url, tmp_path):
    """A store with nothing in it, not even tables."""
    opened = store_at(empty_url, tmp_path)
    await opened.open()
    yield opened
    await opened.close()


def first_revisions(dialect, last, monkeypatch):
    """The SQL of all revisions up to one."""
    scripts = revisions._scripts()
    short = SimpleNamespace(_upgrade_revs=lambda _, at: scripts._upgrade_revs(last, at))
    with monkeypatch.context() as patched:
        patched.setattr(revisions, "_scripts", lambda: short)
        return revisions.render(dialect, "")


async def test_what_was_counted_before_was_paid_by_the_first_purse(bare, monkeypatch):
    async def fill(tx):
        await tx.script(first_revisions(tx.dialect, "0008", monkeypatch))
        await tx.script(
            "INSERT INTO sums (client_id, day, type, mccmnc, sender, node, messages, spent) VALUES"
            " (1, 20000, 0, '25001', 'Shop', 0, 7, 5000000), (2, 20000, 0, '', '', 3, 1, 0)"
        )

    await bare.write(fill)

    assert (await run.migrate(bare))[0] == "0009 Daily sums know which balance paid"
    assert await bare.read(statistics.totals, [1, 2, 3], 0, 20000, 20000) == {
        1: (7, 5000000),
        2: (1, 0),
    }
    assert await bare.read(statistics.totals, [1, 2, 3], 1, 20000, 20000) == {}


async def test_sqlite_needs_no_months(tmp_path):
    store = store_at("", tmp_path)
    await store.open()

    assert await store.write(ensure_months, NOVEMBER) == []

    await store.close()
