"""What clients want to hear of their messages, and what awaits them.

News is written in the commit that changes its message.  A transport (HTTP callbacks, the SMPP door)
reads an outbox in order, tells it, and drops what was taken.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from vestnik.domain.client import Client
from vestnik.domain.message import Flag, Status
from vestnik.notifier.local import LocalNotifier
from vestnik.services.gathering import Gathering
from vestnik.store import news
from vestnik.store.engine import Store, Transaction, Values

HTTP, SMPP = "http", "smpp"
FORWARD = "forward"  # incoming messages that become messages of their account
COMMAND = "command"  # incoming messages that tell the centre to do something for their account
STATUS, INCOMING, WAITCALL = "status", "incoming", "waitcall"
URGENT, USUAL = 0, 1
LEASE_MS = 60_000
PAGE = 500
_SENT = int(Status.SENT)


def transport_of(client: Client | None, flags: int, status: int) -> str | None:
    """How the client is told of this status of a message; None: not at all.

    Status 0 is told only to those who asked for it (callbacks.md, smpp.md).
    """
    if client is None or status < _SENT:
        return None
    progress = status == _SENT
    if flags & Flag.RECEIPT_WANTED:
        return SMPP if not progress or flags & Flag.PROGRESS_WANTED else None
    if client.limits.callback_url and client.limits.callback_statuses:
        return HTTP if not progress or client.limits.callback_sent else None
    return None


def status_row(transport: str, news_id: int, at: int, message: dict[str, Any]) -> Values:
    """A row of news about a message; `message` is the payload and names its client."""
    rank = USUAL if message["flag"] & Flag.MASS else URGENT
    told = message | {"flag": message["flag"] & Flag.WIRE}
    client_id = told.pop("client_id")
    payload = msgspec.json.encode(told).decode()
    return (
        client_id, transport, rank, news_id, STATUS, message["int_id"], payload, 0, at, at,
    )  # fmt: skip


def incoming_row(
    transport: str,
    news_id: int,
    at: int,
    client_id: int,
    said: dict[str, Any],
    kind: str = INCOMING,
) -> Values:
    """A row of news about a message from a subscriber, or a call that was waited for."""
    payload = msgspec.json.encode(said).decode()
    return (client_id, transport, URGENT, news_id, kind, said["id"], payload, 0, at, at)


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell a client; `at` is when it happened, ms since the epoch."""

    client_id: int
    transport: str
    rank: int
    id: int
    kind: str
    message_id: int
    payload: dict[str, Any]
    tries: int
    at: int

    @property
    def urgent(self) -> bool:
        return self.rank == URGENT

    @property
    def key(self) -> Values:
        return (self.client_id, self.transport, self.rank, self.id)


@dataclass(frozen=True, slots=True)
class Box:
    """An outbox of ours: until when it is paused, and how often in a row its address failed."""

    client_id: int
    paused_until: int
    failures: int


class Outboxes:
    """Reads what waits, and settles what was told.  One object serves the process."""

    def __init__(self, store: Store, owner: int, notifier: LocalNotifier) -> None:
        self._store = store
        self._owner = owner
        self._notifier = notifier
        self.line: Gathering[News] = Gathering("news", self._drop)

    async def clients(self, transport: str) -> list[int]:
        """Who has news waiting."""
        return await self._store.read(news.clients, transport)

    async def lease(self, transport: str, client_ids: Collection[int]) -> dict[int, Box]:
        """Take or keep outboxes for a minute; those that are ours now."""
        if not client_ids:
            return {}
        now = self._store.now()
        rows = await self._store.write(
            news.lease, transport, client_ids, self._owner, now, now + LEASE_MS
        )
        return {row[0]: Box(*row) for row in rows}

    async def recover(self, node: int) -> int:
        """Let go of what an earlier run of this node held when it was killed; returns how many
        outboxes.  Only for a process that is about to begin: no other may be this node."""
        return await self._store.write(news.free, node)

    async def release(self, transport: str, client_ids: Collection[int]) -> None:
        """Let go of outboxes of ours: whoever comes next need not wait for the lease to end."""
        if client_ids:
            now = self._store.now()
            await self._store.write(news.lease, transport, client_ids, self._owner, now, now)

    async def waiting(self, transport: str, client_id: int, most: int) -> list[News]:
        """A client's due news: urgent first, then as it happened.

        What follows news of the same message that is not due yet waits behind it.
        """
        now, after, page = self._store.now(), (-1, 0), min(most, PAGE)
        delayed: set[int] = set()
        found: list[News] = []
        while len(found) < most:
            rows = await self._store.read(news.waiting, transport, client_id, after, page)
            for client, rank, id_, kind, message, payload, tries, at, next_at in rows:
                after = (rank, id_)
                if next_at > now or message in delayed:
                    delayed.add(message)
                elif len(found) < most:
                    found.append(
                        News(
                            client,
                            transport,
                            rank,
                            id_,
                            kind,
                            message,
                            _payload(payload),
                            tries,
                            at,
                        )
                    )
            if len(rows) < page:
                break
        return found

    def taken(self, told: News) -> "asyncio.Future[None]":
        """The client has it; done after the commit, which many share."""
        return self.line.put(told)

    async def delay(self, refused: News, until: int) -> None:
        """The client refused this one: it is told again then."""
        await self._store.write(news.delay, refused.key, until)

    async def pause(self, transport: str, client_id: int, until: int, failures: int) -> None:
        """The client cannot be reached: its outbox waits."""
        await self._store.write(news.pause, transport, client_id, until, failures)

    async def drop_old(self, transport: str, before: int, most: int) -> int:
        """Drop a slice of what nobody took in time; returns how many."""
        return await self._store.write(news.drop_old, transport, before, most)

    async def drop_excess(self, transport: str, client_id: int, kept: int, most: int) -> int:
        """Drop a slice of what a client has beyond `kept`, the least urgent and oldest first;
        returns how many."""
        over = await self._store.read(news.count, transport, client_id, kept + most) - kept
        if over <= 0:
            return 0
        return await self._store.write(news.drop_least, transport, client_id, over)

    def ring(self) -> None:
        """News may have been written."""
        for transport in (HTTP, SMPP, FORWARD, COMMAND):
            self._notifier.ring(f"news {transport}")

    async def wait(self, transport: str, timeout_s: float) -> bool:
        """Wait for a ring or for the time to pass: polling is the truth."""
        return await self._notifier.wait(f"news {transport}", timeout_s)

    async def _drop(self, told: list[News]) -> None:
        await self._store.write(_drop_keys, [one.key for one in told])


async def _drop_keys(tx: Transaction, keys: Sequence[Values]) -> None:
    await news.drop(tx, keys)


def _payload(text: str) -> dict[str, Any]:
    payload: dict[str, Any] = msgspec.json.decode(text)
    return payload
