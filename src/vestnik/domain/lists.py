"""Texts of their own for each recipient: the lines of a list."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from vestnik.domain import number
from vestnik.domain.refusals import BadParameters

_SEPARATOR = re.compile("[:;]")
# A recipient that is no number: a contact group, an e-mail address.
_ADDRESSEE = re.compile(r"[Gg]\d+|[^\s@|]+@[^\s@|]+", re.ASCII)


class ListLine(NamedTuple):
    """One record of a list: who gets which text.

    `sender` is None where the line names none, `zone` is its offset from Moscow in hours, "" where
    the line has none.
    """

    phones: str
    text: str
    sender: str | None = None
    zone: str = ""


def list_lines(text: str, nl: bool = False) -> Iterator[ListLine]:
    """The records of a list, one by one, so that a long list is never held twice (send.md, `list`).

    A record is `[sender[,zone]|]phones:text`, with `;` as good as `:`; the two characters `\\n`
    in a text stand for a line break.  With `nl` a line that does not begin with recipients
    continues the text before it.  Raises BadParameters at a line that can be neither.
    """
    held: list[str] = []  # with nl: the lines of a record that may still go on
    count = 0
    for count, line in enumerate(_lines(text), start=1):
        if not nl:
            if line.strip():
                yield _record(line, count)
        elif _begins_record(line):
            if held:
                yield _record("\n".join(held).rstrip("\n"), count - 1)
            held = [line]
        elif held:
            held.append(line)
        elif line.strip():
            raise BadParameters(f"line {count} of the list does not begin with phones")
    if held:
        yield _record("\n".join(held).rstrip("\n"), count)


def _lines(text: str) -> Iterator[str]:
    start, end = 0, len(text)
    while start < end:
        stop = text.find("\n", start)
        if stop < 0:
            stop = end
        yield text[start:stop].removesuffix("\r")
        start = stop + 1


def _begins_record(line: str) -> bool:
    separator = _SEPARATOR.search(line)
    if separator is None:
        return False
    phones = line[: separator.start()].rpartition("|")[2]
    return all(_is_recipient(phone.strip()) for phone in phones.split(","))


def _is_recipient(phone: str) -> bool:
    msisdn = number.parse(phone)
    if msisdn is None:
        return _ADDRESSEE.fullmatch(phone) is not None
    return number.plausible(msisdn)


def _record(line: str, count: int) -> ListLine:
    separator = _SEPARATOR.search(line)
    if separator is None:
        raise BadParameters(f"line {count} of the list has no ':' between phones and text")
    head, text = line[: separator.start()], line[separator.end() :]
    named, bar, phones = head.rpartition("|")
    if not phones.strip():
        raise BadParameters(f"line {count} of the list has no phones")
    if "\\n" in text:
        text = text.replace("\\n", "\n")
    if not bar:
        return ListLine(phones, text)
    sender, _, zone = named.partition(",")
    return ListLine(phones, text, sender.strip(), zone.strip())
