"""A client, its subclient and the subclient of that: their ledger balances whatever befalls it."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.building import DAY, HOUR, LEASE, RUB, House

from vestnik.domain.exchange import Exchange
from vestnik.domain.ids import first_id
from vestnik.domain.message import Status
from vestnik.domain.refusals import InsufficientFunds, NotPossible
from vestnik.domain.schedule import MOSCOW, day_number
from vestnik.services.clients.subclients import transfer
from vestnik.services.history.statistics import Statistics
from vestnik.services.messages import reports, upkeep
from vestnik.services.messages.delivery import Lost, Postponed, Taken, Unknown
from vestnik.services.messages.status import Statuses
from vestnik.store import schema

pytestmark = pytest.mark.anyio

PHONES = [f"7916123456{n}" for n in range(10)] + ["123", "77011234567"]
TEXTS = ["Hello", "x" * 200, "Привет" * 30]
ENDS = [Status.DELIVERED, Status.DELIVERED, Status.EXPIRED, Status.UNDELIVERABLE]
STEPS = 70
EVERYBODY = (1, 2, 3, 4)
PAIRS = ((1, 2), (1, 4), (2, 3))  # a main account and its subclient


class Storm:
    """What befalls a chain of accounts, at random: messages, transfers, changes of type."""

    def __init__(self, house, seed):
        self.house = house
        self.chance = random.Random(seed)
        self.refs = []

    async def begin(self):
        house = self.house
        house.carrier(2, priority=1)
        house.carrier(3, on_unknown="resend")
        for client in EVERYBODY:
            house.rate(client, self.chance.choice([0, 400_000, RUB, 1_500_000, 3_000_001]))
        await house.client(1, balance=60 * RUB, credit=5 * RUB)
        for client, parent in ((2, 1), (3, 2), (4, 1)):
            await house.client(
                client,
                balance=0,
                parent_id=parent,
                type=self.chance.randint(0, 4),
                limits={"charge_on": self.chance.choice(["sent", "delivered"])},
            )
        for main, sub in PAIRS:
            await self.give(main, sub, 15 * RUB)
        self.steps = [
            *[self.accept] * 4,
            *[self.send] * 4,
            *[self.report] * 4,
            *[self.pay] * 2,
            *[self.change_type] * 2,
            self.delete,
            self.pass_time,
            self.housekeep,
        ]

    async def step(self):
        await self.chance.choice(self.steps)()

    async def give(self, main, sub, amount):
        clients = self.house.clients
        await self.house.store.write(
            transfer,
            clients[main],
            clients[sub],
            amount,
            Exchange(),
            self.house.ids,
            self.house.now,
        )

    async def pay(self):
        main, sub = self.chance.choice(PAIRS)
        amount = self.chance.randint(-10 * RUB, 10 * RUB) or RUB
        before = [await self.house.money(account) for account in (main, sub)]
        try:
            await self.give(main, sub, amount)
        except InsufficientFunds:
            amount = 0
        after = [await self.house.money(account) for account in (main, sub)]

        assert after[0] == (before[0][0] - amount, before[0][1])
        assert after[1] == (before[1][0] + amount, before[1][1])

    async def change_type(self):
        client = self.chance.choice([2, 3, 4])
        changed = replace(self.house.clients[client], type=self.chance.randint(0, 4))
        self.house.clients[client] = changed
        self.house.limit(client)

    async def accept(self):
        drafts = []
        for _ in range(self.chance.randint(1, 3)):
            phones = self.chance.sample(PHONES, self.chance.randint(2, 4))
            fields = {"params_digest": self.chance.randbytes(8), "valid": "1"}
            text, client = self.chance.choice(TEXTS), self.chance.choice(EVERYBODY)
            drafts.append(await self.house.draft(",".join(phones), text, client, **fields))
        await self.house.accept(*drafts)

    async def send(self):
        carrier = self.chance.choice([2, 3])
        flights = await self.house.claim(carrier, room=self.chance.randint(1, 6))
        outcomes = [(flight, self.outcome(flight, carrier)) for flight in flights]
        self.refs += [(carrier, ref) for _, outcome in outcomes for _, ref in outcome.refs]
        await self.house.record(*outcomes)

    def outcome(self, flight, carrier):
        message = flight.message
        missing = [p for p in range(1, message.parts + 1) if p not in message.taken]
        refs = tuple((p, f"{message.id}-{p}") for p in missing)
        some = refs[: self.chance.randint(0, len(refs) - 1)]
        other = carrier if some or message.taken else 5 - carrier
        return self.chance.choice(
            [
                *[Taken(refs)] * 4,
                Postponed(self.house.now, other, 0, some),
                Lost(Status.UNDELIVERABLE, 11, some),
                Unknown(some),
            ]
        )

    async def report(self):
        if self.refs:
            carrier, ref = self.chance.choice(self.refs[-40:])
            status = self.chance.choice(ENDS)
            await self.house.report(ref, status, 0 if status.reached else 6, carrier=carrier)

    async def delete(self):
        messages = await self.house.messages()
        if messages:
            message = self.chance.choice(messages)
            statuses = Statuses(self.house.store, self.house.directory, self.house.setting)
            pair = (message.wire_id, message.phone)
            try:
                await statuses.delete(self.house.clients[message.client_id], [pair])
            except NotPossible:
                assert message.hidden

    async def pass_time(self):
        self.house.later(self.chance.choice([1000, LEASE, HOUR, DAY]))

    async def housekeep(self):
        for work in (upkeep.lapse, upkeep.expire, upkeep.give_up, reports.apply_late):
            await self.house.do(work)

    async def end(self):
        for _ in range(2):
            self.house.later(3 * DAY)
            await self.housekeep()


@pytest.mark.parametrize("seed", range(3))
async def test_the_ledger_of_a_chain_balances_after_every_step(store, seed):
    house = House(store)
    storm = Storm(house, seed)
    await storm.begin()

    for _ in range(STEPS):
        await storm.step()

        assert await house.violations() == []

    await storm.end()

    assert await house.violations() == []
    assert [(await house.money(account))[1] for account in EVERYBODY] == [0, 0, 0, 0]


@pytest.mark.parametrize("end", [Status.DELIVERED, Status.UNDELIVERABLE])
async def test_ancestors_get_their_share_of_what_was_accepted_before_the_type_changed(store, end):
    house = House(store)
    house.rate(1, 3 * RUB)
    house.rate(2, RUB)
    await house.client(1)
    await house.client(2, parent_id=1, limits={"charge_on": "delivered"})
    await house.sent(client=2)
    house.clients[2] = replace(house.clients[2], type=2)
    house.limit(2)

    [flight] = await house.take()
    await house.report(f"ref-{flight.message.phone}-1", end)

    cost, share = (RUB, 2 * RUB) if end is Status.DELIVERED else (0, 0)
    assert await house.money(2) == (100 * RUB - cost, 0)
    assert await house.money(1) == (100 * RUB - share, 0)
    assert await house.violations() == []


async def test_statistics_are_those_of_a_recount(store):
    house = House(store)
    storm = Storm(house, 7)
    await storm.begin()
    began = house.now
    for number in range(STEPS):
        await storm.step()
        if number % 20 == 19:
            house.later(DAY)
    await storm.end()
    messages = await house.messages()
    days = sorted({message.day for message in messages})
    statistics = Statistics(house.store, house.directory, MOSCOW)

    assert len(days) > 1
    for first in days:
        for last in days:
            if first > last:
                continue
            wanted = statistics.days(written(first), written(last), house.now)
            for client in EVERYBODY:
                found = await statistics.of_client(house.clients[client], wanted)
                counted = [m for m in messages if m.client_id == client and first <= m.day <= last]
                entries = await received(house, client, wanted)

                assert found.messages == len(counted)
                assert found.spent == sum(m.cost for m in counted)
                assert found.received == entries
    everything = statistics.days(written(day_number(began, MOSCOW)), "", house.now)
    assert sum(
        [(await statistics.of_client(house.clients[c], everything)).spent for c in EVERYBODY]
    ) == sum(m.cost for m in messages)
    assert any(m.cost for m in messages)


def written(day):
    """A day number as clients write it."""
    return f"{date(1970, 1, 1) + timedelta(days=day):%d.%m.%Y}"


async def received(house, client, days):
    since, until = first_id(days.since), first_id(days.until)
    return sum(
        e.posted
        for e in await house.rows(schema.entries)
        if e.account_id == client
        and e.kind in ("topup", "transfer")
        and e.posted > 0
        and since <= e.id < until
    )
