"""The HTTP door: a request becomes a call, an answer becomes octets."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog

from vestnik.domain.refusals import BadParameters, Refusal, StoreUnavailable
from vestnik.doors.http import asgi, soap
from vestnik.doors.http.asgi import Receive, Scope, Send
from vestnik.doors.http.endpoint import Endpoint
from vestnik.doors.http.parameters import Form
from vestnik.doors.http.reception import Reception
from vestnik.doors.http.reply import (
    CONTENT_TYPES,
    JSON,
    Download,
    refused,
    render,
)
from vestnik.doors.http.services import Services
from vestnik.doors.http.soap import Soap

log = structlog.get_logger()

IDEMPOTENCY_KEY_MAX = 255
MANUAL = "/docs"  # among the pages, unless the operator has taken it away

_SLASHES = re.compile("/+")

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
    """An answer that is no business of the API: health, metrics, the manual.

    `headers` are further ones.  Who has the page already, by its `etag`, does not get it again;
    `packed` is the body by gzip, for those who take it so.
    """

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    etag: bytes = b""
    packed: bytes = b""


Pages = Mapping[str, Callable[[], Awaitable[Page]]]
# Who answers for all addresses that begin with one: given what follows it, and the method.
Below = Mapping[str, Callable[[str, str], Awaitable[Page]]]


class _Outcome(msgspec.Struct, frozen=True):
    """The octets of an answer, and the error number it tells (0: none)."""

    body: bytes
    content_type: bytes
    error: int = 0
    download: Download | None = None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unobserved(name: str, error: int, seconds: float) -> None:
    """Nobody counts requests."""


class Door:
    """The ASGI application.

    `pages` are further addresses (`/healthz`, `/metrics`) and who answers them; `below` those that
    stand for all that begin with them, and end in a slash (`/l/`); `observe` is told
    of each finished call its endpoint, error number and seconds; `clock` gives ms since the epoch.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        services: Services,
        *,
        settings: DoorSettings | None = None,
        pages: Pages | None = None,
        below: Below | None = None,
        clock: Callable[[], int] = _now_ms,
        observe: Callable[[str, int, float], None] = _unobserved,
    ) -> None:
        self._reception = Reception(services)
        self._settings = settings or DoorSettings()
        self._pages, self._below = pages or {}, below or {}
        self._clock, self._observe = clock, observe
        self._soap = Soap(self._reception, clock, self._settings.body_s_max)
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
        if found is None and "//" in path:  # "https://host/" + "/sys/…" is in wide use
            path = _SLASHES.sub("/", path)
            found = self._endpoints.get(path)
        try:
            if found is None and path == soap.PATH:
                await self._by_soap(scope, receive, send)
            elif found is None:
                await self._elsewhere(path, scope, send)
            elif scope["method"] not in ("GET", "POST", "HEAD"):
                await asgi.plain(
                    send, 405, b"Use GET or POST here.", (b"allow", b"GET, HEAD, POST")
                )
            else:
                await self._api(found[0], found[1], scope, receive, send)
        except asgi.Gone:
            return
        except StoreUnavailable:
            await asgi.plain(send, 503, _AGAIN, (b"retry-after", b"1"))
        except asgi.TooSlow:
            await asgi.plain(send, 408, _SLOW, (b"connection", b"close"))
        except Exception:
            log.exception("request failed", path=path)
            await asgi.plain(send, 500, _BROKEN)

    async def _by_soap(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        error = await self._soap(scope, receive, send)
        self._observe("soap", error, time.perf_counter() - began)

    async def _elsewhere(self, path: str, scope: Scope, send: Send) -> None:
        page = self._pages.get(path) or self._page_below(path, scope["method"])
        if page is None:
            names = ", ".join(sorted({endpoint.name for endpoint, _ in self._endpoints.values()}))
            words = (
                "There is nothing at this address. The API is at /sys/<name>.php and "
                f"/rest/<name>/, where <name> is one of: {names}."
            )
            if MANUAL in self._pages:
                words += f" The manual is at {MANUAL}."
            await asgi.plain(send, 404, words.encode())
        elif scope["method"] not in ("GET", "HEAD"):
            await asgi.plain(send, 405, b"Use GET here.", (b"allow", b"GET, HEAD"))
        else:
            await _send_page(send, await page(), dict(scope["headers"]))

    def _page_below(self, path: str, method: str) -> Callable[[], Awaitable[Page]] | None:
        for start, page in self._below.items():
            if path.startswith(start):
                return partial(page, path[len(start) :], method)
        return None

    async def _api(
        self, endpoint: Endpoint, rest: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        began = time.perf_counter()
        request = _Request(scope, receive, JSON if rest else endpoint.fmt, rest)
        try:
            outcome = await self._outcome(endpoint, request)
        except asgi.TooBig:
            outcome = self._too_big(endpoint, request)
            await asgi.answer_and_linger(send, receive, 200, outcome.content_type, outcome.body)
        else:
            if outcome.download is not None:
                await _send_file(send, outcome.download)
            else:
                await asgi.answer(send, 200, outcome.content_type, outcome.body)
        self._observe(endpoint.name, outcome.error, time.perf_counter() - began)

    async def _outcome(self, endpoint: Endpoint, request: "_Request") -> _Outcome:
        now_ms = self._clock()
        try:
            await request.read(self._settings)  # first, for the format of every answer is in it
            answer = await self._reception.answer(
                endpoint,
                request.params,
                request.address,
                now_ms,
                files=request.form.files,
                fmt=request.fmt,
                charset=request.charset,
                json=request.rest,
                idempotency_key=request.idempotency_key,
            )
        except Refusal as refusal:
            return self._refused(refusal, endpoint, request, now_ms)
        if isinstance(answer, Download):
            return _Outcome(b"", b"", download=answer)
        fmt, charset = request.fmt, request.charset
        return _Outcome(render(answer, fmt, charset), CONTENT_TYPES[fmt, charset])

    def _refused(
        self, refusal: Refusal, endpoint: Endpoint, request: "_Request", now_ms: int
    ) -> _Outcome:
        number = self._reception.refused(refusal, endpoint, request.address, now_ms)
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

    def __init__(self, scope: Scope, receive: Receive, fmt: int, rest: bool) -> None:
        self._receive, self.rest = receive, rest
        self._method: str = scope["method"]
        self._query: bytes = scope["query_string"]
        self.address: str = scope["client"][0]
        self.fmt, self.charset = fmt, "utf-8" if rest else "windows-1251"
        self._content_type, self._length, self.idempotency_key = b"", 0, ""
        for name, value in scope["headers"]:
            if name == b"content-length":
                self._length = int(value)
            elif name == b"content-type":
                self._content_type = value
            elif name == b"idempotency-key":
                self.idempotency_key = value.decode("latin-1")

    async def read(self, settings: DoorSettings) -> None:
        """Take in query and body; raises BadParameters, and TooBig before all of it is read."""
        self.form = form = Form(self._query)
        self.fmt = form.fmt(self.fmt)
        if self._method == "POST":
            self.charset = form.charset(self.charset)
            body = await self._body(settings)
            if len(body) > asgi.BIG_BODY:
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
        self.form.forget()

    async def _body(self, settings: DoorSettings) -> bytes:
        if self._length > settings.body_max:
            raise asgi.TooBig
        return await asgi.read_body(self._receive, settings.body_max, settings.body_s_max)


async def _send_page(send: Send, page: Page, asked: Mapping[bytes, bytes]) -> None:
    headers, body = page.headers, page.body
    if page.etag:
        headers = (*headers, (b"etag", page.etag))
        if page.etag.removeprefix(b"W/") in asked.get(b"if-none-match", b""):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
    if page.packed:
        headers = (*headers, (b"vary", b"accept-encoding"))
        if b"gzip" in asked.get(b"accept-encoding", b""):
            headers, body = (*headers, (b"content-encoding", b"gzip")), page.packed
    await asgi.answer(send, page.status, page.content_type.encode(), body, *headers)


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
