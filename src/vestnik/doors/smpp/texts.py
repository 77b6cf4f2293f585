"""What the octets of a submit say: a text, a flash, or binary data (smpp.md, "Coding")."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from vestnik.domain.message import Kind
from vestnik.doors.smpp.codes import Wrong
from vestnik.wire.smpp import udh
from vestnik.wire.smpp.command_status import (
    ESME_RINVESMCLASS,
    ESME_RINVMSGLEN,
    ESME_RSUBMITFAIL,
)
from vestnik.wire.sms import gsm7

# data_coding below 0x10.  Of those the reference service names 0, 4 and 8; the rest is as the
# specification numbers it.
_DEFAULT, _ASCII, _EIGHT_BIT, _UCS2 = 0, 1, 4, 8
_CODECS = {
    1: "ascii",
    3: "latin-1",
    4: "latin-1",
    5: "shift_jis",
    6: "iso8859-5",
    7: "iso8859-8",
    8: "utf-16-be",
    13: "shift_jis",
    14: "euc_kr",
}
_OCTETS_UNSPECIFIED = 2
_FLASH_CLASS = 0

# What no text holds: of the control characters only tab, line feed, form feed and return are any.
_no_text = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")

# Programs that know ASCII alone write these words so in the default alphabet too, where the same
# octets are other characters: the underscore is "§" there and the tilde "ü".
_ascii_marker = re.compile(rb"__([A-Z]{2,8})__")
_GSM_UNDERSCORES = gsm7.encode("__")
_ASCII_COMMENT, _GSM_COMMENT = b"\n~~~\n", gsm7.encode("\n~~~\n")

# Prefixes that text.md does not have: the door makes an order of that kind (smpp.md).
_OWN_MARKERS = {"__MAIL__": Kind.MAIL, "__BOT__": Kind.BOT, "__WA__": Kind.WHATSAPP}


@dataclass(frozen=True, slots=True)
class Coding:
    """How octets are to be read: `codec` None is the GSM alphabet."""

    codec: str | None
    binary: bool = False
    flash: bool = False


class Saying(NamedTuple):
    """What a submit says; the text of binary data is its octets in hex (channels.md)."""

    kind: Kind
    text: str
    options: dict[str, object]


@lru_cache(maxsize=512)
def coding_of(data_coding: int, *, iso: bool) -> Coding:
    """How a data_coding is read; with `iso` (system_type at bind) the default is ISO-8859-1.

    Raises Wrong for one that no alphabet stands behind.
    """
    if data_coding < 0x10:
        return _plain(data_coding, iso)
    if data_coding & 0xE0 == 0x20:
        raise Wrong(ESME_RSUBMITFAIL)  # compressed
    if data_coding >= 0xF0:
        alphabet, message_class = data_coding & 0x04, data_coding & 0x03
        flash = message_class == _FLASH_CLASS
    elif data_coding >= 0xC0:  # message waiting
        return _plain(_UCS2 if data_coding >= 0xE0 else _DEFAULT, iso)
    else:
        alphabet, message_class = data_coding & 0x0C, data_coding & 0x03
        flash = bool(data_coding & 0x10) and message_class == _FLASH_CLASS
    if alphabet == _EIGHT_BIT:
        return Coding("latin-1", binary=True)
    plain = _plain(alphabet, iso)
    return Coding(plain.codec, flash=flash)


def _plain(data_coding: int, iso: bool) -> Coding:
    if data_coding == _DEFAULT:
        return Coding("latin-1" if iso else None)
    if data_coding == _OCTETS_UNSPECIFIED:
        return Coding("latin-1", binary=True)
    if data_coding not in _CODECS:
        raise Wrong(ESME_RSUBMITFAIL)
    return Coding(_CODECS[data_coding])


def split_header(octets: bytes) -> tuple[udh.Place, bytes, bytes]:
    """A message that begins with a user data header: its place in a series, the header's other
    elements, and the rest.

    Raises Wrong where there is no header though esm_class promises one.
    """
    if not octets or len(octets) < 1 + octets[0]:
        raise Wrong(ESME_RINVESMCLASS)
    header = octets[1 : 1 + octets[0]]
    place, rest = udh.split(octets)
    others, at = b"", 0
    while at < len(header):
        end = at + 2 + header[at + 1] if at + 1 < len(header) else len(header) + 1
        if end > len(header):
            raise Wrong(ESME_RINVESMCLASS)
        if header[at] not in (udh.CONCATENATED_8, udh.CONCATENATED_16):
            others += header[at:end]
        at = end
    return place, others, rest


def say(octets: bytes, header: bytes, data_coding: int, protocol_id: int, *, iso: bool) -> Saying:
    """Read a whole message; `header` are the elements of its user data header, without a place.

    Eight bits are Latin text or data (smpp.md): data where there is a header, a message class, or
    a character that no text has.  Raises Wrong for what cannot be read.
    """
    if not (data_coding or header or iso):  # nearly all there is
        return _worded(gsm7.decode(_gsm_words(octets)), Kind.SMS)
    coding = coding_of(data_coding, iso=iso)
    odd = data_coding in (_ASCII, _EIGHT_BIT) and _no_text.search(octets.rstrip(b"\0"))
    if header or coding.binary or (odd and data_coding == _EIGHT_BIT):
        return _data(octets, header, data_coding, protocol_id)
    if odd:  # programs that call the GSM alphabet ASCII are in wide use
        coding = Coding(None)
    return _worded(_text(octets, coding), Kind.FLASH if coding.flash else Kind.SMS)


def _worded(text: str, kind: Kind) -> Saying:
    """A text, whose first word may choose another kind."""
    if text.startswith("__"):
        for marker, own in _OWN_MARKERS.items():
            if text.startswith(marker):
                return _own(own, text.removeprefix(marker))
    return Saying(kind, text, {})


def _data(octets: bytes, header: bytes, data_coding: int, protocol_id: int) -> Saying:
    """Data begin with the length of their header, 0 for none (channels.md)."""
    options: dict[str, object] = {"dcs": data_coding}
    if protocol_id:
        options["pid"] = protocol_id
    return Saying(Kind.BINARY, (bytes((len(header),)) + header + octets).hex(), options)


def _text(octets: bytes, coding: Coding) -> str:
    if coding.codec is None:
        return gsm7.decode(_gsm_words(octets))
    if coding.codec == "utf-16-be" and len(octets) % 2:
        raise Wrong(ESME_RINVMSGLEN)
    try:
        text = octets.decode(coding.codec)
    except UnicodeDecodeError:
        raise Wrong(ESME_RSUBMITFAIL) from None
    text = text.rstrip("\0")  # some programs send the end of a C string, too
    if "\0" in text:
        raise Wrong(ESME_RSUBMITFAIL)
    return text


def _gsm_words(octets: bytes) -> bytes:
    """The words of this interface in the default alphabet, also where they came in ASCII."""
    if b"__" not in octets and b"~~~" not in octets:
        return octets
    marker = _ascii_marker.match(octets)
    if marker is not None:
        word = _GSM_UNDERSCORES + marker[1] + _GSM_UNDERSCORES
        octets = word + octets[marker.end() :]
    before, separator, comment = octets.rpartition(_ASCII_COMMENT)
    return before + _GSM_COMMENT + comment if separator else octets


def _own(kind: Kind, text: str) -> Saying:
    """The first line of a letter is its subject (smpp.md)."""
    if kind is not Kind.MAIL:
        return Saying(kind, text, {})
    subject, line_break, body = text.replace("\r\n", "\n").partition("\n")
    return Saying(kind, body if line_break else subject, {"subj": subject.strip()})
