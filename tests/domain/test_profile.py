import pytest

from vestnik.domain.profile import PROFILE_NAMES, WORDS_MAX, Profile, profile_from
from vestnik.domain.refusals import BadParameters


def test_a_profile_is_the_usual_one_but_for_what_was_told():
    told = profile_from({"name": " Shop & Co ", "tariff": "8", "api_log": "1", "phone": ""})

    assert told == Profile(name="Shop & Co", tariff=8, api_log=1)
    assert profile_from({}) == Profile()


def test_a_telephone_is_kept_in_international_form():
    assert profile_from({"phone": "8 (916) 123-45-67"}).phone == "79161234567"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("speed", "1", "there is no setting 'speed'"),
        ("tariff", "9", "tariff is a number from 0 to 8"),
        ("api_log", "2", "api_log is a number from 0 to 1"),
        ("api_log", "-1", "api_log is a number from 0 to 1"),
        ("api_log", "\u0661", "api_log is a number from 0 to 1"),
        ("email", "nobody", "email is one mail address"),
        ("email", "a@b, c@d", "email is one mail address"),
        ("phone", "none", "phone is one number"),
        ("notes", "x" * (WORDS_MAX + 1), "notes is longer than 2000 characters"),
    ],
)
def test_what_a_profile_cannot_hold_is_refused_in_plain_words(name, value, words):
    with pytest.raises(BadParameters, match=words):
        profile_from({name: value})


def test_an_empty_value_is_the_usual_one():
    assert profile_from(dict.fromkeys(PROFILE_NAMES, "")) == Profile()
