"""The HTTP door: a request becomes a call, an answer becomes octets."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from vestnik.domain.refusals import BadParameters, Refusal, StoreUnavailable
from vestnik.doors.http.endpoint import Call, Endpoint
from vestnik.doors.http.parameters import Form
from vestnik.doors.http.reply import (
    CONTENT_TYPES,
    JSON,
    TEXT,
    Download,
    refused,
    render,
)
from vestnik.doors.http.services import Services

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

COUNTED_AS_WRONG = (1, 2)  # errors that lead to error 4 when they come often (conventions.md)
BIG_BODY = 64 * 1024  # taking a bigger one apart in the loop would make everybody wait
LINGER_S = 2.0  # how long a client that sends too much may go on before the connection is cut
IDEMPOTENCY_KEY_MAX = 255

_AGAIN = b"The centre cannot take requests at the moment. Nothing was done; please try again."
_BROKEN = b"The centre made a mistake while it worked on this request, and has noted it."
_SLOW = b"The request did not arrive whole in time. Nothing was done."


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What the door bears."""

    body_max: int = 10 * 1024 * 1024  # octets of a request's body; more is error 1
    body_s_max: int = 60  # seconds within which a body must have arrived


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that is no business of the API: health, metrics."""

    status: int
    content_type: str
    body: bytes


Pages = Mapping[str, Callable[[], Awaitable[Page]]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The octets of an answer, and the error number it tells (0: none)."""

    body: bytes
    content_type: bytes
    error: int = 0
    download: Download | None = None


class _Gone(Exception):
    """The client went away before its request was whole."""


class _TooBig(Exception):
    """The body is, or would be, longer than it may be."""


