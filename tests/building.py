"""A centre in pieces, for tests: its store and clock, who sends, who carries, a scripted carrier.

Time stands still until a test moves it.
"""

import asyncio
from collections import deque
from dataclasses import replace
from types import SimpleNamespace

import sqlalchemy as sa

from vestnik.channels.base import Taken
from vestnik.domain.client import Client, Limits
from vestnik.domain.ids import Ids
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind, Report, Status
from vestnik.domain.numbering import builtin
from vestnik.domain.rate import Rate, Rates, payers
from vestnik.domain.route import Carrier, Route, Routes
from vestnik.domain.schedule import MOSCOW, day_number
from vestnik.services.centre import check
from vestnik.services.centre.directory import Directory, numbers_of
from vestnik.services.gathering import Gathering
from vestnik.services.messages import delivery, reports
from vestnik.services.messages.draft import Accepted, Order
from vestnik.services.messages.reports import Heard
from vestnik.services.messages.settlement import Setting
from vestnik.services.sending.acceptance import Batch, accept
from vestnik.services.sending.intake import Intake
from vestnik.services.sending.requests import Sending, fates
from vestnik.services.sending.wire_ids import WireIds
from vestnik.store import ledger, messages, queue, schema
from vestnik.store.statement import Statement
from vestnik.workers.dispatch import Dispatchers, Office

NOW = 1_750_000_000_000  # 15 June 2025, 18:06:40 in Moscow
RUB = 1_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
PHONE = "79161234567"
OTHER = "79161234568"
THIRD = "79161234569"
LEASE = 120_000
SOON_S = 45.0  # how long a test waits for what happens at once

_columns = (*schema.messages.c, schema.queue.c.stage, schema.queue.c.next_at)
_queue_columns = ("queue_carrier", "attempt", "route_step", "expires_at", "fence", "priority")
MESSAGES = Statement(
    sa.select(
        *_columns,
        schema.queue.c.carrier_id.label("queue_carrier"),
        *(schema.queue.c[name] for name in _queue_columns[1:]),
        schema.texts.c.text.label("shared"),
    )
    .select_from(
        schema.messages.outerjoin(
            schema.queue,
            (schema.queue.c.client_id == schema.messages.c.client_id)
            & (schema.queue.c.message_id == schema.messages.c.id),
        ).outerjoin(
            schema.texts,
            (schema.texts.c.client_id == schema.messages.c.client_id)
            & (schema.texts.c.id == schema.messages.c.text_id),
        )
    )
    .order_by(schema.messages.c.id)
)
_names = (*(c.name for c in _columns), *_queue_columns, "shared")


def rows_of(table):
    """Every row of a table, in the order of its key."""
    statement = Statement(sa.select(*table.c).order_by(*table.primary_key.columns))
    names = [column.name for column in table.c]

    async def read(tx):
        return [
            SimpleNamespace(**dict(zip(names, row, strict=True))) for row in await tx.all(statement)
        ]

    return read


class Clocked:
    """A store whose clock the test moves, and that fails when the test says so."""

    def __init__(self, store):
        self._store = store
        self.name = store.name
        self.at = NOW
        self.before = deque()  # failures of the next writes, which then do not take place
        self.after = deque()  # failures of the next writes, told after they took place
        self.gate = None  # an asyncio.Event that writes wait for
        self.writes = 0

    def now(self):
        return self.at

    async def write(self, work, /, *args, **kwargs):
        if self.gate is not None:
            await self.gate.wait()
        self.writes += 1
        if self.before and (failure := self.before.popleft()) is not None:
            raise failure
        result = await self._store.write(work, *args, **kwargs)
        if self.after and (failure := self.after.popleft()) is not None:
            raise failure
        return result

    async def read(self, work, /, *args, **kwargs):
        return await self._store.read(work, *args, **kwargs)


class Memory:
    """Takes the opening of accounts and forgets it: orders are read without a store."""

    name = "memory"

    async def write(self, work, /, *args, **kwargs):
        return None


class Nobody:
    """No dispatcher: whatever is accepted waits."""

    def reserve(self, carrier_id):
        return False

    def give_back(self, carrier_id):
        raise AssertionError("nothing was reserved")

    def lease_until(self):
        return 0

    def fly(self, drafts, lease):
        pass


class _Kept:
    """Stands where intake does and keeps the draft."""

    def put(self, draft):
        self.draft = draft
        draft.answered.set_result(
            Accepted(draft.wire_id or "1", draft.count, draft.cost, None, fates(draft))
        )

    async def submit(self, draft):
        self.put(draft)
        return await draft.answered


