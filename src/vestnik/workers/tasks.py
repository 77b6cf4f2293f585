"""Due deferred tasks: a child makes each file, and here it is watched and the file put in place."""

import asyncio
import shutil
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
import structlog

from vestnik.domain.client import Client
from vestnik.domain.refusals import StoreUnavailable
from vestnik.exports import FORMATS
from vestnik.services.history.task_files import FOLDER, PARTIAL, Files
from vestnik.services.history.tasks import Wanted, drop_old
from vestnik.store import counters, history, tasks
from vestnik.store.engine import CommitUnknown, Store, Transaction
from vestnik.store.tasks import Claim, File, State, Task
from vestnik.workers.export import FULL, DiskFull, Finished, Job, Progress, Stopped, Word

log = structlog.get_logger(__name__)

RUNNING_MAX = 2
LEASE_S = 900  # without progress for so long an export begins again (downloads.md)
KEEP_DAYS = 30
WATCH_S = 0.5
OLD_MAX = 100
OLD_PERIOD_MS = 3_600_000
FINISH_TRIES = 30
FINISH_PAUSE_S = 1.0
DAY_MS = 86_400_000

CRASHED = "the centre stopped while the export ran"
LAPSED = "the export made no progress"


class Directory(Protocol):
    """What the worker needs to know of the clients: see services/centre/directory.py."""

    @property
    def clients(self) -> Mapping[int, Client]: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """`url` and `data` are the store's and the data folder's, for the children."""

    url: str
    data: Path
    node: int = 0
    language: str = "ru"
    lease_s: float = LEASE_S
    keep_days: int = KEEP_DAYS


class _Lost(Exception):
    """The task is not ours any more: cancelled, or begun by another node."""


class _Died(Exception):
    """The export broke: it begins again, unless it has often enough."""


class _Failed(Exception):
    """The export cannot be done."""


