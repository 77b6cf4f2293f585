"""Hands news to the binds of the clients it is for: urgent first, a window's worth at a time.

What waits is in the store; here is only a little read ahead.  It is told at least once: what was
not surely taken is told again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from vestnik.domain.client import Client
from vestnik.domain.refusals import StoreUnavailable
from vestnik.doors.smpp.accounts import Account, Accounts
from vestnik.doors.smpp.receipts import deliver_sm
from vestnik.net.smpp import LinkLost
from vestnik.services.news import SMPP, News, Outboxes
from vestnik.wire.smpp.pdu import Frame

log = structlog.get_logger(__name__)

POLL_S = 1.0
ROUND_S = 0.02  # between two looks into the store: news comes by thousands
AGAIN_MS = 60_000  # after an answer that refuses (smpp.md)
LEASE_S = 20.0  # how often outboxes are kept
AHEAD_MIN, AHEAD_MAX = 50, 1_000  # news of a client in memory
WINDOW_MAX = 1_000  # of an account whose receipt_window is lifted
FEW = 16  # clients that are asked for one by one; of more, those that have news

KEPT_MS, KEPT_MOST = 86_400_000, 1_000_000  # how long and how many wait (smpp.md, "Statuses")
SLICE = 1_000  # dropped in one commit

FRESH_S = 0.25  # how soon urgent news passes what was read ahead


class Box:
    """The news of one client that is in memory.

    `held` are ids of what is on its way or not yet settled, `gone` of what was settled while the
    store was being read, `messages` those whose news is on its way: one at a time, in order.
    """

    __slots__ = ("account", "flying", "gone", "held", "messages", "read_at", "ready", "window")

    def __init__(self, account: Account) -> None:
        self.account = account
        self.ready: deque[News] = deque()
        self.flying = 0
        self.held: set[int] = set()
        self.gone: set[int] = set()
        self.messages: set[int] = set()
        self.window = 1
        self.read_at = 0.0


class Delivery:
    """The pump of one process.  `clients` finds a client as it is now; `clock` gives ms."""

    def __init__(
        self,
        outboxes: Outboxes,
        accounts: Accounts,
        clients: Callable[[int], Client | None],
        clock: Callable[[], int],
    ) -> None:
        self._outboxes, self._accounts = outboxes, accounts
        self._clients, self._clock = clients, clock
        self._loop = asyncio.get_running_loop()
        self._boxes: dict[int, Box] = {}
        self._elsewhere: set[int] = set()  # clients whose outbox another node has
        self._leased_until = 0.0
        self._bell = asyncio.Event()
        self._settling: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """A bind has come, or there is room again."""
        self._bell.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        ringer = asyncio.create_task(self._hear())
        try:
            while True:
                await self._bell.wait()
                self._bell.clear()
                await self._round_safely()
                await asyncio.sleep(ROUND_S)
        finally:
            ringer.cancel()

    async def tidy(self) -> None:
        """Drop what nobody took within a day, and what is too much for one account."""
        before = self._clock() - KEPT_MS
        while dropped := await self._outboxes.drop_old(SMPP, before, SLICE):
            log.warning("receipts that nobody took within a day are dropped", receipts=dropped)
        for client in await self._outboxes.clients(SMPP):
            while dropped := await self._outboxes.drop_excess(SMPP, client, KEPT_MOST, SLICE):
                log.warning("too many receipts wait for one client", client=client, dropped=dropped)

    async def close(self) -> None:
        """Write down what was taken or refused, and let go of the outboxes; `run` is over."""
        if self._settling:
            await asyncio.wait(self._settling)
        try:
            await self._outboxes.release(SMPP, list(self._boxes))
        except StoreUnavailable as reason:
            log.warning("outboxes could not be released", reason=str(reason))

    async def _hear(self) -> None:
        while True:
            await self._outboxes.wait(SMPP, POLL_S)
            self._bell.set()

    async def _round_safely(self) -> None:
        try:
            await self._round()
        except StoreUnavailable as reason:
            log.warning("receipts wait: the store is away", reason=str(reason))
        except Exception:  # our bug: the next round must not be lost with this one
            log.exception("a round of receipts failed")

    async def _round(self) -> None:
        """Fill what is read ahead, and send what the windows allow."""
        present = {a.client_id: a for a in self._accounts if a.can_receive}
        await self._lease(present)
        boxes = [box for client, box in self._boxes.items() if client in present]
        now = self._loop.time()
        stale = {
            b.account.client_id
            for b in boxes
            if len(b.ready) < AHEAD_MIN or now - b.read_at > FRESH_S
        }
        if len(stale) > FEW:
            stale &= set(await self._outboxes.clients(SMPP))
        for box in boxes:
            if box.account.client_id in stale:
                await self._read_ahead(box)
            self._pump(box)

    async def _lease(self, present: dict[int, Account]) -> None:
        """Take the outboxes of who is here; let go of who has left."""
        now = self._loop.time()
        if now >= self._leased_until:
            asked = set(present)
            self._elsewhere.clear()
            self._leased_until = now + LEASE_S
        else:
            asked = present.keys() - self._boxes.keys() - self._elsewhere
        if asked:
            ours = await self._outboxes.lease(SMPP, asked)
            for client in ours:
                self._boxes.setdefault(client, Box(present[client]))
            self._elsewhere |= asked - ours.keys()
        for client, box in list(self._boxes.items()):
            if not box.held and (client not in present or client in self._elsewhere):
                del self._boxes[client]

    async def _read_ahead(self, box: Box) -> None:
        client = self._clients(box.account.client_id)
        if client is None:
            return
        box.window = client.limits.receipt_window or WINDOW_MAX
        box.read_at = self._loop.time()
        box.gone.clear()
        most = max(2 * AHEAD_MIN, min(2 * box.window, AHEAD_MAX)) + len(box.held)
        found = await self._outboxes.waiting(SMPP, client.id, most)
        known = box.held | box.gone
        box.ready = deque(news for news in found if news.id not in known)

    def _pump(self, box: Box) -> None:
        aside: list[News] = []
        while box.ready and box.flying < box.window:
            news = box.ready.popleft()
            if news.message_id in box.messages:
                aside.append(news)
            elif not self._tell(box, news):
                aside.append(news)
                break
        box.ready.extendleft(reversed(aside))

    def _tell(self, box: Box, news: News) -> bool:
        """Send one; False where nobody is there to take it."""
        client = self._clients(news.client_id)
        bind = box.account.receiver(news.payload.get("wire_id", ""))
        if bind is None or client is None:
            return False
        try:
            own_tlvs = bool(client.limits.smpp_own_tlvs)
            pdu = deliver_sm(news, ZoneInfo(client.zone), own_tlvs=own_tlvs)
            future = bind.link.ask(pdu)
        except ValueError:  # nobody could ever be told this; it must not stop what is behind it
            log.exception(
                "news cannot be told over SMPP", client=client.id, message=news.message_id
            )
            self._delay(box, news)
            return True
        box.held.add(news.id)
        box.flying += 1
        box.messages.add(news.message_id)
        future.add_done_callback(partial(self._answered, box, news))
        return True

    def _answered(self, box: Box, news: News, future: "asyncio.Future[Frame]") -> None:
        box.flying -= 1
        box.messages.discard(news.message_id)
        failure = future.exception()
        if isinstance(failure, LinkLost):  # it is told again, on another bind
            box.held.discard(news.id)
            box.ready.appendleft(news)
            self.ring()
            return
        if failure is not None or future.result().status:
            self._delay(box, news)
        else:
            self._settle(box, news, self._outboxes.taken(news))
        self._pump(box)
        if len(box.ready) < AHEAD_MIN:
            self.ring()

    def _delay(self, box: Box, news: News) -> None:
        work = self._outboxes.delay(news, self._clock() + AGAIN_MS)
        self._settle(box, news, self._loop.create_task(work))

    def _settle(self, box: Box, news: News, written: "asyncio.Future[None]") -> None:
        box.held.add(news.id)
        self._settling.add(written)
        written.add_done_callback(partial(self._settled, box, news))

    def _settled(self, box: Box, news: News, written: "asyncio.Future[None]") -> None:
        self._settling.discard(written)
        box.held.discard(news.id)
        box.gone.add(news.id)
        if written.cancelled():
            return
        reason = written.exception()
        if isinstance(reason, StoreUnavailable):
            log.warning("news will be told again: the store is away", reason=str(reason))
        elif reason is not None:  # it is in the store still, so the next round finds it
            log.error("what became of news cannot be written down", exc_info=reason)
