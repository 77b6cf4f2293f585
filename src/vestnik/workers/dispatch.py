"""Due messages → their carrier; one loop a carrier, its window kept full.

What is `sending` never exceeds the window: a place is taken before a message is claimed or handed
over, and is free again once what became of it is durable.  No transaction is open while a carrier
is spoken to.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import structlog

from vestnik.channels.base import Channel, SendFailed
from vestnik.domain.message import CHANNEL_OF, Status
from vestnik.domain.refusals import StoreUnavailable
from vestnik.domain.route import Carrier
from vestnik.services.centre.directory import Directory
from vestnik.services.gathering import Gathering
from vestnik.services.messages import delivery, upkeep
from vestnik.services.messages.delivery import Flight, Outcome
from vestnik.services.messages.draft import Draft
from vestnik.services.messages.settlement import Setting
from vestnik.store import messages, queue
from vestnik.store.engine import CommitUnknown, Row, Store, Transaction

log = structlog.get_logger(__name__)

POLL_S = 1.0
TICK_S = 0.001  # a timer may be early by the clock's resolution
DOWN_S = 5.0  # a carrier that is away for longer has its waiting messages moved
LEASE_MARGIN_S = 5.0
RECORD_S = 5.0  # what is known at the end is written down within this


@dataclass(slots=True)
class Office:
    """What every dispatcher of the process shares."""

    store: Store
    directory: Callable[[], Directory]
    setting: Callable[[], Setting]
    recorder: Gathering[tuple[Flight, Outcome]]
    owner: int
    lease_s: float
    up: set[int] = field(default_factory=set)  # carriers that can take messages now
    away: set[int] = field(default_factory=set)  # those that could not for longer than DOWN_S


class Lease:
    """Messages that were handed to a carrier together: one clock for all of them.

    What has no answer when the lease ends, or when the centre must leave, has an unknown fate.
    """

    __slots__ = ("_timer", "at_work", "over", "until", "waiting")

    def __init__(self, until: int, left_s: float) -> None:
        self.until = until
        self.over = False
        self.at_work = 0  # messages that have no outcome yet
        self.waiting: set[asyncio.Task[None]] = set()  # for the carrier's answer
        self._timer = asyncio.get_running_loop().call_later(left_s, self.end)

    def end(self) -> None:
        """Wait no longer."""
        self.over = True
        for task in self.waiting:
            task.cancel()

    def left(self) -> None:
        """One of them has its outcome."""
        self.at_work -= 1
        if not self.at_work:
            self._timer.cancel()


class Dispatcher:
    """Keeps one carrier's window full."""

    def __init__(self, office: Office, carrier: Carrier, channel: Channel) -> None:
        self._office = office
        self.carrier = carrier
        self.channel = channel
        self._taken_places = 0
        self._turn = 0
        self._bell = asyncio.Event()
        self._backlog = True  # there may be due rows that nobody handed over
        self._paused_until = 0.0
        self._flights: set[asyncio.Task[None]] = set()
        self._leases: dict[int, Lease] = {}  # of what is on its way to the carrier, by their end
        self._closing = False
        self._overdue = False  # closed, and the grace is over
        self._empty = asyncio.Event()  # nothing is in the window
        self._empty.set()

    @property
    def room(self) -> int:
        """Places of the window that are free now."""
        if self._closing or not self.channel.ready or self._paused:
            return 0
        return max(0, self.channel.window - self._taken_places)

    @property
    def in_flight(self) -> int:
        return self._taken_places

    @property
    def _paused(self) -> bool:
        return asyncio.get_running_loop().time() < self._paused_until

    def reserve(self) -> bool:
        if self._backlog or self.room < 1:  # those that wait go first
            return False
        self._take_places(1)
        return True

    def give_back(self, places: int = 1) -> None:
        self._taken_places -= places
        if not self._taken_places:
            self._empty.set()
        self._bell.set()

    def _take_places(self, places: int) -> None:
        self._taken_places += places
        self._empty.clear()

    def look(self) -> None:
        """Due rows may be waiting."""
        self._backlog = True
        self._bell.set()

    def fly(self, flight: Flight, lease_until: int) -> None:
        """Send a message whose place is taken already."""
        lease = self._leases.get(lease_until)
        if lease is None:
            left_s = (lease_until - self._office.store.now()) / 1000 - LEASE_MARGIN_S
            lease = self._leases[lease_until] = Lease(lease_until, left_s)
        lease.at_work += 1
        task = asyncio.get_running_loop().create_task(self._fly(flight, lease))
        self._flights.add(task)
        task.add_done_callback(self._flights.discard)

    async def run(self) -> None:
        """Claim what is due whenever there is room, until `close`."""
        down_since: float | None = None
        loop = asyncio.get_running_loop()
        while not self._closing:
            try:
                if self.channel.ready:
                    down_since = None
                    self._office.up.add(self.carrier.id)
                    self._office.away.discard(self.carrier.id)
                else:
                    self._office.up.discard(self.carrier.id)
                    down_since = down_since or loop.time()
                    if loop.time() - down_since > DOWN_S:
                        self._office.away.add(self.carrier.id)
                        await self._move_away()
                if self.room and self._backlog:
                    await self._claim()
            except StoreUnavailable as reason:
                log.warning("the store is away", carrier=self.carrier.name, reason=str(reason))
                await asyncio.sleep(POLL_S)
            except Exception:
                log.exception("a dispatcher stumbled", carrier=self.carrier.name)
                await asyncio.sleep(POLL_S)
            if not (self.room and self._backlog):
                await self._wait()

    async def close(self, grace_s: float) -> None:
        """Claim nothing more, let what flies land; what has not by then has an unknown fate.

        Returns once that is durable too: what was only being accepted or claimed has gone back.
        """
        self._closing = True
        self._bell.set()
        try:
            async with asyncio.timeout(grace_s):
                await self._empty.wait()
        except TimeoutError:
            for lease in self._leases.values():
                lease.end()
            with suppress(TimeoutError):  # the store is away: the next run finds them
                async with asyncio.timeout(RECORD_S):
                    await self._empty.wait()
        self._overdue = True

    async def _wait(self) -> None:
        self._bell.clear()
        pause_s = self._paused_until - asyncio.get_running_loop().time()
        if self.room and self._backlog:  # a pause has just ended
            return
        try:
            async with asyncio.timeout(min(POLL_S, pause_s + TICK_S) if pause_s > 0 else POLL_S):
                await self._bell.wait()
        except TimeoutError:
            if self.room and not self._closing:
                store = self._office.store
                self._backlog = await store.read(queue.due, self.carrier.id, store.now())

    async def _claim(self) -> None:
        room = self.room
        self._take_places(room)
        claimed: list[Flight] = []
        self._backlog = False  # but whoever looks while this runs is heard
        now = self._office.store.now()
        lease_until = now + int(self._office.lease_s * 1000)
        try:
            claimed = await self._office.store.write(
                _claim_flights,
                self.carrier.id,
                self._office.owner,
                now,
                lease_until,
                room,
                self._turn,
            )
        except BaseException:
            self._backlog = True
            raise
        finally:
            self.give_back(room - len(claimed))
        self._backlog = self._backlog or len(claimed) == room
        for flight in claimed:
            self.fly(flight, lease_until)
        if claimed:
            self._turn = claimed[-1].standing.client_id

    async def _move_away(self) -> None:
        others = self._office.up - {self.carrier.id}
        if others:
            store = self._office.store
            await store.write(
                upkeep.move_away, self.carrier.id, others, store.now(), self._office.setting()
            )

    async def _fly(self, flight: Flight, lease: Lease) -> None:
        try:
            outcome = await self._outcome(flight, lease)
        finally:
            lease.left()
            if not lease.at_work:
                self._leases.pop(lease.until, None)
        while True:
            try:
                await self._office.recorder.put((flight, outcome))
            except (StoreUnavailable, CommitUnknown):
                if self._overdue:
                    return  # the centre leaves without its store: the next run finds it unknown
                continue  # what became of it must not be forgotten; the line waits by itself
            except Exception:
                log.exception("an outcome was not recorded", message_id=flight.standing.id)
            break
        self.give_back()
        if isinstance(outcome, delivery.Postponed):
            self.look()

    async def _outcome(self, flight: Flight, lease: Lease) -> Outcome:
        now = self._office.store.now()
        if flight.expires_at <= now:
            return delivery.Lost(Status.EXPIRED, 0)
        opens = delivery.opening(flight, now)
        if opens > now:  # the queue was late, and the recipient is asleep
            return delivery.Postponed(opens, flight.carrier_id, flight.route_step)
        late = lease.over or lease.until - now <= LEASE_MARGIN_S * 1000
        if late or self._closing:  # before an octet is written
            return delivery.Postponed(now, flight.carrier_id, flight.route_step)
        task = asyncio.current_task()
        assert task is not None
        lease.waiting.add(task)
        try:
            taken = await self.channel.send(flight.message)
        except SendFailed as failure:
            return self._after(flight, failure)
        except asyncio.CancelledError:
            if lease.over and not task.uncancel():
                return delivery.Unknown()
            raise
        except Exception:  # our bug: it must not take others down with it
            log.exception("cannot send", message_id=flight.standing.id, carrier=self.carrier.name)
            return delivery.Unknown()
        finally:
            lease.waiting.discard(task)
        return delivery.Taken(taken.refs, taken.final)

    def _after(self, flight: Flight, failure: SendFailed) -> Outcome:
        if failure.pause_s:
            loop = asyncio.get_running_loop()
            self._paused_until = max(self._paused_until, loop.time() + failure.pause_s)
        if not failure.sure:
            return delivery.Unknown(failure.refs)
        message = flight.standing
        plan = self._office.directory().routes.plan(
            CHANNEL_OF[flight.message.kind],
            message.client_id,
            message.sender,
            message.phone,
            message.mccmnc,
        )
        return delivery.after_failure(
            flight,
            retry=failure.retry,
            pause_s=failure.pause_s,
            status=failure.status,
            err=failure.err,
            refs=failure.refs,
            plan=plan,
            away=self._office.away,
            now=self._office.store.now(),
        )


