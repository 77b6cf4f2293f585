"""Where the door listens, and how many may stand before it without having bound."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vestnik.net.smpp import Heard, Link, Lost, Noticed, serve
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.session import Limits
from vestnik.wire.smpp.states import Side, State

# Two minutes without a request of the client close the connection (smpp.md, "Connection"); ours
# comes after one minute of silence, a bind must come within half of one.
LINK_LIMITS = Limits(enquire_s=60.0, bind_s=30.0, idle_s=120.0, owed_max=2_000)
OWED_MAX = 20_000  # of a connection whose account has no limit


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """Where to listen; an address is a host and a port, 0 for a free one, None for not at all.

    `unbound_max` connections of one address, and `connections_max` in all, may be open; what comes
    beyond is cut off at once.
    """

    listen: tuple[str, int] | None = None
    tls_listen: tuple[str, int] | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    system_id: str = "vestnik"
    unbound_max: int = 50
    connections_max: int = 5_000


class ClientLink(Link):
    """A client's connection, which the listeners count.

    One that says good-bye still gets the answers to what it asked before.
    """

    def __init__(
        self, listeners: "Listeners", on_request: Heard, on_notice: Noticed, on_lost: Lost
    ) -> None:
        super().__init__(
            Side.SMSC, LINK_LIMITS, on_request=on_request, on_notice=on_notice, on_lost=on_lost
        )
        self._listeners = listeners
        self._leaving = False

    def widen(self, window: int) -> None:
        """The client may have so many requests without an answer; 0 lifts its limit."""
        self.session.limits = replace(LINK_LIMITS, owed_max=window or OWED_MAX)

    def close(self, reason: str) -> None:
        if self.session.state is State.UNBOUND and self.session.owed:
            self.lost_because = self.lost_because or reason
            self._leaving = True
        else:
            super().close(reason)

    def answer(self, frame: p.Frame, pdu: p.Pdu | None = None, status: int = 0) -> None:
        super().answer(frame, pdu, status)
        if self._leaving and not self.session.owed:
            super().close(self.lost_because)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._listeners.came(self)


class Listeners:
    """The open ports, and every connection that came through them."""

    def __init__(self, settings: SmppSettings, make_link: Callable[[], ClientLink]) -> None:
        self._settings = settings
        self._make_link = make_link
        self._servers: list[asyncio.Server] = []
        self._unbound: Counter[str] = Counter()  # by address
        self.links: set[Link] = set()

    async def open(self) -> dict[str, tuple[str, int]]:
        """Listen; returns where, as "smpp" and "smpps".

        Raises OSError for a port that is taken, ssl.SSLError or OSError for a certificate that
        cannot be used.
        """
        settings = self._settings
        ports = {}
        if settings.listen is not None:
            ports["smpp"] = await self._listen(settings.listen, None)
        if settings.tls_listen is not None:
            ports["smpps"] = await self._listen(settings.tls_listen, self._context())
        return ports

    async def _listen(
        self, address: tuple[str, int], tls: ssl.SSLContext | None
    ) -> tuple[str, int]:
        server = await serve(*address, self._make_link, tls=tls)
        self._servers.append(server)
        return address[0], server.sockets[0].getsockname()[1]

    def _context(self) -> ssl.SSLContext:
        certificate, key = self._settings.certificate, self._settings.certificate_key
        if certificate is None:
            raise FileNotFoundError("SMPP over TLS needs a certificate")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        return context

    def close(self) -> None:
        """Let nobody in any more."""
        for server in self._servers:
            server.close()

    def came(self, link: Link) -> None:
        """A connection is open; too many of them are cut off."""
        self.links.add(link)
        self._unbound[link.peer] += 1
        if (
            self._unbound[link.peer] > self._settings.unbound_max
            or len(self.links) > self._settings.connections_max
        ):
            link.abort()

    def bound(self, address: str) -> None:
        """One that stood before the door is in."""
        self._unbound[address] -= 1
        if not self._unbound[address]:
            del self._unbound[address]

    def left(self, link: Link, *, bound: bool) -> None:
        """A connection is gone."""
        self.links.discard(link)
        if not bound:
            self.bound(link.peer)
