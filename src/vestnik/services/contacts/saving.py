"""Contacts are written: many at once, each with its addresses and groups (phones.md, 2.1).

A transaction reads what it is about to change into cards, changes the cards in memory, and writes
the differences with one statement for each table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vestnik.domain.contact import (
    ADDRESSES_MAX,
    FIELDS,
    GROUPS_MAX,
    Contact,
    Given,
    key,
    search_text,
)
from vestnik.domain.refusals import BadParameters, NotFound, NotPossible, Refusal
from vestnik.store import contact_groups, contacts
from vestnik.store.engine import Transaction

GROUPS_AT_FIRST = {"ru": ("Клиенты", "Сотрудники"), "en": ("Customers", "Staff")}


@dataclass(frozen=True, slots=True)
class Place:
    """Whose contacts are meant, of which book; `language` is of the names of the first groups."""

    owner: int
    book: int
    language: str = "ru"


@dataclass(frozen=True, slots=True)
class Entry:
    """A contact as somebody gives it: `groups` are ids of groups that it is to be in too."""

    addresses: tuple[str, ...]
    given: Given
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a contact; `addresses` and `groups` take the place of what it has, None
    leaves them."""

    given: Given
    addresses: tuple[str, ...] | None = None
    groups: tuple[int, ...] | None = None


@dataclass(slots=True)
class _Card:
    """A contact while it is being changed; `id` is 0 until it is numbered."""

    was: Contact | None
    id: int
    values: dict[str, str]
    addresses: list[str]
    groups: set[int]
    groups_were: frozenset[int]


async def begin(tx: Transaction, place: Place) -> None:
    """Lock the owner's contacts; an account that never had a group gets its first two."""
    await contacts.lock(tx, place.owner)
    if await contact_groups.begun(tx, place.owner):
        return
    for num, name in enumerate(GROUPS_AT_FIRST[place.language], start=1):
        await contact_groups.put(tx, place.owner, 0, num, name)


async def save(tx: Transaction, place: Place, entries: Sequence[Entry]) -> list[int | Refusal]:
    """Make contacts, or change those that have one of the addresses; each one's id, or why not.

    An entry that is refused changes nothing; the others are written.
    """
    await begin(tx, place)
    sheet = await _Sheet.read(tx, place, (a for entry in entries for a in entry.addresses))
    asked = {group for entry in entries for group in entry.groups}
    known = await _known(tx, place, asked)
    taken: list[_Card | Refusal] = []
    for entry in entries:
        try:
            taken.append(sheet.take(entry, known))
        except Refusal as refusal:
            taken.append(refusal)
    await sheet.write(tx)
    return [card.id if isinstance(card, _Card) else card for card in taken]


async def change(tx: Transaction, place: Place, addresses: Sequence[str], wanted: Change) -> None:
    """Change the contact that has the first known of the addresses.

    Raises NotFound if nobody has, or for an unknown group; NotPossible if a new address is
    somebody else's.
    """
    await begin(tx, place)
    sheet = await _Sheet.read(tx, place, (*addresses, *(wanted.addresses or ())))
    card = sheet.first(addresses)
    card.values.update(wanted.given.changes())
    if wanted.addresses is not None:
        sheet.readdress(card, wanted.addresses)
    if wanted.groups is not None:
        regroup(card.groups, wanted.groups, await _known(tx, place, set(wanted.groups)))
    await sheet.write(tx)


async def drop(tx: Transaction, place: Place, addresses: Sequence[str]) -> None:
    """Delete the contact that has the first known of the addresses; raises NotFound."""
    await begin(tx, place)
    sheet = await _Sheet.read(tx, place, addresses)
    card = sheet.first(addresses)
    await contact_groups.leave(tx, place.owner, [(group, card.id) for group in card.groups])
    await contacts.drop_addresses(tx, place.owner, place.book, [key(a) for a in card.addresses])
    await contacts.drop(tx, place.owner, place.book, card.id)


async def move(
    tx: Transaction, place: Place, addresses: Sequence[str], group_id: int, how: int
) -> None:
    """Put a contact into a group: 1 instead of all its groups, 2 besides them; 3 takes it out.

    Raises NotFound for an unknown contact or group, BadParameters for one group too many.
    """
    await begin(tx, place)
    known = await _known(tx, place, {group_id})
    if group_id not in known:
        raise NotFound(f"there is no group {group_id}")
    sheet = await _Sheet.read(tx, place, addresses)
    card = sheet.first(addresses)
    if how == 3:
        card.groups.discard(group_id)
    else:
        kept = card.groups if how == 2 else set()
        regroup(card.groups, (*kept, group_id), known | kept)
    await sheet.write(tx)


