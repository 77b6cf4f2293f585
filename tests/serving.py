"""`vestnik serve` as its users meet it: a process on a folder of its own, with commands beside it.

`async with Centre(folder) as centre:` serves until the end of the block, whatever happens in it.
"""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import apsw
import asyncpg
import httpx2
from typer.testing import CliRunner

from vestnik.__main__ import app

LOGIN, PASSWORD = "alex", "correct horse"
# What protects a centre from its clients would stand in the way of a load.
LIFTED = (
    "identical_s=0",
    "simultaneous=0",
    "status_simultaneous=0",
    "status_per_minute=0",
    "status_mass_per_minute=0",
    "balance_per_minute=0",
    "cost_per_minute=0",
    "flood_count=1000000",
)
OTHER_DOORS = {"VESTNIK_SMTP__LISTEN": "127.0.0.1:0", "VESTNIK_SMPP__LISTEN": "127.0.0.1:0"}
# How long is too long, on a machine that is busy with other things: nothing waits in vain so long.
READY_S_MAX = 60.0
COMMAND_S_MAX = 90.0
STOP_S_MAX = 60.0
ANSWER_S_MAX = 60.0
SOON_S = 120.0
LOOK_S = 0.05
AT_ONCE = 1_000  # statuses in one request
LOWEST_PORT, HIGHEST_PORT = 20_000, 30_000  # below those that the system gives to connections

_command_runs = threading.Lock()  # its environment and its output are those of the process
_ports = itertools.cycle(range(LOWEST_PORT, HIGHEST_PORT))


class CommandFailed(AssertionError):
    """A command ended with another code than the test expects."""


def command(
    folder: Path, *words: str, url: str = "", code: int = 0, settings: Mapping[str, str] = {}
) -> str:
    """Run `vestnik WORDS` on a data folder; what it printed, errors too."""
    on = () if words[0] == "demo" else ("--data", str(folder))
    run = _by_process if words[0] in ("demo", "serve") else _here
    ended, said = run((*words, *on), environment(url, settings))
    if ended != code:
        raise CommandFailed(f"vestnik {' '.join(words)} ended with {ended}: {said}")
    return said


def _by_process(words: tuple[str, ...], environ: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "vestnik", *words],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _here(words: tuple[str, ...], environ: dict[str, str]) -> tuple[int, str]:
    """In this process, beside the centre's: to begin another takes longer than most commands."""
    changed = {name: environ.get(name) for name in {**os.environ, **environ}}
    with _command_runs:
        mask = os.umask(0o077)
        try:
            done = CliRunner().invoke(app, words, env=changed)
        finally:
            os.umask(mask)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout + done.stderr


