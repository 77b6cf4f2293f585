"""GSM 03.38, the 7-bit alphabet of short messages: what fits, and how.

A septet travels here as one octet ("unpacked", as SMPP carries it); `pack` and `unpack` are for
wires that squeeze eight septets into seven octets.
"""

import codecs
import re

ESCAPE = 0x1B

# The place of a character is its septet.  The escape stands for itself, and is no text.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
assert len(_BASIC) == 128

# What an escape makes of the septet behind it.
_EXTENDED: dict[int, str] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_AFTER_ESCAPE = {_BASIC[septet]: char for septet, char in _EXTENDED.items()} | {"\x1b": " "}

_TEXT = "".join(sorted({*_BASIC, *_EXTENDED.values()} - {"\x1b"}))
_fits = re.compile(f"[{re.escape(_TEXT)}]*").fullmatch
_extended = re.compile(f"[{re.escape(''.join(_EXTENDED.values()))}]")
_escaped = re.compile("\x1b(.?)", re.DOTALL)
_DECODED = _BASIC + "?" * 128  # an octet with the eighth bit set is no septet


class _Encoded(dict[int, str]):
    """Character → its septets; what is missing stops the translation."""

    def __missing__(self, char: int) -> str:
        raise ValueError(f"U+{char:04X} is not in the GSM alphabet")


_ENCODED = _Encoded(
    {ord(char): chr(septet) for septet, char in enumerate(_BASIC) if septet != ESCAPE}
    | {ord(char): chr(ESCAPE) + chr(septet) for septet, char in _EXTENDED.items()}
)


def fits(text: str) -> bool:
    """Whether the GSM alphabet has every character of the text."""
    if text.isascii() and text.isprintable():
        return "`" not in text  # the only printable ASCII character it lacks
    return _fits(text) is not None


def septets(text: str) -> int:
    """How many septets a text takes that `fits`; extension characters take two (text.md)."""
    if _extended.search(text) is None:
        return len(text)
    return len(text) + len(_extended.findall(text))


def encode(text: str) -> bytes:
    """One octet a septet.  Raises ValueError, naming the character, for what does not fit."""
    return text.translate(_ENCODED).encode("latin-1")


def decode(octets: bytes) -> str:
    """The text of unpacked septets; never fails.

    What is no septet becomes "?", an escape before an unknown septet is ignored, and one before
    another escape or nothing is a space, as the specification asks of phones.
    """
    text, _ = codecs.charmap_decode(octets, "strict", _DECODED)
    if ESCAPE not in octets:
        return text
    return _escaped.sub(lambda pair: _AFTER_ESCAPE.get(pair[1], pair[1] or " "), text)


def pack(octets: bytes, fill: int = 0) -> bytes:
    """Squeeze septets together, lowest bits first, behind `fill` zero bits (0–6).

    The fill aligns the text with a septet boundary when a user data header stands before it.
    """
    bits, width, packed = 0, fill, bytearray()
    for septet in octets:
        bits |= (septet & 0x7F) << width
        width += 7
        while width >= 8:
            packed.append(bits & 0xFF)
            bits >>= 8
            width -= 8
    if width:
        packed.append(bits)
    return bytes(packed)


def unpack(octets: bytes, count: int, fill: int = 0) -> bytes:
    """The first `count` septets behind `fill` bits, one octet each.

    Raises ValueError if the octets hold fewer.
    """
    if fill + 7 * count > 8 * len(octets):
        raise ValueError(f"{len(octets)} octets do not hold {count} septets")
    bits = int.from_bytes(octets, "little") >> fill
    return bytes(bits >> 7 * place & 0x7F for place in range(count))
