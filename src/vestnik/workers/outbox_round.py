"""A round over outboxes whose news are worked off by the centre itself."""

from collections.abc import Awaitable, Callable

from vestnik.services.news import News, Outboxes

KEPT_MS = 86_400_000  # as long as the keys of messages: what is older might be sent twice
OLD_SLICE = 500


async def work_off(
    outboxes: Outboxes,
    transport: str,
    page: int,
    now_ms: int,
    each: Callable[[News], Awaitable[None]],
) -> bool:
    """Hand `page` news of each client to `each`; True if more may wait.

    What is older than KEPT_MS is dropped.  Raises StoreUnavailable.
    """
    waiting = await outboxes.clients(transport)
    if not waiting:
        return False
    await outboxes.drop_old(transport, now_ms - KEPT_MS, OLD_SLICE)
    more = False
    for client_id in await outboxes.lease(transport, waiting):
        found = await outboxes.waiting(transport, client_id, page)
        for news in found:
            await each(news)
        more = more or len(found) == page
    return more
