"""A real PostgreSQL for tests: in a temporary folder, on a socket of its own, gone at the end."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
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


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`, newest version first; None when not installed."""
    found = sorted(PACKAGES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("postgres")
    return Path(elsewhere).parent if elsewhere else None


class Server:
    """One server, with a migrated database that others are copied from."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="vestnik-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

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

    async def _run(self, sql: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()
