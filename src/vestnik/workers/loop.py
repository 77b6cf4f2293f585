"""The only loop: wait for the bell or the time, run, log, back off."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from vestnik.domain.refusals import StoreUnavailable
from vestnik.notifier.local import LocalNotifier

log = structlog.get_logger(__name__)

BACKOFF_S_MAX = 30.0


async def repeat(
    name: str, period_s: float, notifier: LocalNotifier, work: Callable[[], Awaitable[bool]]
) -> None:
    """Run `work` each period and whenever `name` is rung, until cancelled.

    `work` returns whether there is more to do at once.  A failure is logged and delays the next
    run, longer each time.
    """
    failures = 0
    while True:
        try:
            more = await work()
            failures = 0
        except StoreUnavailable as reason:
            failures += 1
            more = False
            log.warning("the store is away", worker=name, reason=str(reason))
        except Exception:
            failures += 1
            more = False
            log.exception("a worker failed", worker=name)
        if more:
            await asyncio.sleep(0)
            continue
        wait_s = min(BACKOFF_S_MAX, period_s * 2**failures) if failures else period_s
        await notifier.wait(name, wait_s)
