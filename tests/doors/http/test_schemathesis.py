"""The description of the API played against a centre that serves it, by a stranger to both."""

import asyncio

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.serving import LIFTED, LOGIN, PASSWORD, Centre

from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.openapi import openapi

EXAMPLES = 8  # of each operation: all of them within a minute
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CREDENTIALS = ("login", "psw", "apikey")


def described(*, covered):
    """The description; `covered`: each parameter is led to its bounds and beyond them, too."""
    schema = schemathesis.openapi.from_dict(openapi(ENDPOINTS))
    schema.config.phases.coverage.enabled = covered
    return schema


by_json = described(covered=True).include(path_regex="^/rest/")
classic = described(covered=False).include(path_regex="^/sys/")
some = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a centre without limits, and a key of a rich account."""
    folder = tmp_path_factory.mktemp("schemathesis") / "data"
    with asyncio.Runner() as runner:
        centre = Centre(folder, ACCESS__WRONG_REQUESTS="0")
        add = ("client", "add", LOGIN, "--password", PASSWORD, "--balance", "1000000")
        runner.run(centre.run(*add))
        runner.run(centre.run("client", "set", LOGIN, *LIFTED, "identical_per_minute=0"))
        key = runner.run(centre.run("client", "key", "add", LOGIN)).split()[-1]
        runner.run(centre.start())
        yield centre.base, key
        runner.run(centre.sound())
        runner.run(centre.kill())


def answered(case, served):
    """The case played with a key that is let in; fails unless its answer is as described."""
    base, key = served
    if isinstance(case.body, dict):
        case.body = {name: v for name, v in case.body.items() if name not in CREDENTIALS}
    case.query = {**(case.query or {}), "apikey": key}
    case.call_and_validate(base_url=base, checks=CHECKS)


@by_json.parametrize()
@some
def test_what_is_asked_by_json_is_answered_as_described(case, served):
    answered(case, served)


@classic.parametrize()
@some
def test_what_is_asked_by_query_and_form_is_answered_as_described(case, served):
    answered(case, served)
