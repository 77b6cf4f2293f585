"""JSON Schemas of what endpoints declare: parameters, answers, errors."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vestnik.doors.http.codes import Code
from vestnik.doors.http.endpoint import Endpoint, Parameter
from vestnik.doors.http.shapes import Member, Shape

Schema = dict[str, Any]

NUMBERED = "[]"  # ends the name of numbered parameters
_DAY = r"^\d{2}\.\d{2}\.\d{4}$"
_MEMBERS: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "number": {"type": "integer"},
    "money": {"type": "string", "pattern": r"^(-?\d+(\.\d+)?)?$"},
    "digits": {"type": "string", "pattern": r"^\d*$"},
    "date": {"type": "string", "pattern": r"^(\d{2}\.\d{2}\.\d{4} \d{2}:\d{2}:\d{2})?$"},
    "minute": {"type": "string", "pattern": r"^\d{2}\.\d{2}\.\d{4} \d{2}:\d{2}$"},
    "moment": {"type": "integer", "description": "Unix seconds."},
    "id": {"type": ["integer", "string"]},
    "texts": {"type": "array", "items": {"type": "string"}},
}
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


def parameter_schema(parameter: Parameter) -> Schema:
    """What a value of the parameter may be."""
    match parameter.kind:
        case "flag":
            return {"type": "integer", "enum": [0, 1]}
        case "number" | "decimal":
            kind = "integer" if parameter.kind == "number" else "number"
            if parameter.choices:
                return {"type": kind, "enum": [int(choice) for choice in parameter.choices]}
            return {"type": kind, **_bounds(parameter, "minimum", "maximum")}
        case "file":
            return {"type": "string", "contentMediaType": "application/octet-stream"}
        case "date":
            return {"type": "string", "pattern": _DAY}
    if parameter.choices:
        return {"type": "string", "enum": list(parameter.choices)}
    return {"type": "string", **_bounds(parameter, "minLength", "maxLength")}


def described(parameter: Parameter) -> str:
    """The meaning of a parameter, and which operations read it."""
    if not parameter.only:
        return parameter.meaning
    return f"{parameter.meaning} Read with {', '.join(parameter.only)}."


def object_of(parameters: Iterable[Parameter]) -> Schema:
    """Parameters as members of an object; further members are read by nobody."""
    plain: Schema = {}
    numbered: Schema = {}
    required: list[str] = []
    for parameter in parameters:
        schema = {**parameter_schema(parameter), "description": described(parameter)}
        if parameter.name.endswith(NUMBERED):
            name = parameter.name.removesuffix(NUMBERED)
            numbered[rf"^{_literal(name)}\[\d{{1,3}}\]$"] = schema
        else:
            plain[parameter.name] = schema
            required += [parameter.name] if parameter.required else []
    return {
        "type": "object",
        "properties": plain,
        **({"patternProperties": numbered} if numbered else {}),
        **({"required": required} if required else {}),
    }


def shape_schema(shape: Shape) -> Schema:
    """The JSON of a success; raises ValueError for one that is a file."""
    if shape.files:
        raise ValueError(f"{shape.meaning} is a file")
    record = _record(shape.members)
    if shape.many:
        return {"type": "array", "items": record, "description": shape.meaning}
    return {**record, "description": shape.meaning}


def error_schema(endpoint: Endpoint) -> Schema:
    """The JSON of an error of this endpoint: its numbers, and the texts that each may have."""
    numbers = errors_of(endpoint)
    return {
        "type": "object",
        "properties": {
            "error": {"type": "string"},
            "error_code": {"type": "integer", "enum": list(numbers)},
            "id": {
                **_MEMBERS["id"],
                "description": "Id of the messages, if they are on record though refused.",
            },
        },
        "required": ["error", "error_code"],
        "additionalProperties": False,
        "anyOf": [
            {"properties": {"error_code": {"const": number}, "error": _words(codes)}}
            for number, codes in numbers.items()
        ],
    }


def errors_of(endpoint: Endpoint) -> dict[int, list[Code]]:
    """What each error number may mean, by growing numbers."""
    found: dict[int, list[Code]] = {}
    for code in sorted(
        set(endpoint.codes.values()), key=lambda code: (code.number, code.text, code.detailed)
    ):
        found.setdefault(code.number, []).append(code)
    return found


def _words(codes: Sequence[Code]) -> Schema:
    patterns = []
    for code in codes:
        patterns.append(_literal(code.text))
        if code.detailed:
            patterns.append(_literal(code.detailed).replace(r"\{\}", r"[\s\S]*"))
    return {"pattern": f"^({'|'.join(patterns)})$"}


def _record(members: Sequence[Member]) -> Schema:
    return {
        "type": "object",
        "properties": {member.name: _member(member) for member in members},
        "required": [member.name for member in members if not member.optional],
        "additionalProperties": False,
    }


def _member(member: Member) -> Schema:
    if member.kind == "list":
        return {"type": "array", "items": _record(member.members), "description": member.meaning}
    if member.kind == "record":
        return {**_record(member.members), "description": member.meaning}
    schema = dict(_MEMBERS[member.kind])
    if member.choices:
        numeric = schema["type"] == "integer"
        schema["enum"] = [int(one) if numeric else one for one in member.choices]
    return {**schema, "description": member.meaning}


def _bounds(parameter: Parameter, low: str, high: str) -> Schema:
    bounds = {low: parameter.low, high: parameter.high}
    return {name: value for name, value in bounds.items() if value is not None}


def _literal(text: str) -> str:
    """A pattern that only this text fits; escapes that every dialect of patterns knows."""
    return _SPECIAL.sub(lambda special: "\\" + special[0], text)
