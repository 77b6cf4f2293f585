import asyncio
from contextlib import asynccontextmanager

import pytest
from tests.building import LEASE, OTHER, PHONE, RUB, SOON_S, THIRD, House, until

from vestnik.domain.refusals import Duplicate, InsufficientFunds, StoreUnavailable
from vestnik.services.sending import intake as intake_module
from vestnik.store import schema
from vestnik.store.engine import CommitUnknown, DataRefused
from vestnik.store.queue import Stage

pytestmark = pytest.mark.anyio


class Places:
    """Dispatchers with so many free places; what flies is written down."""

    def __init__(self, house, places=0):
        self.house = house
        self.places = places
        self.flown = []
        self.looked = []

    def reserve(self, carrier_id):
        if not self.places:
            return False
        self.places -= 1
        return True

    def give_back(self, carrier_id):
        self.places += 1

    def lease_until(self):
        return self.house.now + LEASE

    def fly(self, drafts, lease):
        for draft in drafts:
            for recipient in draft.recipients:
                (self.flown if recipient.handed else self.looked).append(
                    (recipient.phone, draft.wire_id, lease)
                )


class Desk:
    """An intake at work over a house; commits wait while it is held."""

    def __init__(self, house, places):
        self.house = house
        self.places = Places(house, places)
        self.intake = house.intake(self.places)

    def submit(self, draft):
        return asyncio.create_task(self.intake.submit(draft))

    async def send(self, *args, **fields):
        return await self.intake.submit(await self.house.draft(*args, **fields))

    @asynccontextmanager
    async def held(self):
        """While one commit takes its time others gather."""
        self.house.store.gate = asyncio.Event()
        first = self.submit(await self.house.draft("79169999999", "first", 9))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        yield
        await asyncio.sleep(0)
        self.house.store.gate.set()
        await first


@asynccontextmanager
async def desk(store, places=0, **limits):
    house = House(store)
    await house.client(1, limits={"identical_s": 0, **limits})
    await house.client(2, limits={"identical_s": 0})
    await house.client(9)
    made = Desk(house, places)
    running = asyncio.create_task(made.intake.run())
    try:
        yield made
    finally:
        made.intake.close()
        async with asyncio.timeout(SOON_S):
            await running


def phones(count, first=0):
    return ",".join(f"7916{n:07}" for n in range(first, first + count))


async def test_what_gathers_while_a_commit_runs_is_committed_together(store):
    async with desk(store) as work:
        async with work.held():
            sent = [work.submit(await work.house.draft(text=str(n))) for n in range(5)]
            before = work.house.store.writes
        answers = await asyncio.gather(*sent)

        assert work.house.store.writes == before + 2
        assert sorted(a.wire_id for a in answers) == ["1", "2", "3", "4", "5"]
        assert await work.house.violations() == []


async def test_nothing_is_answered_before_it_is_durable(store):
    async with desk(store) as work:
        async with work.held():
            sent = work.submit(await work.house.draft())
            await asyncio.sleep(0)

            assert not sent.done()
            assert await work.house.messages() == []

        await sent

        assert len(await work.house.messages()) == 2


async def test_urgent_messages_go_first_then_clients_in_turn(store, monkeypatch):
    monkeypatch.setattr(intake_module, "BATCH_ROWS", 5)
    async with desk(store) as work:
        async with work.held():
            lists = [
                (phones(2, 0), 1),
                (phones(2, 10), 1),
                (phones(2, 20), 1),
                (phones(2, 30), 2),
                (PHONE, 2),
            ]
            sent = [work.submit(await work.house.draft(p, client=c)) for p, c in lists]
        await asyncio.gather(*sent)

        order = [m.phone for m in await work.house.messages()][1:]
        assert order[0] == PHONE
        assert order[1:5] == [*phones(2, 0).split(","), *phones(2, 30).split(",")]


async def test_a_big_list_is_not_passed_over_for_ever(store, monkeypatch):
    monkeypatch.setattr(intake_module, "BATCH_ROWS", 4)
    async with desk(store) as work:
        async with work.held():
            big = work.submit(await work.house.draft(phones(6), client=2))
            urgent = [work.submit(await work.house.draft(text=str(n))) for n in range(12)]
        await asyncio.gather(big, *urgent)

        kinds = [m.client_id for m in await work.house.messages()][1:]
        assert kinds == [1] * 4 + [2] * 6 + [1] * 8


async def test_a_bad_draft_harms_no_other(store):
    async with desk(store, places=2) as work:
        async with work.held():
            bad = await work.house.draft(OTHER)
            bad.recipients[0].price = 1 << 70
            bad.holds[1] = 0
            sent = [
                work.submit(d)
                for d in (await work.house.draft(), bad, await work.house.draft(THIRD))
            ]
        done = await asyncio.gather(*sent, return_exceptions=True)

        assert [type(d).__name__ for d in done] == ["Accepted", "DataRefused", "Accepted"]
        assert isinstance(done[1], DataRefused)
        assert [m.phone for m in await work.house.messages()][1:] == [PHONE, THIRD]
        assert work.places.places + len(work.places.flown) == 2
        assert await work.house.violations() == []


