"""Carriers of the directory → dispatchers with their channels, kept in step."""

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import structlog

from vestnik.channels.base import Channel, Hears
from vestnik.domain.message import Incoming, Outgoing, Report
from vestnik.domain.route import Carrier
from vestnik.services.gathering import Gathering
from vestnik.services.incoming.receiving import Came
from vestnik.services.messages import delivery, upkeep
from vestnik.services.messages.reports import Heard
from vestnik.store import messages, queue
from vestnik.store.engine import Transaction
from vestnik.workers.dispatch import Dispatcher, Dispatchers, Office

log = structlog.get_logger(__name__)

STOP_S = 10.0
RESUMED_AT_ONCE = 500
ANY_TIME = 1 << 62

Make = Callable[[Carrier], Channel]


class Carriers:
    """Starts, restarts and stops dispatchers as the operator changes carriers."""

    def __init__(
        self,
        office: Office,
        dispatchers: Dispatchers,
        make: Make,
        reporter: Gathering[Heard],
        receiver: Gathering[Came],
    ) -> None:
        self._office = office
        self._dispatchers = dispatchers
        self._make = make
        self._reporter = reporter
        self._receiver = receiver
        self._running: dict[int, asyncio.Task[None]] = {}

    async def follow(self) -> None:
        """Bring the dispatchers in step with the directory."""
        wanted = {c.id: c for c in self._office.directory().carriers.values() if c.enabled}
        for dispatcher in self._dispatchers.all():
            if wanted.get(dispatcher.carrier.id) != dispatcher.carrier:
                await self._stop(dispatcher, STOP_S)
        for carrier in wanted.values():
            if self._dispatchers.get(carrier.id) is None:
                await self._start(carrier)
        for carrier in self._office.directory().carriers.values():
            if not carrier.enabled:
                await self._empty(carrier, wanted.keys())

    async def stop(self, grace_s: float) -> None:
        """Let what flies land, then disconnect every carrier."""
        await asyncio.gather(*(self._stop(d, grace_s) for d in self._dispatchers.all()))

    async def _start(self, carrier: Carrier) -> None:
        try:
            channel = self._make(carrier)
        except (KeyError, ValueError) as wrong:
            log.error("a carrier cannot be started", carrier=carrier.name, reason=str(wrong))
            return
        dispatcher = Dispatcher(self._office, carrier, channel)
        await channel.start(self._hears(carrier.id))
        await self._resume(carrier, channel)
        self._dispatchers.add(dispatcher)
        self._running[carrier.id] = asyncio.create_task(
            dispatcher.run(), name=f"dispatch {carrier.name}"
        )
        log.info("carrier started", carrier=carrier.name, channel=carrier.channel)

    async def _stop(self, dispatcher: Dispatcher, grace_s: float) -> None:
        carrier = dispatcher.carrier
        self._office.up.discard(carrier.id)
        self._office.away.discard(carrier.id)
        await dispatcher.close(grace_s)
        self._dispatchers.remove(carrier.id)  # not before: a commit may still hand messages to it
        await dispatcher.channel.stop(grace_s)
        await self._running.pop(carrier.id)
        log.info("carrier stopped", carrier=carrier.name)

    async def _empty(self, carrier: Carrier, wanted: AbstractSet[int]) -> None:
        """What waits at a carrier that is switched off goes to the others."""
        store = self._office.store
        while await store.write(
            upkeep.move_away, carrier.id, wanted, ANY_TIME, self._office.setting()
        ):
            pass

    def _hears(self, carrier_id: int) -> Hears:
        async def report(heard: Report) -> None:
            await self._reporter.put(Heard(carrier_id, heard))

        async def incoming(message: Incoming) -> None:
            await self._receiver.put(Came(carrier_id, message))

        return Hears(report, incoming)

    async def _resume(self, carrier: Carrier, channel: Channel) -> None:
        """Tell a carrier that lives in this process what it had been sent."""
        if carrier.channel != "virtual":
            return
        after = (-1, -1)
        while True:
            found = await self._office.store.read(_sent_slice, carrier.id, after)
            for message, ref, sent_at in found:
                channel.resume(message, ref, sent_at)
            if not found:
                return
            after = (found[-1][0].client_id, found[-1][0].id)


async def _sent_slice(
    tx: Transaction, carrier_id: int, after: tuple[int, int]
) -> list[tuple[Outgoing, str, int]]:
    """Messages at a carrier whose reports are still to come, with the carrier's ids."""
    keys = [(r[0], r[1]) for r in await queue.sent_at(tx, carrier_id, after, RESUMED_AT_ONCE)]
    flights = {
        (row[0], row[1]): delivery.flight_of_row(row, carrier_id, frozenset())
        for row in await queue.flights(tx, keys)
    }
    parts = sorted((tuple(r) for r in await messages.parts_of(tx, keys)), key=lambda r: r[:3])
    return [
        (flights[r[0], r[1]].message, r[5], flights[r[0], r[1]].standing.sent_at)
        for r in parts
        if r[3] == 0
    ]
