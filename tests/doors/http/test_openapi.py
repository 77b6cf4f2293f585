import inspect
import json
import os
import re
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.described import misfits

from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import (
    EVERYWHERE,
    PARAMETER_KINDS,
    Parameter,
    endpoint,
)
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.openapi import AREAS, OTHER, by_area, examples, openapi, operations
from vestnik.doors.http.reply import JSON, OK
from vestnik.doors.http.schemas import object_of, shape_schema
from vestnik.doors.http.shapes import MEMBER_KINDS, Member, Shape, done

DESCRIPTION = openapi(ENDPOINTS)
EVERY = pytest.mark.parametrize("one", ENDPOINTS, ids=lambda one: one.name)
DONE = done("Done.")
SHAPES = [(one, shape) for one in ENDPOINTS for shape in one.answers]


def members(found):
    for member in found:
        yield member
        yield from members(member.members)


def test_the_description_is_openapi():
    assert list(OpenAPIV31SpecValidator(DESCRIPTION).iter_errors()) == []


def test_the_same_endpoints_make_the_same_description():
    program = (
        "from vestnik.doors.http.endpoints import ENDPOINTS\n"
        "from vestnik.doors.http.openapi import openapi\n"
        "import json; print(json.dumps(openapi(ENDPOINTS)))"
    )
    made = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "4"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert made.stdout.strip() == json.dumps(DESCRIPTION)


@EVERY
def test_an_endpoint_is_described_at_both_of_its_addresses(one):
    classic, rest = DESCRIPTION["paths"][one.path], DESCRIPTION["paths"][f"/rest/{one.name}/"]
    own = {parameter.name.removesuffix("[]") for parameter in one.parameters}

    assert {p["name"] for p in classic["get"]["parameters"]} - {"fmt", "charset"} <= own
    assert set(classic["post"]["requestBody"]["content"]) == {
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }
    assert set(rest["post"]["requestBody"]["content"]) == {"application/json"}


@EVERY
def test_an_endpoint_says_what_it_is_for_and_what_it_answers(one):
    assert one.summary[:1].isupper()
    assert one.summary.endswith(".")
    assert one.answers
    assert one.name in {name for names in AREAS.values() for name in names}


@EVERY
def test_parameters_are_declared_as_the_description_can_tell_them(one):
    names = [parameter.name for parameter in one.parameters]
    everywhere = {parameter.name for parameter in EVERYWHERE}

    assert len(set(names)) == len(names)
    assert everywhere.isdisjoint(names)
    for parameter in one.parameters:
        assert parameter.kind in PARAMETER_KINDS, parameter.name
        assert re.search(r"[.!]$", parameter.meaning), parameter.meaning
        assert set(parameter.only) <= set(names), parameter.name


@EVERY
@pytest.mark.parametrize(
    ("kind", "read"), [("header", "call.idempotency_key"), ("file", "call.files")]
)
def test_what_is_read_beside_parameters_is_declared_like_them(one, kind, read):
    source = inspect.getsource(sys.modules[one.handler.__module__])
    declared = any(parameter.kind == kind for parameter in one.parameters)

    assert declared == (read in source)


@pytest.mark.parametrize(
    ("one", "shape"), SHAPES, ids=[f"{one.name}: {shape.meaning}" for one, shape in SHAPES]
)
def test_an_answer_is_declared_as_the_description_can_tell_it(one, shape):
    assert {member.kind for member in members(shape.members)} <= set(MEMBER_KINDS)
    assert bool(shape.members) != bool(shape.files)
    plain = {p.name for p in one.parameters} | {f"{p.name[:-2]}[1]" for p in one.parameters}
    assert set(shape.asked) <= plain


@pytest.mark.parametrize(
    ("one", "shape"),
    [(one, shape) for one, shape in SHAPES if shape.example],
    ids=lambda it: it.name if hasattr(it, "name") else it.meaning,
)
def test_the_example_of_an_answer_is_what_its_declaration_says(one, shape):
    told = examples(shape)[JSON]

    problems = Draft202012Validator(shape_schema(shape)).iter_errors(json.loads(told))

    assert [problem.message for problem in problems] == []
    assert misfits(one.name, told) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"balance": 7},
        {"balance": "7", "currenci": "RUB"},
        {},
        {"error": "no money", "error_code": 3},
        {"error": "authorise error", "error_code": 9},
        {"error": "authorise error"},
    ],
)
def test_what_is_not_declared_does_not_fit(answer):
    assert misfits("balance", json.dumps(answer))


