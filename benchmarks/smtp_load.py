"""A load of letters from a process of its own, on loopback, bounded in number.

The octets are made beforehand; a connection says each command when the last one is answered, and
sends letter after letter.
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

PATIENCE_S = 300.0
ENVELOPE = b"MAIL FROM:<bench@localhost>\r\n", b"RCPT TO:<send@localhost>\r\n", b"DATA\r\n"


def letter(login: str, password: str, phone: int, number: int) -> bytes:
    """A letter with a command, for ten minutes later, and the dot behind it."""
    command = f"{login}:{password}::+10:0,0,:{phone}:Your code is {number}"
    head = "From: bench@localhost\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return f"{head}{command}\r\n.\r\n".encode()


class Connection(asyncio.Protocol):
    """Sends its share of the letters one after another, a command when the last is answered."""

    def __init__(self, letters: list[bytes], seconds: list[float], wrong: list[bytes]) -> None:
        self._letters = letters
        self._seconds, self._wrong = seconds, wrong
        self._buffer = b""
        self._next = 0
        self._steps = iter((b"EHLO bench\r\n",))
        self._began = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every loop derives its transports from the class that describes them.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            if line[3:4] != b"-":
                self._answered(line)

    def _answered(self, line: bytes) -> None:
        if not line.startswith((b"2", b"354")):
            self._wrong.append(line)
        step = next(self._steps, None)
        if step is not None:
            self._transport.write(step)
            return
        if self._next:
            self._seconds.append(time.perf_counter() - self._began)
        if self._next == len(self._letters):
            if not self.done.done():
                self._transport.close()
                self.done.set_result(None)
            return
        self._began = time.perf_counter()
        self._steps = iter((*ENVELOPE[1:], self._letters[self._next]))
        self._next += 1
        self._transport.write(ENVELOPE[0])

    def connection_lost(self, failure: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(failure or ConnectionError("closed by the server"))


async def run(port: int, letters: list[bytes], connections: int) -> dict[str, object]:
    """Send all letters over so many connections; returns rates and percentiles."""
    loop = asyncio.get_running_loop()
    seconds: list[float] = []
    wrong: list[bytes] = []
    began = time.perf_counter()
    made = [Connection(letters[n::connections], seconds, wrong) for n in range(connections)]
    for one in made:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(one.done for one in made))
    whole = time.perf_counter() - began
    seconds.sort()
    return {
        "per_s": len(seconds) / whole,
        "p50_ms": seconds[len(seconds) // 2] * 1000,
        "p99_ms": seconds[len(seconds) * 99 // 100] * 1000,
        "wrong": len(wrong),
        "wrong_samples": [line.decode("latin-1") for line in wrong[:3]],
    }


def main() -> None:
    """Usage: smtp_load PORT LOGIN PASSWORD CONNECTIONS COUNT FIRST.

    Letters to COUNT numbers from FIRST, one in each letter.
    """
    port, login, password, *numbers = sys.argv[1:7]
    connections, count, first = map(int, numbers)
    letters = [letter(login, password, first + n, n) for n in range(count)]
    print(json.dumps(uvloop.run(run(int(port), letters, connections))))


if __name__ == "__main__":
    main()
