"""News → clients' addresses.

Each client has a loop of its own while it has news, so a dead address delays nobody else.  Calls
go out side by side up to the client's window, never two for one message at a time.  An address that
cannot be reached pauses its outbox and spends no tries of the rows behind it; an answer that
refuses one row delays that row.
"""

import asyncio
from collections.abc import Callable

import structlog

from vestnik.domain.client import Client
from vestnik.net.http import Forbidden, HttpClient, Unreachable
from vestnik.services.callbacks import Address, address_of, form_of
from vestnik.services.centre.directory import Directory
from vestnik.services.news import HTTP, News, Outboxes

log = structlog.get_logger(__name__)

MINUTE_MS = 60_000
AGAIN_MS = tuple(minutes * MINUTE_MS for minutes in (1, 5, 15, 60, 360))
KEPT_MS = 7 * 86_400_000
OLD_SLICE = 500
OK, NOT_OK, BROKEN = 200, 300, 500  # statuses of answers, from these on
READ_AHEAD = 4  # times the window
READ_MIN = 200
KEEP_MS = 20_000  # how often an outbox is kept while its client is told


class Callbacks:
    """Tells clients over HTTP what they want to hear."""

    def __init__(
        self,
        outboxes: Outboxes,
        directory: Callable[[], Directory],
        client: HttpClient,
        now: Callable[[], int],
    ) -> None:
        self._outboxes = outboxes
        self._directory = directory
        self._http = client
        self._now = now
        self._telling: dict[int, asyncio.Task[None]] = {}

    async def run_once(self) -> bool:
        """Begin to tell every client that has news and is not told yet."""
        await self._outboxes.drop_old(HTTP, self._now() - KEPT_MS, OLD_SLICE)
        waiting = await self._outboxes.clients(HTTP)
        idle = [client for client in waiting if client not in self._telling]
        for client_id, box in (await self._outboxes.lease(HTTP, idle)).items():
            if box.paused_until <= self._now():
                self._telling[client_id] = asyncio.create_task(
                    self._tell(client_id, box.failures), name=f"callbacks {client_id}"
                )
        return False

    async def settled(self) -> None:
        """Wait until nobody is being told."""
        while self._telling:
            await asyncio.wait(set(self._telling.values()))

    async def close(self) -> None:
        """Stop telling; what was not taken is told again at the next start."""
        running = list(self._telling.values())
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _tell(self, client_id: int, failures: int) -> None:
        try:
            kept_at = self._now()
            while await self._tell_some(client_id, failures):
                failures = 0
                if self._now() - kept_at >= KEEP_MS:
                    kept_at = self._now()
                    if client_id not in await self._outboxes.lease(HTTP, [client_id]):
                        return  # another node has it now
        except Exception:
            log.exception("a client's news could not be told", client=client_id)
        finally:
            del self._telling[client_id]

    async def _tell_some(self, client_id: int, failures: int) -> bool:
        """Tell a window's worth; returns whether to go on."""
        client = self._directory().clients.get(client_id)
        if client is None or not client.limits.callback_url:
            return False  # it no longer wants to hear; the news goes when it is old
        window = max(1, client.limits.callback_window)
        most = max(READ_MIN, READ_AHEAD * window)
        news = await self._outboxes.waiting(HTTP, client_id, most)
        if not news:
            return False
        address = address_of(client.limits.callback_url)
        turns = _turns(news)
        place = asyncio.Semaphore(window)
        dead = asyncio.Event()
        await asyncio.gather(
            *(self._tell_message(of_one, client, address, place, dead) for of_one in turns)
        )
        if dead.is_set():
            wait_ms = AGAIN_MS[min(failures, len(AGAIN_MS) - 1)]
            await self._outboxes.pause(HTTP, client_id, self._now() + wait_ms, failures + 1)
            log.warning("a client's address is dead", client=client_id, again_s=wait_ms // 1000)
            return False
        if failures:
            await self._outboxes.pause(HTTP, client_id, 0, 0)
        return True

    async def _tell_message(
        self,
        news: list[News],
        client: Client,
        address: Address,
        place: asyncio.Semaphore,
        dead: asyncio.Event,
    ) -> None:
        """Tell what there is of one message, in order, until something goes wrong."""
        for one in news:
            async with place:
                if dead.is_set():
                    return
                status = await self._call(one, client, address, dead)
            if status is None:
                return
            if not OK <= status < NOT_OK:
                await self._refused(one, status)
                return
            await self._outboxes.taken(one)

    async def _call(
        self, news: News, client: Client, address: Address, dead: asyncio.Event
    ) -> int | None:
        """One call; the status of its answer, None where the address is dead."""
        try:
            answer = await self._http.post_form(
                address.url, form_of(news, client, address), address.charset
            )
        except (Unreachable, Forbidden) as reason:
            log.info("a client's address does not answer", client=client.id, reason=str(reason))
            dead.set()
            return None
        if answer.status >= BROKEN:
            dead.set()
            return None
        return answer.status

    async def _refused(self, news: News, status: int) -> None:
        """The client refuses this one: it is repeated a few times, then dropped."""
        if news.tries >= len(AGAIN_MS):
            log.warning(
                "news is dropped: the client refuses it", client=news.client_id, answer=status
            )
            await self._outboxes.taken(news)
        else:
            await self._outboxes.delay(news, self._now() + AGAIN_MS[news.tries])


def _turns(news: list[News]) -> list[list[News]]:
    """News by message, each in order."""
    by_message: dict[tuple[str, int], list[News]] = {}
    for one in news:
        by_message.setdefault((one.kind, one.message_id), []).append(one)
    return list(by_message.values())
