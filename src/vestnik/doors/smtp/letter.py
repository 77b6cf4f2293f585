"""A letter as it arrived → the text of its command, its files, and who says it is from (smtp.md).

Everything here is somebody else's octets: a letter that cannot be read is BadParameters, never a
crash, and takes time in proportion to its size.
"""

import binascii
import html
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32

from vestnik.domain.refusals import BadParameters

DEFAULT_CHARSET = "koi8-r"  # not windows-1251 as over HTTP (smtp.md)
PARTS_MAX = 50
HEADER_MAX = 4_000  # characters of one header that are looked at
MARKED = re.compile(r"\[text\](.*?)(?:\[/text\]|\Z)", re.DOTALL | re.IGNORECASE)

# Charsets that mail programs write Latin and Cyrillic with.  All agree with ASCII below 128, and
# none takes long to decode, which not every codec of Python can say.
_CHARSETS = {
    "us-ascii": DEFAULT_CHARSET,  # said by programs that then write eight bits
    "ascii": DEFAULT_CHARSET,
    "koi8-r": "koi8-r",
    "koi8r": "koi8-r",
    "koi8-u": "koi8-u",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    **dict.fromkeys(("windows-1251", "cp1251", "win-1251"), "cp1251"),
    **dict.fromkeys(("windows-1252", "cp1252"), "cp1252"),
    "iso-8859-1": "iso-8859-1",
    "iso-8859-5": "iso-8859-5",
    "iso-8859-15": "iso-8859-15",
    "ibm866": "cp866",
    "cp866": "cp866",
}
_ADDRESS = re.compile(r'[^\s<>()\[\]",;:@]+@[^\s<>()\[\]",;:@]+')
_HTML_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr)\b[^<>]*>", re.IGNORECASE)
_HTML_HIDDEN = re.compile(r"<(/?)(?:head|style|script)\b[^<>]*>", re.IGNORECASE)
_HTML_TAG = re.compile(r"<[^<>]*>")
_HTML_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, in the form that files of an HTTP form have."""

    field: str
    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says; `text` is its command, or all of it, in the codec `charset`.

    `author` is the address that it says it is from.  `message_id` and `date` are those of the
    headers; all are "" where there are none.  `automatic` letters are never answered by another.
    """

    text: str
    charset: str
    author: str
    subject: str
    message_id: str
    date: str
    automatic: bool
    attached: tuple["Message[str, str]", ...]

    def files(self) -> tuple[File, ...]:
        """The attachments, decoded; raises BadParameters for one that cannot be."""
        return tuple(_file(part) for part in self.attached)