async def _claim_flights(
    tx: Transaction,
    carrier_id: int,
    owner: int,
    now: int,
    lease_until: int,
    room: int,
    turn: int,
) -> list[Flight]:
    """Claim due rows and read what their flights need; a retry knows the parts it has sent."""
    rows = await queue.claim(tx, carrier_id, owner, now, lease_until, room, turn)
    retried = [(row[0], row[1]) for row in rows if row[27] and row[9] > 1]
    taken: dict[tuple[int, int], set[int]] = {}
    for client, message, part, _, _, _ in await messages.parts_of(tx, retried):
        taken.setdefault((client, message), set()).add(part)
    return [_flight(row, carrier_id, taken) for row in rows]


def _flight(row: Row, carrier_id: int, taken: dict[tuple[int, int], set[int]]) -> Flight:
    return delivery.flight_of_row(row, carrier_id, frozenset(taken.get((row[0], row[1]), ())))


class Dispatchers:
    """All dispatchers of the process; intake hands new messages over to them.

    `ring_others` tells other nodes of messages for carriers that have no dispatcher here.
    """

    def __init__(self, store: Store, lease_s: float, ring_others: Callable[[], None]) -> None:
        self._store = store
        self._ring_others = ring_others
        self._lease_ms = int(lease_s * 1000)
        self._of: dict[int, Dispatcher] = {}

    def add(self, dispatcher: Dispatcher) -> None:
        self._of[dispatcher.carrier.id] = dispatcher

    def remove(self, carrier_id: int) -> Dispatcher | None:
        return self._of.pop(carrier_id, None)

    def all(self) -> list[Dispatcher]:
        return list(self._of.values())

    def get(self, carrier_id: int) -> Dispatcher | None:
        return self._of.get(carrier_id)

    def reserve(self, carrier_id: int) -> bool:
        dispatcher = self._of.get(carrier_id)
        return dispatcher is not None and dispatcher.reserve()

    def give_back(self, carrier_id: int) -> None:
        dispatcher = self._of.get(carrier_id)
        if dispatcher is not None:
            dispatcher.give_back()

    def lease_until(self) -> int:
        return self._store.now() + self._lease_ms

    def fly(self, drafts: list[Draft], lease: int) -> None:
        """Send the recipients that were handed over; for the others a dispatcher looks."""
        waiting: set[int] = set()
        for draft in drafts:
            options = msgspec.json.decode(draft.options) if draft.options else {}
            for recipient in draft.recipients:
                if recipient.handed:
                    flight = delivery.flight_of_draft(draft, recipient, options)
                    self._of[recipient.carrier_id].fly(flight, lease)
                elif recipient.status == Status.WAITING:
                    waiting.add(recipient.carrier_id)
        for carrier_id in waiting:
            if carrier_id in self._of:
                self._of[carrier_id].look()
            else:
                self._ring_others()
