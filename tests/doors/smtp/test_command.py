import pytest

from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.domain.refusals import BadParameters
from vestnik.doors.smtp.command import Command, order_of, read_command
from vestnik.doors.smtp.letter import Letter, read_letter

USUAL = Command("alex", "123", "", "", "", 0, 0, None, False, "79161234567", "Hi")


def order(text, charset="utf-8", **said):
    letter = Letter(text, charset, "", "", "", "", False, (), **said)
    return order_of(read_command(text), letter, Client(1, "alex"), "192.0.2.7", 0)


def lines(text, charset="utf-8"):
    return list(order(text, charset).lines)


@pytest.mark.parametrize(
    "text",
    [
        "alex:123:::0,0,:79161234567:Hi",
        "alex:123:::0,0:79161234567:Hi",
        "alex:123:0:0:0:79161234567:Hi",
        "alex:123:0:0,:0,0,0,0:79161234567:Hi",
        " \r\nalex : 123::: 0 , 0 : 79161234567 :Hi",
    ],
)
def test_fields_may_be_left_out(text):
    assert read_command(text) == USUAL


def test_every_field_has_its_place():
    command = read_command("alex:123:77:0101261000,-2:1,10,SHOP,1:79161234567:Hi: there")

    assert command == Command(
        "alex", "123", "77", "0101261000", "-2", 1, 10, "SHOP", True, "79161234567", "Hi: there"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "login:psw:id"),
        ("Dear Sir,\r\nbuy this: it is cheap", "login:psw:id"),
        ("alex:123:::0,0,", "login:psw:id"),
        ("alex:123:a b::0:1:x", "id is up to"),
        (f"alex:123:{'9' * 41}::0:1:x", "id is up to"),
        ("alex:123::0,1,2:0:1:x", "more than time,tz"),
        ("alex:123:::0,0,a,b,c:1:x", "more than translit,format,sender,test"),
        ("alex:123:::3:1:x", "translit is a number from 0 to 2"),
        ("alex:123:::0,15:1:x", "format is a number from 0 to 14"),
        ("alex:123:::0,-1:1:x", "format is a number"),
        ("alex:123:::0,٣:1:x", "format is a number"),
        ("alex:123:::0,0,,2:1:x", "test is a number from 0 to 1"),
        ("alex:123:::0:1:x\0y", "NUL"),
        ("al\0ex:123:::0,4:1:x", "NUL"),
    ],
)
def test_what_is_no_command_is_refused_in_plain_words(text, words):
    with pytest.raises(BadParameters, match=words):
        read_command(text)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, Kind.SMS),
        (1, Kind.FLASH),
        (2, Kind.PUSH),
        (3, Kind.HLR),
        (4, Kind.BINARY),
        (5, Kind.BINARY),
        (6, Kind.PING),
        (7, Kind.MMS),
        (8, Kind.MAIL),
        (9, Kind.CALL),
        (10, Kind.VIBER),
        (11, Kind.SOCIAL),
        (12, Kind.TELEGRAM),
        (13, Kind.BOT),
        (14, Kind.WHATSAPP),
    ],
)
def test_the_format_names_the_kind(number, kind):
    assert order(f"alex:123:::0,{number}:79161234567:00AA").kind is kind


@pytest.mark.parametrize(
    ("field", "expected"), [("", None), ("0", None), (".", ""), ("SHOP", "SHOP")]
)
def test_no_sender_means_the_usual_one_and_a_dot_none(field, expected):
    assert order(f"alex:123:::0,0,{field}:79161234567:Hi").sender == expected


def test_line_breaks_at_the_end_of_a_letter_are_not_sent():
    assert lines("alex:123:::0:79161234567:one\r\ntwo \r\n\r\n") == [
        ListLine("79161234567", "one\ntwo")
    ]


def test_the_octets_of_format_4_are_sent_as_they_came():
    text = "alex:123:::0,4:79161234567:\0Привет\r\n"

    assert lines(text, "koi8-r") == [ListLine("79161234567", "00f0d2c9d7c5d4")]


def test_octets_may_name_their_protocol_and_coding():
    [line] = lines("alex:123:::0,4:79161234567:\0A\r\n~~~\r\npid: 0, dcs: 4\r\n", "koi8-r")

    assert line.text == "0041\n~~~\npid: 0, dcs: 4"


def test_octets_may_stand_in_a_list():
    assert lines("alex:123:::0,4::79161234567:\0A\r\n79161234568:\0B\r\n") == [
        ListLine("79161234567", "0041"),
        ListLine("79161234568", "0042"),
    ]


def test_characters_that_no_octets_stand_for_are_no_binary_message():
    with pytest.raises(BadParameters, match="not binary"):
        lines("alex:123:::0,4:79161234567:€", "koi8-r")


def test_files_belong_to_the_kinds_that_carry_them():
    octets = (
        b"Subject: Hello\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\n"
        b"alex:123:::0,%d:79161234567:x\r\n--B\r\nContent-Type: a/b\r\n\r\ndata\r\n--B--\r\n"
    )

    def options(number):
        letter = read_letter(octets % number)
        return order_of(read_command(letter.text), letter, Client(1, "a"), "", 0).options

    assert set(options(0)) == set()
    assert set(options(7)) == {"files"}
    assert set(options(8)) == {"files", "subj"}
    assert set(options(9)) == {"files"}


@pytest.mark.parametrize(
    "other",
    [
        "alex:123:7::0,0,SHOP:79161234567:Hi",
        "alex:123::+5:0,0,SHOP:79161234567:Hi",
        "alex:123::,1:0,0,SHOP:79161234567:Hi",
        "alex:123:::1,0,SHOP:79161234567:Hi",
        "alex:123:::0,1,SHOP:79161234567:Hi",
        "alex:123:::0,0,:79161234567:Hi",
        "alex:123:::0,0,SHOP,1:79161234567:Hi",
        "alex:123:::0,0,SHOP:79161234568:Hi",
        "alex:123:::0,0,SHOP:79161234567:Ho",
        "alex:123:::0,0,SHOP::79161234567:Hi",
    ],
)
def test_what_a_letter_asks_for_makes_it_another(other):
    usual = order("alex:123:::0,0,SHOP:79161234567:Hi")

    assert order(other).params_digest != usual.params_digest


def test_who_asks_and_how_does_not_make_it_another():
    usual = order("alex:123:::0,0,SHOP:79161234567:Hi")

    assert order(":key:0:0:,,SHOP:79161234567:Hi\r\n").params_digest == usual.params_digest
