"""Answers of the API held against what its description says of them."""

import json
import re
from functools import cache

from jsonschema import Draft202012Validator

from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.openapi import openapi

ADDRESS = re.compile(r"/(?:sys|rest)/(\w+)(?:\.php|/)?(?:\?|$)")


@cache
def _validator(name):
    """That of an endpoint's answers in JSON."""
    component = "".join(word.capitalize() for word in name.split("_"))
    schema = {"$ref": f"#/components/schemas/{component}Answer"}
    return Draft202012Validator(schema | {"components": openapi(ENDPOINTS)["components"]})


def endpoint_at(target):
    """The name of the endpoint at an address, None if no endpoint is there."""
    found = ADDRESS.match(target)
    name = found[1] if found else ""
    return name if any(one.name == name for one in ENDPOINTS) else None


def misfits(name, text):
    """What of an answer in JSON is not as it is described."""
    return [problem.message for problem in _validator(name).iter_errors(json.loads(text))]
