import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.wire.sms import gsm7
from vestnik.wire.sms.segments import (
    Coding,
    Segment,
    binary_count,
    binary_segments,
    count,
    cut,
    in_series,
    normalise,
    segments,
)

WAP_HEADER = bytes.fromhex("0605040B8423F0")
SINGLE_MAX = {Coding.GSM7: 160, Coding.UCS2: 140}
EACH_MAX = {Coding.GSM7: 153, Coding.UCS2: 134}

# Runs of one character reach the limits; single characters make mixtures.
runs = st.tuples(st.sampled_from("a€я😀\n"), st.integers(1, 170)).map(lambda run: run[0] * run[1])
texts = st.lists(st.one_of(runs, st.text(max_size=5)), max_size=6).map("".join)


def text_of(pieces):
    octets = b"".join(piece.octets for piece in pieces)
    if pieces[0].coding is Coding.GSM7:
        return gsm7.decode(octets)
    return octets.decode("utf-16-be")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 700, 5),
        ("a" * 720, 5),
        ("a" * 1000, 7),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("я" * 1000, 15),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("`" * 71, 2),
    ],
)
def test_a_text_takes_as_many_parts_as_the_page_says(text, expected):
    assert count(text) == expected
    assert len(segments(text)) == expected


def test_a_pair_that_crosses_the_limit_moves_to_the_next_part():
    # 153 septets do not divide into pairs: one of each part stays empty.
    assert [len(piece.octets) for piece in segments("€" * 153)] == [152, 152, 2]
    assert count("€" * 153) == 3

    assert [len(piece.octets) for piece in segments("я" * 66 + "😀" * 34)] == [132, 132, 4]
    assert count("я" * 66 + "😀" * 34) == 3


def test_an_empty_text_is_one_empty_segment():
    assert segments("") == [Segment(b"", Coding.GSM7)]


def test_cyrillic_travels_as_big_endian_ucs2():
    assert segments("Да") == [Segment(b"\x04\x14\x04\x30", Coding.UCS2)]


def test_half_a_surrogate_pair_becomes_a_question_mark():
    assert segments("я\ud83d") == [Segment("я?".encode("utf-16-be"), Coding.UCS2)]
    assert count("\ud83d" * 71) == len(segments("\ud83d" * 71)) == 2


@given(texts)
def test_segments_join_to_the_text_and_none_is_too_long(text):
    pieces = segments(text)
    [coding] = {piece.coding for piece in pieces}
    limit = SINGLE_MAX[coding] if len(pieces) == 1 else EACH_MAX[coding]

    assert text_of(pieces) == text
    assert count(text) == len(pieces)
    assert max(len(piece.octets) for piece in pieces) <= limit


@given(texts)
def test_each_segment_is_a_text_of_its_own(text):
    assert "".join(text_of([piece]) for piece in segments(text)) == text


@given(texts, st.integers(1, 6))
def test_a_cut_text_is_a_beginning_that_fits(text, parts):
    beginning = cut(text, parts)

    assert text.startswith(beginning)
    assert count(beginning) <= parts
    assert (beginning == text) == (count(text) <= parts)


@pytest.mark.parametrize(
    ("text", "parts", "length"),
    [
        ("a" * 500, 1, 160),
        ("a" * 500, 2, 306),
        ("a" * 300, 2, 300),
        ("я" * 500, 1, 70),
        ("я" * 500, 3, 201),
        ("a" * 100 + "я", 1, 70),
        ("a" * 159 + "€", 1, 159),
        ("€" * 200, 2, 152),
        ("я" * 69 + "😀", 1, 69),
        ("😀" * 100, 2, 66),
    ],
)
def test_maxsms_cuts_where_the_last_part_is_full(text, parts, length):
    assert cut(text, parts) == text[:length]


def test_a_text_cannot_be_cut_to_nothing():
    with pytest.raises(ValueError, match="0 parts"):
        cut("a", 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\n\rb", "a\n\nb"),
        ("ab", "ab"),
        ("\r\n\r\n", "\n\n"),
    ],
)
def test_line_breaks_become_one_character(text, expected):
    assert normalise(text) == expected


@pytest.mark.parametrize("data", [b"\x00", b"\x00hello", WAP_HEADER + b"x" * 133, b"\x01\x05"])
def test_data_up_to_140_octets_is_one_part_as_it_is(data):
    assert binary_segments(data) == [data]
    assert binary_count(data) == 1


def test_longer_data_repeats_its_header_and_leaves_room_for_the_series():
    body = bytes(range(250))

    pieces = binary_segments(WAP_HEADER + body)

    assert all(piece.startswith(WAP_HEADER) for piece in pieces)
    assert b"".join(piece[len(WAP_HEADER) :] for piece in pieces) == body
    assert [len(in_series(p, 1, len(pieces), 1)) for p in pieces] == [140, 134]


@given(st.binary(min_size=1, max_size=600))
def test_data_without_a_header_is_cut_so_that_every_part_fits(body):
    pieces = binary_segments(b"\x00" + body)

    assert b"".join(piece[1:] for piece in pieces) == body
    assert binary_count(b"\x00" + body) == len(pieces)
    if len(pieces) > 1:
        assert max(len(in_series(p, 7, len(pieces), 1)) for p in pieces) <= 140


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "shorter than its user data header"),
        (b"\x05\x00\x03\x01", "shorter than its user data header"),
        (b"\x05\x00\x03\x01\x02\x01" + b"x" * 135, "a joining header of its own"),
        (b"\x06\x08\x04\x00\x01\x02\x01" + b"x" * 134, "a joining header of its own"),
        (b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x01\x02\x01" + b"x" * 130, "a joining header"),
        (bytes([134, 0x70, 132]) + bytes(140), "leaves no room"),
    ],
)
def test_data_that_cannot_be_sent_is_refused(data, why):
    with pytest.raises(ValueError, match=why):
        binary_segments(data)


def test_the_clients_own_series_may_travel_part_by_part():
    data = b"\x05\x00\x03\x01\x02\x01hello"

    assert binary_segments(data) == [data]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (b"\x00Hi", "05 00 03 2c 02 01 48 69"),
        (WAP_HEADER + b"Hi", "0b 05 04 0b 84 23 f0 00 03 2c 02 01 48 69"),
    ],
)
def test_the_element_that_joins_a_series_goes_to_the_end_of_the_header(part, expected):
    assert in_series(part, 300, total=2, index=1) == bytes.fromhex(expected)
