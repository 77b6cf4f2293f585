import pytest

from vestnik.domain.refusals import BadNumber, BadParameters
from vestnik.domain.sender import (
    DETAILS,
    FILE_MAX,
    FLAGS,
    OPERATORS,
    Kind,
    file_type,
    missing,
    read,
    telephone,
)

JPG = b"\xff\xd8\xff\xe0" + b"x" * 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Shop", ("Shop", Kind.ALPHANUMERIC)),
        (" my.shop-1_ ", ("my.shop-1_", Kind.ALPHANUMERIC)),
        ("12345678901", ("12345678901", Kind.DIGITAL)),
        ("+7 (999) 123-45-67", ("79991234567", Kind.DIGITAL)),
        ("89991234567", ("79991234567", Kind.DIGITAL)),
        ("elevenchars", ("elevenchars", Kind.ALPHANUMERIC)),
    ],
)
def test_a_name_is_kept_as_it_is_and_a_number_without_its_ornaments(text, expected):
    assert read(text, mail=False) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "twelve chars", "twelvecharss", "Магазин", "a b", "900", "1234567890123456", "a'b",
     "<b>", "=1+1", "a\nb", "٣٤٥٦٧٨٩"],
)  # fmt: skip
def test_what_no_message_can_show_is_no_name(text):
    with pytest.raises(BadParameters):
        read(text, mail=False)


def test_a_mail_address_is_a_name_when_it_is_said_to_be_one():
    assert read("Shop@example.org", mail=True) == ("Shop@example.org", Kind.MAIL)
    for text in (
        "shop",
        "a@b",
        "a b@example.org",
        "a@exa mple.org",
        "a@b.c\r\nBcc: d@e.f",
        "x" * 99,
    ):
        with pytest.raises(BadParameters):
            read(text, mail=True)
    with pytest.raises(BadParameters):
        read("shop@example.org", mail=False)


@pytest.mark.parametrize(
    "text", ["", "Shop", "123456", "7999", "7999123456789012", "+", "79991234567x"]
)
def test_what_is_no_telephone_cannot_get_a_code(text):
    with pytest.raises(BadNumber):
        telephone(text)


def test_a_country_asks_for_its_details():
    assert missing({"mts": "paid"}, {}) == []
    assert missing({"by": "national"}, {"by_fio": "A", "by_inn": "1", "by_ocup": ""}) == [
        "by_address",
        "by_ocup",
    ]
    assert missing({"ua": "national"}, dict.fromkeys(DETAILS["ua"], "x")) == []


def test_every_flag_names_an_operator():
    assert {operator for operator, _ in FLAGS.values()} == set(OPERATORS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", ("a.jpg", "image/jpeg")),
        ("A.JPEG", ("A.jpeg", "image/jpeg")),
        ("../../etc/passwd.jpg", ("passwd.jpg", "image/jpeg")),
        ("C:\\x\\y.jpg", ("y.jpg", "image/jpeg")),
        ('a"\r\nb.jpg', ("a___b.jpg", "image/jpeg")),
        (".jpg", ("document.jpg", "image/jpeg")),
        ("x" * 300 + ".jpg", ("x" * 96 + ".jpg", "image/jpeg")),
    ],
)
def test_a_document_has_a_harmless_name(name, expected):
    assert file_type(name, JPG) == expected


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("a.exe", b"MZ"),
        ("a", JPG),
        ("jpg", JPG),
        ("a.png", JPG),
        ("a.pdf", b"<html>"),
        ("a.jpg", b""),
        ("a.jpg", JPG + b"x" * FILE_MAX),
    ],
)
def test_a_document_is_what_its_name_says(name, octets):
    with pytest.raises(BadParameters):
        file_type(name, octets)
