"""What phones.php and mails.php have in common: all but two words (phones.md)."""

import re
from collections.abc import Awaitable, Callable

from vestnik.domain.contact import (
    NAME_MAX,
    QUERY_MAX,
    Given,
    check,
    read_addresses,
    split_name,
)
from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.doors.http.endpoint import Call
from vestnik.doors.http.endpoints.address_book_shapes import (
    GROUPS,
    ID_DIGITS_MAX,
    ID_MAX,
    NUM_MAX,
    OPERATIONS,
    Words,
    contacts,
    made,
)
from vestnik.doors.http.reply import OK, Answer
from vestnik.services.contacts.blacklist import Blocks
from vestnik.services.contacts.books import Change, Entry, Filter

_LISTED = re.compile(r"[,;|\s]+")


async def answer(call: Call, words: Words) -> Answer:
    """One of OPERATIONS."""
    return await _HANDLERS[_operation(call)](call, words)


def _operation(call: Call) -> str:
    for name in OPERATIONS:
        asked = call.number(name, 0, 0, 3) if name == "move_group" else call.flag(name)
        if asked:
            return name
    raise BadParameters(f"no command: one of {', '.join(OPERATIONS)} is 1")


# Contacts.


async def _add(call: Call, words: Words) -> Answer:
    if call.given("name") is None:
        raise BadParameters("name is missing")
    entry = Entry(tuple(_addresses(call, words)), _given(call), _group_ids(call.text("grp")))
    return made(await call.services.contacts.add(call.client, words.book, entry), words.address)


async def _change(call: Call, words: Words) -> Answer:
    groups, replacement = call.given("grp"), call.given(words.replacement)
    wanted = Change(
        given=_given(call),
        addresses=None if replacement is None else tuple(read_addresses(words.book, replacement)),
        groups=None if groups is None else _group_ids(groups),
    )
    who = _addresses(call, words)
    await call.services.contacts.change(call.client, words.book, who, wanted)
    return OK


async def _move(call: Call, words: Words) -> Answer:
    how, group_id = call.number("move_group", 0), _group_id(call)
    who = _addresses(call, words)
    await call.services.contacts.move(call.client, words.book, who, group_id, how)
    return OK


async def _delete(call: Call, words: Words) -> Answer:
    await call.services.contacts.delete(call.client, words.book, _addresses(call, words))
    return OK


async def _get(call: Call, words: Words) -> Answer:
    only = Filter(
        group_id=call.number("grp", 0, 0, ID_MAX),
        full_name=_query(call, "fio"),
        text=_query(call, "search"),
    )
    address = _address(call, words) if call.text(words.address).strip() else ""
    found = await call.services.contacts.listed(
        call.client, words.book, only, address, call.number("after_id", 0, 0, ID_MAX)
    )
    if not found:
        raise NotFound
    return contacts(words).listing(found)


# Groups.


async def _add_group(call: Call, words: Words) -> Answer:
    book = call.number("type", words.book, 0, 1)
    group_id = await call.services.contacts.add_group(
        call.client, book, _group_name(call), _num(call)
    )
    return made(group_id, "group")


async def _change_group(call: Call, words: Words) -> Answer:
    await call.services.contacts.change_group(
        call.client, words.book, _group_id(call), _group_name(call), _num(call)
    )
    return OK


async def _delete_group(call: Call, words: Words) -> Answer:
    await call.services.contacts.delete_group(call.client, words.book, _group_id(call))
    return OK


async def _get_groups(call: Call, words: Words) -> Answer:
    found = await call.services.contacts.groups(call.client, words.book)
    if not found:
        raise NotFound
    return GROUPS.listing(found)


# The black list.


async def _block(call: Call, words: Words) -> Answer:
    blocks = Blocks(call.number("type", 0, 0, 2))
    entry_id = await call.services.contacts.block(
        call.client, words.book, _address(call, words), blocks
    )
    return made(entry_id, words.address)


async def _unblock(call: Call, words: Words) -> Answer:
    await call.services.contacts.unblock(call.client, words.book, _address(call, words))
    return OK


_HANDLERS: dict[str, Callable[[Call, Words], Awaitable[Answer]]] = dict(
    zip(
        OPERATIONS,
        (
            _add,
            _add_group,
            _change,
            _change_group,
            _move,
            _delete,
            _delete_group,
            _get,
            _get_groups,
            _block,
            _unblock,
        ),
        strict=True,
    )
)


# How requests are read.


def _addresses(call: Call, words: Words) -> list[str]:
    return read_addresses(words.book, call.text(words.address))


def _address(call: Call, words: Words) -> str:
    found = _addresses(call, words)
    if len(found) > 1:
        raise BadParameters(f"{words.address} is one here, not {len(found)}")
    return found[0]


def _given(call: Call) -> Given:
    """What the request says of a contact; a part of the name on its own wins over `fio`."""
    full = call.given("fio")
    parts: list[str | None] = [call.given(name) for name in ("lnm", "fnm", "mnm")]
    if full is not None:
        parts = [own or part for own, part in zip(parts, split_name(full), strict=True)]
    given = Given(
        my_id=call.given("myid"),
        name=call.given("name"),
        last_name=parts[0],
        first_name=parts[1],
        middle_name=parts[2],
        birthday=call.given("bd"),
        comments=call.given("cmt"),
        tags=call.given("tags"),
        phone_other=call.given("pho"),
    )
    check(given)
    return given


def _group_ids(text: str) -> tuple[int, ...]:
    words = [word for word in _LISTED.split(text) if word]
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) <= ID_DIGITS_MAX):
            raise BadParameters("grp is the id of a group, or several by commas")
    return tuple(number for number in map(int, words) if number)


def _group_id(call: Call) -> int:
    group_id = call.number("grp", 0, 0, ID_MAX)
    if not group_id:
        raise BadParameters("grp says which group is meant")
    return group_id


def _group_name(call: Call) -> str:
    name = call.text("name").strip()
    if not name:
        raise BadParameters("a group has a name")
    if len(name) > NAME_MAX:
        raise BadParameters(f"name is longer than {NAME_MAX} characters")
    return name


def _num(call: Call) -> int:
    return call.number("num", 0, 0, NUM_MAX)


def _query(call: Call, name: str) -> str:
    text = call.text(name)
    if len(text) > QUERY_MAX:
        raise BadParameters(f"{name} is longer than {QUERY_MAX} characters")
    return text
