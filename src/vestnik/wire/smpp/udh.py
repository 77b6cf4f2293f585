"""The user data header at the start of a short message: where a segment stands in its series.

Writing one is `in_series` of wire/sms/segments.py.
"""

from dataclasses import dataclass

ESM_UDHI = 0x40
CONCATENATED_8 = 0x00
CONCATENATED_16 = 0x08


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment stands in its message; `index` counts from 1."""

    reference: int
    total: int
    index: int


ALONE = Place(reference=0, total=1, index=1)


def reference_of(message_id: int) -> int:
    """A 16-bit reference made of a message's id: the same for every try, spread over all values.

    Ids end in a counter that is mostly zero, so their low bits alone would repeat.
    """
    return (message_id * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 48


def split(message: bytes) -> tuple[Place, bytes]:
    """A message that begins with a header: its place and the rest.

    A header that cannot be read counts as none, and its octets are skipped as far as they go.
    """
    if not message:
        return ALONE, b""
    end = 1 + message[0]
    header, rest = message[1:end], message[end:]
    at, place = 0, ALONE
    while at + 2 <= len(header):
        element, next_at = header[at], at + 2 + header[at + 1]
        if next_at <= len(header):
            place = _place(element, header[at + 2 : next_at]) or place
        at = next_at
    return place, rest


def checked(reference: int, total: int, index: int) -> Place | None:
    """A place, or None for numbers that make no sense."""
    return Place(reference, total, index) if 1 <= index <= total else None


def _place(element: int, value: bytes) -> Place | None:
    if element == CONCATENATED_8 and len(value) == 3:
        return checked(value[0], value[1], value[2])
    if element == CONCATENATED_16 and len(value) == 4:
        return checked(int.from_bytes(value[:2], "big"), value[2], value[3])
    return None
