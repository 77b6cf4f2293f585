"""Address books of clients: contacts, their groups, who is blocked (phones.md).

A client's contacts are its own, or its main account's (users.md, `fl[26]`); its black list is
always its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from vestnik.domain import personal
from vestnik.domain.client import Client
from vestnik.domain.contact import Book, Contact, Group, key
from vestnik.domain.lists import ListLine
from vestnik.domain.refusals import BadParameters, NotFound, NotPossible
from vestnik.services.contacts import blacklist, saving
from vestnik.services.contacts.saving import Change, Entry, Place
from vestnik.store import contact_groups
from vestnik.store import contacts as table
from vestnik.store.contacts import Filter
from vestnik.store.engine import Store, Transaction

__all__ = ["Addressee", "Change", "Contacts", "Entry", "Filter", "Found", "Place", "owner_of"]

GROUPS_MAX = 10_000  # of one account and book
PAGE = 1_000  # contacts of one answer, and of one step through a group
SCANNED_MAX = 5_000  # contacts that a search goes over in one transaction
EMPTIED = 2_000  # members that leave a group which is being deleted, in one transaction


@dataclass(frozen=True, slots=True)
class Found:
    """A contact and the ids of its groups."""

    contact: Contact
    groups: Sequence[int]


@dataclass(frozen=True, slots=True)
class Addressee:
    """A member of a group: where to write to, and what `domain.personal.fill` may need."""

    contact_id: int
    address: str
    fields: Mapping[str, str]


def owner_of(client: Client, clients: Mapping[int, Client]) -> int:
    """Whose contacts a client uses: its own, unless it is let into its main account's."""
    while client.limits.parent_contacts and client.parent_id is not None:
        client = clients[client.parent_id]
    return client.id


