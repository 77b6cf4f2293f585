"""An answer and its four formats, to the octet (conventions.md, recorded.md)."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted

import msgspec

from vestnik.domain.refusals import Refusal
from vestnik.doors.http.codes import Codes

Value = str | int

TEXT, COMMAS, XML, JSON = 0, 1, 2, 3

# The charsets of the wire and the codecs that read and write them.
CODECS = {"windows-1251": "cp1251", "utf-8": "utf-8", "koi8-r": "koi8-r"}

_CONTENT = ("text/plain", "text/plain", "text/xml", "application/json")
CONTENT_TYPES: Mapping[tuple[int, str], bytes] = {
    (fmt, charset): f"{content}; charset={charset}".encode()
    for fmt, content in enumerate(_CONTENT)
    for charset in CODECS
}

ID_MAX = 2**53 - 1  # beyond it readers that keep numbers as doubles would round the id

_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rows:
    """A list inside an answer, such as the phones of `op=1`.

    `item` is the XML element of one row; its member of that name is the element's text and the
    others are attributes (send.md).
    """

    name: str
    item: str
    records: Sequence[Mapping[str, str]]
    sentence: str
    short: str


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of plain texts inside an answer; `item` is the XML element of each.  In the formats
    that are lines the sentence has its own place for them."""

    name: str
    item: str
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Marks:
    """Numbers by name inside a record: a member of JSON, `a:1;b:2` in lines, attributes in XML."""

    name: str
    values: Mapping[str, int]


