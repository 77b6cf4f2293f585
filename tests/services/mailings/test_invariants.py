"""Random lives of mailings: the checker finds nothing wrong after any step (data-model.md, 11)."""

import random

import pytest
from tests.building import DAY, HOUR, LEASE, MINUTE, RUB
from tests.mailing import Press, State

from vestnik.domain.message import Kind, Status
from vestnik.domain.refusals import BadParameters, Duplicate, NotFound
from vestnik.services.mailings import lists, runs
from vestnik.services.messages import reports, upkeep
from vestnik.services.messages.delivery import Lost, Postponed, Taken, Unknown
from vestnik.store import schema

pytestmark = pytest.mark.anyio

PHONES = [f"7916123456{n}" for n in range(10)] + ["73831234567", "123"]
TEXTS = ["Hello", "x" * 200, "Hi {first_name|friend}"]
ENDS = [Status.DELIVERED, Status.DELIVERED, Status.EXPIRED, Status.UNDELIVERABLE]
STEPS = 150


class Lives:
    """A main account and its subclient, who order mailings and switch them off again."""

    def __init__(self, press, seed):
        self.press = press
        self.chance = random.Random(seed)
        self.refs = []

    async def begin(self):
        press = self.press
        press.rate(1, RUB)
        press.rate(2, 1_500_000)
        press.rate(1, 2 * RUB, "viber")
        press.rate(2, 1_700_000, "viber")
        await press.client(1, balance=60 * RUB, credit=5 * RUB, electronic=20 * RUB)
        limits = {"charge_on": self.chance.choice(["sent", "delivered"]), "day_limit": 60}
        await press.client(2, balance=20 * RUB, electronic=40 * RUB, parent_id=1, limits=limits)
        for client in (1, 2):
            await press.group(7, *self.chance.sample(PHONES[:11], 5), client=client)
        self.steps = [
            *[self.order] * 3,
            *[self.work] * 8,
            *[self.send] * 4,
            *[self.report] * 3,
            self.switch_off,
            self.pass_time,
            self.housekeep,
        ]

    async def step(self):
        await self.chance.choice(self.steps)()

    async def order(self):
        chance = self.chance
        members = chance.sample(PHONES, chance.randint(1, 6))
        if chance.random() < 0.4:
            members.insert(chance.randint(0, len(members)), "G7")
        fields = {
            "rpt": chance.choice([0, 0, 1, 2]),
            "rptn": chance.choice([None, 1]),
            "time": chance.choice(["", "", "+30"]),
            "period": chance.choice(["", "", "1"]),
            "freq": "20",
            "valid": chance.choice(["", "2"]),
            "priced": chance.random() < 0.2,
            "kind": chance.choice([Kind.SMS, Kind.VIBER]),
            "mes2": chance.choice(["", "By SMS", "y" * 300]),
            "repeat": chance.random() < 0.3,
            "sender2": chance.choice([None, "Second"]),
        }
        try:
            client, text = chance.randint(1, 2), chance.choice(TEXTS)
            await self.press.ordered(",".join(members), text, client, **fields)
        except (BadParameters, Duplicate):
            raise AssertionError("nothing is wrong with it") from None

    async def work(self):
        for _ in range(self.chance.randint(1, 3)):
            await self.press.worker.run_once()

    async def send(self):
        flights = await self.press.claim(room=self.chance.randint(1, 6))
        if flights and self.chance.random() < 0.1:
            return  # nobody records them: their lease lapses
        outcomes = [(flight, self.outcome(flight)) for flight in flights]
        self.refs += [ref for _, outcome in outcomes for _, ref in outcome.refs]
        await self.press.record(*outcomes)

    def outcome(self, flight):
        message = flight.message
        missing = [p for p in range(1, message.parts + 1) if p not in message.taken]
        refs = tuple((p, f"{message.id}-{p}") for p in missing)
        some = refs[: self.chance.randint(0, len(refs) - 1)]
        return self.chance.choice(
            [
                *[Taken(refs)] * 5,
                Taken(refs, Status.DELIVERED),
                Postponed(self.press.now, 1, 0, some),
                Lost(Status.UNDELIVERABLE, 11, some),
                Unknown(some),
            ]
        )

    async def report(self):
        if self.refs:
            status = self.chance.choice(ENDS)
            ref = self.chance.choice(self.refs[-40:])
            await self.press.report(ref, status, 0 if status.reached else 6)

    async def switch_off(self):
        rows = await self.press.rows(schema.mailings)
        if rows:
            row = self.chance.choice(rows)
            client = self.press.clients[row.client_id]
            remove = self.chance.random() < 0.3
            work = self.press.jobs.delete if remove else self.press.jobs.cancel
            try:
                await work(client, row.wire_id, mail=False)
            except NotFound:
                assert row.leaving == 2

    async def pass_time(self):
        wait = self.chance.choice([MINUTE, MINUTE, 20 * MINUTE, HOUR, LEASE, DAY])
        self.press.later(wait)

    async def housekeep(self):
        for work in (upkeep.lapse, upkeep.expire, upkeep.give_up, reports.apply_late):
            await self.press.do(work)


@pytest.mark.parametrize("seed", range(4))
async def test_no_life_of_mailings_breaks_an_invariant(store, seed, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK_ROWS", 2)
    monkeypatch.setattr(runs, "CHUNK_ROWS", 2)
    monkeypatch.setattr(runs, "STOPPED_MAX", 2)
    monkeypatch.setattr(runs, "CHUNKS_DROPPED", 1)
    monkeypatch.setattr(runs, "AHEAD_MAX", 12)
    press = Press(store)
    lives = Lives(press, seed)
    await lives.begin()

    for _ in range(STEPS):
        await lives.step()

        assert await press.violations() == []

    for row in await press.rows(schema.mailings):
        if row.leaving < 2:
            await press.jobs.cancel(press.clients[row.client_id], row.wire_id, mail=False)
    for _ in range(3):
        await press.work(500)
        press.later(3 * DAY)
        await lives.housekeep()

    assert await press.violations() == []
    assert [m.id for m in await press.messages() if m.stage is not None] == []
    held = [(await press.money(account, purse))[1] for account in press.clients for purse in (0, 1)]
    assert held == [0] * 4
    assert {m.purse for m in await press.messages()} == {0, 1}
    assert {row.state for row in await press.rows(schema.mailings)} <= {
        State.FINISHED,
        State.CANCELLED,
    }
    assert len({m.status for m in await press.messages()}) > 4
