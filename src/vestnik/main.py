"""Composition: the only module that knows every other.

A Centre is built from settings and a data folder, opens its doors, and drains them when it stops.
"""

import asyncio
import fcntl
import gc
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import structlog

from vestnik import config
from vestnik.channels import CHANNELS
from vestnik.channels.base import Channel
from vestnik.domain.client import Client
from vestnik.domain.ids import Ids
from vestnik.domain.money import parse_money
from vestnik.domain.refusals import StoreUnavailable
from vestnik.domain.route import Carrier
from vestnik.doorkeeper import Doorkeeper, Doors, Inside
from vestnik.doors.http.services import Services
from vestnik.monitoring import Monitoring
from vestnik.net.http import HttpClient
from vestnik.notifier.local import LocalNotifier
from vestnik.services import delivery, incoming, reports, upkeep
from vestnik.services.access import Access, AccessSettings
from vestnik.services.billing import Billing
from vestnik.services.by_id import ById
from vestnik.services.contacts import Contacts
from vestnik.services.delivery import Flight, Outcome
from vestnik.services.directory import Current
from vestnik.services.gathering import Gathering
from vestnik.services.history import History
from vestnik.services.incoming import Came
from vestnik.services.intake import Intake
from vestnik.services.jobs import Jobs
from vestnik.services.mailboxes import Mailboxes
from vestnik.services.mailing_runs import Runs
from vestnik.services.news import Outboxes
from vestnik.services.numbers import numbers
from vestnik.services.paperwork import Paperwork
from vestnik.services.parts_in import PartsIn
from vestnik.services.reports import Heard
from vestnik.services.sending import Sending
from vestnik.services.settlement import Setting
from vestnik.services.setup import prepare_own
from vestnik.services.statistics import Statistics
from vestnik.services.status import Statuses
from vestnik.services.subclients import Subclients
from vestnik.services.task_files import files_of
from vestnik.services.tasks import Tasks
from vestnik.store import messages, store_at
from vestnik.workers.callbacks import Callbacks
from vestnik.workers.carriers import Carriers
from vestnik.workers.dispatch import Dispatchers, Office
from vestnik.workers.forwards import Forwards
from vestnik.workers.housekeeping import Housekeeping
from vestnik.workers.loop import repeat
from vestnik.workers.mailings import Mailings
from vestnik.workers.papers import Papers
from vestnik.workers.retention import Retention
from vestnik.workers.tasks import Exports
from vestnik.workers.tasks import Settings as ExportSettings

log = structlog.get_logger(__name__)

LOCK_NAME = "serve.lock"
ROLES = frozenset({"doors", "dispatch", "exports", "housekeeping"})  # what a node may do
DIRECTORY_S = 1.0
HOUSEKEEPING_S = 1.0
MAILINGS_S = 1.0
RETENTION_S = 3_600.0
PAPERS_S = 300.0
CLICKS_S = 1.0
NUMBERS_S = 600.0
CALLBACKS_S = 1.0
GRACE_S = 15.0
COLLECT_AFTER = 20_000  # objects more than went, before the young are looked at
SWITCH_S = 0.0005  # the writer's thread must get its turn beside a busy loop


class AlreadyServing(Exception):
    """Another process serves this data folder, or as this node."""


