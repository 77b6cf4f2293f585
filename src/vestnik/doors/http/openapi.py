"""The description of the API for programs, by OpenAPI 3.1, made of what endpoints declare."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import vestnik
from vestnik.doors.http.endpoint import EVERYWHERE, Endpoint, Parameter
from vestnik.doors.http.reply import COMMAS, JSON, TEXT, XML, render
from vestnik.doors.http.schemas import (
    NUMBERED,
    described,
    error_schema,
    object_of,
    parameter_schema,
    shape_schema,
)
from vestnik.doors.http.shapes import Shape

Document = dict[str, Any]

VERSION = "3.1.0"
# How endpoints stand together; one that is in none stands at the end.
AREAS: Mapping[str, tuple[str, ...]] = {
    "Messages": ("send", "status", "jobs", "get", "downloads"),
    "Contacts": ("phones", "mails"),
    "Senders and texts": ("senders", "templates", "op_templates", "tinyurls"),
    "Numbers": ("info", "get_mnp", "receive_phones", "wait_call", "ping"),
    "Account": ("balance", "users", "documents"),
}
OTHER = "Other"
EXAMPLE_KEY = "KEY"

_CREDENTIALS = ("login", "psw", "apikey")
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_ABOUT = (
    "Every address exists twice: `/sys/<name>.php` takes a query or a form, `/rest/<name>/` a JSON "
    "object with the same members.  Answers have HTTP status 200, errors too; `fmt` chooses their "
    "form, JSON where it is 3 (and at `/rest/` where it is left out).  Numbers may be written as "
    "strings; an empty parameter is an absent one."
)
_PROBLEMS = {
    "408": "The request did not arrive whole in time.",
    "500": "A mistake of the centre, which is in its log.",
    "503": "The centre cannot take requests at the moment; nothing was done, try again.",
}


def openapi(endpoints: Iterable[Endpoint]) -> Document:
    """The whole description; the same endpoints always make the same one."""
    areas = by_area(endpoints)
    paths: Document = {}
    schemas: Document = {}
    for area, members in areas.items():
        for endpoint in members:
            paths |= _paths(endpoint, area)
            schemas |= _schemas(endpoint)
    return {
        "openapi": VERSION,
        "info": {"title": "Vestnik", "version": vestnik.__version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": area} for area in areas],
        "security": [{"apikey": []}, {"login": [], "psw": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                f"Problem{status}": _problem(words) for status, words in _PROBLEMS.items()
            },
            "securitySchemes": {
                one.name: {
                    "type": "apiKey",
                    "in": "query",
                    "name": one.name,
                    "description": f"{one.meaning} It may stand in the body too.",
                }
                for one in EVERYWHERE
                if one.name in _CREDENTIALS
            },
        },
    }


def by_area(endpoints: Iterable[Endpoint]) -> dict[str, list[Endpoint]]:
    """The endpoints as AREAS puts them together, empty areas left out."""
    left = {endpoint.name: endpoint for endpoint in endpoints}
    found = {
        area: [left.pop(name) for name in names if name in left] for area, names in AREAS.items()
    }
    found[OTHER] = list(left.values())
    return {area: members for area, members in found.items() if members}


def operations(endpoint: Endpoint) -> list[str]:
    """The parameters that say what is to be done, if the endpoint can do several things."""
    named = {name for parameter in endpoint.parameters for name in parameter.only}
    named |= {next(iter(shape.asked), "") for shape in endpoint.answers} if named else set()
    return [one.name for one in endpoint.parameters if one.name in named]


def examples(shape: Shape) -> dict[int, str]:
    """What the example of a form is answered, by fmt; empty if it has none."""
    if shape.example is None:
        return {}
    answer = shape.example()
    return {fmt: render(answer, fmt, "utf-8").decode() for fmt in (TEXT, COMMAS, XML, JSON)}


def _paths(endpoint: Endpoint, area: str) -> Document:
    headers = [p for p in endpoint.parameters if p.kind == "header"]
    readable = [p for p in endpoint.parameters if p.kind not in ("header", "file")]
    common: Document = {
        "tags": [area],
        "summary": endpoint.summary,
        "responses": _responses(endpoint),
    }
    if headers:
        common["parameters"] = [_parameter(p, "header") for p in headers]
    query = [p for p in EVERYWHERE if p.name not in _CREDENTIALS]
    by_query = {
        **common,
        "operationId": f"{endpoint.name}_get",
        "parameters": [
            *(_parameter(p, "query") for p in (*readable, *query)),
            *(_parameter(p, "header") for p in headers),
        ],
    }
    by_form = {**common, "operationId": f"{endpoint.name}_post", "requestBody": _form(endpoint)}
    by_json = {**common, "operationId": endpoint.name, "requestBody": _json(endpoint)}
    return {
        endpoint.path: {"get": by_query, "post": by_form},
        f"/rest/{endpoint.name}/": {"post": by_json},
    }


def _parameter(parameter: Parameter, place: str) -> Document:
    schema = parameter_schema(parameter)
    found: Document = {
        "name": parameter.name,
        "in": place,
        "description": described(parameter),
        "schema": schema,
    }
    if parameter.name.endswith(NUMBERED):  # fl[1], fl[2] … is what deepObject makes of fl
        found["name"] = parameter.name.removesuffix(NUMBERED)
        found["style"] = "deepObject"
        found["schema"] = {
            "type": "object",
            "patternProperties": {r"^\d{1,3}$": schema},
            "additionalProperties": False,
        }
    if parameter.required:
        found["required"] = True
    return found


def _form(endpoint: Endpoint) -> Document:
    schema: Document = _ref(endpoint, "Request")
    files = [p for p in endpoint.parameters if p.kind == "file"]
    with_files = {"allOf": [schema, object_of(files)]} if files else schema
    return {
        "required": True,
        "content": {
            _FORM: {"schema": schema, "examples": _asked(endpoint)},
            _MULTIPART: {"schema": with_files},
        },
    }


def _json(endpoint: Endpoint) -> Document:
    content = {"schema": _ref(endpoint, "Request"), "examples": _asked(endpoint)}
    return {"required": True, "content": {"application/json": content}}


def _asked(endpoint: Endpoint) -> Document:
    """The examples of requests, in JSON's types."""
    numbers = {p.name for p in endpoint.parameters if p.kind in ("number", "flag")}
    return {
        f"example{n}": {
            "summary": shape.meaning,
            "value": {
                "apikey": EXAMPLE_KEY,
                **{k: int(v) if k in numbers else v for k, v in shape.asked.items()},
            },
        }
        for n, shape in enumerate(endpoint.answers, 1)
        if shape.asked
    }


