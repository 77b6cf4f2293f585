import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.wire.sms import gsm7

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"
texts = st.text(st.sampled_from(BASIC + EXTENDED))
septets = st.binary().map(lambda octets: bytes(octet & 0x7F for octet in octets))


@pytest.mark.parametrize("char", BASIC + EXTENDED)
def test_every_character_of_the_alphabet_fits(char):
    assert gsm7.fits(char)


@pytest.mark.parametrize("char", "`я\x00\t\x1b\x7f\xa0ç©😀“")
def test_a_character_that_gsm_lacks_does_not_fit_and_is_named(char):
    text = f"hello {char} world"

    assert not gsm7.fits(text)
    with pytest.raises(ValueError, match=re.escape(f"U+{ord(char):04X}")):
        gsm7.encode(text)


def test_of_printable_ascii_only_the_back_quote_does_not_fit():
    assert [chr(c) for c in range(0x20, 0x7F) if not gsm7.fits(chr(c))] == ["`"]


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("", b""),
        ("@£$", b"\x00\x01\x02"),
        ("Hello 09", b"Hello 09"),
        ("_ü¿à\n\r", b"\x11\x7e\x60\x7f\x0a\x0d"),
        ("€5", b"\x1b\x65\x35"),
        ("[^]{|}~\\", b"\x1b\x3c\x1b\x14\x1b\x3e\x1b\x28\x1b\x40\x1b\x29\x1b\x3d\x1b\x2f"),
    ],
)
def test_a_text_has_the_octets_of_the_specification(text, octets):
    assert gsm7.encode(text) == octets
    assert gsm7.decode(octets) == text


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("abc", 3), ("€", 2), ("{a}", 5)])
def test_extension_characters_take_two_septets(text, expected):
    assert gsm7.septets(text) == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"a\x80\xffb", "a??b"),
        (b"a\x1bAb", "aAb"),
        (b"a\x1b\x00", "a@"),
        (b"a\x1b", "a "),
        (b"a\x1b\x1bb", "a b"),
        (b"\x1b\xfe", "?"),
        (b"\x1b\x0a", "\f"),
    ],
)
def test_decoding_survives_what_no_phone_should_send(octets, expected):
    assert gsm7.decode(octets) == expected


@given(texts)
def test_decoding_gives_back_what_was_encoded(text):
    octets = gsm7.encode(text)

    assert gsm7.decode(octets) == text
    assert len(octets) == gsm7.septets(text)


@given(st.text())
def test_any_text_either_fits_or_is_refused(text):
    assert gsm7.fits(text) == all(char in BASIC + EXTENDED for char in text)


def test_packing_follows_the_examples_everybody_knows():
    assert gsm7.pack(b"hellohello").hex().upper() == "E8329BFD4697D9EC37"
    assert gsm7.pack(b"") == b""


def test_fill_bits_put_the_text_on_a_septet_boundary_behind_a_header():
    # A six-octet header takes 48 bits; one more makes 49, seven septets.
    assert gsm7.pack(b"A", fill=1) == b"\x82"


@pytest.mark.parametrize("fill", range(7))
@given(octets=septets)
def test_unpacking_gives_back_what_was_packed(fill, octets):
    packed = gsm7.pack(octets, fill)

    assert gsm7.unpack(packed, len(octets), fill) == octets
    assert len(packed) == -(-(7 * len(octets) + fill) // 8)


def test_unpacking_more_than_there_is_is_refused():
    with pytest.raises(ValueError, match="2 octets do not hold 3 septets"):
        gsm7.unpack(b"ab", 3)