class Contacts:
    """The address books.

    `clients` are those of the directory; `changed` is awaited when the directory is to be read
    again; `language` is of the names that the first groups of an account have.
    """

    def __init__(
        self,
        store: Store,
        clients: Callable[[], Mapping[int, Client]],
        changed: Callable[[], Awaitable[object]],
        language: str = "ru",
    ) -> None:
        self._store = store
        self._clients = clients
        self._changed = changed
        self._language = language

    def _place(self, client: Client, book: int) -> Place:
        return Place(owner_of(client, self._clients()), book, self._language)

    async def add(self, client: Client, book: int, entry: Entry) -> int:
        """Make a contact, or change the one that has one of the addresses; returns its id.

        Raises NotFound for an unknown group, NotPossible if the addresses are of several contacts,
        BadParameters for too many addresses or groups.
        """
        place = self._place(client, book)
        [saved] = await self._store.write(saving.save, place, [entry])
        if isinstance(saved, Exception):
            raise saved
        return saved

    async def change(
        self, client: Client, book: int, addresses: Sequence[str], wanted: Change
    ) -> None:
        """Change the contact that has the first known of the addresses; raises NotFound,
        NotPossible, BadParameters."""
        place = self._place(client, book)
        await self._store.write(saving.change, place, addresses, wanted)

    async def move(
        self, client: Client, book: int, addresses: Sequence[str], group_id: int, how: int
    ) -> None:
        """Put a contact into a group, `how` as `move_group`; raises NotFound, BadParameters."""
        place = self._place(client, book)
        await self._store.write(saving.move, place, addresses, group_id, how)

    async def delete(self, client: Client, book: int, addresses: Sequence[str]) -> None:
        """Forget a contact; raises NotFound."""
        await self._store.write(saving.drop, self._place(client, book), addresses)

    async def listed(
        self, client: Client, book: int, only: Filter, address: str, after_id: int
    ) -> list[Found]:
        """The next contacts past an id, at most PAGE; `address`, if there is one, is theirs.

        Read in short transactions, so a search through many does not keep one open.
        """
        owner = self._place(client, book).owner
        if address:
            return await self._store.read(_holder, owner, book, only, address, after_id)
        found: list[Found] = []
        while after_id < table.LAST and len(found) < PAGE:
            part, after_id = await self._store.read(
                _part, owner, book, only, after_id, PAGE - len(found)
            )
            found += part
        return found

    async def groups(self, client: Client, book: int) -> list[Group]:
        """Every group, by growing ids; the first question makes an account's first two."""
        place = await self._begun(client, book)
        return await self._store.read(contact_groups.all_of, place.owner, book)

    async def _begun(self, client: Client, book: int) -> Place:
        """The place, which has its first groups by now."""
        place = self._place(client, book)
        if not await self._store.read(contact_groups.begun, place.owner):
            await self._store.write(saving.begin, place)
        return place

    async def add_group(self, client: Client, book: int, name: str, num: int) -> int:
        """Make a group; returns its id.  A `num` of 0 is the smallest free number.

        Raises NotPossible if another group has the number, or there are too many.
        """
        return await self._store.write(_add_group, self._place(client, book), name, num)

    async def change_group(
        self, client: Client, book: int, group_id: int, name: str, num: int
    ) -> None:
        """Rename a group; a `num` of 0 leaves its number.  Raises NotFound, NotPossible."""
        place = self._place(client, book)
        await self._store.write(_change_group, place, group_id, name, num)

    async def delete_group(self, client: Client, book: int, group_id: int) -> None:
        """Forget a group, not its contacts; raises NotFound.

        A large one loses its members slice by slice: nobody waits long for the store.
        """
        place = await self._begun(client, book)
        if await self._store.read(contact_groups.one, place.owner, book, group_id) is None:
            raise NotFound(f"there is no group {group_id}")
        while not await self._store.write(_shrink, place, group_id):
            pass

    async def block(self, client: Client, book: int, address: str, blocks: int) -> int:
        """Block an address for `blacklist.Blocks`; returns the id of the entry."""
        entry_id = await self._store.write(blacklist.add, client.id, book, address, blocks)
        await self._changed()
        return entry_id

    async def unblock(self, client: Client, book: int, address: str) -> None:
        """Block an address no more; raises NotFound."""
        await self._store.write(blacklist.remove, client.id, book, address)
        await self._changed()

    async def pages(
        self, client: Client, num: int, book: int = Book.PHONES
    ) -> AsyncIterator[Sequence[Addressee]]:
        """The members of the group that a client means by `G<num>`, PAGE by PAGE."""
        owner, after = self._place(client, book).owner, 0
        while True:
            page = await self._store.read(numbers_of_group, owner, num, after, PAGE, book)
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1].contact_id

    async def expanded(
        self, client: Client, lines: Iterable[ListLine], most: int, book: int = Book.PHONES
    ) -> list[ListLine]:
        """Lines with numbers where groups stood, and texts filled in where they are personal.

        A group that does not exist stays as it is written, which is no number.  Raises
        BadParameters when all groups together have more than `most` members; 0 is any number.
        """
        owner = self._place(client, book).owner
        made: list[ListLine] = []
        left = most
        for line in lines:
            named, others = _groups_in(line.phones)
            if others or not named:
                made.append(line._replace(phones=",".join(others) if named else line.phones))
            for word, num in named:
                group = await self._store.read(contact_groups.of_num, owner, book, num)
                if group is None:
                    made.append(line._replace(phones=word))
                    continue
                left -= group.members
                if most and left < 0:
                    raise BadParameters(f"the groups have more than {most} members")
                made += await self._to_members(client, num, book, line)
        return made

    async def _to_members(
        self, client: Client, num: int, book: int, line: ListLine
    ) -> list[ListLine]:
        """One line to all members, or one each if the text has a place for their own words."""
        if personal.is_personal(line.text):
            return [
                line._replace(phones=one.address, text=personal.fill(line.text, one.fields))
                async for page in self.pages(client, num, book)
                for one in page
            ]
        addresses = [one.address async for page in self.pages(client, num, book) for one in page]
        return [line._replace(phones=",".join(addresses))] if addresses else []