class _TooSlow(Exception):
    """The body did not arrive in time."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unobserved(name: str, error: int, seconds: float) -> None:
    """Nobody counts requests."""


class Door:
    """The ASGI application.

    `pages` are further addresses (`/healthz`, `/metrics`) and who answers them; `observe` is told
    of each finished call its endpoint, error number and seconds; `clock` gives ms since the epoch.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        services: Services,
        *,
        settings: DoorSettings | None = None,
        pages: Pages | None = None,
        clock: Callable[[], int] = _now_ms,
        observe: Callable[[str, int, float], None] = _unobserved,
    ) -> None:
        self._services, self._access = services, services.access
        self._settings = settings or DoorSettings()
        self._pages = pages or {}
        self._clock, self._observe = clock, observe
        self._endpoints: dict[str, tuple[Endpoint, bool]] = {}
        for endpoint in endpoints:
            self._endpoints[endpoint.path] = (endpoint, False)
            self._endpoints[f"/rest/{endpoint.name}/"] = (endpoint, True)
            self._endpoints[f"/rest/{endpoint.name}"] = (endpoint, True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; uvicorn is who calls."""
        if scope["type"] != "http":
            raise ValueError(f"the door does not speak {scope['type']}")
        path = scope["path"]
        found = self._endpoints.get(path)
        try:
            if found is None:
                await self._elsewhere(path, scope["method"], send)
            elif scope["method"] not in ("GET", "POST", "HEAD"):
                await _plain(send, 405, b"Use GET or POST here.", (b"allow", b"GET, HEAD, POST"))
            else:
                await self._api(found[0], found[1], scope, receive, send)
        except _Gone:
            return
        except StoreUnavailable:
            await _plain(send, 503, _AGAIN, (b"retry-after", b"1"))
        except _TooSlow:
            await _plain(send, 408, _SLOW, (b"connection", b"close"))
        except Exception:
            log.exception("request failed", path=path)
            await _plain(send, 500, _BROKEN)

    async def _elsewhere(self, path: str, method: str, send: Send) -> None:
        page = self._pages.get(path)
        if page is None:
            names = ", ".join(sorted({endpoint.name for endpoint, _ in self._endpoints.values()}))
            words = (
                "There is nothing at this address. The API is at /sys/<name>.php and "
                f"/rest/<name>/, where <name> is one of: {names}."
            )
            await _plain(send, 404, words.encode())
        elif method not in ("GET", "HEAD"):
            await _plain(send, 405, b"Use GET here.", (b"allow", b"GET, HEAD"))
        else:
            answer = await page()
            await _answer(send, answer.status, answer.content_type.encode(), answer.body)

    async def _api(
        self, endpoint: Endpoint, rest: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        began = time.perf_counter()
        request = _Request(scope, receive, rest)
        try:
            outcome = await self._outcome(endpoint, request)
        except _TooBig:
            outcome = self._too_big(endpoint, request)
            await _answer_and_linger(send, receive, outcome)
        else:
            if outcome.download is not None:
                await _send_file(send, outcome.download)
            else:
                await _answer(send, 200, outcome.content_type, outcome.body)
        self._observe(endpoint.name, outcome.error, time.perf_counter() - began)

    async def _outcome(self, endpoint: Endpoint, request: "_Request") -> _Outcome:
        now_ms = self._clock()
        try:
            await request.read(self._settings)  # first, for the format of every answer is in it
            self._access.admit(request.address, now_ms)
            answer = await self._handled(endpoint, request, now_ms)
        except Refusal as refusal:
            return self._refused(refusal, endpoint, request, now_ms)
        if isinstance(answer, Download):
            return _Outcome(b"", b"", download=answer)
        fmt, charset = request.fmt, request.charset
        return _Outcome(render(answer, fmt, charset), CONTENT_TYPES[fmt, charset])

    async def _handled(self, endpoint: Endpoint, request: "_Request", now_ms: int) -> Any:
        params = request.params
        client = await self._access.authenticate(
            params.get("login", ""),
            params.get("psw", ""),
            params.get("apikey", ""),
            request.address,
            now_ms,
        )
        call = Call(
            client,
            self._services,
            params,
            request.form.files,
            request.address,
            now_ms,
            request.fmt,
            request.charset,
            request.rest,
            request.idempotency_key,
        )
        most = endpoint.simultaneous(client.limits)
        with self._access.entered(client, endpoint.name, most):
            rate = endpoint.rate(call) if endpoint.rate is not None else None
            if rate is not None:
                self._access.count(client, endpoint.name, rate.key, rate.per_minute, now_ms)
            return await endpoint.handler(call)

    def _refused(
        self, refusal: Refusal, endpoint: Endpoint, request: "_Request", now_ms: int
    ) -> _Outcome:
        number = endpoint.codes[type(refusal)].number
        if number in COUNTED_AS_WRONG:
            self._access.wrong(request.address, now_ms)
        body = render(refused(refusal, endpoint.codes), request.fmt, request.charset)
        return _Outcome(body, CONTENT_TYPES[request.fmt, request.charset], number)

    def _too_big(self, endpoint: Endpoint, request: "_Request") -> _Outcome:
        refusal = BadParameters(f"the body is longer than {self._settings.body_max} octets")
        return self._refused(refusal, endpoint, request, self._clock())


class _Request:
    """One request on its way to become a call; `fmt` and `charset` are the best known so far."""

    __slots__ = (
        "_content_type",
        "_length",
        "_method",
        "_query",
        "_receive",
        "address",
        "charset",
        "fmt",
        "form",
        "idempotency_key",
        "params",
        "rest",
    )

    def __init__(self, scope: Scope, receive: Receive, rest: bool) -> None:
        self._receive, self.rest = receive, rest
        self._method: str = scope["method"]
        self._query: bytes = scope["query_string"]
        self.address: str = scope["client"][0]
        self.fmt, self.charset = (JSON, "utf-8") if rest else (TEXT, "windows-1251")
        self._content_type, self._length, self.idempotency_key = b"", 0, ""
        for name, value in scope["headers"]:
            if name == b"content-length":
                self._length = int(value)
            elif name == b"content-type":
                self._content_type = value
            elif name == b"idempotency-key":
                self.idempotency_key = value.decode("latin-1")

    async def read(self, settings: DoorSettings) -> None:
        """Take in query and body; raises BadParameters, and _TooBig before all of it is read."""
        self.form = form = Form(self._query)
        self.fmt = form.fmt(self.fmt)
        if self._method == "POST":
            self.charset = form.charset(self.charset)
            body = await self._body(settings)
            if len(body) > BIG_BODY:
                await asyncio.to_thread(self._take, body)
            else:
                self._take(body)
        else:
            self.charset = form.charset(self.charset)
            self.params = form.decoded(self.charset)
        if len(self.idempotency_key) > IDEMPOTENCY_KEY_MAX:
            raise BadParameters(f"the Idempotency-Key is longer than {IDEMPOTENCY_KEY_MAX}")

    def _take(self, body: bytes) -> None:
        self.form.add(self._content_type, body, guess_json=self.rest)
        self.fmt = self.form.fmt(self.fmt)
        # JSON is UTF-8 by its nature, at whichever address it arrives.
        self.charset = self.form.charset("utf-8" if self.form.json else self.charset)
        self.params = self.form.decoded(self.charset)

    async def _body(self, settings: DoorSettings) -> bytes:
        if self._length > settings.body_max:
            raise _TooBig
        try:
            async with asyncio.timeout(settings.body_s_max):
                return await self._pieces(settings.body_max)
        except TimeoutError:
            raise _TooSlow from None

    async def _pieces(self, most: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            piece = message.get("body", b"")
            size += len(piece)
            if size > most:
                raise _TooBig
            pieces.append(piece)
            if not message.get("more_body", False):
                return b"".join(pieces)


async def _answer(
    send: Send, status: int, content_type: bytes, body: bytes, *more: tuple[bytes, bytes]
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _plain(send: Send, status: int, words: bytes, *more: tuple[bytes, bytes]) -> None:
    await _answer(send, status, b"text/plain; charset=utf-8", words + b"\n", *more)


async def _answer_and_linger(send: Send, receive: Receive, outcome: _Outcome) -> None:
    """Answer a client that is still sending, then cut it off.

    To cut at once would reset the connection, and the answer would be lost with it.
    """
    headers = [
        (b"content-type", outcome.content_type),
        (b"content-length", b"%d" % len(outcome.body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": outcome.body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                continue
    except TimeoutError:
        log.info("a client kept sending more than it may")
    await send({"type": "http.response.body", "body": b""})


async def _send_file(send: Send, download: Download) -> None:
    # A file name is made by the centre of digits, letters, dots and underscores.
    headers = [
        (b"content-type", download.content_type.encode()),
        (b"content-length", b"%d" % download.length),
        (b"content-disposition", f'attachment; filename="{download.filename}"'.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    try:
        async for chunk in download.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except Exception:
        # The answer has begun: all that is left is to end short of its length, which cuts the
        # connection, and the client knows that it has not got the whole file.
        log.exception("a download broke off", file=download.filename)
        return
    await send({"type": "http.response.body", "body": b""})
