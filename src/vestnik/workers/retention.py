"""Each account keeps its history for so many days; what is older goes, once an hour."""

from collections.abc import Callable

import structlog

from vestnik.domain.client import Client
from vestnik.domain.ids import first_id
from vestnik.services.centre.directory import Directory
from vestnik.store import retention
from vestnik.store.engine import Store

log = structlog.get_logger(__name__)

SLICE = 500
DAY_MS = 86_400_000
PARTS_DAYS = 3


class Retention:
    """Goes through the accounts in turn; one slice is one commit."""

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory

    async def run_once(self) -> bool:
        """Drop what no account keeps; other commits find room between the slices."""
        for client in list(self._directory().clients.values()):
            parts_ms = self._store.now() - PARTS_DAYS * DAY_MS
            await self._store.write(retention.drop_parts, client.id, first_id(parts_ms), parts_ms)
            if client.limits.keep_days:
                dropped = await self._drop(client)
                if dropped:
                    log.info("old messages are dropped", client=client.id, messages=dropped)
            days = client.limits.keep_mailings_days or client.limits.keep_days
            if days and (hidden := await self._drop_mailings(client, days)):
                log.info("old mailings are dropped", client=client.id, mailings=hidden)
        return False

    async def _drop(self, client: Client) -> int:
        before_ms = self._store.now() - client.limits.keep_days * DAY_MS
        before_id = first_id(before_ms)
        dropped = 0
        while more := await self._store.write(retention.drop_messages, client.id, before_id, SLICE):
            dropped += more
            if more < SLICE:
                break
        await self._store.write(retention.drop_what_they_left, client.id, before_id, before_ms)
        return dropped

    async def _drop_mailings(self, client: Client, days: int) -> int:
        """Hide what ended so long ago; the lists go with the worker of mailings.

        They are looked for by a reader: that goes through all that the client has under way.
        """
        before_ms = self._store.now() - days * DAY_MS
        old = (client.id, first_id(before_ms), before_ms, SLICE)
        hidden = 0
        while ids := await self._store.read(retention.old_mailings, *old):
            await self._store.write(retention.hide_mailings, client.id, ids)
            hidden += len(ids)
        return hidden