@pytest.mark.parametrize(
    "answer",
    [
        {"balance": "-7.05", "credit": "10.00"},
        {"error": "authorise error", "error_code": 2},
        {"error": "parameters error: cur is 0 or 1", "error_code": 1},
    ],
)
def test_what_is_declared_fits(answer):
    assert misfits("balance", json.dumps(answer)) == []


async def nothing(call):
    return OK


def an_endpoint(*parameters, answer=DONE):
    made = endpoint("/sys/odd.php", codes=codes.BALANCE, parameters=parameters, answers=(answer,))
    return made(nothing)


def test_numbered_parameters_are_told_as_an_object_in_a_query_and_by_a_pattern_in_a_body():
    odd = an_endpoint(Parameter("fl[]", "Flags.", kind="flag"))
    paths = openapi([odd])["paths"]
    [found] = [p for p in paths["/sys/odd.php"]["get"]["parameters"] if p["name"] == "fl"]
    validator = Draft202012Validator(object_of(odd.parameters))

    assert (found["style"], set(found["schema"]["patternProperties"])) == (
        "deepObject",
        {r"^\d{1,3}$"},
    )
    assert validator.is_valid({"fl[7]": 1})
    assert not validator.is_valid({"fl[7]": 2})


@pytest.mark.parametrize(
    ("parameter", "right", "wrong"),
    [
        (Parameter("n", "N.", kind="number", low=1, high=3), 3, 4),
        (Parameter("n", "N.", kind="number", choices=("0", "8")), 8, 1),
        (Parameter("n", "N.", kind="decimal", low=0), 0.5, -1),
        (Parameter("n", "N.", kind="flag"), 1, 2),
        (Parameter("n", "N.", kind="date"), "01.02.2025", "2025-02-01"),
        (Parameter("n", "N.", choices=("csv", "xlsx")), "csv", "pdf"),
        (Parameter("n", "N.", high=2), "ab", "abc"),
    ],
)
def test_a_declaration_says_which_values_there_are(parameter, right, wrong):
    validator = Draft202012Validator(object_of([parameter]))

    assert validator.is_valid({"n": right})
    assert not validator.is_valid({"n": wrong})


def test_a_parameter_that_is_needed_is_needed_in_a_body_too():
    validator = Draft202012Validator(object_of([Parameter("id", "Id.", required=True)]))

    assert not validator.is_valid({})


def test_a_record_within_a_record_is_as_strict():
    inner = Member("rows", "Rows.", kind="list", members=(Member("n", "N.", kind="number"),))
    validator = Draft202012Validator(shape_schema(Shape("Rows.", (inner,))))

    assert validator.is_valid({"rows": [{"n": 1}]})
    assert not validator.is_valid({"rows": [{"n": "1"}]})
    assert not validator.is_valid({"rows": [{"n": 1, "m": 2}]})


def test_a_file_has_no_schema():
    with pytest.raises(ValueError, match="is a file"):
        shape_schema(Shape("The file.", files=("text/csv",)))


def test_operations_are_what_other_parameters_name():
    odd = an_endpoint(
        Parameter("add", "1 adds.", kind="flag"),
        Parameter("del", "1 deletes.", kind="flag"),
        Parameter("name", "Name.", only=("add",)),
        answer=done("Gone.", **{"del": "1"}),
    )

    assert operations(odd) == ["add", "del"]
    assert operations(an_endpoint(Parameter("name", "Name."))) == []


def test_an_endpoint_that_is_in_no_area_stands_at_the_end():
    found = by_area([an_endpoint(), *ENDPOINTS])

    assert list(found)[-1] == OTHER
    assert [one.name for one in found[OTHER]] == ["odd"]


def test_a_text_of_an_error_cannot_become_a_pattern():
    one = next(one for one in ENDPOINTS if one.name == "send")
    schema = openapi([one])["components"]["schemas"]["SendError"]
    validator = Draft202012Validator(schema)

    assert validator.is_valid({"error": "can't to deliver", "error_code": 8, "id": 1})
    assert not validator.is_valid({"error": "can't to deliverX", "error_code": 8})