async def numbers_of_group(
    tx: Transaction,
    owner: int,
    num: int,
    after_contact_id: int,
    most: int,
    book: int = Book.PHONES,
) -> Sequence[Addressee]:
    """The next members of the group `num` past a contact, by growing ids; none if there is no such
    group.  `owner` is of `owner_of`."""
    group = await contact_groups.of_num(tx, owner, book, num)
    if group is None:
        return []
    only = Filter(group_id=group.id)
    page = await table.page(tx, owner, book, only, after_contact_id, table.LAST, most)
    return [Addressee(contact.id, contact.address, fields_of(contact)) for contact in page]


def fields_of(contact: Contact) -> dict[str, str]:
    """What a text may say of a contact (domain/personal.py)."""
    return {
        "name": contact.name,
        "last_name": contact.last_name,
        "first_name": contact.first_name,
        "middle_name": contact.middle_name,
        "birthday": contact.birthday,
        "comments": contact.comments,
        "tags": contact.tags,
        "phone" if contact.book == Book.PHONES else "mail": contact.address,
        "id": contact.my_id,
    }


def _groups_in(phones: str) -> tuple[list[tuple[str, int]], list[str]]:
    """The groups of a list, as written and by number, and everything else in it."""
    named: list[tuple[str, int]] = []
    others: list[str] = []
    for word in phones.replace(";", ",").replace("\n", ",").split(","):
        word = word.strip()  # noqa: PLW2901 - the word itself, without blanks
        digits = word[1:]
        if word[:1] in ("G", "g") and digits.isascii() and digits.isdigit() and len(digits) < 19:
            named.append((word, int(digits)))
        elif word:
            others.append(word)
    return named, others


async def _part(
    tx: Transaction, owner: int, book: int, only: Filter, after: int, most: int
) -> tuple[list[Found], int]:
    """Some contacts past an id, and the id to go on from: LAST when there are no more."""
    until = table.LAST
    if only.scans:
        until = await table.edge(tx, owner, book, only, after, SCANNED_MAX)
    page = await table.page(tx, owner, book, only, after, until, most)
    return await with_groups(tx, owner, page), until


async def _holder(
    tx: Transaction, owner: int, book: int, only: Filter, address: str, after: int
) -> list[Found]:
    """The contact that has an address, if it is one of those wanted."""
    holders = await table.holders(tx, owner, book, [key(address)])
    wanted = holders.get(key(address), 0)
    if wanted <= after:
        return []
    page = await table.page(tx, owner, book, only, wanted - 1, wanted, 1)
    return await with_groups(tx, owner, page)


async def with_groups(tx: Transaction, owner: int, page: list[Contact]) -> list[Found]:
    """Contacts with the ids of their groups, in the same order."""
    groups = await contact_groups.of_contacts(tx, owner, [contact.id for contact in page])
    return [Found(contact, groups.get(contact.id, ())) for contact in page]


async def _add_group(tx: Transaction, place: Place, name: str, num: int) -> int:
    await saving.begin(tx, place)
    owner, book = place.owner, place.book
    if await contact_groups.count(tx, owner, book) >= GROUPS_MAX:
        raise NotPossible(f"there are {GROUPS_MAX} groups already")
    if num and await contact_groups.of_num(tx, owner, book, num) is not None:
        raise NotPossible(f"another group has the number {num}")
    return await contact_groups.put(
        tx, owner, book, num or await contact_groups.free_num(tx, owner, book), name
    )


async def _change_group(tx: Transaction, place: Place, group_id: int, name: str, num: int) -> None:
    await saving.begin(tx, place)
    owner, book = place.owner, place.book
    group = await contact_groups.one(tx, owner, book, group_id)
    if group is None:
        raise NotFound(f"there is no group {group_id}")
    if num and num != group.num and await contact_groups.of_num(tx, owner, book, num) is not None:
        raise NotPossible(f"another group has the number {num}")
    await contact_groups.change(tx, owner, group._replace(num=num or group.num, name=name))


async def _shrink(tx: Transaction, place: Place, group_id: int) -> bool:
    """Take a slice of its members out of a group; the group goes with the last of them."""
    await saving.begin(tx, place)
    if await contact_groups.empty(tx, place.owner, group_id, EMPTIED) == EMPTIED:
        return False
    await contact_groups.drop(tx, place.owner, group_id)
    return True
