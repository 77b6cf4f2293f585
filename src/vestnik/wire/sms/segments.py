"""Text or data → the segments that carry it, and how many there are.

Segments are a pure function of the text: a retry finds the same ones.  Numbers of text.md.
"""

from enum import Enum

import msgspec

from vestnik.wire.sms import gsm7

SEPTETS_MAX, SEPTETS_EACH_MAX = 160, 153
UNITS_MAX, UNITS_EACH_MAX = 70, 67
OCTETS_MAX = 140

# What joins a segment to its series: element 0, three octets, then reference, total and index.
_SERIES_OCTETS = 5
_SERIES_ELEMENTS = (0x00, 0x08)  # with an 8-bit and a 16-bit reference


class Coding(Enum):
    """The alphabet of a segment; 0 to 2 are the numbers that SMPP clients know (text.md)."""

    GSM7 = 0
    LATIN1 = 1
    UCS2 = 2
    BINARY = 3


# To look up a member of an enumeration takes a quarter of a microsecond; these are met at each
# text.
_GSM7, _UCS2 = Coding.GSM7, Coding.UCS2


class Segment(msgspec.Struct, frozen=True):
    """The octets of one short message, without a user data header.

    GSM7 is one octet a septet, UCS2 is UTF-16BE.
    """

    octets: bytes
    coding: Coding


def normalise(text: str) -> str:
    """The text with its line breaks as one character each; do this before counting (text.md)."""
    if "\r" not in text:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def segments(text: str) -> list[Segment]:
    """The segments of a text, one at least; no pair of octets is split between two of them."""
    octets, coding = _encode(text)
    start, pieces = 0, []
    for end in _ends(octets, coding):
        pieces.append(Segment(octets[start:end], coding))
        start = end
    return pieces


def count(text: str) -> int:
    """How many segments the text takes: `len(segments(text))`, sooner."""
    if gsm7.fits(text):
        if len(text) * 2 <= SEPTETS_MAX:  # one, be every character a pair
            return 1
        length, single, each = gsm7.septets(text), SEPTETS_MAX, SEPTETS_EACH_MAX
    else:
        length, single, each = len(_utf16(text)) // 2, UNITS_MAX, UNITS_EACH_MAX
    if length <= single:
        return 1
    if length == len(text):  # no pairs, so every segment but the last is full
        return -(-length // each)
    return len(_ends(*_encode(text)))


def cut(text: str, parts: int) -> str:
    """The beginning of the text that fits into so many parts (`maxsms` of text.md).

    The alphabet is that of the whole text, though the beginning alone may have a shorter one.
    Raises ValueError for fewer than one part.
    """
    if parts < 1:
        raise ValueError(f"a text cannot be cut to {parts} parts")
    if count(text) <= parts:
        return text
    octets, coding = _encode(text)
    if parts == 1:
        end = _end(octets, 0, _limits(coding)[0], coding)
    else:
        end = _ends(octets, coding)[parts - 1]
    if coding is _GSM7:
        return text[: end - octets.count(gsm7.ESCAPE, 0, end)]
    return text[: len(octets[:end].decode("utf-16-be"))]


def binary_segments(data: bytes) -> list[bytes]:
    """The parts of binary data, each with its header: its first octet is the header's length.

    The data begins so too (channels.md).  When it needs several parts, each repeats the data's
    header and leaves room for what `in_series` adds.  Raises ValueError for data that is shorter
    than its header, or too long for one part and already an element of a series of the client's.
    """
    header, body = _split_header(data)
    if len(data) <= OCTETS_MAX:
        return [data]
    room = OCTETS_MAX - len(header) - _SERIES_OCTETS
    if room < 1:
        raise ValueError("the user data header leaves no room for data")
    if not _elements(header).isdisjoint(_SERIES_ELEMENTS):
        raise ValueError("data with a joining header of its own must fit into one part")
    return [header + body[start : start + room] for start in range(0, len(body), room)]


def binary_count(data: bytes) -> int:
    """How many parts binary data takes.  Raises ValueError as `binary_segments`."""
    return len(binary_segments(data))


def in_series(part: bytes, reference: int, total: int, index: int) -> bytes:
    """A part that begins with its header's length, with the element that joins it to its series.

    `index` counts from 1; of the reference the low eight bits are used.  A segment of text has no
    header yet: give `b"\\0" + segment.octets`.
    """
    header, body = _split_header(part)
    elements = header[1:] + bytes((0x00, 0x03, reference & 0xFF, total, index))
    return bytes((len(elements),)) + elements + body


def _encode(text: str) -> tuple[bytes, Coding]:
    if gsm7.fits(text):
        return gsm7.encode(text), _GSM7
    return _utf16(text), _UCS2


def _utf16(text: str) -> bytes:
    """Two octets a unit.  Half a surrogate pair becomes "?": it must not stop a whole request."""
    return text.encode("utf-16-be", "replace")


def _limits(coding: Coding) -> tuple[int, int]:
    """Octets of a single segment, and of each of several."""
    if coding is _GSM7:
        return SEPTETS_MAX, SEPTETS_EACH_MAX
    return 2 * UNITS_MAX, 2 * UNITS_EACH_MAX


def _ends(octets: bytes, coding: Coding) -> list[int]:
    """Where each segment ends."""
    single, each = _limits(coding)
    if len(octets) <= single:
        return [len(octets)]
    ends, end = [], 0
    while end < len(octets):
        end = _end(octets, end, each, coding)
        ends.append(end)
    return ends


def _end(octets: bytes, start: int, limit: int, coding: Coding) -> int:
    """Where a segment from `start` ends: at the limit, or before the pair that crosses it."""
    end = start + limit
    if end >= len(octets):
        return len(octets)
    if coding is _GSM7:
        return end - 1 if octets[end - 1] == gsm7.ESCAPE else end
    return end - 2 if octets[end - 2] & 0xFC == 0xD8 else end


def _split_header(data: bytes) -> tuple[bytes, bytes]:
    """The header with its length octet, and the rest."""
    if not data or len(data) <= data[0]:
        raise ValueError("the data is shorter than its user data header")
    return data[: data[0] + 1], data[data[0] + 1 :]


def _elements(header: bytes) -> set[int]:
    """The identifiers of a header's elements, as far as it can be read."""
    found, at = set(), 1
    while at + 1 < len(header):
        found.add(header[at])
        at += 2 + header[at + 1]
    return found