async def test_a_store_that_is_away_promises_nothing(store):
    async with desk(store, places=5) as work:
        work.house.store.before.append(StoreUnavailable("the store is away"))

        with pytest.raises(StoreUnavailable, match="the store is away"):
            await work.send()

        assert work.places.places == 5
        assert await work.house.messages() == []
        assert (await work.send()).wire_id == "1"


async def test_a_commit_whose_answer_was_lost_is_looked_up(store):
    async with desk(store, places=5) as work:
        work.house.store.after.append(CommitUnknown("the connection was lost"))
        accepted = await work.send()

        assert accepted.wire_id == "1"
        assert len(await work.house.messages()) == 1
        assert work.places.flown == [(PHONE, "1", work.house.now + LEASE)]


async def test_a_commit_that_was_lost_is_not_repeated(store):
    async with desk(store, places=5) as work:
        work.house.store.before.append(CommitUnknown("the connection was lost"))

        with pytest.raises(StoreUnavailable, match="nothing was accepted"):
            await work.send()

        assert work.places.places == 5
        assert await work.house.messages() == []
        assert (await work.send()).wire_id != ""


async def test_a_lost_commit_and_a_lost_store_promise_nothing(store):
    async with desk(store) as work:
        work.house.store.after.append(CommitUnknown("lost"))
        work.house.store.before.extend([None, StoreUnavailable("away")])

        with pytest.raises(StoreUnavailable, match="away"):
            await work.send()


async def test_ids_that_have_run_out_refuse_and_do_not_stop_the_intake(store):
    async with desk(store) as work:
        now = work.house.now
        work.house.ids.take(now + 3_600_000 + 1)

        with pytest.raises(StoreUnavailable, match="an hour ahead"):
            await work.send()

        work.house.later(3_600_000)

        assert (await work.send()).wire_id == "1"


async def test_due_messages_fly_as_far_as_windows_have_room(store):
    async with desk(store, places=2) as work:
        await work.send(f"{PHONE},{OTHER},{THIRD}")
        await work.send(time="+5")

        lease = work.house.now + LEASE
        assert work.places.flown == [(PHONE, "1", lease), (OTHER, "1", lease)]
        assert [phone for phone, *_ in work.places.looked] == [THIRD, PHONE]
        rows = [(m.stage, m.fence) for m in await work.house.messages()]
        assert rows == [(Stage.SENDING, 1)] * 2 + [(Stage.WAITING, 0)] * 2


async def test_what_is_refused_in_the_commit_does_not_fly(store):
    async with desk(store, places=9, day_limit=1) as work:
        await work.send(f"{PHONE},{OTHER}")
        with pytest.raises(InsufficientFunds):
            await work.send(",".join(f"7916{n:07}" for n in range(101)), client=2)
        await work.send(THIRD, client=9)
        with pytest.raises(Duplicate):
            await work.send(THIRD, client=9)

        assert [phone for phone, *_ in work.places.flown] == [PHONE, THIRD]
        assert work.places.places == 7
        assert await work.house.violations() == []


async def test_who_has_gone_gets_no_answer_and_the_message_stays(store):
    async with desk(store) as work:
        async with work.held():
            sent = work.submit(await work.house.draft())
            await asyncio.sleep(0)
            sent.cancel()
        await until(lambda: work.house.store.writes >= 5)
        await work.send(OTHER)

        assert [m.phone for m in await work.house.messages()][1:] == [PHONE, OTHER]


async def test_waiting_rows_are_bounded_and_nobody_is_forgotten(store, monkeypatch):
    monkeypatch.setattr(intake_module, "WAITING_ROWS_MAX", 4)
    monkeypatch.setattr(intake_module, "BATCH_ROWS", 2)
    async with desk(store) as work:
        async with work.held():
            sent = [
                work.submit(await work.house.draft(phones(3, 10 * n), str(n))) for n in range(6)
            ]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        async with asyncio.timeout(SOON_S):
            await asyncio.gather(*sent)

        assert len(await work.house.messages()) == 19


async def test_wire_ids_are_taken_in_blocks(store):
    async with desk(store) as work:
        answers = [await work.send(text=str(n)) for n in range(3)]
        blocks = [c for c in await work.house.rows(schema.counters) if c.kind == "wire"]

        assert [a.wire_id for a in answers] == ["1", "2", "3"]
        assert [(b.client_id, b.next) for b in blocks] == [(1, 101)]


async def test_closing_commits_what_waits_and_takes_no_more(store):
    async with desk(store) as work:
        async with work.held():
            sent = work.submit(await work.house.draft())
            await asyncio.sleep(0)
            work.intake.close()

        assert (await sent).cost == RUB
        with pytest.raises(StoreUnavailable, match="shutting down"):
            await work.send(OTHER)
