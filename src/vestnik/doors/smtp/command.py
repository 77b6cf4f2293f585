"""The command of a letter: `login:psw:id:time,tz:how:phones:mes` (smtp.md)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine, list_lines
from vestnik.domain.message import Kind
from vestnik.domain.refusals import BadParameters
from vestnik.doors.smtp.letter import File, Letter
from vestnik.services.messages.draft import Order

FIELDS = 7
OCTETS = 4  # the format whose text is octets, not characters

# By `format` (smtp.md).
_KINDS = (
    Kind.SMS,
    Kind.FLASH,
    Kind.PUSH,
    Kind.HLR,
    Kind.BINARY,
    Kind.BINARY,
    Kind.PING,
    Kind.MMS,
    Kind.MAIL,
    Kind.CALL,
    Kind.VIBER,
    Kind.SOCIAL,
    Kind.TELEGRAM,
    Kind.BOT,
    Kind.WHATSAPP,
)
_WITH_FILES = frozenset({Kind.MMS, Kind.MAIL, Kind.CALL})
_OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_TAIL = re.compile(rb"\r?\n~~~\r?\n")  # stands between binary data and its pid and dcs


@dataclass(frozen=True, slots=True)
class Command:
    """What a letter asks for, its fields still as send.md has them.

    `body` is the text, or with no `phones` the list; its line breaks are as they came.
    """

    login: str
    psw: str
    wire_id: str
    time: str
    tz: str
    translit: int
    format: int
    sender: str | None
    test: bool
    phones: str
    body: str


def read_command(text: str) -> Command:
    """The fields of a command; raises BadParameters, in the order the fields are written."""
    fields = text.lstrip().split(":", FIELDS - 1)
    if len(fields) < FIELDS:
        raise BadParameters(
            "a letter says login:psw:id:time,tz:translit,format,sender,test:phones:mes"
        )
    login, psw, wire_id, when, how, phones, body = fields
    time, tz = _members("time,tz", when, 2)
    translit, form, sender, test = _members("translit,format,sender,test", how, 4)
    format = _number("format", form, len(_KINDS) - 1)
    if "\0" in (text[: len(text) - len(body)] if format == OCTETS else text):
        raise BadParameters("the letter has a NUL character")
    return Command(
        login=login.strip(),
        psw=psw.strip(),
        wire_id=_own_id(wire_id.strip()),
        time="" if time == "0" else time,
        tz=tz,
        translit=_number("translit", translit, 2),
        format=format,
        sender=None if sender in ("", "0") else "" if sender == "." else sender,
        test=_number("test", test, 1) == 1,
        phones=phones.strip(),
        body=body,
    )


def order_of(command: Command, letter: Letter, client: Client, address: str, now_ms: int) -> Order:
    """The order that a client's letter gives; raises BadParameters for files it cannot decode."""
    kind = _KINDS[command.format]
    options: dict[str, object] = {}
    files = letter.files() if kind in _WITH_FILES else ()
    if files:
        options["files"] = files
    if kind is Kind.MAIL and letter.subject:
        options["subj"] = letter.subject
    digest = _digest(command, files, letter.subject if kind is Kind.MAIL else "")
    return Order(
        client=client,
        kind=kind,
        lines=_lines(command, letter.charset),
        params_digest=digest,
        now_ms=now_ms,
        wire_id=command.wire_id,
        sender=command.sender,
        translit=command.translit,
        time=command.time,
        tz=command.tz,
        options=options,
        idempotency_key=key_of(letter, digest),
        address=address,
        origin="smtp",
        test=command.test,
    )


def _members(names: str, text: str, most: int) -> list[str]:
    """A field that is a list by comma; members at its end may be left out."""
    members = [member.strip() for member in text.split(",")]
    if len(members) > most:
        raise BadParameters(f"a field of the letter has more than {names}")
    return members + [""] * (most - len(members))


def _number(name: str, text: str, most: int) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= most):
        raise BadParameters(f"{name} is a number from 0 to {most}")
    return int(text)


def _own_id(text: str) -> str:
    """The client's own id; nothing and 0 mean that the centre numbers the message."""
    if text in ("", "0"):
        return ""
    if _OWN_ID.fullmatch(text) is None:
        raise BadParameters("id is up to 40 Latin letters, digits and . - _")
    return text


def _lines(command: Command, charset: str) -> Iterator[ListLine]:
    """Who gets what.  The letter's last line breaks are no part of a text, but may be of octets."""
    octets = command.format == OCTETS
    body = command.body.removesuffix("\n").removesuffix("\r") if octets else command.body.rstrip()
    if command.phones:
        lines = iter([ListLine(command.phones, body if octets else body.replace("\r\n", "\n"))])
    else:
        lines = list_lines(body)
    return (_in_hex(line, charset) for line in lines) if octets else lines


def _in_hex(line: ListLine, charset: str) -> ListLine:
    """Octets as the hex digits that format 5 would hold (channels.md)."""
    try:
        octets = line.text.encode(charset)
    except UnicodeEncodeError:  # written as &#1234; in HTML
        raise BadParameters("mes is not binary") from None
    data, *tail = _TAIL.split(octets, maxsplit=1)
    coded = "".join(f"\n~~~\n{text.decode(charset)}" for text in tail)
    return line._replace(text=data.hex() + coded)


def _digest(command: Command, files: tuple[File, ...], subject: str) -> bytes:
    """What the letter asks for, in 16 octets: equal for "the same request" (conventions.md)."""
    asked = [
        command.wire_id,
        command.time,
        command.tz,
        str(command.translit),
        str(command.format),
        repr(command.sender),
        str(command.test),
        command.phones,
        command.body.rstrip(),
        subject,
    ]
    digest = blake2b(digest_size=16, person=b"letter")
    for octets in [*(text.encode() for text in asked), *(file.octets for file in files)]:
        digest.update(b"%d:" % len(octets) + octets)
    return digest.digest()


def key_of(letter: Letter, digest: bytes) -> str:
    """What makes a letter that a mail server hands over again, its answer lost, the same letter.

    A server's letters have a Message-ID; a program that speaks to the door itself mostly gives
    none, nor does it repeat.  The date and the contents guard against programs that give one
    Message-ID to all their letters.
    """
    if not letter.message_id:
        return ""
    return f"letter {letter.message_id}\n{letter.date}\n{digest.hex()}"
