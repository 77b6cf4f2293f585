import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.contact import (
    FIELDS,
    Book,
    Given,
    blocked_key,
    check,
    fold,
    read_addresses,
    search_text,
    split_name,
)
from vestnik.domain.refusals import BadParameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("79990000001", ["79990000001"]),
        ("+7 (999) 000-00-01", ["79990000001"]),
        ("79990000001,79990000002;79990000003", ["79990000001", "79990000002", "79990000003"]),
        ("79990000001|123/456\n789\t1000", ["79990000001", "123", "456", "789", "1000"]),
        ("79990000001 79990000002", ["79990000001", "79990000002"]),
        (", 79990000001 , ,", ["79990000001"]),
        ("123,+123, 1-2-3", ["123"]),
        ("89161234567", ["89161234567"]),
    ],
)
def test_numbers_stand_between_any_separators(text, expected):
    assert read_addresses(Book.PHONES, text) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", ",;", "12", "abc", "1234567890123456", "79990000001,x", "٧٩٩٩", "1" * 15 + " 2"],
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadParameters):
        read_addresses(Book.PHONES, text)


def test_a_contact_has_so_many_numbers_and_no_more():
    numbers = [str(79_000_000_000 + n) for n in range(1_001)]

    assert len(read_addresses(Book.PHONES, ",".join(numbers[:1_000]))) == 1_000
    with pytest.raises(BadParameters, match="at most 1000"):
        read_addresses(Book.PHONES, ",".join(numbers))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna@Example.org", ["Anna@Example.org"]),
        ("a@b c@d;e@f,<g@h>", ["a@b", "c@d", "e@f", "g@h"]),
        ("a@b,A@B", ["a@b"]),
        ("a+b=c@d", ["a+b=c@d"]),
    ],
)
def test_letter_addresses_stand_between_any_separators(text, expected):
    assert read_addresses(Book.MAILS, text) == expected


@pytest.mark.parametrize("text", ["", "anna", "a@b@c", "@b", "a@", "a@" + "b" * 300, '"a"@b'])
def test_what_is_no_letter_address_is_refused(text):
    with pytest.raises(BadParameters):
        read_addresses(Book.MAILS, text)


@given(st.text())
def test_whatever_is_read_can_be_kept_and_read_again(text):
    for book in Book:
        try:
            found = read_addresses(book, text)
        except BadParameters:
            continue
        assert found
        assert read_addresses(book, ",".join(found)) == found


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Иванов Иван Иванович", ("Иванов", "Иван", "Иванович")),
        ("  Иванов   Иван ", ("Иванов", "Иван", "")),
        ("Иванов", ("Иванов", "", "")),
        ("", ("", "", "")),
        ("Де Голль Шарль Андре", ("Де", "Голль", "Шарль Андре")),
    ],
)
def test_a_full_name_is_split_at_blanks(full, expected):
    assert split_name(full) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 101),
        ("comments", "x" * 1_001),
        ("birthday", "1.2.1990"),
        ("birthday", "30.02.1990"),
        ("birthday", "01.02.0000"),
        ("birthday", "1990-02-01"),
        ("birthday", "٠١.٠٢.١٩٩٠"),
    ],
)
def test_a_field_that_cannot_be_is_refused(field, value):
    with pytest.raises(BadParameters):
        check(Given(**{field: value}))


def test_fields_that_are_empty_or_absent_are_right():
    check(Given(birthday="", name="x" * 100, tags="x" * 1_000))
    check(Given())

    assert Given(name="", tags="a").changes() == {"name": "", "tags": "a"}


def test_a_number_is_blocked_however_it_is_written():
    assert blocked_key(Book.PHONES, "89161234567") == "79161234567"
    assert blocked_key(Book.PHONES, "112") == "112"
    assert blocked_key(Book.MAILS, "Anna@Example.org") == "anna@example.org"


def test_what_is_searched_is_folded_and_begins_with_the_full_name():
    values = dict.fromkeys(FIELDS, "") | {
        "name": "Клиент  Ёлка",
        "last_name": "ИВАНОВ",
        "first_name": "Пётр",
        "comments": "a\nb",
    }

    assert search_text(["79990000001"], values).split("\n") == [
        "иванов петр",
        "клиент елка",
        "79990000001",
        "a b",
        "",
    ]


def test_a_contact_without_names_goes_by_its_title():
    values = dict.fromkeys(FIELDS, "") | {"name": "Anna Smith"}

    assert search_text([], values).split("\n")[0] == fold("anna smith")
