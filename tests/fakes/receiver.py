"""A client's address: an HTTP server on loopback that keeps what it is posted."""

import asyncio
from urllib.parse import parse_qs

from tests.serving import free_port


class Receiver:
    """Answers each call with the next of `answers`, and 200 when they are used up."""

    def __init__(self):
        self.calls = []  # (path, fields, charset)
        self.answers = []
        self._came = asyncio.Event()

    async def start(self, port=None):
        """Serve; a port that it has left is nobody else's meanwhile."""
        self.port = port or free_port()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self):
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/told"

    def fields(self, name):
        return [fields[name] for _, fields, _ in self.calls]

    async def until(self, count, timeout_s=45.0):
        async with asyncio.timeout(timeout_s):
            while len(self.calls) < count:
                self._came.clear()
                await self._came.wait()

    async def _serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._call(head.decode(), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()

    async def _call(self, head, reader, writer):
        lines = head.split("\r\n")
        named = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        body = await reader.readexactly(int(named.get("content-length", 0)))
        charset = named["content-type"].partition("charset=")[2]
        parsed = parse_qs(body.decode("ascii"), keep_blank_values=True, encoding=charset)
        self.calls.append((lines[0].split(" ")[1], {k: v[0] for k, v in parsed.items()}, charset))
        self._came.set()
        status = self.answers.pop(0) if self.answers else 200
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nOK".encode())
        await writer.drain()
