"""A load of HTTP requests from a process of its own, on loopback, bounded in number.

Requests are made beforehand; a connection sends its next one when the last is answered.
"""

import asyncio
import json
import sys
import time
from urllib.parse import quote_plus


class Connection(asyncio.Protocol):
    """Sends its share of the requests one after another."""

    def __init__(self, requests: list[bytes], seconds: list[float], wrong: list[bytes]) -> None:
        self._requests = iter(requests)
        self._seconds = seconds
        self._wrong = wrong
        self._buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        if not gap:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._seconds.append(time.perf_counter() - self._began)
        if b" 200 " not in head[:20] or b"error" in body[:40] or body[:5] == b"ERROR":
            self._wrong.append(body[:200])
        self._buffer = b""
        self._next()

    def connection_lost(self, failure: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(failure or ConnectionError("closed by the server"))


def send_request(login: str, password: str, phone: str, text: str, more: str = "") -> bytes:
    """A GET of send.php."""
    query = f"login={login}&psw={password}&phones={phone}&mes={quote_plus(text)}&fmt=3&{more}"
    return f"GET /sys/send.php?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


async def run(
    host: str, port: int, requests: list[bytes], connections: int
) -> dict[str, float | int | list[str]]:
    """Send all requests over so many connections; returns seconds and percentiles."""
    loop = asyncio.get_running_loop()
    seconds: list[float] = []
    wrong: list[bytes] = []
    began = time.perf_counter()
    made = [
        (
            await loop.create_connection(
                lambda share=requests[n::connections]: Connection(share, seconds, wrong), host, port
            )
        )[1]
        for n in range(connections)
    ]
    await asyncio.gather(*(c.done for c in made))
    whole = time.perf_counter() - began
    seconds.sort()
    return {
        "requests": len(seconds),
        "seconds": whole,
        "per_s": len(seconds) / whole,
        "p50_ms": seconds[len(seconds) // 2] * 1000,
        "p99_ms": seconds[len(seconds) * 99 // 100] * 1000,
        "wrong": len(wrong),
        "wrong_samples": [w.decode("latin-1") for w in wrong[:3]],
    }


def main() -> None:
    """Usage: load HOST PORT LOGIN PASSWORD CONNECTIONS COUNT FIRST [MORE].

    The phones are COUNT numbers from FIRST; MORE are further parameters of the query.
    """
    host, port, login, password, connections, count, first = sys.argv[1:8]
    more = "".join(sys.argv[8:9])
    requests = [
        send_request(login, password, str(int(first) + n), f"Your code is {n}", more)
        for n in range(int(count))
    ]
    import uvloop

    result = uvloop.run(run(host, int(port), requests, int(connections)))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
