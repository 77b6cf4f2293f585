"""The one HTTP client: deadline, size limit, no way into private networks unless it is allowed.

Addresses come from clients.  A name is resolved, judged, and the connection goes to the very
address that was judged, so a name that changes its answer gains nothing.  No redirect is followed.
"""

import asyncio
import socket
import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx2
import structlog

from vestnik.net.http_connection import Answer, Broken, Connection, connect

__all__ = ["Answer", "Forbidden", "HttpClient", "Unreachable"]

log = structlog.get_logger(__name__)

DEADLINE_S = 10.0
CONNECTIONS_MAX = 200
NAMES_MAX = 1_000
NAME_S = 10.0  # how long an address that was judged stands for its name
PORTS = {"http": 80, "https": 443}

_Place = tuple[str, int, bool, str]  # judged address, port, whether over TLS, name


class Unreachable(Exception):
    """No answer: the name, the connection, the deadline."""


class Forbidden(Exception):
    """The address is not one that we call."""


@dataclass(frozen=True, slots=True)
class _Url:
    """What an address says: `head` is the request's, up to its length."""

    host: str
    port: int
    tls: bool
    head: bytes


class HttpClient:
    """Calls addresses that clients gave.  `private` allows those of private networks."""

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self._tls = ssl.create_default_context()
        self._open = asyncio.Semaphore(CONNECTIONS_MAX)
        self._idle: OrderedDict[_Place, list[Connection]] = OrderedDict()
        self._idle_count = 0
        self._judged: OrderedDict[tuple[str, int], tuple[float, str]] = OrderedDict()

    async def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def post_form(self, url: str, body: bytes, charset: str) -> Answer:
        """POST an urlencoded form; raises Unreachable or Forbidden."""
        began = time.monotonic()
        parsed = _parsed(url, charset)
        host = parsed.host
        try:
            async with asyncio.timeout(DEADLINE_S), self._open:
                address = await self._judge(parsed)
                place = (address, parsed.port, parsed.tls, host)
                answer = await self._send(place, b"%b%d\r\n\r\n%b" % (parsed.head, len(body), body))
        except TimeoutError as late:
            raise Unreachable(f"{host} did not answer within {DEADLINE_S:.0f} s") from late
        except (Broken, OSError, UnicodeError) as failure:
            raise Unreachable(f"{host}: {failure or type(failure).__name__}") from failure
        log.debug(
            "called", host=host, status=answer.status, ms=int((time.monotonic() - began) * 1000)
        )
        return answer

    async def _judge(self, url: _Url) -> str:
        """The address to connect to."""
        key, now = (url.host, url.port), time.monotonic()
        known = self._judged.get(key)
        if known is not None and now < known[0]:
            return known[1]
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not self._private and not _public(address):
                raise Forbidden(f"{url.host} is an address of a private network")
        self._judged[key] = (now + NAME_S, str(addresses[0]))
        self._judged.move_to_end(key)
        if len(self._judged) > NAMES_MAX:
            self._judged.popitem(last=False)
        return str(addresses[0])

    async def _send(self, place: _Place, request: bytes) -> Answer:
        """Over a connection that is open, if there is one.

        The other side may have closed it just now: then once more over a new one, for it has not
        answered a word.
        """
        connection = self._take(place)
        if connection is not None:
            try:
                return await self._exchange(place, connection, request)
            except Broken as failure:
                if not failure.silent:
                    raise
        address, port, tls, name = place
        connection = await connect(address, port, self._tls if tls else None, name)
        return await self._exchange(place, connection, request)

    async def _exchange(self, place: _Place, connection: Connection, request: bytes) -> Answer:
        answer = await connection.exchange(request)
        if connection.usable:
            self._keep(place, connection)
        return answer

    def _take(self, place: _Place) -> Connection | None:
        idle = self._idle.get(place)
        while idle:
            self._idle_count -= 1
            connection = idle.pop()
            if not idle:
                del self._idle[place]
            if connection.usable:
                return connection
        return None

    def _keep(self, place: _Place, connection: Connection) -> None:
        self._idle.setdefault(place, []).append(connection)
        self._idle.move_to_end(place)
        self._idle_count += 1
        while self._idle_count > CONNECTIONS_MAX:
            oldest = self._take(next(iter(self._idle)))
            if oldest is not None:
                oldest.close()


@lru_cache(maxsize=1_000)
def _parsed(url: str, charset: str) -> _Url:
    """Raises Forbidden."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as wrong:
        raise Forbidden(f"the address cannot be read: {wrong}") from wrong
    if parsed.scheme not in PORTS or not parsed.host:
        raise Forbidden("the address does not begin with http:// or https://")
    head = (
        b"POST %b HTTP/1.1\r\nHost: %b\r\nUser-Agent: vestnik\r\nAccept: */*\r\n"
        b"Content-Type: application/x-www-form-urlencoded; charset=%b\r\nContent-Length: "
    ) % (parsed.raw_path, parsed.netloc.rpartition(b"@")[2], charset.encode("ascii"))
    port = parsed.port or PORTS[parsed.scheme]
    host = parsed.raw_host.decode("ascii").strip("[]")
    return _Url(host, port, parsed.scheme == "https", head)


def _public(address: IPv4Address | IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    judged = mapped or address
    return judged.is_global and not judged.is_multicast
