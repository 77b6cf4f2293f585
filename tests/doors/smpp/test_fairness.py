"""An account that floods the door does not keep the others waiting."""

import asyncio

import pytest
from tests.doors.smpp.house import bind, open_house, submit

from vestnik.services.sending import intake

pytestmark = pytest.mark.anyio

FLOOD = 3_000
QUIET = 25  # more than what makes single sends urgent
# The rows of a commit, and of the flood's answers how many may come between a quiet client's
# question and its answer: some commits of what was there before, however much more there is.
BATCH = 100
BETWEEN_MAX = 6 * BATCH

LIFTED = {"smpp_rate": 0, "smpp_window": 0, "flood_count": 0, "identical_s": 0}


@pytest.fixture
async def house(tmp_path, store_url, monkeypatch):
    monkeypatch.setattr(intake, "BATCH_ROWS", BATCH)
    async with open_house(tmp_path, store_url) as opened:
        for login in ("loud", "quiet"):
            await opened.add(login, balance="100000", **LIFTED)
        yield opened


async def test_a_quiet_account_waits_for_a_turn_and_not_for_the_whole_flood(house):
    loud, quiet = await bind(house, "loud"), await bind(house, "quiet")
    answered = []
    flood = [loud.link.ask(submit(f"Number {n}", f"7916{n:07d}")) for n in range(FLOOD)]
    for future in flood:
        future.add_done_callback(answered.append)
    between = []
    for n in range(QUIET):
        before = len(answered)
        await quiet.submit(f"Number {n}", f"7917{n:07d}")
        between.append(len(answered) - before)
    await asyncio.gather(*flood)

    assert max(between) <= BETWEEN_MAX
    assert sum(between) > 0  # the flood went on meanwhile


async def test_two_floods_are_answered_side_by_side(house):
    first, second = await bind(house, "loud"), await bind(house, "quiet")
    order = []
    floods = []
    for name, esme in (("first", first), ("second", second)):
        for n in range(FLOOD // 3):
            future = esme.link.ask(submit(f"Number {n} of {name}", f"7918{n:07d}"))
            future.add_done_callback(lambda _, name=name: order.append(name))
            floods.append(future)
    await asyncio.gather(*floods)

    half = order[: len(order) // 2]
    assert 0.25 < half.count("second") / len(half) < 0.75