class House:
    """A store with clients, carriers, routes and rates, and what is done to messages in it."""

    def __init__(self, store):
        self.store = Clocked(store)
        self.ids = Ids(0)
        self.node = 0
        self.owner = self.ids.take(NOW)[0]
        self.clients = {}
        self.carriers = {1: Carrier(1, "virtual", "virtual", {}, on_unknown="resend")}
        self.routes = []
        self.rates = []
        self.default_carrier = 1
        self.windows = {}
        self.wire_ids = WireIds()
        self._directory = None

    @property
    def now(self):
        return self.store.at

    def later(self, ms):
        self.store.at += ms

    # Who and what there is.

    def directory(self):
        if self._directory is None:
            self._directory = Directory(
                version=1,
                clients=self.clients,
                by_login={c.login: c.id for c in self.clients.values()},
                secrets={},
                keys={},
                carriers=self.carriers,
                routes=Routes(
                    [r for r in self.routes if self.carriers[r.carrier_id].enabled],
                    self.default_carrier,
                ),
                rates=Rates(self.rates),
                numbering=builtin(),
                payers={c.id: payers(c, self.clients) for c in self.clients.values()},
                numbers=numbers_of(self.clients.values()),
                settings={},
                default_sender="Vestnik",
                key_secret=b"",
            )
        return self._directory

    async def client(
        self, client_id=1, balance=100 * RUB, credit=0, limits=None, electronic=0, **fields
    ):
        client = Client(client_id, f"client{client_id}", limits=Limits(**(limits or {})), **fields)
        self.clients[client_id] = client
        self._directory = None
        await self.store.write(ledger.open_account, client_id, "RUB", credit)
        await self.top_up(client_id, balance)
        await self.top_up(client_id, electronic, purse=1)
        return client

    async def top_up(self, account, amount, purse=0):
        if amount:
            entry = ledger.Entry(
                account, purse, self.ids.take(NOW)[0], "topup", amount, 0, 0, "", "", NOW
            )
            await self.store.write(ledger.book, [entry])

    def limit(self, client_id=1, **limits):
        """Change the limits of a client."""
        client = self.clients[client_id]
        self.clients[client_id] = replace(client, limits=replace(client.limits, **limits))
        self._directory = None

    def carrier(self, carrier_id, priority=0, route=True, **fields):
        """A carrier of somebody else's, with a route to it."""
        fields = {"channel": "smpp", "settings": {}, **fields}
        self.carriers[carrier_id] = Carrier(carrier_id, f"carrier{carrier_id}", **fields)
        self.default_carrier = 0
        if route:
            self.routes.append(Route(carrier_id, carrier_id, priority=priority))
        self._directory = None

    def rate(self, client_id, price, channel="sms"):
        """The price of a part in a tariff; None is everybody's."""
        self.rates.append(Rate(client_id, channel, price))
        self._directory = None

    # What is asked.

    def order(self, phones=PHONE, text="Hello", client=1, kind=Kind.SMS, lines=None, **fields):
        given = lines if lines is not None else [ListLine(phones, text)]
        own = {k: v for k, v in fields.items() if k not in ("now_ms", "idempotency_key")}
        shown = repr((client, phones, text, kind, lines, sorted(own.items()))).encode()
        fields = {"params_digest": shown, "now_ms": self.now, **fields}
        return Order(client=self.clients[client], kind=kind, lines=given, **fields)

    async def draft(self, *args, groups=None, **fields):
        """The draft that an order becomes."""
        kept = _Kept()
        await Sending(self.directory, kept, MOSCOW, groups).send(self.order(*args, **fields))
        kept.draft.answered = asyncio.get_running_loop().create_future()  # nobody has it yet
        return kept.draft

    async def refused_draft(self, *args, **fields):
        """The draft of an order whose lonely recipient is refused."""
        draft = await self.draft(*args, **fields)
        assert [r.status > Status.DELIVERED for r in draft.recipients] == [True]
        return draft

    # What is done.

    def batch(self, *drafts):
        for draft in drafts:
            for recipient in draft.recipients:
                recipient.id = self.ids.take(self.now)[0]
        return Batch(
            drafts=list(drafts),
            now=self.now,
            node=self.node,
            owner=self.owner,
            lease=self.now + LEASE,
            entry_ids=self.ids.take(self.now, sum(len(d.accounts) for d in drafts)),
            short=self.wire_ids.give(list(drafts)),
        )

    async def accept(self, *drafts):
        """Commit drafts together; returns the decision on each."""
        decisions = await self.store.write(accept, self.batch(*drafts))
        self.wire_ids.keep(decisions.left)
        return decisions.of

    async def sent(self, *args, **fields):
        """Accept one order that nothing is wrong with; returns what it is answered."""
        [decision] = await self.accept(await self.draft(*args, **fields))
        assert decision.refusal is None, decision.refusal
        return decision.accepted

    def setting(self):
        return Setting(
            self.directory(), self.node, self.owner, self.now, lambda: self.ids.take(self.now)[0]
        )

    async def claim(self, carrier=1, room=100, turn=0):
        """Flights of what is due."""
        rows = await self.store.write(
            queue.claim, carrier, self.owner, self.now, self.now + LEASE, room, turn
        )
        taken = {}
        keys = [(row[0], row[1]) for row in rows]
        for client, message, part, *_ in await self.store.read(messages.parts_of, keys):
            taken.setdefault((client, message), set()).add(part)
        return [
            delivery.flight_of_row(row, carrier, frozenset(taken.get((row[0], row[1]), ())))
            for row in rows
        ]

    async def record(self, *outcomes):
        return await self.store.write(delivery.record, list(outcomes), self.setting())

    async def take(self, carrier=1, prefix="ref"):
        """Claim everything due, and the carrier takes it all; returns the flights."""
        flights = await self.claim(carrier)
        await self.record(*((flight, taken(flight, prefix)) for flight in flights))
        return flights

    async def report(self, ref, status=Status.DELIVERED, err=0, phone="", carrier=1):
        heard = Heard(carrier, Report(ref, phone, status, err))
        await self.store.write(reports.apply, [heard], self.setting())

    async def do(self, work, *args):
        """One of upkeep's functions."""
        return await self.store.write(work, *args, self.setting())

    # What there is afterwards.

    async def messages(self):
        """Every message with its queue row, in the order of ids; `stage` None once it has ended."""

        async def read(tx):
            return await tx.all(MESSAGES)

        rows = await self.store.read(read)
        return [SimpleNamespace(**dict(zip(_names, row, strict=True))) for row in rows]

    async def message(self):
        """The only message."""
        [message] = await self.messages()
        return message

    async def standing(self):
        """Of the only message: stage, status, err, money."""
        message = await self.message()
        return message.stage, message.status, message.err, message.money

    async def money(self, account=1, purse=0):
        """What stands on an account and what is held there."""
        found = await self.store.read(ledger.account, account, purse)
        return found.posted, found.held

    async def rows(self, table):
        return await self.store.read(rows_of(table))

    async def violations(self):
        """What the checker finds."""
        known = check.Circumstances(
            now_ms=self.now,
            today=day_number(self.now, MOSCOW),
            windows=self.windows,
            serving=False,
        )
        return await self.store.read(check.violations, known)

    def intake(self, dispatchers=None, ring=lambda: None):
        return Intake(self.store, self.ids, self.node, self.owner, dispatchers or Nobody(), ring)


