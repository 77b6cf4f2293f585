"""Composition: the only module that knows every other.

A Centre is built from settings and a data folder, opens its doors, and drains them when it stops.
"""

import asyncio
import fcntl
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import structlog

from vestnik import config
from vestnik.assembly import Assembly, Work, assemble
from vestnik.domain.ids import Ids
from vestnik.domain.refusals import StoreUnavailable
from vestnik.doorkeeper import Doorkeeper, Doors
from vestnik.notifier.local import LocalNotifier
from vestnik.road import Road
from vestnik.services.centre.directory import Current
from vestnik.services.centre.setup import prepare_own
from vestnik.store import ids, store_at
from vestnik.workers.loop import repeat

log = structlog.get_logger(__name__)

LOCK_NAME = "serve.lock"
ROLES = frozenset({"doors", "dispatch", "exports", "housekeeping"})  # what a node may do
DIRECTORY_S = 1.0
GRACE_S = 15.0
COLLECT_AFTER = 20_000  # objects more than went, before the young are looked at
SWITCH_S = 0.0005  # the writer's thread must get its turn beside a busy loop


class AlreadyServing(Exception):
    """Another process serves this data folder, or as this node."""


class Centre:
    """The whole centre in one process; `road` and `assembly` are there once it has started."""

    road: Road
    assembly: Assembly
    doorkeeper: Doorkeeper

    def __init__(self, settings: config.Settings, data: Path) -> None:
        self.settings = settings
        self.data = data
        self.store = store_at(settings.store.url, data)
        self.current = Current(
            self.store,
            settings.centre.sender,
            registration=settings.senders.registration,
            links_base=settings.links.base,
        )
        self.notifier: LocalNotifier = LocalNotifier()
        self.roles = ROLES
        self._begun = False
        self._lock: TextIO | None = None
        self._carriers_behind = False  # the directory has changed since they followed it
        self._workers: list[asyncio.Task[None]] = []

    async def start(self, doors: Doors, roles: frozenset[str] = ROLES) -> None:
        """Open the store, start the workers, then open the doors; `roles` of those in ROLES.

        Raises AlreadyServing, StoreUnavailable, DoorClosed for a port that is taken, SettingsWrong.
        """
        sys.setswitchinterval(SWITCH_S)
        self._take_lock()
        await self._open_store()
        await self.current.refresh()
        node = self.settings.centre.node
        last = await self.store.read(ids.last, node, self.store.now())
        self.road = Road(self.settings, self.store, self.current, self.notifier, Ids(node, last))
        self.assembly = assemble(self.settings, self.data, self.road, self.notifier)
        self.doorkeeper = Doorkeeper(self.settings, self.assembly.inside)
        await self.road.recover()
        self._begun = True
        self.road.begin()
        self.roles = roles
        if "dispatch" in roles:
            await self.road.carriers.follow()
        self._begin_workers()
        _settle_heap()
        if "doors" in roles:
            await self.doorkeeper.open(doors)
        await self.doorkeeper.open_private()  # whatever a node does, it is watched

    async def _open_store(self) -> None:
        """The store of this node, and bells that other nodes hear."""
        node = self.settings.centre.node
        await self.store.open()
        await prepare_own(self.store)
        if not await self.store.claim_node(node):
            raise AlreadyServing(
                f"another process serves this store as node {node}; give this one a number of"
                " its own: [centre] node"
            )
        if self.store.name == "postgres":
            # The driver is three megabytes: a centre on a file of its own goes without.
            from vestnik.notifier.postgres import PostgresNotifier

            self.notifier = PostgresNotifier(self.settings.store.url)
        self.notifier.open()

    def _take_lock(self) -> None:
        """One serve for each folder with an embedded store."""
        if self.store.name != "sqlite":
            return
        self.data.mkdir(parents=True, exist_ok=True)
        self._lock = (self.data / LOCK_NAME).open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise AlreadyServing(
                f"another 'vestnik serve' runs on {self.data}; stop it first, "
                "or give this one a folder of its own with --data"
            ) from None
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()

    def _begin_workers(self) -> None:
        self._work(Work("directory", "", DIRECTORY_S, self._follow))
        for work in self.assembly.works:
            if work.role in self.roles:
                self._work(work)

    def _work(self, work: Work) -> None:
        loop = repeat(work.name, work.period_s, self.notifier, work.run_once)
        self._workers.append(asyncio.create_task(loop, name=work.name))

    async def _follow(self) -> bool:
        if await self.current.refresh():
            self._carriers_behind = "dispatch" in self.roles
        if self._carriers_behind:  # until it succeeds: the store may be away in between
            await self.road.carriers.follow()
            self._carriers_behind = False
        return False

    @property
    def ports(self) -> dict[str, tuple[str, int]]:
        """Where the open doors are."""
        return self.doorkeeper.ports

    @property
    def ready_line(self) -> str:
        """What `serve` prints once every door is open."""
        doors = " ".join(f"{name}={host}:{port}" for name, (host, port) in self.ports.items())
        return f"vestnik ready {doors}".rstrip()

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Drain: accept nothing more, finish windows, commit, leave."""
        await self.doorkeeper.close(grace_s)
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self.assembly.close()
        await self.road.end(grace_s)
        await self.notifier.close()
        await self.store.close()
        if self._lock is not None:
            self._lock.close()

    async def abandon(self) -> None:
        """Close what `start` had opened before it failed."""
        if self._begun:
            await self.stop(0.0)
            return
        await self.notifier.close()
        with suppress(StoreUnavailable):
            await self.store.close()
        if self._lock is not None:
            self._lock.close()


def _settle_heap() -> None:
    """What stands at the start stays: the collector need not walk it again and again.

    A full collection over the modules and the numbering plan stopped the loop for a tenth of a
    second; and requests make so many short-lived objects that the usual first threshold is met
    several times by one of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)