class _Bounded(Compat32):
    """Headers longer than anybody needs are cut: to take one apart may be slow."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:HEADER_MAX]


_POLICY = _Bounded()


def read_letter(octets: bytes, *, whole: bool = False) -> Letter:
    """Take a letter apart; raises BadParameters.

    Without `whole` its text is a command, which in other letters than plain ones stands between
    marks.
    """
    if octets.lower().count(b"content-type") > PARTS_MAX:
        raise BadParameters(f"the letter has more than {PARTS_MAX} parts")
    message = message_from_bytes(octets, policy=_POLICY)
    leaves = list(_leaves(message))
    part = _text_part(leaves)
    charset = _charset(part)
    try:
        text = _payload(part).decode(charset)
    except UnicodeDecodeError:
        raise BadParameters(f"the letter cannot be read as {charset}") from None
    automatic = _header(message, "auto-submitted").partition(";")[0].strip().lower()
    return Letter(
        text=_text(part, text.removeprefix("\ufeff"), whole=whole),
        charset=charset,
        author=_author(message),
        subject=_subject(message, charset),
        message_id=_header(message, "message-id"),
        date=_header(message, "date"),
        automatic=automatic not in ("", "no"),
        attached=tuple(leaf for leaf in leaves if leaf is not part and _is_file(leaf)),
    )


def _leaves(part: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """The parts that hold something; a letter within the letter is one of them."""
    inside = part.get_payload() if part.get_content_maintype() == "multipart" else None
    if not isinstance(inside, list):
        yield part
        return
    for piece in inside:
        assert isinstance(piece, Message)
        yield from _leaves(piece)


def _text_part(leaves: list["Message[str, str]"]) -> "Message[str, str]":
    """The first plain text, else the first text of any other kind."""
    texts = [
        leaf
        for leaf in leaves
        if leaf.get_content_maintype() == "text" and leaf.get_content_disposition() != "attachment"
    ]
    for text in texts:
        if text.get_content_subtype() == "plain":
            return text
    if not texts:
        raise BadParameters("the letter has no text")
    return texts[0]


def _is_file(part: "Message[str, str]") -> bool:
    """The other form of the same text, as HTML beside plain, is no file."""
    if part.get_content_maintype() != "text":
        return True
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _charset(part: "Message[str, str]") -> str:
    named = part.get_content_charset()
    if not named:
        return DEFAULT_CHARSET
    charset = _CHARSETS.get(named)
    if charset is None:
        raise BadParameters("the charset of the letter is none of koi8-r, utf-8, windows-1251")
    return charset


def _payload(part: "Message[str, str]") -> bytes:
    """The octets of a part, its transfer encoding undone."""
    encoding = _header(part, "content-transfer-encoding").lower()
    del part["content-transfer-encoding"]  # so that the library gives the octets as they are
    octets = part.get_payload(decode=True)
    part["content-transfer-encoding"] = encoding
    if not isinstance(octets, bytes):
        raise BadParameters("a letter within the letter cannot be sent")
    match encoding:
        case "" | "7bit" | "8bit" | "binary":
            return octets
        case "quoted-printable":
            return binascii.a2b_qp(octets)
        case "base64":
            try:
                return b64decode(b"".join(octets.split()), validate=True)
            except binascii.Error:
                raise BadParameters("the letter's base64 cannot be decoded") from None
    raise BadParameters("the letter's transfer encoding is not known here")


def _text(part: "Message[str, str]", text: str, *, whole: bool) -> str:
    """A text as it was meant; a command is what stands between the marks, if there are any."""
    if part.get_content_subtype() == "plain":
        if str(part.get_param("format", "")).lower() == "flowed":
            closed = str(part.get_param("delsp", "")).lower() == "yes"
            text = _unfolded(text, closed=closed)
        marked = None if whole else MARKED.search(text)
        return text if marked is None else marked[1]
    if whole:
        return _unmarked_up(_shown(text))
    marked = MARKED.search(text)
    if marked is None:
        raise BadParameters(
            "in a letter that is not text/plain the command stands between [text] and [/text]"
        )
    return _unmarked_up(marked[1])


def _unfolded(text: str, *, closed: bool) -> str:
    """format=flowed: a line that ends with a space goes on in the next (RFC 3676)."""
    lines = []
    for line in text.splitlines():
        own = line.removeprefix(" ")
        if own.endswith(" ") and own != "-- ":
            lines.append(own[:-1] if closed else own)
        else:
            lines.append(own + "\n")
    return "".join(lines)


def _shown(text: str) -> str:
    """HTML without what nobody sees: head, styles, scripts."""
    first, *pieces = _HTML_HIDDEN.split(text)
    shown, depth = [first], 0
    for slash, piece in zip(pieces[::2], pieces[1::2], strict=True):
        depth = max(0, depth - 1) if slash else depth + 1
        if not depth:
            shown.append(piece)
    return "".join(shown)


def _unmarked_up(text: str) -> str:
    """HTML as plain text."""
    spaced = _HTML_SPACE.sub(" ", text)
    lines = html.unescape(_HTML_TAG.sub("", _HTML_BREAK.sub("\n", spaced)))
    return "\n".join(line.strip() for line in lines.replace("\xa0", " ").split("\n"))


def _header(part: "Message[str, str]", name: str) -> str:
    """A header that decides something, as it stands; "" without it."""
    return str(part.get(name, "")).strip()


def _author(message: "Message[str, str]") -> str:
    """The last address of From: one before it stands in a name."""
    found = _ADDRESS.findall(_header(message, "from"))
    return _printable(found[-1]) if found else ""


def _subject(message: "Message[str, str]", charset: str) -> str:
    """The subject for people: what cannot be read in it is marked."""
    raw = next((value for name, value in message.raw_items() if name.lower() == "subject"), "")
    if raw.isascii():
        try:
            subject = str(make_header(decode_header(raw)))
        except (LookupError, HeaderParseError, ValueError):
            subject = raw
    else:
        subject = raw.encode("ascii", "surrogateescape").decode(charset, "replace")
    return _printable(subject)


def _file(part: "Message[str, str]") -> File:
    return File("file", _printable(part.get_filename() or ""), _payload(part))


def _printable(text: str) -> str:
    """One line without control characters and halves of characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
