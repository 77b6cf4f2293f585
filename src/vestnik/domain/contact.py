"""Contacts: what is known of a person, and how a request's words for it are read (phones.md)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from vestnik.domain import number
from vestnik.domain.refusals import BadParameters

ADDRESSES_MAX = 1_000  # of one contact
GROUPS_MAX = 50  # of one contact
NAME_MAX = 100
TEXT_MAX = 1_000
QUERY_MAX = 200  # characters of what is looked for
PHONE_DIGITS_MIN, PHONE_DIGITS_MAX = 3, 15
MAIL_MAX = 254  # as RFC 5321 has it

_LISTED = re.compile(r"[,;|/\n\r\t]")
_NO_DIGIT = re.compile(r"[^0-9]+")
_MAIL_LISTED = re.compile(r"[,;|<>\s]+")
_mail = re.compile(r'[^\s@,;|<>"]+@[^\s@,;|<>"]+').fullmatch
_birthday = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})", re.ASCII).fullmatch


class Book(IntEnum):
    """Which address book: telephones (phones.php) or e-mail (mails.php)."""

    PHONES = 0
    MAILS = 1


@dataclass(frozen=True, slots=True)
class Given:
    """What a request says of a contact; None is what it does not mention."""

    my_id: str | None = None
    name: str | None = None
    last_name: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    birthday: str | None = None
    comments: str | None = None
    tags: str | None = None
    phone_other: str | None = None

    def changes(self) -> dict[str, str]:
        """What it does mention."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) is not None}


FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Given))
_LONG = frozenset({"comments", "tags", "phone_other"})


class Contact(NamedTuple):
    """A contact on record; `addresses` are joined by commas, the first one first."""

    client_id: int
    book: int
    id: int
    addresses: str
    my_id: str
    name: str
    last_name: str
    first_name: str
    middle_name: str
    birthday: str
    comments: str
    tags: str
    phone_other: str
    search: str

    @property
    def address(self) -> str:
        """Where the contact is written to."""
        return self.addresses.partition(",")[0]


class Group(NamedTuple):
    """A group: `num` is what its client calls it in `G<num>`, `members` how many it has."""

    id: int
    num: int
    name: str
    members: int


def check(given: Given) -> None:
    """Raises BadParameters for a text too long and for a birthday that is no day."""
    for name, value in given.changes().items():
        most = TEXT_MAX if name in _LONG else NAME_MAX
        if len(value) > most:
            raise BadParameters(f"{name.replace('_', ' ')} is longer than {most} characters")
    if given.birthday and not _is_day(given.birthday):
        raise BadParameters("a birthday is dd.mm.yyyy")


def split_name(full: str) -> tuple[str, str, str]:
    """Last, first and middle name of a name in this order."""
    words = full.split(None, 2)
    last, first, middle = (*words, "", "", "")[:3]
    return last, first, middle.strip()


def read_addresses(book: int, text: str) -> list[str]:
    """The numbers, or the letter addresses, of a list with any separators, each once.

    Raises BadParameters for one that cannot be, for none at all and for too many.
    """
    found = _phones(text) if book == Book.PHONES else _mails(text)
    once = list({key(address): address for address in reversed(found)}.values())[::-1]
    if not once:
        raise BadParameters("no number is given" if book == Book.PHONES else "no mail is given")
    if len(once) > ADDRESSES_MAX:
        raise BadParameters(f"a contact has at most {ADDRESSES_MAX} numbers")
    return once


def key(address: str) -> str:
    """The form in which an address is looked up."""
    return address.lower()


def blocked_key(book: int, address: str) -> str:
    """The form in which a black list holds an address: a number is the msisdn that is meant."""
    if book == Book.PHONES:
        return number.parse(address) or address
    return key(address)


def fold(text: str) -> str:
    """Text as it is compared: without case, without the dots of ё, with single spaces."""
    return " ".join(text.casefold().replace("ё", "е").split())


def search_text(addresses: Iterable[str], values: Mapping[str, str]) -> str:
    """What a search looks through, folded: the full name on the first line, then the rest.

    A contact that has only a title goes by that.
    """
    names = " ".join(values[name] for name in ("last_name", "first_name", "middle_name"))
    full = fold(names) or fold(values["name"])
    rest = (values["name"], *addresses, values["comments"], values["tags"])
    return "\n".join([full, *map(fold, rest)])


def _phones(text: str) -> list[str]:
    numbers: list[str] = []
    for part in _LISTED.split(text):
        digits = _NO_DIGIT.sub("", part)
        if len(digits) > PHONE_DIGITS_MAX:  # several, with nothing but blanks between
            numbers += [_NO_DIGIT.sub("", piece) for piece in part.split()]
        elif digits or part.strip():
            numbers.append(digits)
    for digits in numbers:
        if not PHONE_DIGITS_MIN <= len(digits) <= PHONE_DIGITS_MAX:
            raise BadParameters(
                f"a number has {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} digits, not {len(digits)}"
            )
    return numbers


def _mails(text: str) -> list[str]:
    addresses = [part for part in _MAIL_LISTED.split(text) if part]
    for address in addresses:
        if len(address) > MAIL_MAX or not _mail(address):
            raise BadParameters("a mail is not an e-mail address")
    return addresses


def _is_day(text: str) -> bool:
    found = _birthday(text)
    if found is None:
        return False
    day, month, year = map(int, found.groups())
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
