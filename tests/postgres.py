"""A real PostgreSQL for tests: in a temporary folder, on a socket of its own, gone at the end."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path

import asyncpg

from vestnik.store.migrations.run import migrate
from vestnik.store.postgres import connect

START_S_MAX = 30.0
PACKAGES = Path("/usr/lib/postgresql")  # where Debian keeps each major version

# Durability is not what these tests are about.
SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_connections=200",
    "shared_buffers=64MB",
)

WORN_ROWS = 3_000  # what was deleted from a database that is no longer worth emptying
GOES_MS = 30_000  # how long a session may take to notice that it is ended

# All that says what the tables are.  Whatever changes one of them writes here.
_CATALOGS = ("class", "attribute", "attrdef", "constraint", "index", "trigger", "proc", "type")
_SHAPE = "SELECT concat_ws(' ', {})".format(
    ", ".join(
        f"(SELECT concat(count(*), '/', max(xmin::text::bigint)) FROM pg_{one})"
        for one in _CATALOGS
    )
)
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
"""
_END_OTHERS = f"""
SELECT pg_terminate_backend(pid, {GOES_MS}) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`, newest version first; None when not installed."""
    found = sorted(PACKAGES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("postgres")
    return Path(elsewhere).parent if elsewhere else None


class Server:
    """One server, with a migrated database that others are copied from.

    To make a copy takes ten times longer than to empty one: what is given back is lent again,
    unless its tables are no longer as they were.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="vestnik-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._shape = ""
        self._tables: list[str] = []
        self._seeds: dict[str, int] = {}  # the tables that a migrated store has rows in
        self._clean: list[str] = []  # given back, and as new
        self._worn: Counter[str] = Counter()  # rows deleted so far, by database

    def start(self) -> None:
        if os.geteuid() == 0:  # the server refuses to be root
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        data = self._folder / "data"
        subprocess.run(
            [*self._as_owner(), self._programs / "initdb", "-D", data, "-U", "postgres"]
            + ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
        )
        options = [word for setting in SETTINGS for word in ("-c", setting)]
        command = [*self._as_owner("--pdeathsig", "INT"), self._programs / "postgres"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "-D", data, "-k", self._folder, *options],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        asyncio.run(self._prepare())

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self._folder)

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self._folder}&user=postgres"

    def lend(self) -> str:
        """The name of a database as the migrations leave it."""
        return self._clean.pop() if self._clean else self.create()

    def give_back(self, name: str) -> None:
        """Have it emptied for the next who asks, whoever is still connected to it."""
        if asyncio.run(self._emptied(name)):
            self._clean.append(name)
        else:
            self.drop(name)

    def create(self, template: str = "vestnik") -> str:
        """A fresh database; `template0` gives an empty one.  Returns its name."""
        name = f"test_{next(self._numbers)}"
        asyncio.run(self._run(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return name

    def drop(self, name: str) -> None:
        asyncio.run(self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))

    def _as_owner(self, *options: str) -> list[str]:
        words = ["setpriv", *options]
        if os.geteuid() == 0:
            words += ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        return [*words, "--"]

    async def _prepare(self) -> None:
        deadline = time.monotonic() + START_S_MAX
        while True:
            try:
                await self._run("CREATE DATABASE vestnik TEMPLATE template0")
                break
            except (OSError, asyncpg.CannotConnectNowError):
                if time.monotonic() > deadline:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                await asyncio.sleep(0.05)
        store = connect(self.url("vestnik"))
        await store.open()
        await migrate(store)
        await store.close()
        await self._learn()

    async def _learn(self) -> None:
        """What the tables are, and what a migrated store has in them."""
        connection = await asyncpg.connect(self.url("vestnik"))
        try:
            self._tables = [row[0] for row in await connection.fetch(_TABLES)]
            self._seeds = await self._written(connection)
            await connection.execute("CREATE SCHEMA seed")
            for table in self._seeds:
                await connection.execute(f"CREATE TABLE seed.{table} AS TABLE public.{table}")
            self._shape = await connection.fetchval(_SHAPE)
        finally:
            await connection.close()

    async def _written(self, connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
        """How many rows the tables have that have any; of many some."""
        some = (
            f"SELECT '{table}', (SELECT count(*) FROM"
            f" (SELECT FROM public.{table} LIMIT {WORN_ROWS}) AS few)"
            for table in self._tables
        )
        return {
            name: rows for name, rows in await connection.fetch(" UNION ALL ".join(some)) if rows
        }

    async def _emptied(self, name: str) -> bool:
        """It is as new; False when it had better be dropped."""
        connection = await asyncpg.connect(self.url(name))
        try:
            await connection.execute(_END_OTHERS)
            if await connection.fetchval(_SHAPE) != self._shape:
                return False
            written = await self._written(connection)
            self._worn[name] += sum(written.values())
            if self._worn[name] >= WORN_ROWS:
                return False
            emptied = [f"DELETE FROM public.{table}" for table in {**written, **self._seeds}]
            filled = [f"INSERT INTO public.{t} SELECT * FROM seed.{t}" for t in self._seeds]
            await connection.execute(";".join([*emptied, *filled]))  # which is one transaction
        finally:
            await connection.close()
        return True

    async def _run(self, sql: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()