def environment(url: str, settings: Mapping[str, str]) -> dict[str, str]:
    """That of a process: settings as `TASKS__PERIOD_S`, and none of the surroundings' own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VESTNIK_")}
    given = dict(settings) | ({"STORE__URL": url} if url else {})
    return kept | OTHER_DOORS | {f"VESTNIK_{name}": value for name, value in given.items()}


def free_port() -> int:
    """A port that is this process's alone, and that nobody listens on until a test does.

    The system gives it to no connection, and no other process of tests is given it: whoever has
    it holds the name of a socket that stands for it.
    """
    for port in _ports:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0vestnik-test-port-{port}")
            with socket.socket() as tried:
                tried.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claim.detach()  # it stays open until this process ends
        return port
    raise AssertionError("the range never ends")


def started(*words: str, **options: Any) -> "subprocess.Popen[str]":
    """A process that is written to and read from; however this one ends, it ends with it."""
    command = ["setpriv", "--pdeathsig", "KILL", "--", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, **options)


class Centre:
    """A centre on `folder`, with its store at `url` (empty: SQLite in the folder).

    Settings are named as in the environment: `Centre(folder, TASKS__PERIOD_S="1")`.
    """

    def __init__(self, folder: Path, url: str = "", **settings: str) -> None:
        self.folder, self.url = folder, url
        self.log = folder.with_name(folder.name + ".log")
        self.port = 0
        self.starts = 0
        self._settings = {"LOG__FORMAT": "json"} | settings
        self._process: subprocess.Popen[str] | None = None
        self._http: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self.kill()

    async def start(self, *options: str) -> None:
        """Serve; returns when every door is open."""
        assert self._process is None, "it serves already"
        words = [sys.executable, "-m", "vestnik", "serve", "--http", "127.0.0.1:0", *options]
        with self.log.open("ab") as log:
            self._process = started(
                *(*words, "--data", str(self.folder)),
                env=environment(self.url, self._settings),
                stderr=log,
            )
        line = await self._ready_line()
        if not line.startswith("vestnik ready "):
            await self.kill()
            raise AssertionError(f"serve did not get ready: {line}{self.log.read_text()}")
        doors = dict(word.split("=") for word in line.split()[2:])
        if "http" in doors:
            self.port = int(doors["http"].rpartition(":")[2])
        self.starts += 1
        self._http = httpx2.AsyncClient(
            base_url=self.base,
            timeout=ANSWER_S_MAX,
            limits=httpx2.Limits(max_connections=200, max_keepalive_connections=200),
            trust_env=False,
        )

    async def _ready_line(self) -> str:
        reading = asyncio.ensure_future(_line(self.process))
        done, _ = await asyncio.wait({reading}, timeout=READY_S_MAX)
        if not done:
            self.process.kill()  # which ends the line, too
        return await reading

    async def kill(self) -> None:
        """kill -9, if it runs."""
        if self._process is not None:
            self._process.kill()
            await self._ended()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self._ended()

    async def _ended(self) -> int:
        process, self._process = self.process, None
        try:
            return await asyncio.to_thread(process.wait, STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it did not stop: {self.log.read_text()[-3000:]}") from None
        finally:
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
            if self._http is not None:
                await self._http.aclose()
                self._http = None

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None, "it does not serve"
        return self._process

    @property
    def serving(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def http(self) -> httpx2.AsyncClient:
        """A client of this run of the server."""
        assert self._http is not None, "it does not serve"
        return self._http

    @property
    def memory_mib_max(self) -> float:
        """The most that the server has had in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    @property
    def children(self) -> list[int]:
        """Its own processes now."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    async def run(self, *words: str, code: int = 0) -> str:
        """A command beside it, or while it is stopped; what it printed."""
        settings = {k: v for k, v in self._settings.items() if k != "LOG__FORMAT"}
        return await asyncio.to_thread(
            command, self.folder, *words, url=self.url, code=code, settings=settings
        )

    async def sound(self) -> None:
        """Nothing is wrong with the store, `vestnik check` says."""
        await self.run("check")

    async def post(
        self, endpoint: str, /, headers: Mapping[str, str] | None = None, **given: Any
    ) -> httpx2.Response:
        """A request as a client's program makes it: JSON back, UTF-8 both ways."""
        usual = {"login": LOGIN, "psw": PASSWORD, "charset": "utf-8", "fmt": "3"}
        sent = usual | {name: str(value) for name, value in given.items()}
        return await self.http.post(f"/sys/{endpoint}.php", data=sent, headers=dict(headers or {}))

    async def ask(self, endpoint: str, /, **given: Any) -> Any:
        """The same, and the answer read."""
        answer = await self.post(endpoint, **given)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    async def statuses(self, pairs: Iterable[tuple[Any, str]]) -> dict[tuple[str, str], int]:
        """The status of each message by its id and phone."""
        asked = [(str(wire_id), phone) for wire_id, phone in pairs]
        found: dict[tuple[str, str], int] = {}
        for at in range(0, len(asked), AT_ONCE):
            some = asked[at : at + AT_ONCE]
            ids = "".join(f"{wire_id}," for wire_id, _ in some)
            phones = "".join(f"{phone}," for _, phone in some)
            rows = await self.ask("status", id=ids, phone=phones)
            found |= {(str(row["id"]), row["phone"]): row["status"] for row in rows}
        return found

    async def ended(
        self, pairs: Iterable[tuple[Any, str]], wait_s: float = SOON_S
    ) -> dict[tuple[str, str], int]:
        """The final status of each; fails when one has none in time."""
        asked = list(pairs)
        found: dict[tuple[str, str], int] = {}

        async def done() -> bool:
            left = (pair for pair in asked if (str(pair[0]), pair[1]) not in found)
            new = await self.statuses(itertools.islice(left, AT_ONCE))
            found.update({pair: status for pair, status in new.items() if status > 0})
            return len(found) == len(set(asked))

        await until(done, wait_s, lambda: f"{len(asked) - len(found)} have not ended")
        return found

    async def carrier_up(self, name: str) -> bool:
        """The carrier takes messages now."""
        metrics = (await self.http.get("/metrics")).text
        return f'vestnik_carrier_up{{carrier="{name}"}} 1.0' in metrics

    async def routed(self, name: str, phone: str, wait_s: float = SOON_S) -> None:
        """Wait until the carrier is up and a message to the phone would have a way."""

        async def done() -> bool:
            price = await self.ask("send", phones=phone, mes="?", cost=1, op=1)
            return await self.carrier_up(name) and not price["phones"][0]["status"]

        await until(done, wait_s, lambda: f"{name} is not up, or there is no route to {phone}")

    async def balance(self) -> str:
        return str((await self.ask("balance"))["balance"])

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What is in the store, seen from outside."""
        if not self.url:
            return await asyncio.to_thread(self._rows_of_sqlite, sql)
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    def _rows_of_sqlite(self, sql: str) -> list[tuple[Any, ...]]:
        connection = apsw.Connection(str(self.sqlite), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(30_000)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    @property
    def sqlite(self) -> Path:
        """The file of the embedded store."""
        return self.folder / "vestnik.db"

    async def value(self, sql: str) -> Any:
        """The one value that the store answers with."""
        [(value,)] = await self.rows(sql)
        return value


async def until(
    true: Callable[[], Awaitable[Any]],
    wait_s: float = SOON_S,
    otherwise: Callable[[], str] = lambda: "it did not happen in time",
) -> None:
    """Look until it is true; fails after `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    while not await true():
        assert time.monotonic() < deadline, otherwise()
        await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def carrier_process(log: Path, *options: str) -> AsyncIterator[int]:
    """A carrier in a process of its own, which logs every submit; its port."""
    words = ("-m", "tests.fakes.carrier", "--log", str(log), *options)
    with started(sys.executable, *words) as process:
        try:
            yield int(await _line(process))
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, STOP_S_MAX)


_LOCKER = """
import apsw, sys
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Another process writes to the embedded store for the time of the block."""
    with started(sys.executable, "-c", _LOCKER, str(file)) as process:
        assert await _line(process) == "locked\n"
        try:
            yield
        finally:
            process.communicate()


async def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return await asyncio.to_thread(process.stdout.readline)
