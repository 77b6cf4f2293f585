import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.words import CURRENCIES, WHOLE_MAX, in_english, in_russian, sum_in_words


@pytest.mark.parametrize(
    ("number", "russian", "english"),
    [
        (0, "ноль", "zero"),
        (1, "один", "one"),
        (14, "четырнадцать", "fourteen"),
        (20, "двадцать", "twenty"),
        (101, "сто один", "one hundred one"),
        (999, "девятьсот девяносто девять", "nine hundred ninety-nine"),
        (1000, "одна тысяча", "one thousand"),
        (2_000_002, "два миллиона два", "two million two"),
        (11_012, "одиннадцать тысяч двенадцать", "eleven thousand twelve"),
        (
            22_341,
            "двадцать две тысячи триста сорок один",
            "twenty-two thousand three hundred forty-one",
        ),
        (5_000_000_000, "пять миллиардов", "five billion"),
    ],
)
def test_a_number_in_words(number, russian, english):
    assert (in_russian(number), in_english(number)) == (russian, english)


@pytest.mark.parametrize(
    ("micro", "currency", "russian", "english"),
    [
        (
            1_500_000_000,
            "RUB",
            "Одна тысяча пятьсот рублей 00 копеек",
            "One thousand five hundred rubles 00 kopecks",
        ),
        (1_010_000, "RUB", "Один рубль 01 копейка", "One ruble 01 kopeck"),
        (
            111_120_000,
            "RUB",
            "Сто одиннадцать рублей 12 копеек",
            "One hundred eleven rubles 12 kopecks",
        ),
        (22_430_000, "UAH", "Двадцать две гривны 43 копейки", "Twenty-two hryvnias 43 kopecks"),
        (2_000_000, "KZT", "Два тенге 00 тиынов", "Two tenge 00 tiyn"),
        (550_000, "USD", "Ноль долларов США 55 центов", "Zero US dollars 55 cents"),
        (3_070_000, "GBP", "Три GBP 07/100", "Three GBP 07/100"),
    ],
)
def test_a_sum_in_words(micro, currency, russian, english):
    assert sum_in_words(micro, currency, "ru") == russian
    assert sum_in_words(micro, currency, "en") == english


@given(st.integers(0, WHOLE_MAX), st.sampled_from([*CURRENCIES, "XXX"]))
def test_every_sum_has_words_of_its_own(number, currency):
    assert in_russian(number) != in_russian(number + 1 if number < WHOLE_MAX else 0)
    assert in_english(number) != in_english(number + 1 if number < WHOLE_MAX else 0)
    for language in ("ru", "en"):
        assert "  " not in sum_in_words(number * 1_000_000, currency, language)
