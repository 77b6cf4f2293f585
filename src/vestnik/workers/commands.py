"""Commands by SMS: what waits is executed and answered.

Each waits in the account's outbox from the commit that stored it, and is dropped when its answer is
accepted or refused for good; after a crash it is taken up again, and does nothing twice.
"""

from collections.abc import Callable

import structlog

from vestnik.domain.refusals import Refusal
from vestnik.services.centre.directory import Directory
from vestnik.services.incoming.commands import SmsCommands
from vestnik.services.news import COMMAND, News, Outboxes
from vestnik.workers.outbox_round import work_off

log = structlog.get_logger(__name__)

PAGE = 20  # of one client at a time


class Commands:
    """Executes what waits; `now` is the store's clock."""

    def __init__(
        self,
        outboxes: Outboxes,
        directory: Callable[[], Directory],
        commands: SmsCommands,
        now: Callable[[], int],
    ) -> None:
        self._outboxes, self._directory = outboxes, directory
        self._commands, self._now = commands, now

    async def run_once(self) -> bool:
        """Execute a page of each client's; True if more may wait.  Raises StoreUnavailable."""
        return await work_off(self._outboxes, COMMAND, PAGE, self._now(), self._execute)

    async def _execute(self, news: News) -> None:
        client = self._directory().clients.get(news.client_id)
        if client is not None and not client.limits.locked:
            try:
                await self._commands.execute(news, client)
            except Refusal as refusal:
                log.info("a command cannot be answered", client=client.id, reason=str(refusal))
        await self._outboxes.taken(news)
