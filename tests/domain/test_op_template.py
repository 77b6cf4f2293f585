import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.op_template import KINDS, OPERATORS, OpTemplate, operator_of
from vestnik.domain.refusals import BadParameters


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("Hello", "Hello", True),
        ("Hello", "hello", False),
        ("Hello", "Hello!", False),
        ("Code: %d", "Code: 1234", True),
        ("Code: %d", "Code: 12x4", False),
        ("Code: %d", "Code: ", False),
        ("Code: %d.", "Code: 1.", True),
        ("Dear %w, hello", "Dear Anna, hello", True),
        ("Dear %w, hello", "Dear Anna Maria, hello", False),
        ("Dear %w{1,2}, hello", "Dear Anna Maria, hello", True),
        ("Dear %w{2,3}!", "Dear Anna!", False),
        ("%w %w", "one two", True),
        ("%w%d", "room12", True),
        ("%d%d", "1", False),
        ("Order %d: %w{1,100}", "Order 7: a b c d e", True),
        ("Заказ %d готов", "Заказ 15 готов", True),
        ("100%% sure", "100% sure", True),
        ("100% sure", "100% sure", True),
        ("50%%d", "50%d", True),
        ("a\r\nb", "a\nb", True),
        ("٣ %d", "٣ ٣", False),
    ],
)
def test_a_text_satisfies_a_template_as_a_whole(template, text, expected):
    assert OpTemplate(template).fits(text) is expected


@pytest.mark.parametrize(
    "template", ["", " \n", "x" * 1001, "%w{0,1}", "%w{3,2}", "%w{1,101}", "%w{1,9999}"]
)
def test_a_template_that_stands_for_nothing_is_refused(template):
    with pytest.raises(BadParameters):
        OpTemplate(template)


# The same in the words of regular expressions, for texts so short that they cannot run away.
MEANING = {"%d": "[0-9]+", "%w": r"\S+", "%w{1,3}": r"\S+(?:\s+\S+){0,2}", "%%": "%"}


@given(
    st.lists(st.sampled_from([*MEANING, "a", "1", " ", "a1", "."]), min_size=1, max_size=6),
    st.text("a1 .%", min_size=1, max_size=12),
)
def test_it_agrees_with_a_regular_expression(pieces, text):
    template = f"[{''.join(pieces)}]"
    pattern = "".join(MEANING.get(piece) or re.escape(piece) for piece in pieces)

    expected = re.fullmatch(rf"\[{pattern}\]", f"[{text}]") is not None

    assert OpTemplate(template).fits(f"[{text}]") is expected


def test_no_text_makes_it_try_again_and_again():
    template = OpTemplate("%w{1,100}" * 111)
    began = time.process_time()

    assert not template.fits("a" * 100)
    assert template.fits("aa " * 333)
    assert not OpTemplate("%d" * 500).fits("1" * 999 + "x")
    assert time.process_time() - began < 2


def test_every_kind_belongs_to_an_operator_that_has_a_network():
    assert {operator_of(kind) for kind in KINDS} - {"soc"} == set(OPERATORS.values())
