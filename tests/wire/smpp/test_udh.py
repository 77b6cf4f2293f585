from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.wire.smpp import udh
from vestnik.wire.sms.segments import in_series


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"\x05\x00\x03\x2a\x03\x02Hello", (udh.Place(0x2A, 3, 2), b"Hello")),
        (b"\x06\x08\x04\x01\x2a\x03\x02Hello", (udh.Place(0x12A, 3, 2), b"Hello")),
        (bytes.fromhex("0b 0504 0b84 23f0 0003 2a 02 01") + b"x", (udh.Place(0x2A, 2, 1), b"x")),
        (b"\x00Hello", (udh.ALONE, b"Hello")),
        (b"\x05\x00\x03\x2a\x03\x04Hello", (udh.ALONE, b"Hello")),
        (b"\x05\x00\x03\x2a\x03\x00Hello", (udh.ALONE, b"Hello")),
        (b"\x05\x00\x09\x2a\x03\x01Hello", (udh.ALONE, b"Hello")),
        (b"\x50Hello", (udh.ALONE, b"")),
        (b"", (udh.ALONE, b"")),
    ],
)
def test_a_header_is_read_or_passed_over(message, expected):
    assert udh.split(message) == expected


@given(st.binary(max_size=30))
def test_no_header_makes_the_reader_raise(message):
    place, _ = udh.split(message)

    assert 1 <= place.index <= place.total


def test_what_segments_write_is_read_here():
    assert udh.split(in_series(b"\0Hello", 0x12A, 3, 2)) == (udh.Place(0x2A, 3, 2), b"Hello")


def test_references_of_ids_a_millisecond_apart_are_spread():
    references = [udh.reference_of(number << 12) & 0xFF for number in range(1000)]

    assert all(a != b for a, b in pairwise(references))
    assert len(set(references)) > 200
    assert max(references.count(value) for value in set(references)) < 20
