"""Octets over ASGI: the body of a request, read within bounds, and answers."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BIG_BODY = 64 * 1024  # taking a bigger one apart in the loop would make everybody wait
LINGER_S = 2.0  # how long a client that sends too much may go on before the connection is cut


class Gone(Exception):
    """The client went away before its request was whole."""


class TooBig(Exception):
    """The body is, or would be, longer than it may be."""


class TooSlow(Exception):
    """The body did not arrive in time."""


async def read_body(receive: Receive, octets_max: int, s_max: float) -> bytes:
    """The whole body; raises Gone, TooBig before all of it is read, TooSlow."""
    try:
        async with asyncio.timeout(s_max):
            return await _pieces(receive, octets_max)
    except TimeoutError:
        raise TooSlow from None


async def _pieces(receive: Receive, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise TooBig
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def answer(
    send: Send, status: int, content_type: bytes, body: bytes, *more: tuple[bytes, bytes]
) -> None:
    """Send a whole answer; `more` are further headers."""
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def plain(send: Send, status: int, words: bytes, *more: tuple[bytes, bytes]) -> None:
    """Send an answer in plain words."""
    await answer(send, status, b"text/plain; charset=utf-8", words + b"\n", *more)


async def answer_and_linger(
    send: Send, receive: Receive, status: int, content_type: bytes, body: bytes
) -> None:
    """Answer a client that is still sending, then cut it off.

    To cut at once would reset the connection, and the answer would be lost with it.
    """
    headers = [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                continue
    except TimeoutError:
        log.info("a client kept sending more than it may")
    await send({"type": "http.response.body", "body": b""})
