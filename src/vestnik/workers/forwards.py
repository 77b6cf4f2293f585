"""Incoming messages that become messages of their account: sent on to its phone or mail, answered.

Each waits in the account's outbox from the commit that stored it.  It is dropped when its messages
are accepted or refused for good; after a crash it is taken up again, and its messages have keys.
"""

from collections.abc import Awaitable, Callable

import structlog

from vestnik.domain.client import Client
from vestnik.domain.refusals import Refusal
from vestnik.services.centre.directory import Directory
from vestnik.services.incoming.forwards import orders_of
from vestnik.services.messages.draft import Accepted, Order
from vestnik.services.news import FORWARD, News, Outboxes
from vestnik.workers.outbox_round import work_off

log = structlog.get_logger(__name__)

PAGE = 100  # of one client at a time


class Forwards:
    """Sends what waits; `send` is Sending.send, `now` the store's clock."""

    def __init__(
        self,
        outboxes: Outboxes,
        directory: Callable[[], Directory],
        send: Callable[[Order], Awaitable[Accepted]],
        now: Callable[[], int],
    ) -> None:
        self._outboxes, self._directory = outboxes, directory
        self._send, self._now = send, now

    async def run_once(self) -> bool:
        """Send on a page of each client's; True if more may wait.  Raises StoreUnavailable."""
        return await work_off(self._outboxes, FORWARD, PAGE, self._now(), self._forward)

    async def _forward(self, news: News) -> None:
        directory = self._directory()
        client = directory.clients.get(news.client_id)
        if client is not None and not client.limits.locked:
            for order in orders_of(news, client, directory.numbers, self._now()):
                await self._try(order, client)
        await self._outboxes.taken(news)

    async def _try(self, order: Order, client: Client) -> None:
        try:
            await self._send(order)
        except Refusal as refusal:
            log.info("an incoming message is not sent on", client=client.id, reason=str(refusal))
