"""kill -9 while letters come: what was answered is there, what comes again is sent once."""

import asyncio
import contextlib

import pytest
from tests import serving
from tests.serving import LOGIN, PASSWORD, Centre, free_port

pytestmark = pytest.mark.anyio

LETTERS, CONNECTIONS = 300, 12
LIMITS = ("flood_count=0", "simultaneous=0")


@pytest.fixture(params=["sqlite", "postgres"])
def centre(request, tmp_path):
    """A centre that is furnished and not started, on each engine."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    folder = tmp_path / "data"
    words = ("client", "add", LOGIN, "--password", PASSWORD, "--balance", "100000")
    serving.command(folder, *words, url=url)
    serving.command(folder, "client", "set", LOGIN, *LIMITS, url=url)
    return Centre(folder, url)


def letter(number):
    """A letter as a mail server hands it over: it has a name of its own."""
    head = f"Message-ID: <{number}@mail>\r\nDate: Thu, 1 Jan 2026 12:00:00 +0300\r\n"
    command = f"{LOGIN}:{PASSWORD}:::0,0,:7916{number:07d}:Number {number}"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{command}\r\n.\r\n".encode()


class Post:
    """A mail server that hands its letters over on some connections at a time.

    `answered` holds the numbers of the letters that were answered 250.
    """

    def __init__(self, port, numbers):
        self._port = port
        self._left = iter(numbers)
        self.answered = set()
        self._enough = asyncio.Event()

    async def all(self):
        """Hand everything over; returns when all is answered or the centre is gone."""
        await asyncio.gather(*(self._connection() for _ in range(CONNECTIONS)))

    async def some(self):
        """Wait until a part is answered."""
        await self._enough.wait()

    async def _connection(self):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                await self._talk(reader, writer)
            finally:
                writer.close()

    async def _talk(self, reader, writer):
        async def say(octets):
            writer.write(octets)
            while (line := await reader.readuntil(b"\r\n"))[3:4] == b"-":
                pass
            return line

        await reader.readuntil(b"\r\n")
        await say(b"EHLO mail\r\n")
        for number in self._left:
            await say(b"MAIL FROM:<shop@mail>\r\n")
            await say(b"RCPT TO:<send@centre>\r\n")
            await say(b"DATA\r\n")
            reply = await say(letter(number))
            assert reply.startswith(b"250 OK"), reply
            self.answered.add(number)
            if len(self.answered) == LETTERS // 3:
                self._enough.set()


async def test_letters_are_neither_lost_nor_doubled_by_a_kill(centre):
    port = free_port()
    async with asyncio.timeout(90):
        await centre.start("--smtp", f"127.0.0.1:{port}")
        try:
            first = Post(port, range(LETTERS))
            posting = asyncio.ensure_future(first.all())
            await first.some()
            await centre.kill()
            await posting
            await centre.start("--smtp", f"127.0.0.1:{port}")
            kept = await centre.rows("SELECT phone FROM messages")
            left = set(range(LETTERS)) - first.answered
            # Also some that were answered: a mail server may not have heard it.
            again = Post(port, sorted(left | set(sorted(first.answered)[:50])))
            await again.all()
            rows = await centre.rows("SELECT phone FROM messages")
            await centre.sound()
        finally:
            await centre.kill()

    phones = {n: f"7916{n:07d}" for n in range(LETTERS)}
    assert 0 < len(left) < LETTERS
    assert {phones[n] for n in first.answered} <= {phone for (phone,) in kept}
    assert again.answered >= left
    assert sorted(phone for (phone,) in rows) == sorted(phones.values())
