"""Stored lists → messages, a chunk at a time."""

from collections.abc import Callable, Iterable

from vestnik.domain.ids import Ids
from vestnik.services.mailings.runs import Runs
from vestnik.services.messages import bulk
from vestnik.services.messages.settlement import Setting
from vestnik.services.sending import expanding
from vestnik.store import mailings
from vestnik.store.engine import Store
from vestnik.store.mailings import Mailing, State
from vestnik.workers.dispatch import Dispatchers


class Mailings:
    """Expands what is stored; one chunk is one commit, and every mailing has its turn."""

    def __init__(
        self,
        store: Store,
        ids: Ids,
        setting: Callable[[], Setting],
        dispatchers: Dispatchers,
        runs: Runs,
    ) -> None:
        self._store = store
        self._ids = ids
        self._setting = setting
        self._dispatchers = dispatchers
        self._runs = runs

    async def run_once(self) -> bool:
        """Take a slice of everything there is to do; returns whether there may be more."""
        more = await self._expand_request()
        for mailing in await self._runs.leaving():
            more |= await self._runs.leave(mailing)
        for mailing, waiting in await self._runs.due():
            more |= await self._look_after(mailing, waiting)
        return more

    async def _expand_request(self) -> bool:
        """Expand one chunk of the oldest request that was too big for one commit."""
        if not await self._store.read(mailings.waiting):
            return False
        ids = self._ids.take(self._store.now(), bulk.CHUNK_ROWS)
        carriers = await self._store.write(expanding.expand, ids, self._setting())
        self._look(carriers or ())
        return carriers is not None

    async def _look_after(self, mailing: Mailing, waiting: int) -> bool:
        """Do the next thing with a mailing; False when it has to wait."""
        if mailing.state == State.WAITING:
            await self._runs.start(mailing)
        elif mailing.whole:
            if waiting:
                return False
            await self._runs.finish(mailing)
        elif await self._runs.ahead(mailing):
            return False
        else:
            self._look(await self._runs.make(mailing))
        return True

    def _look(self, carriers: Iterable[int]) -> None:
        for carrier_id in carriers:
            dispatcher = self._dispatchers.get(carrier_id)
            if dispatcher is not None:
                dispatcher.look()