class Centre:
    """The whole centre in one process."""

    def __init__(self, settings: config.Settings, data: Path) -> None:
        self.settings = settings
        self.data = data
        self.store = store_at(settings.store.url, data)
        self.current = Current(
            self.store, settings.centre.sender, registration=settings.senders.registration
        )
        self.notifier = LocalNotifier()
        self.node = settings.centre.node
        self.roles = ROLES
        self._begun = False
        self._lock: TextIO | None = None
        self._carriers_behind = False  # the directory has changed since they followed it
        self._workers: list[asyncio.Task[None]] = []
        self._lines: list[asyncio.Task[None]] = []

    async def start(self, doors: Doors, roles: frozenset[str] = ROLES) -> None:
        """Open the store, start the workers, then open the doors; `roles` of those in ROLES.

        Raises AlreadyServing, StoreUnavailable, OSError for a port that is taken, SettingsWrong.
        """
        sys.setswitchinterval(SWITCH_S)
        self._take_lock()
        await self.store.open()
        await prepare_own(self.store)
        if not await self.store.claim_node(self.node):
            raise AlreadyServing(
                f"another process serves this store as node {self.node}; give this one a number of"
                " its own: [centre] node"
            )
        await self.current.refresh()
        await self._build()
        self._build_services()
        await self._recover()
        self._begin_lines()
        self.roles = roles
        if "dispatch" in roles:
            await self.carriers.follow()
        self._begin_workers()
        _settle_heap()
        if "doors" in roles:
            await self.doorkeeper.open(doors)

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

    async def _build(self) -> None:
        last = await self.store.read(messages.last_id)
        self.ids = Ids(self.node, last)
        self.owner = self.ids.take(self.store.now())[0]
        lease_s = self.settings.dispatch.lease_s
        directory = self.current.current
        self.outboxes = Outboxes(self.store, self.owner, self.notifier)
        self.recorder: Gathering[tuple[Flight, Outcome]] = Gathering("outcomes", self._record)
        self.reporter: Gathering[Heard] = Gathering("reports", self._report)
        self.receiver: Gathering[Came] = Gathering("incoming", self._receive)
        self.office = Office(
            self.store, directory, self.setting, self.recorder, self.owner, lease_s
        )
        self.dispatchers = Dispatchers(self.store, lease_s)
        self.carriers = Carriers(
            self.office, self.dispatchers, _channel, self.reporter, self.receiver
        )
        self.intake = Intake(
            self.store,
            self.ids,
            self.node,
            self.owner,
            self.dispatchers,
            lambda: self.notifier.ring("mailings"),
        )

    def _build_services(self) -> None:
        directory = self.current.current
        self.access = Access(
            directory,
            AccessSettings(
                wrong_requests=self.settings.access.wrong_requests,
                wrong_window_s=self.settings.access.wrong_window_s,
                block_s=self.settings.access.block_s,
                verdict_s=self.settings.access.verdict_s,
                memory=self.settings.access.memory,
            ),
            self.current.value.key_secret,
        )
        zone = ZoneInfo(self.settings.centre.zone)
        files = files_of(self.store, self.data)

        def ring_exports() -> None:
            self.notifier.ring("exports")

        contacts = Contacts(
            self.store,
            lambda: directory().clients,
            self.current.refresh,
            self.settings.centre.language,
        )
        sending = Sending(directory, self.intake, zone, contacts)
        self.paperwork = Paperwork(
            *(self.store, self.current, sending.send),
            registration=self.settings.senders.registration,
            language=self.settings.centre.language,
            zone=zone,
        )
        fee = parse_money(self.settings.senders.fee)
        self.papers = Papers(self.store, directory, self.paperwork.habits, fee, self._new_id)
        self.services = Services(
            access=self.access,
            sending=sending,
            billing=Billing(self.store, directory),
            status=Statuses(self.store, directory, self.setting),
            history=History(self.store, directory, self.settings.centre.language),
            tasks=Tasks(self.store, files, ring_exports),
            jobs=Jobs(self.store, directory, self.ids, lambda: self.notifier.ring("mailings")),
            contacts=contacts,
            subclients=Subclients(self.store, self.current.refresh, self.ids),
            statistics=Statistics(self.store, directory, zone),
            paperwork=self.paperwork,
            numbers=numbers(
                *(self.store, directory, self.setting, sending, zone),
                language=self.settings.centre.language,
                links_days=self.settings.links.keep_days,
                ring=self.outboxes.ring,
            ),
        )
        self.exports = Exports(
            self.store,
            files,
            directory,
            ExportSettings(
                url=self.settings.store.url,
                data=self.data,
                node=self.node,
                language=self.settings.centre.language,
                lease_s=self.settings.tasks.lease_s,
                keep_days=self.settings.tasks.keep_days,
            ),
            ring=ring_exports,
        )
        self.http_client = HttpClient(private=self.settings.callbacks.private)
        self.callbacks = Callbacks(self.outboxes, directory, self.http_client, self.store.now)
        self.forwards = Forwards(
            self.outboxes, directory, self.services.sending.send, self.store.now
        )
        runs = Runs(self.store, self.setting, self.ids, zone)
        self.mailings = Mailings(self.store, self.ids, self.node, self.dispatchers, runs)
        self.monitoring = Monitoring(self.store, self.current, self.dispatchers)
        self.doorkeeper = Doorkeeper(
            self.settings,
            Inside(
                http=self.services,
                parts=PartsIn(self.store, self._new_id, self.services.sending.send),
                by_id=ById(self.store, self.setting),
                outboxes=self.outboxes,
                mailboxes=Mailboxes(directory),
                client=self._client,
                monitoring=self.monitoring,
            ),
        )
        self.housekeeping = Housekeeping(self.store, self.setting)
        self.retention = Retention(self.store, directory)

    def setting(self) -> Setting:
        """Who settles messages now, and by which rules."""
        return Setting(self.current.value, self.node, self.owner, self.store.now(), self._new_id)

    def _client(self, client_id: int) -> Client | None:
        return self.current.value.clients.get(client_id)

    def _new_id(self) -> int:
        return self.ids.take(self.store.now())[0]

    async def _record(self, batch: list[tuple[Flight, Outcome]]) -> None:
        await self.store.write(delivery.record, batch, self.setting())
        self.outboxes.ring()

    async def _report(self, batch: list[Heard]) -> None:
        await self.store.write(reports.apply, batch, self.setting())
        self.outboxes.ring()

    async def _receive(self, batch: list[Came]) -> None:
        await self.store.write(incoming.take, batch, self.setting())
        self.outboxes.ring()

    async def _recover(self) -> None:
        """What the last run of this node was sending when it ended."""
        while moved := await self.store.write(upkeep.recover, self.setting()):
            log.warning("an earlier run ended while it was sending", messages=moved)
        await self.outboxes.recover(self.node)

    def _begin_lines(self) -> None:
        self._begun = True
        for line in (
            self.intake,
            self.recorder,
            self.reporter,
            self.receiver,
            self.outboxes.line,
        ):
            self._lines.append(asyncio.create_task(line.run()))

    def _begin_workers(self) -> None:
        self._work("directory", DIRECTORY_S, self._follow)
        if "doors" in self.roles:
            self._work("clicks", CLICKS_S, self.services.numbers.links.flush)
        if "exports" in self.roles:
            self._work("exports", self.settings.tasks.period_s, self.exports.run_once)
        if "dispatch" in self.roles:
            self._work("mailings", MAILINGS_S, self.mailings.run_once)
        if "housekeeping" in self.roles:
            self._work("news http", CALLBACKS_S, self.callbacks.run_once)
            self._work("news forward", CALLBACKS_S, self.forwards.run_once)
            self._work("housekeeping", HOUSEKEEPING_S, self.housekeeping.run_once)
            self._work("papers", PAPERS_S, self.papers.run_once)
            self._work("retention", RETENTION_S, self.retention.run_once)
            self._work("numbers", NUMBERS_S, self.services.numbers.run_once)

    def _work(self, name: str, period_s: float, work: Callable[[], Awaitable[bool]]) -> None:
        loop: Coroutine[Any, Any, None] = repeat(name, period_s, self.notifier, work)
        self._workers.append(asyncio.create_task(loop, name=name))

    async def _follow(self) -> bool:
        if await self.current.refresh():
            self._carriers_behind = "dispatch" in self.roles
        if self._carriers_behind:  # until it succeeds: the store may be away in between
            await self.carriers.follow()
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
        with suppress(StoreUnavailable):
            await self.services.numbers.links.flush()
        await self.exports.close()
        await self.callbacks.close()
        await self.http_client.close()
        self.intake.close()
        await self._lines[0]
        await self.carriers.stop(grace_s)
        for line in (self.recorder, self.reporter, self.receiver, self.outboxes.line):
            line.close()
        await asyncio.gather(*self._lines)
        await self.store.close()
        if self._lock is not None:
            self._lock.close()

    async def abandon(self) -> None:
        """Close what `start` had opened before it failed."""
        if self._begun:
            await self.stop(0.0)
            return
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


def _channel(carrier: Carrier) -> Channel:
    if carrier.channel not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise ValueError(f"there is no channel '{carrier.channel}'; there are: {known}")
    return CHANNELS[carrier.channel].make(dict(carrier.settings), carrier.name)
