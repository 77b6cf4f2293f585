"""Stored lists → messages, a chunk at a time."""

from vestnik.domain.ids import Ids
from vestnik.services import bulk
from vestnik.store import mailings
from vestnik.store.engine import Store
from vestnik.workers.dispatch import Dispatchers


class Mailings:
    """Expands what is stored, oldest first; one chunk is one commit."""

    def __init__(self, store: Store, ids: Ids, node: int, dispatchers: Dispatchers) -> None:
        self._store = store
        self._ids = ids
        self._node = node
        self._dispatchers = dispatchers

    async def run_once(self) -> bool:
        """Expand one chunk; returns whether there may be more."""
        if not await self._store.read(mailings.waiting):
            return False
        ids = self._ids.take(self._store.now(), bulk.CHUNK_ROWS)
        carriers = await self._store.write(bulk.expand, ids, self._node)
        for carrier_id in carriers or ():
            dispatcher = self._dispatchers.get(carrier_id)
            if dispatcher is not None:
                dispatcher.look()
        return carriers is not None
