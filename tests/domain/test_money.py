import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.money import money, parse_money
from vestnik.domain.refusals import BadParameters


@pytest.mark.parametrize(
    ("micro", "expected"),
    [
        (0, "0.00"),
        (1_400_000, "1.40"),
        (100_500_000, "100.50"),
        (1_871_620_000, "1871.62"),
        (3_215_309_700, "3215.3097"),
        (385_000, "0.385"),
        (1_000_049, "1.00"),
        (1_000_050, "1.0001"),
        (999_999, "1.00"),
        (-1_400_000, "-1.40"),
        (-50, "-0.0001"),
        (-49, "0.00"),
    ],
)
def test_money_has_two_to_four_decimals(micro, expected):
    assert money(micro) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100", 100_000_000),
        ("100.50", 100_500_000),
        ("0,0001", 100),
        (" -3.000001 ", -3_000_001),
        ("+1", 1_000_000),
    ],
)
def test_an_amount_is_read_as_people_write_it(text, expected):
    assert parse_money(text) == expected


@pytest.mark.parametrize("text", ["", "x", "1.", ".5", "1e3", "1.0000001", "1 000", "٣", "1.2.3"])
def test_other_amounts_are_refused(text):
    with pytest.raises(BadParameters, match="amount of money"):
        parse_money(text)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_what_is_told_is_within_half_of_the_last_decimal(micro):
    assert abs(parse_money(money(micro)) - micro) <= 50
