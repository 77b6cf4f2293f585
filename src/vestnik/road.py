"""The road of messages through one process: who accepts them, sends them, and hears of them."""

import asyncio
from typing import Protocol

import structlog

from vestnik import config
from vestnik.channels import CHANNELS
from vestnik.channels.base import Channel
from vestnik.domain.client import Client
from vestnik.domain.ids import Ids
from vestnik.domain.route import Carrier
from vestnik.notifier.local import LocalNotifier
from vestnik.services.centre.directory import Current
from vestnik.services.gathering import Gathering
from vestnik.services.incoming import receiving
from vestnik.services.incoming.receiving import Came
from vestnik.services.messages import delivery, reports, upkeep
from vestnik.services.messages.delivery import Flight, Outcome
from vestnik.services.messages.reports import Heard
from vestnik.services.messages.settlement import Setting
from vestnik.services.news import Outboxes
from vestnik.services.sending.intake import Intake
from vestnik.store.engine import Store
from vestnik.workers.carriers import Carriers
from vestnik.workers.dispatch import Dispatchers, Office

log = structlog.get_logger(__name__)


class _Line(Protocol):
    """Work that gathers and is committed together."""

    async def run(self) -> None: ...
    def close(self) -> None: ...


class Road:
    """Everything between a draft and its news; `ids` are this node's.

    Rings `mailings` when a list has been stored that is to be expanded, and `carriers` when
    messages wait that no dispatcher of this process was handed.
    """

    def __init__(
        self,
        settings: config.Settings,
        store: Store,
        current: Current,
        notifier: LocalNotifier,
        ids: Ids,
    ) -> None:
        self.store, self.current, self.ids = store, current, ids
        self.node = settings.centre.node
        self.owner = ids.take(store.now())[0]
        lease_s = settings.dispatch.lease_s
        self.outboxes = Outboxes(store, self.owner, notifier)
        self._recorder: Gathering[tuple[Flight, Outcome]] = Gathering("outcomes", self._record)
        self._reporter: Gathering[Heard] = Gathering("reports", self._report)
        self.receiver: Gathering[Came] = Gathering("incoming", self._receive)
        office = Office(store, current.current, self.setting, self._recorder, self.owner, lease_s)
        self.dispatchers = Dispatchers(store, lease_s, lambda: notifier.ring("carriers"))
        self.carriers = Carriers(office, self.dispatchers, _channel, self._reporter, self.receiver)
        self.intake = Intake(
            store,
            ids,
            self.node,
            self.owner,
            self.dispatchers,
            lambda: notifier.ring("mailings"),
        )
        self._lines: list[asyncio.Task[None]] = []

    def setting(self) -> Setting:
        """Who settles messages now, and by which rules."""
        return Setting(self.current.value, self.node, self.owner, self.store.now(), self.new_id)

    def client(self, client_id: int) -> Client | None:
        return self.current.value.clients.get(client_id)

    def new_id(self) -> int:
        return self.ids.take(self.store.now())[0]

    async def recover(self) -> None:
        """What the last run of this node was sending, and telling, when it ended."""
        while moved := await self.store.write(upkeep.recover, self.setting()):
            log.warning("an earlier run ended while it was sending", messages=moved)
        await self.outboxes.recover(self.node)

    def begin(self) -> None:
        """Commit what gathers from now on."""
        for line in (self.intake, *self._behind):
            self._lines.append(asyncio.create_task(line.run()))

    async def look(self) -> bool:
        """Let every dispatcher see what waits for it."""
        for dispatcher in self.dispatchers.all():
            dispatcher.look()
        return False

    async def end(self, grace_s: float) -> None:
        """Accept nothing more, let what flies land, commit it all."""
        self.intake.close()
        await self._lines[0]
        await self.carriers.stop(grace_s)
        for line in self._behind:
            line.close()
        await asyncio.gather(*self._lines)

    @property
    def _behind(self) -> tuple[_Line, ...]:
        """What goes on for as long as carriers do."""
        return (self._recorder, self._reporter, self.receiver, self.outboxes.line)

    async def _record(self, batch: list[tuple[Flight, Outcome]]) -> None:
        await self.store.write(delivery.record, batch, self.setting())
        self.outboxes.ring()

    async def _report(self, batch: list[Heard]) -> None:
        await self.store.write(reports.apply, batch, self.setting())
        self.outboxes.ring()

    async def _receive(self, batch: list[Came]) -> None:
        await self.store.write(receiving.take, batch, self.setting())
        self.outboxes.ring()


def _channel(carrier: Carrier) -> Channel:
    if carrier.channel not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise ValueError(f"there is no channel '{carrier.channel}'; there are: {known}")
    return CHANNELS[carrier.channel].make(dict(carrier.settings), carrier.name)