def taken(flight, prefix="ref"):
    """The carrier has every part that was missing; its ids are the prefix, phone and part."""
    message = flight.message
    missing = [p for p in range(1, message.parts + 1) if p not in message.taken]
    return delivery.Taken(tuple((p, f"{prefix}-{message.phone}-{p}") for p in missing))


class FakeChannel:
    """A carrier that does what the test says.

    Without a plan it takes everything.  `plan` is called with each message and returns a Taken or
    raises SendFailed; with `hold` messages stay on their way until `let_go`.
    """

    def __init__(self, window=10, plan=None, hold=False):
        self.window = window
        self.ready = True
        self.state = "scripted"
        self.plan = plan
        self.seen = []
        self.flying = 0
        self.most = 0
        self.resumed = []
        self.hears = None
        self.stopped = False
        self._free = asyncio.Event()
        self._changed = asyncio.Event()
        if not hold:
            self._free.set()

    async def start(self, hears):
        self.hears = hears

    async def stop(self, grace_s):
        self.stopped = True

    async def send(self, message):
        self.seen.append(message)
        self.flying += 1
        self.most = max(self.most, self.flying)
        self._changed.set()
        try:
            await self._free.wait()
            if self.plan is not None:
                return self.plan(message)
            refs = [p for p in range(1, message.parts + 1) if p not in message.taken]
            return Taken(tuple((p, f"{message.id}-{p}") for p in refs))
        finally:
            self.flying -= 1
            self._changed.set()

    def resume(self, message, ref, sent_at):
        self.resumed.append((message, ref, sent_at))

    def let_go(self):
        """What is held comes to its end, and so does what comes later."""
        self._free.set()

    async def seen_by(self, count):
        """Wait until so many messages were handed to it."""
        await until(lambda: len(self.seen) >= count)


async def until(condition):
    """Wait for something that is about to happen, by turns of the loop."""
    async with asyncio.timeout(SOON_S):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.002)


class Desk:
    """Dispatchers over a house, with the line that records their outcomes."""

    def __init__(self, house, lease_s=120.0):
        self.house = house
        self.recorder = Gathering("outcomes", self._record)
        self.office = Office(
            house.store, house.directory, house.setting, self.recorder, house.owner, lease_s
        )
        self.dispatchers = Dispatchers(house.store, lease_s, lambda: None)
        self._tasks = []

    async def _record(self, batch):
        await self.house.store.write(delivery.record, batch, self.house.setting())

    async def __aenter__(self):
        self._tasks.append(asyncio.create_task(self.recorder.run()))
        return self

    def run(self, dispatcher):
        """Have a dispatcher work until the desk is left."""
        self.dispatchers.add(dispatcher)
        self._tasks.append(asyncio.create_task(dispatcher.run()))
        return dispatcher

    async def __aexit__(self, *_):
        for dispatcher in self.dispatchers.all():
            await dispatcher.close(SOON_S)
        self.recorder.close()
        async with asyncio.timeout(SOON_S):
            await asyncio.gather(*self._tasks)
