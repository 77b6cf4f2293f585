import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from tests.building import until

from vestnik.domain.refusals import StoreUnavailable
from vestnik.notifier.local import LocalNotifier
from vestnik.workers.loop import repeat

pytestmark = pytest.mark.anyio

NEVER_S = 3600.0


class Work:
    """Counts its runs and ends each as it is told."""

    def __init__(self, *results):
        self.runs = 0
        self.results = list(results)

    async def __call__(self):
        self.runs += 1
        result = self.results.pop(0) if self.results else False
        if isinstance(result, Exception):
            raise result
        return result


@asynccontextmanager
async def repeated(work, period_s=NEVER_S):
    notifier = LocalNotifier()
    running = asyncio.create_task(repeat("work", period_s, notifier, work))
    try:
        yield notifier
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_work_is_done_at_once_and_whenever_the_bell_rings():
    work = Work()
    async with repeated(work) as notifier:
        await until(lambda: work.runs == 1)
        notifier.ring("work")
        await until(lambda: work.runs == 2)
        notifier.ring("other")
        await asyncio.sleep(0)

        assert work.runs == 2


async def test_work_that_has_more_to_do_goes_on():
    work = Work(True, True)
    async with repeated(work):
        await until(lambda: work.runs == 3)


async def test_work_is_done_each_period():
    work = Work()
    async with repeated(work, period_s=0.001):
        await until(lambda: work.runs >= 3)


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), ZeroDivisionError()])
async def test_a_failure_does_not_end_the_loop(failure):
    work = Work(failure, failure)
    async with repeated(work, period_s=0.001):
        await until(lambda: work.runs >= 3)


async def test_a_ring_that_nobody_heard_is_kept():
    notifier = LocalNotifier()
    notifier.ring("work")
    notifier.ring("work")

    assert await notifier.wait("work", NEVER_S)
    assert not await notifier.wait("work", 0.0)
