import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.number import mask, parse, plausible, split_phones, valid_sender


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("79991234567", "79991234567"),
        ("89991234567", "79991234567"),
        ("9991234567", "79991234567"),
        ("+79991234567", "79991234567"),
        ("+89991234567", "89991234567"),
        ("+9991234567", "9991234567"),
        (" +7 (999) 123-45-67 ", "79991234567"),
        ("8.999.123.45.67", "79991234567"),
        ("7\u00a0999\u00a0123\u201345\u201367", "79991234567"),
        ("8(999)1234567", "79991234567"),
        ("(999) 123-45-67", "79991234567"),
        ("375291234567", "375291234567"),
        ("1234567", "1234567"),
        ("123456789012345", "123456789012345"),
        ("8123456789", "8123456789"),
    ],
)
def test_a_number_is_read_as_it_was_meant(phone, expected):
    assert parse(phone) == expected


@pytest.mark.parametrize(
    "phone",
    ["", "123", "+", "123456", "1234567890123456", "0079991234567", "09991234567", "7999123456x"]
    + [
        "++79991234567",
        "7+9991234567",
        "٧٩٩٩١٢٣٤٥٦٧",
        "alex@example.com",
        "²9991234567",
        "#12345678",
    ],
)
def test_what_is_no_number_is_none(phone):
    assert parse(phone) is None


@given(st.text(st.sampled_from("0123456789+ -().а"), max_size=20))
def test_whatever_is_read_is_digits_of_e164_and_reads_literally_as_itself(phone):
    msisdn = parse(phone)

    assert msisdn is None or (msisdn.isdecimal() and 7 <= len(msisdn) <= 15)
    assert msisdn is None or parse("+" + msisdn) == msisdn


@pytest.mark.parametrize(
    "msisdn",
    ["79991234567", "74951234567", "77011234567", "375291234567", "380501234567", "12125550123"]
    + ["4915112345678", "447911123456", "8613812345678", "998901234567", "37412345678"]
    + ["905321234567", "2341234567", "99365123456", "37360123456"],
)
def test_a_number_whose_length_fits_its_code_is_plausible(msisdn):
    assert plausible(msisdn)


@pytest.mark.parametrize(
    "msisdn",
    ["7999123456", "799912345678", "71234567890", "70234567890", "72345678901", "37529123456"]
    + ["3805012345678", "11234567890", "4879", "33123456789012", "99890123456"],
)
def test_a_number_whose_length_does_not_fit_its_code_is_not(msisdn):
    assert not plausible(msisdn)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("79991234567", ["79991234567"]),
        ("1,2;3\n4\r\n5", ["1", "2", "3", "4", "5"]),
        (",, 1 ;; ,2,", ["1", "2"]),
        ("+7 999 123, 8 (999) 4", ["+7 999 123", "8 (999) 4"]),
    ],
)
def test_a_list_of_phones_is_split_and_its_gaps_are_dropped(text, expected):
    assert split_phones(text) == expected


@pytest.mark.parametrize(
    "text",
    ["Shop", "A", "Elevenchars", "My Shop 24", "O'Neil&Co.", "79991234567", "123456789012345"]
    + ["+79991234567", "shop-1_a", "911"],
)
def test_names_and_numbers_may_be_senders(text):
    assert valid_sender(text)


@pytest.mark.parametrize(
    "text",
    ["", "Twelve chars", "Магазин", " Shop", "Shop ", " ", "1234567890123456", "Shop\n", "a{b"]
    + ["79991234567\n", "€hop", "+1234567890123456"],
)
def test_what_a_phone_cannot_show_is_no_sender(text):
    assert not valid_sender(text)


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("79991234567", "7********67"),
        ("+79991234567", "7********67"),
        ("375291234567", "375*******67"),
        ("4915112345678", "49*********78"),
        ("alex@example.com", "***"),
        ("123", "***"),
        ("", "***"),
    ],
)
def test_a_log_shows_the_code_and_the_last_two_digits(phone, expected):
    assert mask(phone) == expected
