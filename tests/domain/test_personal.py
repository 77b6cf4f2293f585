import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.personal import FIELDS, fill, is_personal

ANNA = {"first_name": "Anna", "name": "Friend", "id": "7", "tags": " "}

texts = st.text() | st.lists(
    st.sampled_from(["{", "}", "|", "{{", "name", "{name}", "{id|x}", "{nobody}", "\n", "a"])
).map("".join)
words = st.dictionaries(st.sampled_from(sorted(FIELDS)), texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, {first_name}!", "Hello, Anna!"),
        ("{first_name}{id}", "Anna7"),
        ("Hello, {first_name|friend}!", "Hello, Anna!"),
        ("Hello, {last_name|friend}!", "Hello, friend!"),
        ("Hello, {last_name}!", "Hello, !"),
        ("{tags|none}", "none"),
        ("{last_name|}", ""),
        ("{last_name|a|b}", "a|b"),
        ("{nobody} {nobody|x}", "{nobody} {nobody|x}"),
        ("{ first_name }", "{ first_name }"),
        ("{First_Name}", "{First_Name}"),
        ("{first_name", "{first_name"),
        ("first_name}", "first_name}"),
        ("{{first_name}", "{first_name}"),
        ("{{{first_name}}", "{Anna}"),
        ("{last_name|{first_name}}", "{last_name|Anna}"),
        ("a {{ b", "a { b"),
        ("a } b }}", "a } b }}"),
        ("", ""),
    ],
)
def test_a_place_is_filled_with_the_contact_s_own_words(text, expected):
    assert fill(text, ANNA) == expected


def test_a_contact_s_own_braces_mean_nothing():
    assert fill("{name}", {"name": "{id} {{", "id": "7"}) == "{id} {{"


@given(texts, words)
def test_what_is_not_personal_is_the_same_for_everybody(text, fields):
    if not is_personal(text):
        assert fill(text, fields) == text


@given(texts)
def test_what_is_personal_can_change(text):
    own = dict.fromkeys(FIELDS, "\u2603" * 99)

    assert is_personal(text) == (fill(text, own) != text)


@given(texts, words)
def test_doubled_braces_keep_any_text_as_it_is(text, fields):
    assert fill(text.replace("{", "{{"), fields) == text


@given(texts, texts, words)
def test_texts_with_a_line_between_are_filled_apart(one, other, fields):
    assert fill(f"{one}}}\n{other}", fields) == fill(f"{one}}}", fields) + "\n" + fill(
        other, fields
    )
