import pytest
from tests.building import DAY, NOW, OTHER, PHONE, House
from tests.mailing import Press, State

from vestnik.domain.message import Status
from vestnik.domain.refusals import NotFound
from vestnik.services.mailings.jobs import Attached
from vestnik.store import mailings, schema
from vestnik.workers.retention import Retention

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(store):
    house = House(store)
    await house.client(limits={"keep_days": 30})
    return house


async def tidy(house):
    await Retention(house.store, house.directory).run_once()


async def ended(house, phones, text):
    """Messages with the same text that were delivered."""
    await house.sent(phones, text)
    for flight in await house.take():
        await house.report(f"ref-{flight.message.phone}-1", Status.DELIVERED)


async def test_what_an_account_no_longer_keeps_is_dropped_with_its_text_and_parts(house):
    await ended(house, f"{PHONE},{OTHER}", "old")
    house.later(31 * DAY)
    await ended(house, f"{PHONE},{OTHER}", "new")

    await tidy(house)

    assert [message.shared for message in await house.messages()] == ["new", "new"]
    assert [row.text for row in await house.rows(schema.texts)] == ["new"]
    assert len(await house.rows(schema.parts)) == 2


async def test_a_message_that_is_not_finished_stays_however_old(house):
    await house.sent(PHONE, "still waiting", time="0")
    house.later(31 * DAY)

    await tidy(house)

    assert [message.text for message in await house.messages()] == ["still waiting"]


async def test_nothing_is_dropped_before_its_day(house):
    await ended(house, PHONE, "young")
    house.later(30 * DAY - 1000)

    await tidy(house)

    assert len(await house.messages()) == 1


async def test_zero_days_keep_the_history_for_ever(house):
    house.limit(keep_days=0)
    await ended(house, PHONE, "kept")
    house.later(4000 * DAY)

    await tidy(house)

    assert len(await house.messages()) == 1


async def test_money_and_sums_stay_when_messages_go(house):
    await ended(house, PHONE, "paid")
    before = await house.money(), await house.rows(schema.sums)
    house.later(31 * DAY)

    await tidy(house)

    assert await house.messages() == []
    assert before == (await house.money(), await house.rows(schema.sums))
    assert house.now > NOW


@pytest.fixture
async def press(store):
    press = Press(store)
    await press.client(limits={"keep_days": 30})
    await press.client(2, limits={"keep_days": 30})
    return press


async def over(press, **fields):
    """A mailing all of whose messages were delivered; its id."""
    wire_id = await press.ordered(PHONE, **fields)
    await press.work()
    await press.deliver()
    await press.work()
    assert (await press.mailing(wire_id)).state == State.FINISHED
    return wire_id


async def tidied(press):
    """The ids of the mailings that are left, after the worker that removes them."""
    await tidy(press)
    await press.work()
    return [row.wire_id for row in await press.rows(schema.mailings)]


LEFT = (schema.mailing_chunks, schema.mailing_runs, schema.mailing_files)


async def test_a_mailing_goes_with_its_messages_its_list_and_its_files(press):
    old = await over(press, files=[Attached("File1", "photo.png", b"octets")])
    press.later(31 * DAY)
    new = await over(press)
    sums = await press.rows(schema.sums)

    assert await tidied(press) == [new]
    assert [len(await press.rows(table)) for table in LEFT] == [1, 1, 0]
    assert len(await press.messages()) == 1
    assert await press.rows(schema.sums) == sums
    with pytest.raises(NotFound):
        await press.jobs.one(press.clients[1], old, mail=False)
    assert not any("mailing" in sentence for sentence in await press.violations())


async def test_a_mailing_is_kept_to_the_last_moment_of_its_days(press):
    wire_id = await over(press)
    press.later(30 * DAY)

    assert await tidied(press) == [wire_id]

    press.later(1)

    assert await tidied(press) == []


@pytest.mark.parametrize("days", [1, 60])
async def test_mailings_may_be_kept_for_another_time_than_messages(press, days):
    press.limit(keep_mailings_days=days)
    wire_id = await over(press)
    press.later(days * DAY)

    assert await tidied(press) == [wire_id]

    press.later(1)

    assert await tidied(press) == []
    assert len(await press.messages()) == (1 if days == 1 else 0)


async def test_a_history_that_is_kept_for_ever_has_its_mailings(press):
    press.limit(keep_days=0)
    wire_id = await over(press)
    press.later(4000 * DAY)

    assert await tidied(press) == [wire_id]


async def test_a_mailing_that_waits_runs_or_repeats_stays_however_old(press):
    waits = await press.ordered(PHONE, time="01.01.30 10:00")
    repeats = await press.ordered(PHONE, rpt=7)
    await press.work()
    await press.deliver()
    await press.work()
    runs = await press.ordered(OTHER)
    await press.work()
    press.later(100 * DAY)

    assert await tidied(press) == [waits, repeats, runs]


async def test_a_mailing_stays_while_one_of_its_messages_is_under_way(press):
    wire_id = await press.ordered(f"{PHONE},{OTHER}")
    await press.work()
    await press.take()
    await press.report(f"ref-{PHONE}-1")
    await press.work()
    press.later(31 * DAY)

    assert await tidied(press) == [wire_id]

    await press.report(f"ref-{OTHER}-1")

    assert await tidied(press) == []


async def test_one_that_was_switched_off_goes_as_long_after_that(press):
    wire_id = await press.ordered(PHONE, time="01.01.30 10:00")
    press.later(29 * DAY)
    await press.jobs.cancel(press.clients[1], wire_id, mail=False)
    await press.work()
    press.later(30 * DAY)

    assert await tidied(press) == [wire_id]

    press.later(1)

    assert await tidied(press) == []


async def test_one_that_could_not_start_goes_as_long_after_that(press):
    press.limit(no_mailings=1)
    wire_id = await press.ordered(PHONE)
    await press.work()
    assert (await press.mailing(wire_id)).state == State.FAILED
    press.later(30 * DAY)

    assert await tidied(press) == [wire_id]

    press.later(1)

    assert await tidied(press) == []


async def test_a_request_that_was_too_big_for_one_commit_leaves_nothing(press):
    states = (mailings.EXPANDED, mailings.EXPANDING)
    for mailing_id, state in enumerate(states, press.ids.take(press.now)[0]):
        row = (1, mailing_id, str(state), state, "{}", 1, press.now)
        await press.store.write(mailings.put, row, [])
    press.later(31 * DAY)
    await tidy(press)
    for mailing in await press.runs.leaving():
        await press.runs.leave(mailing)

    assert [row.state for row in await press.rows(schema.mailings)] == [mailings.EXPANDING]


async def test_many_old_mailings_go_in_slices_and_others_keep_theirs(press, monkeypatch):
    monkeypatch.setattr("vestnik.workers.retention.SLICE", 2)
    for _ in range(5):
        await over(press)
    kept = await press.ordered(PHONE, client=2)
    press.limit(2, keep_days=0)
    await press.work()
    press.later(31 * DAY)

    assert await tidied(press) == [kept]
