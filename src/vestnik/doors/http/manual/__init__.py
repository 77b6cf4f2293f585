"""The manual of the API at /docs and its description at /openapi.json, made of declarations.

The page asks nobody for anything but this centre: style, script and picture are files beside this
one, and its policy forbids the rest.
"""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files

import vestnik
from vestnik.doors.http.endpoint import EVERYWHERE, Endpoint, Parameter
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.openapi import by_area, examples, openapi, operations
from vestnik.doors.http.schemas import errors_of
from vestnik.doors.http.server import MANUAL, Page, Pages
from vestnik.doors.http.shapes import Member, Shape

OPENAPI = "/openapi.json"

ASSETS = {
    "/docs/manual.css": "text/css; charset=utf-8",
    "/docs/manual.js": "text/javascript; charset=utf-8",
    "/docs/manual.svg": "image/svg+xml",
}
POLICY = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    b"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"cache-control", b"no-cache"),  # asked for again each time, and answered by the ETag
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", POLICY),
)

FORMS = ("Line", "Values", "XML", "JSON")  # by fmt
_VALUES = {"flag": "0, 1", "date": "dd.mm.yyyy", "decimal": "number", "number": "whole number"}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter as the page tells it; `only` are the operations that read it, by spaces."""

    name: str
    meaning: str
    kind: str
    values: str
    required: bool
    only: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A form of success: what was asked, as a query and in JSON, and its answer by fmt."""

    meaning: str
    operation: str
    query: str
    json: str
    answers: Mapping[int, str]
    members: Sequence[Member]
    many: bool
    files: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One endpoint as the page tells it; errors are numbers and their words."""

    name: str
    summary: str
    path: str
    fields: Sequence[Field]
    operations: Sequence[str]
    examples: Sequence[Example]
    errors: Sequence[tuple[int, str]]


def pages() -> Pages:
    """Every address of the manual of ENDPOINTS.  It is made when it is first asked for."""
    return {path: _teller(path) for path in (OPENAPI, MANUAL, f"{MANUAL}/", *ASSETS)}


def _teller(path: str) -> Callable[[], Awaitable[Page]]:
    async def tell() -> Page:
        return (await asyncio.to_thread(_made))[path]

    return tell


@cache
def _made() -> Mapping[str, Page]:
    return made(ENDPOINTS)


def made(endpoints: Sequence[Endpoint]) -> dict[str, Page]:
    """The pages of a manual by their addresses; the same endpoints always make the same pages."""
    description = json.dumps(openapi(endpoints), ensure_ascii=False, indent=1).encode()
    docs = _page("text/html; charset=utf-8", _html(endpoints).encode())
    found = {
        OPENAPI: _page("application/json", description, (b"access-control-allow-origin", b"*")),
        MANUAL: docs,
        f"{MANUAL}/": docs,
    }
    for path, content_type in ASSETS.items():
        name = path.rpartition("/")[2]
        found[path] = _page(content_type, files(__package__).joinpath(name).read_bytes())
    return found


def _page(content_type: str, body: bytes, *more: tuple[bytes, bytes]) -> Page:
    digest = blake2b(body, digest_size=12).hexdigest()
    etag = f'W/"{digest}"'.encode()
    packed = gzip.compress(body, mtime=0)
    return Page(200, content_type, body, (*HEADERS, *more), etag, packed)


def _html(endpoints: Iterable[Endpoint]) -> str:
    # Not before somebody wants to read: every command would wait for it otherwise.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vestnik.doors.http.manual", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    areas = {area: list(map(_chapter, own)) for area, own in by_area(endpoints).items()}
    common = set.intersection(*(set(c.errors) for own in areas.values() for c in own))
    return environment.get_template("manual.html").render(
        areas=areas,
        common=sorted(common),
        everywhere=[_field(parameter) for parameter in EVERYWHERE],
        forms=FORMS,
        version=vestnik.__version__,
    )


def _chapter(endpoint: Endpoint) -> Chapter:
    named = operations(endpoint)
    return Chapter(
        name=endpoint.name,
        summary=endpoint.summary,
        path=endpoint.path,
        fields=[_field(parameter) for parameter in endpoint.parameters],
        operations=named,
        examples=[_example(shape, named) for shape in endpoint.answers],
        errors=[
            (number, _words(code.text, detailed=bool(code.detailed)))
            for number, codes in errors_of(endpoint).items()
            for code in codes
        ],
    )


def _words(text: str, *, detailed: bool) -> str:
    """The text of an error; after some the refusal goes on in words of its own."""
    return f"{text} …" if detailed else text


def _field(parameter: Parameter) -> Field:
    return Field(
        name=parameter.name,
        meaning=parameter.meaning,
        kind=parameter.kind,
        values=_values(parameter),
        required=parameter.required,
        only=" ".join(parameter.only),
        choices=parameter.choices,
    )


def _values(parameter: Parameter) -> str:
    low, high = parameter.low, parameter.high
    if parameter.choices:
        return ", ".join(parameter.choices)
    if parameter.kind in ("text", "header") and high is not None:
        return f"up to {high:,} characters"
    if parameter.kind in ("number", "decimal") and low is not None:
        return f"{low} – {high}" if high is not None else f"{low} or more"
    return _VALUES.get(parameter.kind, parameter.kind)


def _example(shape: Shape, named: Sequence[str]) -> Example:
    return Example(
        meaning=shape.meaning,
        operation=next((name for name in named if name in shape.asked), ""),
        query="&".join(f"{name}={value}" for name, value in shape.asked.items()),
        json=json.dumps(dict(shape.asked), ensure_ascii=False),
        answers=examples(shape),
        members=shape.members,
        many=shape.many,
        files=shape.files,
    )
