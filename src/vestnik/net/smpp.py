"""Moves octets between a connection and an SMPP session, for either side.

What is asked and answered in one turn of the loop leaves in one write.  Of what has come only some
is read in one turn, so that nobody's flood keeps the loop from the others, and the store is at work
on the first requests while the next ones are read.  While the peer reads too slowly nothing more is
written; an SMSC then stops reading too.  (Were both sides to stop, they would wait for each other.)
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import cast

from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.session import (
    Answered,
    Asked,
    Broken,
    Event,
    Expired,
    Limits,
    Session,
    Stray,
    Turned,
    Unbound,
)
from vestnik.wire.smpp.states import Side, State

TICK_S = 1.0
# How long a closing connection may take to write what it still has.
CLOSE_S_MAX = 5.0
PDUS_A_TURN = 32  # of one connection


class LinkLost(Exception):
    """The connection ended before the answer.

    `written`: the request may have reached the peer; False means that it surely has not.
    """

    def __init__(self, reason: str, *, written: bool) -> None:
        super().__init__(reason)
        self.written = written


class NoAnswer(Exception):
    """The peer has the request and did not answer in time."""


Heard = Callable[["Link", p.Frame], None]
Odd = Stray | Turned
Noticed = Callable[["Link", Odd], None]
Lost = Callable[["Link", str], None]


def ignore(link: "Link", what: object) -> None:
    """For a callback that nobody needs."""


class Link(asyncio.Protocol):
    """One connection with its session.

    `on_request` gets each request of the peer and must see to its answer; `on_notice` hears of
    odd PDUs; `on_lost` hears once that the connection is gone, and why.
    """

    def __init__(
        self,
        side: Side,
        limits: Limits | None = None,
        *,
        on_request: Heard,
        on_notice: Noticed = ignore,
        on_lost: Lost = ignore,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(side, self._loop.time(), limits)
        self.on_request = on_request
        self.on_notice = on_notice
        self.on_lost = on_lost
        self.peer = ""
        self.lost_because = ""
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[p.Frame]] = {}
        self._unwritten: list[int] = []
        self._flushing = False
        self._paused = False
        self._reading = True
        self._reads_on = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None

    # What the owner of a link calls.

    @property
    def bound(self) -> bool:
        return self.session.state.bound and not self.closing

    @property
    def closing(self) -> bool:
        """Nothing can be asked any more."""
        return self._transport is None or self._transport.is_closing()

    def ask(self, pdu: p.Pdu) -> asyncio.Future[p.Frame]:
        """Send a request; the future is the frame of the answer, generic_nack included.

        The future fails with LinkLost or NoAnswer.  Raises NotAllowed for what the session's state
        forbids, ValueError for what cannot be encoded.
        """
        future: asyncio.Future[p.Frame] = self._loop.create_future()
        if self.closing:
            future.set_exception(LinkLost(self.lost_because or "not connected", written=False))
            return future
        sequence = self.session.ask(pdu, self._loop.time())
        self._waiting[sequence] = future
        self._unwritten.append(sequence)
        self._flush_soon()
        return future

    def tell(self, pdu: p.Pdu) -> None:
        """Send a request that has no answer: outbind, alert_notification."""
        self.session.ask(pdu, self._loop.time())
        self._flush_soon()

    def answer(self, frame: p.Frame, pdu: p.Pdu | None = None, status: int = 0) -> None:
        """Answer a request of the peer; raises ValueError for what cannot be encoded."""
        self.session.answer(frame, pdu, status)
        self._flush_soon()

    async def unbind(self, timeout_s: float) -> None:
        """Say good-bye, wait for the answer no longer than that, then close."""
        if self.bound:
            try:
                await asyncio.wait_for(self.ask(p.Unbind()), timeout_s)
            except (LinkLost, NoAnswer, TimeoutError):
                pass  # the connection is closed either way
        self.close("unbound")
        await self.wait_closed()

    def close(self, reason: str) -> None:
        """Write what is left, then close the connection."""
        if self._transport is None or self._transport.is_closing():
            return
        self.lost_because = self.lost_because or reason
        self._flush()
        self._transport.close()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(CLOSE_S_MAX, self.abort)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone; at once where there is none."""
        if self._transport is not None:
            await asyncio.shield(self._closed)

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def data_received(self, data: bytes) -> None:
        self._read(data)

    def eof_received(self) -> bool:
        self.lost_because = self.lost_because or "closed by the peer"
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self.session.state = State.CLOSED
        self.lost_because = self.lost_because or (str(exc) if exc else "closed")
        unwritten, waiting = set(self._unwritten), self._waiting
        self._unwritten, self._waiting = [], {}
        for sequence, future in waiting.items():
            if not future.done():
                written = sequence not in unwritten
                future.set_exception(LinkLost(self.lost_because, written=written))
        if not self._closed.done():
            self._closed.set_result(None)
        self.on_lost(self, self.lost_because)

    def pause_writing(self) -> None:
        self._paused = True
        self._read_or_wait()

    def resume_writing(self) -> None:
        self._paused = False
        self._read_or_wait()
        self._flush()

    # Inside.

    def _read(self, data: bytes) -> None:
        """One turn's worth of what has come."""
        for event in self.session.receive(data, self._loop.time(), PDUS_A_TURN):
            self._handle(event)
        self._flush_soon()
        if self.session.behind and not self._reads_on:
            self._reads_on = True
            self._loop.call_soon(self._read_on)
        self._read_or_wait()

    def _read_on(self) -> None:
        self._reads_on = False
        if not self.closing:
            self._read(b"")

    def _read_or_wait(self) -> None:
        """Take more from the connection, or leave it there for now."""
        if self._transport is None or self._transport.is_closing():
            return
        full = self._paused and self.session.side is Side.SMSC
        reads = not full and not self.session.behind
        if reads != self._reading:
            self._reading = reads
            (self._transport.resume_reading if reads else self._transport.pause_reading)()

    def _handle(self, event: Event) -> None:
        if type(event) is Asked:  # the most frequent by far
            self.on_request(self, event.frame)
            return
        match event:
            case Answered(sequence, request, frame):
                future = self._waiting.pop(sequence, None)
                if future is not None and not future.done():
                    future.set_result(frame)
                if type(request) is p.Unbind:
                    self.close("unbound")
            case Expired(sequence, _):
                future = self._waiting.pop(sequence, None)
                if future is not None and not future.done():
                    future.set_exception(NoAnswer(f"no answer to {sequence}"))
            case Stray() | Turned():
                self.on_notice(self, event)
            case Unbound():
                self.close("unbound by the peer")
            case Broken(reason):
                self.close(reason)

    def _tick(self) -> None:
        if self.closing:
            return
        self._timer = self._loop.call_later(TICK_S, self._tick)
        for event in self.session.tick(self._loop.time()):
            self._handle(event)
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._flushing and not self._paused:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._paused or self._transport is None or self._transport.is_closing():
            return
        octets = self.session.octets_to_send()
        self._unwritten.clear()
        if octets:
            self._transport.write(octets)


async def connect(
    host: str,
    port: int,
    make_link: Callable[[], Link],
    *,
    tls: ssl.SSLContext | None = None,
    timeout_s: float = 10.0,
) -> Link:
    """Connect to an SMSC; raises OSError (TimeoutError too) or ssl.SSLError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        _, link = await loop.create_connection(
            make_link, host, port, ssl=tls, server_hostname=host if tls else None
        )
    return link


async def serve(
    host: str,
    port: int,
    make_link: Callable[[], Link],
    *,
    tls: ssl.SSLContext | None = None,
    backlog: int = 1024,
) -> asyncio.Server:
    """Listen for ESMEs, a new link for each; raises OSError."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(make_link, host, port, ssl=tls, backlog=backlog)
