import inspect

import pytest

from vestnik.domain import refusals
from vestnik.doors.http import codes

TABLES = tuple(t for name, t in vars(codes).items() if name.isupper() and isinstance(t, dict))
REFUSALS = [
    thing
    for _, thing in inspect.getmembers(refusals, inspect.isclass)
    if issubclass(thing, refusals.Refusal) and thing is not refusals.Refusal
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_has_a_number_somewhere(refusal):
    assert any(refusal in table for table in TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_endpoint_can_refuse_a_stranger_and_a_nuisance(table):
    numbers = {type_: code.number for type_, code in codes.COMMON.items()}

    assert {type_: table[type_].number for type_ in codes.COMMON} == numbers


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "parameters error"),
        (2, "authorise error"),
        (3, "no money"),
        (4, "IP is blocked"),
        (5, "invalid date"),
        (6, "message is denied"),
        (7, "invalid number"),
        (8, "can't to deliver"),
    ],
)
def test_the_texts_of_send_are_those_of_the_wire(number, expected):
    [words] = {code.words(type_()) for type_, code in codes.SEND.items() if code.number == number}

    assert words == expected


def test_both_reasons_of_error_9_have_their_own_text():
    words = {code.words(type_()) for type_, code in codes.SEND.items() if code.number == 9}

    assert words == {"duplicate request, wait a minute", "too many concurrent requests"}


def test_a_wrong_parameter_is_explained_behind_the_usual_text():
    code = codes.SEND[refusals.BadParameters]

    assert code.words(refusals.BadParameters("mes {x}")) == "parameters error: mes {x}"


def test_an_explanation_does_not_give_a_long_value_back():
    code = codes.SEND[refusals.BadParameters]

    words = code.words(refusals.BadParameters("9" * 1_000_000))

    assert words == f"parameters error: {'9' * codes.WORDS_MAX}..."


def test_a_text_that_programs_compare_hides_the_details():
    code = codes.SEND[refusals.BadNumber]

    assert code.words(refusals.BadNumber("too short")) == "invalid number"


def test_a_task_may_be_refused_in_words_of_its_own():
    code = codes.TASKS[refusals.NotPossible]

    assert code.words(refusals.NotPossible()) == "file is not ready"
    assert code.words(refusals.NotPossible("too many tasks")) == "too many tasks"
