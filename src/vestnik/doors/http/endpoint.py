"""What an endpoint is, and what it is given: a call."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from vestnik.domain.client import Client, Limits
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.codes import Codes
from vestnik.doors.http.multipart import File
from vestnik.doors.http.reply import TEXT, Answer, Download
from vestnik.doors.http.services import Services
from vestnik.doors.http.shapes import Shape

_ABSENT_ZERO = frozenset({"id", "time"})  # clients send 0 for "none" (recorded.md)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that an endpoint reads, as its description tells it.

    `kind` is one of PARAMETER_KINDS; `low` and `high` bound a number's value and a text's length;
    `choices` are all the values there are, when they are few.  `only` names the operations
    (parameters of which a request has one) that read it; empty means all.  A name that
    ends in `[]` stands for numbered ones: `fl[]` is `fl[1]`, `fl[2]` ….
    """

    name: str
    meaning: str
    kind: str = "text"
    required: bool = False
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


# `decimal` may have a fraction; a `date` is a day, dd.mm.yyyy; a `header` is no parameter but a
# header of the request.
PARAMETER_KINDS = ("text", "number", "decimal", "flag", "date", "file", "header")

# Read by the door itself, for every endpoint (conventions.md).
EVERYWHERE = (
    Parameter("login", "Login of the account."),
    Parameter("psw", "Its password, or the lower-case MD5 of it; with no login an API key."),
    Parameter("apikey", "An API key, in the place of login and password."),
    Parameter(
        "fmt",
        "Form of the answer: 0 a line for people, 1 values by commas, 2 XML, 3 JSON.",
        kind="number",
        low=0,
        high=3,
    ),
    Parameter(
        "charset",
        "Character set of request and answer.",
        choices=("windows-1251", "utf-8", "koi8-r"),
    ),
)
# Of endpoints that take one.
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "Makes it safe to repeat the request: for a day it gets its first answer again.",
    kind="header",
    high=255,
)
# They do not make one request different from another (downloads.md, "The limit").
PIECE = 64 * 1024  # characters of a value that are digested at a time
_HOW_NOT_WHAT = frozenset(parameter.name for parameter in EVERYWHERE)


class Undeclared(LookupError):
    """An endpoint reads a parameter that its declaration lacks: a mistake of ours."""


