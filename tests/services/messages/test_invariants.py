"""Random lives of messages: the checker finds nothing wrong after any step (data-model.md, 11)."""

import random

import pytest
from tests.building import DAY, HOUR, LEASE, RUB, House

from vestnik.domain.message import Status
from vestnik.domain.refusals import NotPossible
from vestnik.services.messages import reports, upkeep
from vestnik.services.messages.delivery import Lost, Postponed, Taken, Unknown
from vestnik.services.messages.status import Statuses

pytestmark = pytest.mark.anyio

PHONES = [f"7916123456{n}" for n in range(10)] + ["123"]
TEXTS = ["Hello", "x" * 200, "Привет" * 30]
ENDS = [Status.DELIVERED, Status.DELIVERED, Status.EXPIRED, Status.UNDELIVERABLE]
STEPS = 100


class Lives:
    """Accounts of every type under one main account, two carriers, and what befalls messages."""

    def __init__(self, house, seed):
        self.house = house
        self.chance = random.Random(seed)
        self.refs = []  # (carrier, ref) of every part ever taken

    async def begin(self):
        house = self.house
        house.carrier(2, priority=1, receipt_parts="last")
        house.carrier(3, on_unknown="resend")
        house.rate(1, RUB)
        house.rate(2, 1_500_000)
        house.rate(3, 0)
        house.rate(6, 400_000)
        await house.client(1, balance=40 * RUB, credit=5 * RUB, electronic=25 * RUB)
        for client, kind, parent in ((2, 0, 1), (3, 0, 1), (4, 2, 1), (5, 3, 2), (6, 0, 2)):
            charge_on = self.chance.choice(["sent", "delivered"])
            await house.client(
                client,
                balance=20 * RUB,
                electronic=self.chance.choice([0, 15 * RUB]),
                parent_id=parent,
                type=kind,
                limits={"charge_on": charge_on, "day_limit": 30},
            )
        self.steps = [
            *[self.accept] * 4,
            *[self.send] * 5,
            *[self.report] * 4,
            self.delete,
            self.pass_time,
            self.housekeep,
            self.move,
        ]

    async def step(self):
        await self.chance.choice(self.steps)()

    async def accept(self):
        drafts = []
        for _ in range(self.chance.randint(1, 4)):
            phones = self.chance.sample(PHONES, self.chance.randint(2, 4))
            fields = {"params_digest": self.chance.randbytes(1), "valid": "1"}
            if self.chance.random() < 0.3:
                fields["idempotency_key"] = self.chance.choice("abc")
            client, text = self.chance.randint(1, 6), self.chance.choice(TEXTS)
            drafts.append(await self.house.draft(",".join(phones), text, client, **fields))
        await self.house.accept(*drafts)

    async def send(self):
        carrier = self.chance.choice([2, 3])
        flights = await self.house.claim(carrier, room=self.chance.randint(1, 6))
        if flights and self.chance.random() < 0.1:
            return  # nobody records them: their lease lapses
        outcomes = [(flight, self.outcome(flight, carrier)) for flight in flights]
        self.refs += [(carrier, ref) for _, outcome in outcomes for _, ref in outcome.refs]
        if outcomes and self.chance.random() < 0.2:
            await self.report()
        await self.house.record(*outcomes)
        if self.chance.random() < 0.1:
            await self.house.record(*outcomes)

    def outcome(self, flight, carrier):
        message = flight.message
        missing = [p for p in range(1, message.parts + 1) if p not in message.taken]
        refs = tuple((p, f"{message.id}-{p}") for p in missing)
        some = refs[: self.chance.randint(0, len(refs) - 1)]
        next_carrier = carrier if some or message.taken else 5 - carrier
        return self.chance.choice(
            [
                *[Taken(refs)] * 4,
                Taken(refs, Status.DELIVERED),
                Postponed(self.house.now, next_carrier, 0, some),
                Lost(Status.UNDELIVERABLE, 11, some),
                Unknown(some),
            ]
        )

    async def report(self):
        if self.refs:
            carrier, ref = self.chance.choice(self.refs[-40:])
            status = self.chance.choice(ENDS)
            err = 0 if status.reached else 6
            await self.house.report(ref, status, err, carrier=carrier)

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
        self.house.later(self.chance.choice([1000, 1000, 1000, LEASE, LEASE, HOUR, DAY]))

    async def housekeep(self):
        for work in (upkeep.lapse, upkeep.expire, upkeep.give_up, reports.apply_late):
            await self.house.do(work)

    async def move(self):
        carrier = self.chance.choice([2, 3])
        await self.house.do(upkeep.move_away, carrier, {5 - carrier}, self.house.now)


@pytest.mark.parametrize("seed", range(6))
async def test_no_life_of_messages_breaks_an_invariant(store, seed):
    house = House(store)
    lives = Lives(house, seed)
    await lives.begin()

    for _ in range(STEPS):
        await lives.step()

        assert await house.violations() == []

    house.later(3 * DAY)
    await lives.housekeep()
    await house.do(upkeep.lapse)
    house.later(3 * DAY)
    await lives.housekeep()

    assert await house.violations() == []
    assert [m.id for m in await house.messages() if m.stage is not None] == []
    held = [(await house.money(account, purse))[1] for account in house.clients for purse in (0, 1)]
    assert held == [0] * 12
    assert {m.purse for m in await house.messages()} == {0, 1}
    assert len({m.status for m in await house.messages()}) > 4
