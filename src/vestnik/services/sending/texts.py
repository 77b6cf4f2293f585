"""What a request says → texts as they will leave: their channel, their parts, their links."""

import re

import msgspec
from msgspec import structs

from vestnik.domain.message import Flag, Kind
from vestnik.domain.refusals import BadParameters
from vestnik.services.centre import names
from vestnik.services.centre.directory import Directory
from vestnik.services.centre.terms import Terms
from vestnik.services.messages.draft import Order
from vestnik.services.messages.links import Made, shorten
from vestnik.wire.sms import push, segments, translit

KNOWN_MAX = 500  # a list has as many texts as lines
TEXTLESS = frozenset({Kind.HLR, Kind.PING})
UNLIMITED = frozenset({Kind.MAIL})
SPOKEN = frozenset({Kind.MAIL, Kind.CALL, Kind.HLR, Kind.PING})  # their links stay as they are
COMMENT = "\n~~~\n"
# What may stand for the text of a message (channels.md).
FOR_TEXT: dict[Kind, tuple[str, ...]] = {
    Kind.MMS: ("files", "fileurl", "subj"),
    Kind.CALL: ("files", "fileurl"),
}

# A marker at the beginning of a text chooses its channel (text.md, "Prefixes").
MARKERS: dict[str, Kind] = {
    "HLR": Kind.HLR,
    "PING": Kind.PING,
    "CALL": Kind.CALL,
    "VIBER": Kind.VIBER,
    "SOC": Kind.SOCIAL,
    "MMS": Kind.MMS,
    "MAIL": Kind.MAIL,
    "TG": Kind.TELEGRAM,
    "FLASH": Kind.FLASH,
    "SMS": Kind.SMS,
}
MARKER = re.compile(rf"__({'|'.join(MARKERS)})__")
BLOCK = re.compile(rf"\n(?=__(?:{'|'.join(MARKERS)})__)")  # between the ways of a chain
BINARY_TAIL = re.compile(r"pid: (\d+), dcs: (\d+)")

# A member of an enumeration takes a quarter of a microsecond to look up, and these are needed for
# every message.
_SMS, _FLASH, _PUSH, _BINARY = Kind.SMS, Kind.FLASH, Kind.PUSH, Kind.BINARY
_SECRET = int(Flag.SECRET)


class Text(msgspec.Struct, frozen=True):
    """A text as it will leave: its kind, how many parts it takes and what is only for history."""

    kind: Kind
    text: str
    comment: str
    parts: int
    later: tuple["Text", ...] = ()  # what is tried when this fails
    raw: str = ""  # before its links were made short
    links: tuple[Made, ...] = ()


class Texts:
    """The texts of one order; `options` are those of its messages, as they are stored."""

    __slots__ = ("_brought", "_coded", "_directory", "_known", "_order", "_terms", "options")

    def __init__(self, order: Order, terms: Terms, directory: Directory) -> None:
        self._order, self._terms, self._directory = order, terms, directory
        self.options = msgspec.json.encode(order.options).decode() if order.options else ""
        self._known: dict[str, Text] = {}
        self._coded: dict[str, int] | None = None  # pid and dcs of binary messages
        self._brought: set[str] = set()  # codes of links that a recipient has brought

    def read(self, raw: str) -> Text:
        """The text of one line; raises BadParameters for one that cannot be sent."""
        known = self._known.get(raw)
        if known is None:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            known = self._known[raw] = self._read(raw)
        return known

    def own_links(self, text: Text) -> Text:
        """The text for one recipient: where clicks are followed each has links of its own, else
        the first one brings those of all."""
        if self._terms.limits.link_tracking:
            return self._linked(structs.replace(text, text=text.raw))
        if text.links[0].code in self._brought:
            return structs.replace(text, links=())
        self._brought.add(text.links[0].code)
        return text

    def _read(self, raw: str) -> Text:
        text, comment = segments.normalise(raw), ""
        if COMMENT in text:
            text, _, comment = text.rpartition(COMMENT)
        kind = self._order.kind
        if "\n__" not in text or kind is _BINARY:
            return self._block(text, comment, kind)
        first, *rest = BLOCK.split(text)
        later = tuple(self._block(block, comment, _SMS) for block in rest)
        return structs.replace(self._block(first, comment, kind), later=later)

    def _block(self, text: str, comment: str, kind: Kind) -> Text:
        """One way of saying it: a marker at its beginning chooses the channel (text.md)."""
        order, terms = self._order, self._terms
        marker = MARKER.match(text) if text.startswith("__") else None
        if marker:
            kind, text = MARKERS[marker[1]], text[marker.end() :]
        if kind is _BINARY:
            return self._binary(text, comment)
        if not text.strip() and not self._textless(kind):
            raise BadParameters("mes: the text is empty")
        most = terms.limits.text_max
        if most and len(text) > most and kind not in UNLIMITED:
            raise BadParameters(f"mes: the text has {len(text)} characters, at most {most} may be")
        if terms.signs and not order.flags & _SECRET:
            text = names.signed(self._directory, order.client.id, kind, text)
        if order.translit and kind not in UNLIMITED:
            text = translit.translit(text, order.translit)
        if kind is _PUSH:
            return _push(text, comment)
        if kind in SPOKEN:
            return Text(kind, text, comment, 1)
        return self._linked(Text(kind, text, comment, 1))

    def _linked(self, text: Text) -> Text:
        """The text with its links made short, if that is asked for, cut and counted."""
        order, raw, links = self._order, text.text, text.links
        said = raw
        counted = text.kind is _SMS or text.kind is _FLASH
        if order.options.get("tinyurl"):
            said, links = shorten(raw, self._directory.links_base)
        if order.maxsms and counted:
            said = segments.cut(said, order.maxsms)
        parts = segments.count(said) if counted else 1
        return Text(text.kind, said, text.comment, parts, raw=raw, links=links)

    def _textless(self, kind: Kind) -> bool:
        """The message may do without a text."""
        return kind in TEXTLESS or any(self._order.options.get(o) for o in FOR_TEXT.get(kind, ()))

    def _binary(self, text: str, comment: str) -> Text:
        """Octets in hex; their tail may name protocol id and coding (channels.md)."""
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            raise BadParameters("mes: a binary message is written in hex digits") from None
        if not octets or octets[0] >= len(octets):
            raise BadParameters("mes: binary data begin with the length of their header, or 00")
        tail = BINARY_TAIL.fullmatch(comment)
        coded = {"pid": int(tail[1]), "dcs": int(tail[2])} if tail else {}
        if self._coded is not None and self._coded != coded:
            raise BadParameters("list: all its binary messages have one pid and dcs")
        self._coded = coded
        options = self._order.options | coded
        self.options = msgspec.json.encode(options).decode() if options else ""
        try:
            parts = segments.binary_count(octets)
        except ValueError as wrong:
            raise BadParameters(f"mes: {wrong}") from None
        return Text(Kind.BINARY, text, comment, parts)


def _push(text: str, comment: str) -> Text:
    try:
        parts = segments.binary_count(push.service_indication(text))
    except ValueError as wrong:
        raise BadParameters(f"mes: {wrong}") from None
    return Text(_PUSH, text, comment, parts)