class Reply(msgspec.Struct, frozen=True):
    """One record, told in any of the four formats.

    `fields` are JSON's members in their order; `elements` is the order of XML where it differs.
    `sentence` (fmt 0) and `short` (fmt 1) name fields in braces.  `root` is the XML element around
    the fields, None for none; `spread` puts each element on a line of its own.  With `text` that
    element has no others inside: this field is its text, the others are attributes (senders.md).
    """

    fields: Mapping[str, Value]
    sentence: str
    short: str
    root: str | None = "result"
    elements: tuple[str, ...] | None = None
    spread: bool = True
    rows: Rows | Texts | None = None
    text: str | None = None
    marks: Marks | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Many records: a line each, an XML element each inside `root`, a JSON array.

    Each record's own `root` is the name of its element.  With `beside` JSON is an object of these
    members and the array, under the name of `root`.  `ended`: its last line, too, has a line
    feed in fmt 0.
    """

    replies: Sequence[Reply]
    root: str = "result"
    beside: Mapping[str, Value] | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    """A file as the whole answer: `chunks` make `length` octets (downloads.md, get_file)."""

    filename: str
    content_type: str
    length: int
    chunks: AsyncIterator[bytes]


Answer = Reply | Listing

# Operations without data answer this (conventions.md, "Plain OK").
OK = Reply({"result": "OK"}, sentence="OK", short="OK", root=None, spread=False)


def wire_id(text: str) -> Value:
    """An id as JSON tells it: a number if it reads the same as one, else a string (recorded.md)."""
    if text.isascii() and text.isdigit() and (text[0] != "0" or text == "0"):
        number = int(text) if len(text) <= 16 else ID_MAX + 1
        return number if number <= ID_MAX else text
    return text


def refused(refusal: Refusal, codes: Codes) -> Reply:
    """The error answer; it names the message if there is one on record (conventions.md).

    Raises KeyError if the endpoint's table has no number for the refusal, which is a bug.
    """
    code = codes[type(refusal)]
    fields: dict[str, Value] = {"error": code.words(refusal), "error_code": code.number}
    if refusal.message_id is None:
        return Reply(fields, "ERROR = {error_code} ({error})", "0,-{error_code}")
    fields["id"] = wire_id(refusal.message_id)
    return Reply(fields, "ERROR = {error_code} ({error}), ID - {id}", "{id},-{error_code}")


def render(answer: Answer, fmt: int, charset: str) -> bytes:
    """The octets of an answer.

    What the charset lacks becomes `?`, in XML a numeric reference.
    """
    text = _LISTINGS[fmt](answer) if isinstance(answer, Listing) else _REPLIES[fmt](answer)
    if text.isascii():
        return text.encode("ascii")
    return text.encode(CODECS[charset], "xmlcharrefreplace" if fmt == XML else "replace")


def _line(fields: Mapping[str, Value]) -> Mapping[str, Value]:
    """Fields whose texts stay on one line, since a record is a line."""
    if not any(isinstance(v, str) and ("\n" in v or "\r" in v) for v in fields.values()):
        return fields
    return {k: " ".join(v.splitlines()) if isinstance(v, str) else v for k, v in fields.items()}


def _told(reply: Reply) -> Mapping[str, Value]:
    """What a line may name: the fields, and the marks as one text."""
    if reply.marks is None:
        return _line(reply.fields)
    marks = ";".join(f"{name}:{value}" for name, value in reply.marks.values.items())
    return {**_line(reply.fields), reply.marks.name: marks}


def _sentence(reply: Reply) -> str:
    first = reply.sentence.format_map(_told(reply))
    if not isinstance(reply.rows, Rows):
        return first
    return "\n".join([first, *(reply.rows.sentence.format_map(r) for r in reply.rows.records)])


def _lines(listing: Listing) -> str:
    lines = "\n".join(map(_sentence, listing.replies))
    return lines + "\n" if listing.ended and lines else lines


def _short(reply: Reply) -> str:
    first = reply.short.format_map(_told(reply))
    if not isinstance(reply.rows, Rows):
        return first
    return "\n".join([first, *(reply.rows.short.format_map(r) for r in reply.rows.records)])


def _xml(reply: Reply) -> str:
    if reply.text is not None:
        return _xml_element(reply)
    names: Iterable[str] = reply.fields if reply.elements is None else reply.elements
    parts = [f"<{name}>{escaped(reply.fields[name])}</{name}>" for name in names]
    if isinstance(reply.rows, Rows):
        parts.append(_xml_rows(reply.rows))
    elif reply.rows is not None:
        item = reply.rows.item
        inside = "".join(f"<{item}>{escaped(text)}</{item}>" for text in reply.rows.texts)
        parts.append(f"<{reply.rows.name}>{inside}</{reply.rows.name}>")
    if reply.root is not None:
        parts = [f"<{reply.root}>", *parts, f"</{reply.root}>"]
    return ("\n" if reply.spread else "").join(parts)


def _xml_element(reply: Reply) -> str:
    """A record as one element: a field is its text, the others and the marks are attributes."""
    marks = reply.marks.values if reply.marks is not None else {}
    named = [(k, v) for k, v in reply.fields.items() if k != reply.text] + list(marks.items())
    attributes = "".join(f' {name}="{escaped(value)}"' for name, value in named)
    return f"<{reply.root}{attributes}>{escaped(reply.fields[reply.text or ''])}</{reply.root}>"


def _xml_rows(rows: Rows) -> str:
    items = []
    for record in rows.records:
        attributes = "".join(f' {k}="{escaped(v)}"' for k, v in record.items() if k != rows.item)
        items.append(f"<{rows.item}{attributes}>{escaped(record[rows.item])}</{rows.item}>")
    return f"<{rows.name}>{''.join(items)}</{rows.name}>"


def escaped(value: Value) -> str:
    """Text as XML may hold it; a character that XML forbids becomes `?`."""
    if isinstance(value, int):
        return str(value)
    text = _NOT_XML.sub("?", value)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A reader turns a bare carriage return into a line feed, and breaks in attributes into spaces.
    return text.replace('"', "&quot;").replace("\r", "&#13;")


def _json(reply: Reply) -> str:
    return f"{{\n{_members(reply)}\n}}"


def _members(reply: Reply) -> str:
    members = _pairs(reply.fields)
    if reply.marks is not None:
        members += f',\n"{reply.marks.name}": {{\n{_pairs(reply.marks.values)}\n}}'
    if reply.rows is None:
        return members
    if isinstance(reply.rows, Rows):
        rows = _array(_pairs(record) for record in reply.rows.records)
    else:
        rows = f"[{', '.join(map(_quoted, reply.rows.texts))}]"
    return f"{members},\n{_quoted(reply.rows.name)}: {rows}"


def _pairs(fields: Mapping[str, Value]) -> str:
    return ",\n".join(
        [f'"{k}": {_quoted(v) if isinstance(v, str) else v}' for k, v in fields.items()]
    )


def _array(objects: Iterable[str]) -> str:
    inside = "\n},\n{\n".join(objects)
    return f"[{{\n{inside}\n}}]" if inside else "[]"


def _xml_listing(listing: Listing) -> str:
    items = []
    for reply in listing.replies:
        if reply.text is not None:
            items.append(f"{_xml_element(reply)}\n")
            continue
        inside = "".join(f"<{k}>{escaped(v)}</{k}>" for k, v in reply.fields.items())
        items.append(f"<{reply.root}>{inside}</{reply.root}>\n")
    if not items:
        return f"<{listing.root}></{listing.root}>"
    return f"<{listing.root}>\n{''.join(items)}</{listing.root}>"


def _json_listing(listing: Listing) -> str:
    array = _array(map(_members, listing.replies))
    if listing.beside is None:
        return array
    return f"{{\n{_pairs(listing.beside)},\n{_quoted(listing.root)}: {array}\n}}"


_REPLIES: tuple[Callable[[Reply], str], ...] = (_sentence, _short, _xml, _json)
_LISTINGS: tuple[Callable[[Listing], str], ...] = (
    _lines,
    lambda listing: "\n".join(map(_short, listing.replies)),
    _xml_listing,
    _json_listing,
)
