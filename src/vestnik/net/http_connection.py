"""One HTTP/1.1 connection: a request goes out, its answer is read, the next one may follow."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast

import httptools

ANSWER_OCTETS_MAX = 64 * 1024
HEAD_OCTETS_MAX = 64 * 1024
OCTETS_MAX = 4 * ANSWER_OCTETS_MAX  # on the wire, whatever they mean


class Broken(Exception):
    """No answer, or one that cannot be read.

    `silent`: the connection ended before a single octet of the answer.
    """

    def __init__(self, reason: str, *, silent: bool = False) -> None:
        super().__init__(reason)
        self.silent = silent


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and the beginning of the body."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """A connection to one place; `usable` once more when an answer has been read whole."""

    def __init__(self) -> None:
        self.usable = False
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._begin()

    def _begin(self) -> None:
        """A fresh answer."""
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self._octets = 0  # that have come
        self._headed = self._measured = False

    async def exchange(self, request: bytes) -> Answer:
        """Send a request and read its answer; raises Broken.  Cancelling it ends the connection."""
        if not self.usable or self._transport is None:
            raise Broken("the connection is closed", silent=True)
        self.usable = False
        self._begin()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer = None
            if not self.usable:
                self.close()

    def close(self) -> None:
        """Drop it."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every loop derives its transports from the class that describes them.
        self._transport = cast("asyncio.Transport", transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody has asked: what it says now could pass for the next answer
            return
        self._octets += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as wrong:
            self._fail(f"its answer is not HTTP: {wrong}")
            return
        if self._octets > (OCTETS_MAX if self._headed else HEAD_OCTETS_MAX):
            self._fail("its answer does not end")

    def eof_received(self) -> bool:
        if self._headed and not self._measured:  # such an answer ends with the connection
            self._finish(reusable=False)
        return False

    def connection_lost(self, failure: Exception | None) -> None:
        self.usable = False
        self._transport = None
        reason = str(failure) if failure else "it closed the connection without an answer"
        self._fail(reason, silent=not self._octets)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Whether the answer says where it ends."""
        self._measured |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        """The head has come."""
        self._headed = True

    def on_body(self, body: bytes) -> None:
        """More of the body: we keep its beginning, and do not wait for what is beyond."""
        self._body += body
        if len(self._body) >= ANSWER_OCTETS_MAX:
            self._finish(reusable=False)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it only announces one."""
        if self._parser.get_status_code() < 200:
            self._headed = self._measured = False
            return
        self._finish(reusable=self._parser.should_keep_alive())

    def _finish(self, *, reusable: bool) -> None:
        answer = self._answer
        if answer is None or answer.done():
            return
        self.usable = reusable
        answer.set_result(Answer(self._parser.get_status_code(), self._body[:ANSWER_OCTETS_MAX]))

    def _fail(self, reason: str, *, silent: bool = False) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken(reason, silent=silent))


async def connect(address: str, port: int, tls: ssl.SSLContext | None, name: str) -> Connection:
    """Connect to an address; with `tls` its certificate must be that of `name`.

    Raises OSError, ssl.SSLError too.
    """
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        Connection, address, port, ssl=tls, server_hostname=name if tls else None
    )
    return connection