class _Heard:
    """What a child has said so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.last: Word | None = None
        self.at = time.monotonic()

    async def listen(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self.last = _read_word(line)
            self.at = time.monotonic()
            if isinstance(self.last, Progress | Finished):
                self.rows = self.last.rows


_read_word = msgspec.json.Decoder(Word).decode


def child_command() -> tuple[str, ...]:
    """How a child is started: at low priority for the disk, where the system knows such a thing."""
    ionice = shutil.which("ionice")
    priority = (ionice, "-c", "2", "-n", "7") if ionice else ()
    return (*priority, sys.executable, "-m", "vestnik.workers.export")


class Exports:
    """Runs exports that are due, one of a client at a time and few in all."""

    def __init__(
        self,
        store: Store,
        files: Files,
        directory: Callable[[], Directory],
        settings: Settings,
        *,
        ring: Callable[[], None],
        command: Sequence[str] | None = None,
    ) -> None:
        self._store, self._files, self._directory = store, files, directory
        self._settings, self._ring = settings, ring
        self._command = tuple(command) if command else child_command()
        self._folder = settings.data / FOLDER
        self._running: dict[Claim, asyncio.Task[None]] = {}
        self._recovered = False
        self._next_old = 0

    async def run_once(self) -> bool:
        """Begin what is due while there is room; returns at once, the exports go on."""
        now = self._store.now()
        if not self._recovered:
            await self._recover(now)
        for client_id, task_id, status in await self._store.write(
            tasks.give_back_lapsed, LAPSED, now
        ):
            _log_given_back(client_id, task_id, status, LAPSED)
        if now >= self._next_old:
            await self._drop_old(now)
        while len(self._running) < RUNNING_MAX:
            task = await self._store.write(_claim, self._settings.node, now, self._until())
            if task is None:
                break
            claim = Claim(task.client_id, task.id, self._settings.node, task.fence)
            self._running[claim] = asyncio.create_task(self._run(task, claim))
        return False

    async def settled(self) -> None:
        """Wait for the exports that run here to end."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def close(self) -> None:
        """End the children; their tasks begin again at the next start."""
        for running in self._running.values():
            running.cancel()
        await self.settled()

    async def _recover(self, now: int) -> None:
        """What ran when this node last stopped begins again; half-written files go."""
        node = self._settings.node
        for client_id, task_id, status in await self._store.write(
            tasks.give_back_own, node, CRASHED, now
        ):
            _log_given_back(client_id, task_id, status, CRASHED)
        await asyncio.to_thread(self._sweep_partial)
        known = await self._store.read(tasks.files)
        await self._files.sweep({(client_id, name) for client_id, name in known})
        self._recovered = True

    def _sweep_partial(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.glob(f"*{PARTIAL}"):
            shutil.rmtree(left)

    async def _drop_old(self, now: int) -> None:
        before = now - self._settings.keep_days * DAY_MS
        dropped = await self._store.write(drop_old, before, OLD_MAX)
        for task in dropped:
            await self._files.remove(task)
        if len(dropped) < OLD_MAX:
            self._next_old = now + OLD_PERIOD_MS

    async def _run(self, task: Task, claim: Claim) -> None:
        """One export from its claim to its end."""
        about = log.bind(client=task.client_id, task=task.id)
        partial = self._folder / f"{task.client_id}-{task.id}-{task.fence}{PARTIAL}"
        try:
            await self._export(task, claim, partial)
            about.info("an export is ready")
        except _Lost:
            about.info("an export was cancelled")
        except asyncio.CancelledError:
            about.info("an export was interrupted and will begin again")
            await self._end(tasks.put_down, claim)
            raise
        except (StoreUnavailable, CommitUnknown) as away:
            about.warning("the store is away: an export will begin again", reason=str(away))
        except _Failed as failure:
            about.error("an export failed", reason=str(failure))
            await self._end(tasks.fail, claim, str(failure), self._store.now())
        except Exception as failure:  # noqa: BLE001 - whatever broke, the task is told of it
            about.exception("an export broke")
            reason = str(failure) or type(failure).__name__
            await self._end(tasks.give_back, claim, reason, self._store.now())
        finally:
            # What cannot be removed now is swept away at the next start.
            await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
            del self._running[claim]
            self._ring()

    async def _end(self, work: Callable[..., Awaitable[bool]], claim: Claim, *about: Any) -> None:
        try:
            await self._store.write(work, claim, *about)
        except (StoreUnavailable, CommitUnknown) as away:
            log.warning("the store is away: an export's lease will lapse", reason=str(away))

    async def _export(self, task: Task, claim: Claim, partial: Path) -> None:
        client = self._directory().clients.get(task.client_id)
        if client is None:
            raise _Failed("the account is gone")
        made = partial / "file"
        try:
            partial.mkdir(parents=True)
            finished = await self._child(self._job(task, client, made), claim)
            file = File(
                _file_name(task, client),
                finished.rows,
                finished.octets_utf8,
                finished.octets_single,
                finished.sha256,
            )
            kept = await self._files.keep(claim, made, file, self._until)
        except OSError as failure:
            if failure.errno in FULL:
                raise _Failed(f"the disk is full: {failure.strerror}") from failure
            raise
        if not kept or not await self._finish(claim, file):
            await self._files.abandon(claim, file)
            raise _Lost

    def _job(self, task: Task, client: Client, made: Path) -> Job:
        return Job(
            url=self._settings.url,
            data=str(self._settings.data),
            client_id=task.client_id,
            wanted=msgspec.json.decode(task.filter, type=Wanted),
            high_id=task.high_id,
            zone=client.zone,
            language=self._settings.language,
            format=task.format,
            path=str(made),
        )

    async def _child(self, job: Job, claim: Claim) -> Finished:
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            await _hand_over(process, job)
            return await self._watch(process, claim)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _watch(self, process: Process, claim: Claim) -> Finished:
        """Follow a child to its end; raises _Lost, _Died, _Failed."""
        assert process.stdout is not None
        heard = _Heard()
        listening = asyncio.create_task(heard.listen(process.stdout))
        told = 0
        try:
            while not listening.done():
                await asyncio.wait({listening}, timeout=WATCH_S)
                told = await self._hold(claim, heard, told)
            listening.result()
        finally:
            listening.cancel()
        code = await process.wait()
        match heard.last:
            case Finished():
                return heard.last
            case DiskFull(reason):
                raise _Failed(reason)
            case Stopped(reason):
                raise _Died(reason)
        raise _Died(f"the export's process ended with code {code}")

    async def _hold(self, claim: Claim, heard: _Heard, told: int) -> int:
        """Tell the store how far the export is; returns how far that is."""
        if heard.rows == told and time.monotonic() - heard.at > self._settings.lease_s:
            raise _Died(LAPSED)
        try:
            if heard.rows == told:
                held = await self._store.read(_is_held, claim)
            else:
                held = await self._store.write(tasks.renew, claim, heard.rows, self._until())
        except StoreUnavailable as reason:
            log.warning("the store is away while an export runs", reason=str(reason))
            return told
        if not held:
            raise _Lost
        return heard.rows

    def _until(self) -> int:
        return self._store.now() + int(self._settings.lease_s * 1000)

    async def _finish(self, claim: Claim, file: File) -> bool:
        """Record that the file is in place; False if the task is not ours any more."""
        for attempt in range(FINISH_TRIES):
            try:
                return await self._store.write(_finish, claim, file, self._store.now())
            except (StoreUnavailable, CommitUnknown):
                if attempt == FINISH_TRIES - 1:
                    raise
                await asyncio.sleep(FINISH_PAUSE_S)
        raise AssertionError("the last try returns or raises")


async def _hand_over(process: Process, job: Job) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job))
    try:
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # the child has died; its exit code tells more
    process.stdin.close()


async def _claim(tx: Transaction, owner: int, now: int, lease: int) -> Task | None:
    """Take the oldest due task of a client that has none running."""
    for client_id, task_id in await tasks.due(tx, now, 1):
        await tasks.lock_client(tx, client_id, counters.TASK)
        newest = await history.newest_id(tx, client_id)
        return await tasks.claim(tx, client_id, task_id, owner, now, lease, newest)
    return None


async def _is_held(tx: Transaction, claim: Claim) -> bool:
    task = await tasks.one(tx, claim.client_id, claim.id)
    return task is not None and task.status == State.RUNNING and task.fence == claim.fence


async def _finish(tx: Transaction, claim: Claim, file: File, now: int) -> bool:
    """True as well if it was recorded before, by a commit whose answer was lost."""
    if await tasks.finish(tx, claim, file, now):
        return True
    task = await tasks.one(tx, claim.client_id, claim.id)
    return task is not None and task.status == State.DONE and task.fence == claim.fence


def _file_name(task: Task, client: Client) -> str:
    """`<id>_<yyyymmddhhmmss>` of its start in the client's zone (downloads.md)."""
    assert task.started_at is not None
    started = datetime.fromtimestamp(task.started_at // 1000, ZoneInfo(client.zone))
    return f"{task.id}_{started:%Y%m%d%H%M%S}{FORMATS[task.format].extension}"


def _log_given_back(client_id: int, task_id: int, status: int, reason: str) -> None:
    about = log.bind(client=client_id, task=task_id, reason=reason)
    if status == State.FAILED:
        about.error("an export failed")
    else:
        about.warning("an export will begin again")
