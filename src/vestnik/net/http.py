"""The one HTTP client: deadline, size limit, no way into private networks unless it is allowed.

Addresses come from clients.  A name is resolved once, judged, and the connection goes to the very
address that was judged, so a name that changes its answer gains nothing.  No redirect is followed.
"""

import asyncio
import socket
import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx2
import structlog

log = structlog.get_logger(__name__)

ANSWER_OCTETS_MAX = 64 * 1024
DEADLINE_S = 10.0
CONNECTIONS_MAX = 200
ONE = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
PORTS = {"http": 80, "https": 443}

_Place = tuple[str, bytes, str]  # scheme, judged address with its port, name


class Unreachable(Exception):
    """No answer: the name, the connection, the deadline."""


class Forbidden(Exception):
    """The address is not one that we call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and the beginning of the body."""

    status: int
    body: bytes


class HttpClient:
    """Calls addresses that clients gave.  `private` allows those of private networks.

    Each connection is a transport of its own, kept for the next call to the same place: the
    library's pool looks at every idle connection before each request.
    """

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self._tls = ssl.create_default_context()
        self._open = asyncio.Semaphore(CONNECTIONS_MAX)
        self._idle: OrderedDict[_Place, list[httpx2.AsyncHTTPTransport]] = OrderedDict()
        self._idle_count = 0

    async def close(self) -> None:
        for transports in self._idle.values():
            for transport in transports:
                await transport.aclose()
        self._idle.clear()

    async def post_form(self, url: str, body: bytes, charset: str) -> Answer:
        """POST an urlencoded form; raises Unreachable or Forbidden."""
        began = time.monotonic()
        host = ""
        try:
            async with asyncio.timeout(DEADLINE_S), self._open:
                parsed = _parsed(url)
                host = parsed.host
                address = await self._judged(parsed)
                answer = await self._send(_request(parsed, address, body, charset))
        except TimeoutError as late:
            raise Unreachable(f"{host} did not answer within {DEADLINE_S:.0f} s") from late
        except (httpx2.HTTPError, OSError, UnicodeError) as failure:
            raise Unreachable(f"{host}: {failure or type(failure).__name__}") from failure
        log.debug(
            "called", host=host, status=answer.status, ms=int((time.monotonic() - began) * 1000)
        )
        return answer

    async def _judged(self, url: httpx2.URL) -> str:
        """The address to connect to."""
        port = url.port or PORTS[url.scheme]
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not self._private and not _public(address):
                raise Forbidden(f"{url.host} is an address of a private network")
        return str(addresses[0])

    async def _send(self, request: httpx2.Request) -> Answer:
        place = (request.url.scheme, request.url.netloc, request.extensions["sni_hostname"])
        transport = self._take(place)
        said = b""
        try:
            response = await transport.handle_async_request(request)
            try:
                async for piece in response.aiter_raw():
                    said += piece
                    if len(said) >= ANSWER_OCTETS_MAX:
                        break
            finally:
                await response.aclose()
        except BaseException:
            await transport.aclose()
            raise
        await self._keep(place, transport)
        return Answer(response.status_code, said[:ANSWER_OCTETS_MAX])

    def _take(self, place: _Place) -> httpx2.AsyncHTTPTransport:
        idle = self._idle.get(place)
        if not idle:
            return httpx2.AsyncHTTPTransport(verify=self._tls, limits=ONE, trust_env=False)
        self._idle_count -= 1
        transport = idle.pop()
        if not idle:
            del self._idle[place]
        return transport

    async def _keep(self, place: _Place, transport: httpx2.AsyncHTTPTransport) -> None:
        self._idle.setdefault(place, []).append(transport)
        self._idle.move_to_end(place)
        self._idle_count += 1
        while self._idle_count > CONNECTIONS_MAX:
            await self._take(next(iter(self._idle))).aclose()


def _request(url: httpx2.URL, address: str, body: bytes, charset: str) -> httpx2.Request:
    return httpx2.Request(
        "POST",
        url.copy_with(host=address),
        content=body,
        headers={
            "Host": url.netloc.decode("ascii").rpartition("@")[2],
            "Content-Type": f"application/x-www-form-urlencoded; charset={charset}",
            "User-Agent": "vestnik",
        },
        extensions={"sni_hostname": url.host, "timeout": {"connect": DEADLINE_S}},
    )


def _parsed(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as wrong:
        raise Forbidden(f"the address cannot be read: {wrong}") from wrong
    if parsed.scheme not in PORTS or not parsed.host:
        raise Forbidden("the address does not begin with http:// or https://")
    return parsed


def _public(address: IPv4Address | IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    judged = mapped or address
    return judged.is_global and not judged.is_multicast
