"""Lists of mailings, as they were given: packed into chunks of a thousand recipients.

A group stands in a chunk of its own, for who is in it is only known when its messages are made.
"""

import asyncio
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from vestnik.domain import personal
from vestnik.domain.lists import ListLine
from vestnik.services.contacts.books import Addressee

CHUNK_ROWS = 1_000
PLAIN_MAX = 1024  # octets of a chunk that is stored as it is; numbers in a row take half the room

_group = re.compile(r"[Gg](\d{1,18})", re.ASCII).fullmatch
_word = re.compile(r"[^,;\r\n]+")


class Entry(msgspec.Struct, array_like=True):
    """Some recipients and what they get; `text` None is the mailing's own.

    `phones` are separated by commas.  `group` is the number of a group that stands in their place,
    0 for none; `sender` and `zone` are a line's own.
    """

    phones: str
    text: str | None = None
    sender: str | None = None
    zone: str = ""
    group: int = 0

    def line(self, own_text: str) -> ListLine:
        text = own_text if self.text is None else self.text
        return ListLine(self.phones, text, self.sender, self.zone)


@dataclass(slots=True)
class Packed:
    """A list in chunks, each with the number of its recipients (None: a group).

    `groups` are the groups it names, `zones` the zones that its lines name, `total` the recipients
    beside the groups.
    """

    chunks: list[tuple[bytes, int | None]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    zones: set[str] = field(default_factory=set)
    total: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Entry])


_PRESSED = b"x"  # what zlib begins with; a list of entries begins otherwise


def pack(entries: list[Entry]) -> bytes:
    """A chunk of entries, for the store."""
    octets = _encoder.encode(entries)
    return octets if len(octets) <= PLAIN_MAX else zlib.compress(octets, 1)


def unpack(octets: bytes) -> list[Entry]:
    """The entries of a chunk."""
    return _decoder.decode(zlib.decompress(octets) if octets.startswith(_PRESSED) else octets)


def to_members(line: ListLine, members: Sequence[Addressee]) -> list[ListLine]:
    """A line to a group's members: one for all, or one each where the text has their own words."""
    if not personal.is_personal(line.text):
        return [line._replace(phones=",".join(one.address for one in members))]
    return [
        line._replace(phones=one.address, text=personal.fill(line.text, one.fields))
        for one in members
    ]


def to_given(entries: Sequence[Entry], own_text: str, *, grouped: bool) -> list[ListLine]:
    """The lines to those who stand in the list themselves.

    Beside groups a text may be personal: these are not known but by their numbers.
    """
    lines = [entry.line(own_text) for entry in entries]
    if not grouped:
        return lines
    made: list[ListLine] = []
    for line in lines:
        members = [Addressee(0, phone, {"phone": phone}) for phone in line.phones.split(",")]
        made += to_members(line, members)
    return made


def as_given(entry: Entry) -> str:
    """Its recipients, as in the parameter `phones`."""
    return entry.phones or f"G{entry.group}"


def as_line(entry: Entry) -> str:
    """A line of a list, as send.md has it."""
    whose = "" if entry.sender is None else entry.sender
    head = f"{whose},{entry.zone}|" if entry.zone else f"{whose}|" if whose else ""
    text = (entry.text or "").replace("\n", "\\n")
    return f"{head}{as_given(entry)}:{text}"


async def packed(lines: Iterable[ListLine], own_text: str) -> Packed:
    """A list in chunks, made with a turn of the loop for each."""
    press = _Press(own_text)
    for line in lines:
        press.begin(line)
        for phone in _phones(line.phones):
            if press.add(phone):
                await asyncio.sleep(0)
        press.end()
    press.close()
    return press.made


class _Press:
    """Makes chunks of what it is given phone by phone."""

    def __init__(self, own_text: str) -> None:
        self.made = Packed()
        self._own_text = own_text
        self._entries: list[Entry] = []  # of the chunk that is being made
        self._count = 0
        self._line = ListLine("", "")
        self._phones: list[str] = []  # of the entry that is being made

    def begin(self, line: ListLine) -> None:
        self._line = line
        if line.zone:
            self.made.zones.add(line.zone)

    def add(self, phone: str) -> bool:
        """Add a recipient of the line; True when that made a chunk."""
        group = _group(phone)
        if group:
            self.close()
            self.made.groups.append(int(group[1]))
            self.made.chunks.append((pack([self._entry("", int(group[1]))]), None))
            return True
        self._phones.append(phone)
        self._count += 1
        if self._count == CHUNK_ROWS:
            self.close()
            return True
        return False

    def end(self) -> None:
        """The line has no more recipients."""
        if self._phones:
            self._entries.append(self._entry(",".join(self._phones)))
            self._phones = []

    def close(self) -> None:
        """Make a chunk of what there is."""
        self.end()
        if self._entries:
            self.made.chunks.append((pack(self._entries), self._count))
            self.made.total += self._count
            self._entries, self._count = [], 0

    def _entry(self, phones: str, group: int = 0) -> Entry:
        line = self._line
        text = None if line.text == self._own_text else line.text
        return Entry(phones, text, line.sender, line.zone, group)


def _phones(text: str) -> Iterator[str]:
    """The members of a list one by one, so that a long one is never held twice."""
    for word in _word.finditer(text):
        phone = word[0].strip()
        if phone:
            yield phone
