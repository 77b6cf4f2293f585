"""The socket of the HTTP door: uvicorn inside a loop that is already running."""

import asyncio
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vestnik.doors.http.server import Door


class _OneWrite:
    """A transport that writes once a turn of the loop.

    Head and body of an answer leave in one segment: some clients parse what the first read gives
    them (recorded.md), and one system call is half of two.
    """

    __slots__ = ("_loop", "_parts", "_transport")

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()

    def close(self) -> None:
        self._flush()
        self._transport.close()


_raw = re.compile(rb"[\x80-\xff]")


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a transport that writes once a turn.

    Octets in an address that nobody escaped are borne: programs that put together their requests
    by hand send them, and other servers take them.
    """

    def connection_made(self, transport: Any) -> None:
        super().connection_made(_OneWrite(transport, self.loop))  # type: ignore[arg-type]  # a coat

    def data_received(self, data: bytes) -> None:
        if not data.isascii() and self._before_headers():
            line, end, rest = data.partition(b"\n")
            data = _raw.sub(lambda octet: b"%%%02X" % ord(octet[0]), line) + end + rest
        super().data_received(data)

    def _before_headers(self) -> bool:
        """What comes next begins with a request's first line, or with the rest of it."""
        if self.scope is None or "path" not in self.scope:
            return not self.headers
        return not self.cycle.more_body  # the request before has come whole


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Where the door stands.

    `proxies` are the addresses of reverse proxies whose X-Forwarded-For is believed; without them
    the header is ignored, since anybody can write it.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    certificate_key: Path | None = None
    proxies: tuple[str, ...] = ()
    connections_max: int = 10_000
    keep_alive_s: int = 30
    drain_s: int = 30


class Listener:
    """A door that listens; `port` is the bound one."""

    def __init__(self, door: Door, settings: ListenerSettings) -> None:
        self._settings = settings
        self._door = door
        self._sockets: list[socket.socket] = []

    async def start(self) -> int:
        """Open the door; returns the bound port.  Raises OSError if the address is taken."""
        self._sockets = [self._bound()]
        self.port: int = self._sockets[0].getsockname()[1]
        config = self._config()
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=self._sockets)
        self._ticking = asyncio.create_task(self._server.main_loop())
        return int(self.port)

    @property
    def accepting(self) -> bool:
        """The socket takes connections."""
        return any(bound.fileno() >= 0 for bound in self._sockets)

    async def stop(self) -> None:
        """Accept nothing more, finish the requests that run (for `drain_s`), close."""
        self._server.should_exit = True
        await self._ticking
        await self._server.shutdown(sockets=self._sockets)

    def _bound(self) -> socket.socket:
        settings = self._settings
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((settings.host, settings.port))
        except OSError:
            bound.close()
            raise
        return bound

    def _config(self) -> uvicorn.Config:
        settings = self._settings
        return uvicorn.Config(
            self._door,
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            backlog=2048,
            limit_concurrency=settings.connections_max,
            timeout_keep_alive=settings.keep_alive_s,
            timeout_graceful_shutdown=settings.drain_s,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.certificate_key,
        )