@dataclass(slots=True)
class Call:
    """One request of a client whom the door has let in.

    `now_ms` is the moment of arrival, `json` whether it came to the JSON address, `address` the
    caller's; `idempotency_key` is "" if the request has none.  `blank` holds None for each name
    that the endpoint said it reads; reading another raises Undeclared.
    """

    client: Client
    services: Services
    params: dict[str, str]
    files: tuple[File, ...]
    address: str
    now_ms: int
    fmt: int
    charset: str
    json: bool
    idempotency_key: str
    blank: Mapping[str, None]
    _told: dict[str, str | None] = field(init=False)

    def __post_init__(self) -> None:
        blank = self.blank
        self._told = {**blank, **{n: v for n, v in self.params.items() if n in blank}}

    def given(self, name: str) -> str | None:
        """A parameter as it came, None when it is absent: "" clears what a change would keep."""
        try:
            return self._told[name]
        except KeyError:
            raise Undeclared(name) from None

    def among(self, names: frozenset[str]) -> dict[str, str]:
        """Those of `names` that the request has, as they came and not empty."""
        told = self._told
        try:
            return {name: text for name in names if (text := told[name])}
        except KeyError as missing:
            raise Undeclared(str(missing)) from None

    def text(self, name: str, default: str = "") -> str:
        """A parameter as it came; an empty one is absent (recorded.md)."""
        try:
            return self._told[name] or default
        except KeyError:
            raise Undeclared(name) from None

    def numbered(self, name: str) -> dict[int, str]:
        """Parameters such as `fl[5]`, by their numbers."""
        if f"{name}[]" not in self.blank:
            raise Undeclared(f"{name}[]")
        start = f"{name}["
        inside = {
            key[len(start) : -1]: value
            for key, value in self.params.items()
            if key.startswith(start) and key.endswith("]")
        }
        return {int(n): v for n, v in inside.items() if n.isascii() and n.isdigit() and len(n) < 4}

    def flag(self, name: str) -> bool:
        """A parameter that is 0 or 1; raises BadParameters for anything else."""
        value = self.given(name) or ""
        if value in ("", "0"):
            return False
        if value == "1":
            return True
        raise BadParameters(f"{name} is 0 or 1")

    def number(
        self, name: str, default: int, low: int | None = None, high: int | None = None
    ) -> int:
        """A whole number from `low` to `high`; raises BadParameters for anything else."""
        value = (self.given(name) or "").strip()
        if not value:
            return default
        digits = value[1:] if value[0] in "+-" else value
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            raise BadParameters(f"{name} is not a whole number")
        number = int(value)
        if low is not None and number < low:
            raise BadParameters(f"{name} is less than {low}")
        if high is not None and number > high:
            raise BadParameters(f"{name} is more than {high}")
        return number

    def digest(self) -> bytes:
        """What the request asks for, in 16 octets: equal for "the same request".

        Credentials, fmt and charset do not count, nor the order of parameters.
        """
        digest, asked = blake2b(digest_size=16), []
        for name in sorted(self.params.keys() - _HOW_NOT_WHAT):
            value = self.params[name]
            if not value or (value == "0" and name in _ABSENT_ZERO):
                continue
            if len(value) <= PIECE:
                asked.append(f"{len(value)}:{name}={value}")
                continue
            digest.update(f"{len(value)}:{name}=\n".encode())
            for at in range(0, len(value), PIECE):  # a list may be as long as a body
                digest.update(value[at : at + PIECE].encode())
        digest.update("\n".join(asked).encode())
        for file in self.files:
            digest.update(f"\n{len(file.octets)}:{file.field}/{file.name}=".encode())
            digest.update(file.octets)
        return digest.digest()


class Rate(NamedTuple):
    """Requests with this key may come so often a minute; 0 is any number."""

    key: bytes
    per_minute: int


Handler = Callable[[Call], Awaitable[Answer | Download]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the API.

    `path` is the classic one, `/sys/<name>.php`; the door also serves `/rest/<name>/`.  `rate`
    says how often such a call may come a minute, None for any number; `simultaneous` picks the
    account's limit of calls at one time.  `parameters` are those it reads, beside EVERYWHERE, and
    `answers` the forms in which it tells success; its description is made of them, and of the
    first line of its module, the `summary`.  `fmt` is that of an answer when none is asked for.
    """

    path: str
    name: str
    handler: Handler
    codes: Codes
    rate: Callable[[Call], Rate | None] | None
    simultaneous: Callable[[Limits], int]
    parameters: tuple[Parameter, ...]
    answers: tuple[Shape, ...]
    blank: Mapping[str, None]  # the names of `parameters`
    summary: str
    fmt: int


def endpoint(
    path: str,
    *,
    codes: Codes,
    parameters: tuple[Parameter, ...],
    answers: tuple[Shape, ...] = (),
    rate: Callable[[Call], Rate | None] | None = None,
    simultaneous: Callable[[Limits], int] = lambda limits: limits.simultaneous,
    fmt: int = TEXT,
) -> Callable[[Handler], Endpoint]:
    """Make an endpoint of a handler; ENDPOINTS of endpoints/__init__.py is what registers it."""
    name = path.removeprefix("/sys/").removesuffix(".php")

    def made(handler: Handler) -> Endpoint:
        blank = dict.fromkeys(parameter.name for parameter in parameters)
        return Endpoint(
            path,
            name,
            handler,
            codes,
            rate,
            simultaneous,
            parameters,
            answers,
            blank,
            _summary(handler),
            fmt,
        )

    return made


def _summary(handler: Handler) -> str:
    """What follows the address in the first line of the handler's module; "" without docstrings."""
    module = sys.modules[handler.__module__].__doc__ or ""
    words = module.partition("\n")[0].partition(": ")[2]
    return words[:1].upper() + words[1:]