def regroup(groups: set[int], wanted: Iterable[int], known: set[int] | frozenset[int]) -> None:
    """Change a set of groups; raises NotFound for an unknown one, BadParameters for too many."""
    new = set(wanted)
    for group in sorted(new - known):
        raise NotFound(f"there is no group {group}")
    if len(new) > GROUPS_MAX:
        raise BadParameters(f"a contact is in at most {GROUPS_MAX} groups")
    groups.clear()
    groups.update(new)


async def _known(tx: Transaction, place: Place, asked: set[int]) -> set[int]:
    """Which of these groups the owner has, in this book."""
    if not asked:
        return set()
    return asked & {g.id for g in await contact_groups.all_of(tx, place.owner, place.book)}


class _Sheet:
    """The cards of everybody who has one of some addresses."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._cards: list[_Card] = []
        self._of: dict[str, _Card] = {}  # by the looked-up form of each address
        self._dropped: set[str] = set()

    @classmethod
    async def read(cls, tx: Transaction, place: Place, addresses: Iterable[str]) -> "_Sheet":
        sheet = cls(place)
        keys = list({key(address) for address in addresses})
        holders = await contacts.holders(tx, place.owner, place.book, keys)
        ids = sorted(set(holders.values()))
        found = await contacts.of_ids(tx, place.owner, place.book, ids)
        groups = await contact_groups.of_contacts(tx, place.owner, ids)
        for one in ids:
            sheet._open(found[one], groups.get(one, []))
        return sheet

    def _open(self, contact: Contact, groups: list[int]) -> None:
        card = _Card(
            was=contact,
            id=contact.id,
            values={name: getattr(contact, name) for name in FIELDS},
            addresses=contact.addresses.split(","),
            groups=set(groups),
            groups_were=frozenset(groups),
        )
        self._cards.append(card)
        self._of.update((key(address), card) for address in card.addresses)

    def first(self, addresses: Sequence[str]) -> _Card:
        """The card of the first address that anybody has; raises NotFound."""
        for address in addresses:
            card = self._of.get(key(address))
            if card is not None:
                return card
        raise NotFound("there is no such contact")

    def take(self, entry: Entry, known: set[int]) -> _Card:
        """Make a card of an entry, or change the one that has its addresses; raises a Refusal."""
        holders = {id(c): c for a in entry.addresses if (c := self._of.get(key(a))) is not None}
        if len(holders) > 1:
            raise NotPossible("these numbers belong to different contacts")
        card = next(iter(holders.values()), None) or _Card(
            None, 0, dict.fromkeys(FIELDS, ""), [], set(), frozenset()
        )
        new = [a for a in entry.addresses if key(a) not in self._of]
        if len(card.addresses) + len(new) > ADDRESSES_MAX:
            raise BadParameters(f"a contact has at most {ADDRESSES_MAX} numbers")
        regroup(card.groups, (*card.groups, *entry.groups), known | card.groups)
        # From here on nothing is refused.
        if not holders:
            self._cards.append(card)
        card.addresses += new
        self._of.update((key(address), card) for address in new)
        card.values.update(entry.given.changes())
        return card

    def readdress(self, card: _Card, addresses: Sequence[str]) -> None:
        """Give a contact other addresses; raises NotPossible if one is somebody else's."""
        for address in addresses:
            if self._of.get(key(address), card) is not card:
                raise NotPossible("a new number belongs to another contact")
        for address in card.addresses:
            del self._of[key(address)]
        card.addresses = list(addresses)
        self._of.update((key(address), card) for address in addresses)

    async def write(self, tx: Transaction) -> None:
        """Write what differs from what was read."""
        owner, book = self._place.owner, self._place.book
        new = [card for card in self._cards if not card.id]
        if new:
            ids = await contacts.take_ids(tx, owner, len(new))
            for card, number in zip(new, ids, strict=True):
                card.id = number
        had = {key(a) for card in self._cards if card.was for a in card.was.addresses.split(",")}
        rows = [(card, self._row(card)) for card in self._cards]
        await contacts.put(tx, [row for card, row in rows if row != card.was])
        await contacts.drop_addresses(tx, owner, book, list(had - self._of.keys()))
        made = [(address, card.id) for address, card in self._of.items() if address not in had]
        await contacts.put_addresses(tx, owner, book, made)
        left = [(g, c.id) for c in self._cards for g in c.groups_were - c.groups]
        await contact_groups.leave(tx, owner, left)
        joined = [(g, c.id) for c in self._cards for g in c.groups - c.groups_were]
        await contact_groups.join(tx, owner, joined)

    def _row(self, card: _Card) -> Contact:
        return Contact(
            client_id=self._place.owner,
            book=self._place.book,
            id=card.id,
            addresses=",".join(card.addresses),
            search=search_text(card.addresses, card.values),
            **card.values,
        )