def _responses(endpoint: Endpoint) -> Document:
    told = [(shape, examples(shape)) for shape in endpoint.answers]
    text: Document = {"type": "string"}
    content: Document = {
        "application/json": {
            "schema": _ref(endpoint, "Answer"),
            "examples": _told(told, JSON),
        },
        "text/plain": {"schema": text, "examples": _told(told, TEXT) | _told(told, COMMAS)},
        "text/xml": {"schema": text, "examples": _told(told, XML)},
    }
    for shape in endpoint.answers:
        content |= {kind: {"schema": {}} for kind in shape.files}
    problems = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in _PROBLEMS}
    return {"200": {"description": "The answer, or an error.", "content": content}, **problems}


def _told(told: Sequence[tuple[Shape, Mapping[int, str]]], fmt: int) -> Document:
    return {
        f"example{n}fmt{fmt}": {
            "summary": f"{shape.meaning} (fmt={fmt})",
            "value": json.loads(texts[fmt]) if fmt == JSON else texts[fmt],
        }
        for n, (shape, texts) in enumerate(told, 1)
        if texts
    }


def _schemas(endpoint: Endpoint) -> Document:
    name = _name(endpoint)
    readable = [p for p in endpoint.parameters if p.kind not in ("header", "file")]
    known = [shape_schema(shape) for shape in endpoint.answers if not shape.files]
    error = {"$ref": f"#/components/schemas/{name}Error"}
    return {
        f"{name}Request": object_of((*readable, *EVERYWHERE)),
        f"{name}Answer": {"anyOf": [*known, error]} if known else {},
        f"{name}Error": error_schema(endpoint),
    }


def _ref(endpoint: Endpoint, part: str) -> Document:
    return {"$ref": f"#/components/schemas/{_name(endpoint)}{part}"}


def _name(endpoint: Endpoint) -> str:
    return "".join(word.capitalize() for word in endpoint.name.split("_"))


def _problem(words: str) -> Document:
    return {"description": words, "content": {"text/plain": {"schema": {"type": "string"}}}}
