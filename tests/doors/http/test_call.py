import pytest

from vestnik.domain.client import Client
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http.endpoint import Call, Undeclared
from vestnik.doors.http.multipart import File

BLANK = dict.fromkeys(("sender", "flash", "n", "fl[]"))


def call(files=(), **params):
    client = Client(1, "alex")
    return Call(client, None, params, files, "127.0.0.1", 0, 0, "utf-8", False, "", BLANK)


def test_an_empty_parameter_is_absent():
    assert call(sender="").text("sender", "Shop") == "Shop"
    assert call(sender="X").text("sender", "Shop") == "X"
    assert call().text("sender") == ""


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("0", False), ("", False)])
def test_a_flag_is_0_or_1(value, expected):
    assert call(flash=value).flag("flash") is expected


def test_a_flag_is_nothing_else():
    with pytest.raises(BadParameters, match="flash is 0 or 1"):
        call(flash="yes").flag("flash")


@pytest.mark.parametrize(
    ("value", "expected"), [("", 7), ("3", 3), (" 3 ", 3), ("-2", -2), ("+9", 9), ("09", 9)]
)
def test_a_number_is_whole(value, expected):
    assert call(n=value).number("n", 7, -2, 9) == expected


@pytest.mark.parametrize("value", ["x", "1.5", "-3", "10", "1_0", "٣", "-", "9" * 30])
def test_a_number_is_within_its_bounds(value):
    with pytest.raises(BadParameters, match="n is"):
        call(n=value).number("n", 7, -2, 9)


def test_how_a_request_is_made_does_not_make_it_another():
    one = call(login="alex", psw="1", fmt="3", charset="utf-8", id="0", time="0", mes="a", b="")
    other = call(apikey="k", mes="a")

    assert one.digest() == other.digest()


@pytest.mark.parametrize(
    "different",
    [
        call(mes="b"),
        call(mes="a", tz="0"),
        call(text="a"),
        call(mes="a", id="1"),
        call((File("f", "a.wav", b"x"),), mes="a"),
    ],
)
def test_what_a_request_asks_makes_it_another(different):
    assert different.digest() != call(mes="a").digest()


def test_a_value_cannot_pretend_to_be_two_parameters():
    assert call(a="1\n1:b=2").digest() != call(a="1", b="2").digest()


def test_those_of_several_that_are_given_are_told_as_they_came():
    names = frozenset({"sender", "n"})

    assert call(sender=" X", n="", flash="1").among(names) == {"sender": " X"}


@pytest.mark.parametrize(
    "read",
    [
        lambda it: it.given("mes"),
        lambda it: it.text("mes"),
        lambda it: it.flag("mes"),
        lambda it: it.number("mes", 0),
        lambda it: it.numbered("mes"),
        lambda it: it.among(frozenset({"sender", "mes"})),
    ],
)
def test_what_was_not_declared_cannot_be_read(read):
    with pytest.raises(Undeclared, match="mes"):
        read(call(mes="1"))


def test_numbered_parameters_are_declared_once():
    assert call(**{"fl[1]": "a", "fl[22]": "b", "fl[x]": "c"}).numbered("fl") == {1: "a", 22: "b"}
