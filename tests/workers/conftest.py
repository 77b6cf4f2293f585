"""A store with two clients, and a worker that makes their exports."""

import asyncio
import sys
from dataclasses import dataclass, field

import pytest
from tests.fakes.history import DAY, NOON

from vestnik.domain.client import Client
from vestnik.services.history.task_files import FOLDER, files_of
from vestnik.services.history.tasks import Order, Tasks, Wanted
from vestnik.store.history import Filter
from vestnik.workers.tasks import Exports, Settings

CLIENTS = {1: Client(1, "alex"), 2: Client(2, "anna")}
LONG_S = 240  # nothing here takes so long unless it is broken; a child gives way to everybody


@dataclass
class Directory:
    clients: dict = field(default_factory=lambda: CLIENTS)


class Office:
    """One worker with all it needs; `ended` is set whenever an export has ended."""

    def __init__(self, store, url, data):
        self.store, self.url, self.data = store, url, data
        self.files = files_of(store, data)
        self.tasks = Tasks(store, self.files, lambda: None)
        self.ended = asyncio.Event()
        self.pids = data / "pids"
        self.exports = self.worker()

    def worker(self, command=None, **settings):
        return Exports(
            self.store,
            self.files,
            Directory,
            Settings(self.url, self.data, **settings),
            ring=self.ended.set,
            command=command or self.noted(),
        )

    def noted(self, *before):
        """The real child, which first leaves its pid in a file."""
        script = f'echo $$ >> {self.pids}; exec "$@"'
        return ("sh", "-c", script, "sh", *before, sys.executable, "-m", "vestnik.workers.export")

    @property
    def folder(self):
        return self.data / FOLDER

    @property
    def left(self):
        """What is in the folder of exports."""
        return sorted(path.name for path in self.folder.iterdir())

    async def add(self, client=1, kind="csv", wanted=None, name="june"):
        order = Order(Wanted(NOON - 30 * DAY, NOON + 30 * DAY, wanted or Filter()), name, kind)
        return await self.tasks.add(CLIENTS[client], order, self.store.now())

    async def run(self, exports=None, times=1):
        """Let the worker look, and wait for the end of as many exports."""
        for _ in range(times):
            self.ended.clear()
            await (exports or self.exports).run_once()
            async with asyncio.timeout(LONG_S):
                await self.ended.wait()

    async def task(self, task_id=1, client=1):
        [found] = [
            task
            for task in await self.tasks.listed(CLIENTS[client], None, 100)
            if task.id == task_id
        ]
        return found

    async def octets(self, task_id=1, client=1):
        _, pieces = await self.tasks.file(CLIENTS[client], task_id, "")
        return b"".join([piece async for piece in pieces])

    async def until(self, condition):
        """Wait for what another process does."""
        async with asyncio.timeout(LONG_S):
            while not condition():
                await asyncio.sleep(0.002)


@pytest.fixture
async def office(store, store_url, tmp_path):
    office = Office(store, store_url, tmp_path)
    yield office
    await office.exports.close()
