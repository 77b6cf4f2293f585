import inspect

import pytest

from vestnik.domain import refusals
from vestnik.doors.http import codes as http
from vestnik.doors.smtp.codes import CODES, LATER, LINE_MAX, line_of, plain


def test_errors_have_the_numbers_and_words_of_send():
    assert {kind: (code.number, code.text) for kind, code in CODES.items()} == {
        kind: (code.number, code.text) for kind, code in http.SEND.items()
    }


def test_only_what_passes_by_itself_is_tried_again():
    later = {kind for kind, code in CODES.items() if code.reply == LATER}

    assert later == {refusals.AddressBlocked, refusals.TooManyConnections}


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (refusals.BadNumber(message_id="541"), "ERROR = 7 (invalid number), ID - 541"),
        (refusals.BadNumber("12 is short"), "ERROR = 7 (invalid number)"),
        (refusals.BadParameters(), "ERROR = 1 (parameters error)"),
        (refusals.BadParameters("tz is odd"), "ERROR = 1 (parameters error: tz is odd)"),
    ],
)
def test_the_line_of_a_refusal_is_that_of_send(refusal, expected):
    assert line_of(refusal) == expected


def test_a_reply_is_one_line_of_ascii():
    assert plain("tz: 'Ы'\r\n250 OK") == "tz: '?'??250 OK"
    assert len(plain("x" * 10_000)) == LINE_MAX


def test_refusals_that_sending_knows_are_numbered():
    sent = {kind for _, kind in inspect.getmembers(refusals, inspect.isclass)} & set(http.SEND)

    assert sent == set(CODES)
