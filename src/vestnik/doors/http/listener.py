"""The socket of the HTTP door: uvicorn inside a loop that is already running."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from vestnik.doors.http.server import Door


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
            http="httptools",
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
