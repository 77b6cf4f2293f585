import asyncio
import random

import pytest
from tests.building import rows_of

from vestnik.domain.client import Client, Limits
from vestnik.domain.contact import Book, Given
from vestnik.domain.lists import ListLine
from vestnik.domain.refusals import BadParameters, NotFound, NotPossible, Refusal
from vestnik.services.contacts import books as service
from vestnik.services.contacts.books import (
    Change,
    Contacts,
    Entry,
    Filter,
    numbers_of_group,
    owner_of,
)
from vestnik.store import schema
from vestnik.store.contacts import LAST

pytestmark = pytest.mark.anyio

ALEX, BOB = Client(1, "alex"), Client(2, "bob")
GUEST = Client(3, "guest", parent_id=1, limits=Limits(parent_contacts=1))
STRANGER = Client(4, "stranger", parent_id=1)
ALL = {client.id: client for client in (ALEX, BOB, GUEST, STRANGER)}


async def nothing():
    """The directory is read again."""


@pytest.fixture
def book(store):
    return Contacts(store, lambda: ALL, nothing)


def entry(*addresses, groups=(), **fields):
    return Entry(addresses, Given(**fields), groups)


async def listed(book, client=ALEX, only=None, address="", after_id=0, of=Book.PHONES):
    return await book.listed(client, of, only or Filter(), address, after_id)


async def names(book, **wanted):
    only = {name: wanted.pop(name) for name in ("group_id", "full_name", "text") if name in wanted}
    return [one.contact.name for one in await listed(book, only=Filter(**only), **wanted)]


def as_told(found):
    return {one.contact.id: (one.contact.addresses, tuple(one.groups)) for one in found}


# What is saved.


async def test_a_contact_has_what_it_was_given(book):
    number = await book.add(
        ALEX, 0, entry("79990000001", "123", groups=(), name="Anna", my_id="a-1", tags="x, y")
    )

    [found] = await listed(book)

    assert found.contact.id == number == 1
    assert found.contact.addresses == "79990000001,123"
    assert found.contact.address == "79990000001"
    assert (found.contact.name, found.contact.my_id, found.contact.tags) == ("Anna", "a-1", "x, y")
    assert list(found.groups) == []


async def test_a_known_number_changes_its_contact_and_brings_the_others_along(book):
    first = await book.add(ALEX, 0, entry("111", name="Anna", tags="old", groups=(1,)))
    second = await book.add(ALEX, 0, entry("222", "111", tags="new", groups=(2,)))

    [found] = await listed(book)

    assert first == second
    assert found.contact.addresses == "111,222"
    assert (found.contact.name, found.contact.tags) == ("Anna", "new")
    assert list(found.groups) == [1, 2]


async def test_numbers_of_different_contacts_are_not_put_together(book):
    await book.add(ALEX, 0, entry("111"))
    await book.add(ALEX, 0, entry("222"))

    with pytest.raises(NotPossible):
        await book.add(ALEX, 0, entry("333", "222", "111"))
    with pytest.raises(NotPossible):
        await book.change(ALEX, 0, ["111"], Change(Given(), addresses=("111", "222")))

    assert [one.contact.addresses for one in await listed(book)] == ["111", "222"]
    assert await listed(book, address="333") == []


async def test_a_change_leaves_what_it_does_not_mention_and_clears_what_is_empty(book):
    await book.add(ALEX, 0, entry("111", name="Anna", tags="x", comments="y", groups=(1,)))

    await book.change(ALEX, 0, ["999", "111"], Change(Given(tags="", last_name="Smith")))

    [found] = await listed(book)
    assert (found.contact.name, found.contact.tags, found.contact.comments) == ("Anna", "", "y")
    assert list(found.groups) == [1]
    assert await names(book, full_name="smith") == ["Anna"]


async def test_a_contact_gets_other_numbers(book):
    await book.add(ALEX, 0, entry("111", "222"))

    await book.change(ALEX, 0, ["111"], Change(Given(), addresses=("333", "222")))

    assert [one.contact.addresses for one in await listed(book)] == ["333,222"]
    assert await listed(book, address="111") == []
    assert len(await listed(book, address="333")) == 1
    assert await book.add(ALEX, 0, entry("111")) == 2


async def test_a_deleted_contact_leaves_nothing(book):
    await book.add(ALEX, 0, entry("111", "222", groups=(1,)))

    await book.delete(ALEX, 0, ["222"])

    assert await listed(book) == []
    assert [group.members for group in await book.groups(ALEX, 0)] == [0, 0]
    with pytest.raises(NotFound):
        await book.delete(ALEX, 0, ["111"])
    assert await book.add(ALEX, 0, entry("111")) == 2


@pytest.mark.parametrize(("how", "expected"), [(1, [2]), (2, [1, 2]), (3, [1])])
async def test_a_contact_is_moved(book, how, expected):
    await book.add(ALEX, 0, entry("111", groups=(1,)))

    await book.move(ALEX, 0, ["111"], 2, how)
    await book.move(ALEX, 0, ["111"], 2, how)

    [found] = await listed(book)
    assert list(found.groups) == expected
    for unknown in (("999", 2), ("111", 9)):
        with pytest.raises(NotFound):
            await book.move(ALEX, 0, [unknown[0]], unknown[1], how)


async def test_a_contact_is_in_fifty_groups_and_no_more(book):
    groups = [await book.add_group(ALEX, 0, f"group {n}", 0) for n in range(51)]
    await book.add(ALEX, 0, entry("111", groups=tuple(groups[:50])))

    with pytest.raises(BadParameters, match="at most 50"):
        await book.move(ALEX, 0, ["111"], groups[50], 2)
    with pytest.raises(BadParameters, match="at most 50"):
        await book.add(ALEX, 0, entry("222", groups=tuple(groups)))
    await book.move(ALEX, 0, ["111"], groups[50], 1)

    assert list((await listed(book))[0].groups) == [groups[50]]


# Groups.


async def test_an_account_begins_with_two_groups_and_may_lose_them(store):
    books = [Contacts(store, lambda: ALL, nothing, language) for language in ("ru", "en")]

    first = await books[0].groups(ALEX, Book.PHONES)
    second = await books[1].groups(BOB, Book.PHONES)

    assert [(g.id, g.num, g.name) for g in first] == [(1, 1, "Клиенты"), (2, 2, "Сотрудники")]
    assert [g.name for g in second] == ["Customers", "Staff"]
    assert await books[0].groups(ALEX, Book.MAILS) == []
    for group in first:
        await books[0].delete_group(ALEX, 0, group.id)
    assert await books[0].groups(ALEX, Book.PHONES) == []


async def test_a_group_takes_the_smallest_free_number(book):
    third = await book.add_group(ALEX, 0, "third", 0)
    await book.add_group(ALEX, 0, "seventh", 7)
    await book.delete_group(ALEX, 0, 1)

    assert third == 3
    await book.add_group(ALEX, 0, "first again", 0)
    await book.add_group(ALEX, 0, "fourth", 0)
    assert await book.add_group(ALEX, 1, "of e-mail", 0) > 3

    found = {group.name: group.num for group in await book.groups(ALEX, 0)}
    assert found == {"Сотрудники": 2, "third": 3, "seventh": 7, "first again": 1, "fourth": 4}
    assert [group.num for group in await book.groups(ALEX, 1)] == [1]


async def test_two_groups_of_a_book_have_two_numbers(book):
    with pytest.raises(NotPossible):
        await book.add_group(ALEX, 0, "another", 2)
    with pytest.raises(NotPossible):
        await book.change_group(ALEX, 0, 1, "first", 2)
    await book.change_group(ALEX, 0, 1, "renamed", 0)
    await book.change_group(ALEX, 0, 2, "moved", 5)
    await book.change_group(ALEX, 0, 2, "moved", 5)

    assert [(g.num, g.name) for g in await book.groups(ALEX, 0)] == [(1, "renamed"), (5, "moved")]
    with pytest.raises(NotFound):
        await book.change_group(ALEX, 1, 1, "of the other book", 0)


async def test_an_account_has_so_many_groups_and_no_more(book, monkeypatch):
    monkeypatch.setattr(service, "GROUPS_MAX", 3)
    await book.add_group(ALEX, 0, "third", 0)

    with pytest.raises(NotPossible, match="3 groups"):
        await book.add_group(ALEX, 0, "fourth", 0)


async def test_a_large_group_goes_slice_by_slice_and_its_contacts_stay(book, monkeypatch):
    monkeypatch.setattr(service, "EMPTIED", 3)
    for n in range(7):
        await book.add(ALEX, 0, entry(str(1000 + n), groups=(1, 2)))

    await book.delete_group(ALEX, 0, 1)

    assert [(g.id, g.members) for g in await book.groups(ALEX, 0)] == [(2, 7)]
    assert {tuple(one.groups) for one in await listed(book)} == {(2,)}
    with pytest.raises(NotFound):
        await book.delete_group(ALEX, 0, 1)


# What is found.


async def test_contacts_are_found_by_what_is_asked(book):
    await book.add(ALEX, 0, entry("79161234567", name="a", last_name="Иванов", first_name="Пётр"))
    await book.add(ALEX, 0, entry("79161234568", name="b", last_name="Иванова", groups=(1,)))
    await book.add(ALEX, 0, entry("79161234569", name="Сидоров Иванов", comments="100% _sure!"))

    assert await names(book, full_name="иванов") == ["a"]
    assert await names(book, full_name=" ИВАНОВ  Петр") == ["a"]
    assert await names(book, full_name="иванов п") == []
    assert await names(book, full_name="пётр") == []
    assert await names(book, full_name="сидоров") == ["Сидоров Иванов"]
    assert await names(book, text="ванов") == ["a", "b", "Сидоров Иванов"]
    assert await names(book, text="234568") == ["b"]
    assert await names(book, text="100% _SURE!") == ["Сидоров Иванов"]
    assert await names(book, text="1_0") == await names(book, text="%sure") == []
    assert await names(book, text="\\") == []
    assert await names(book, text="' OR 1=1 --") == []
    assert await names(book, group_id=1) == ["b"]
    assert await names(book, group_id=1, text="иванов") == ["b"]
    assert await names(book, group_id=2, text="иванов") == []
    assert await names(book, address="79161234568", group_id=1) == ["b"]
    assert await names(book, address="79161234568", full_name="сидоров") == []


async def test_a_list_is_paged_by_growing_ids(book, monkeypatch):
    monkeypatch.setattr(service, "PAGE", 3)
    monkeypatch.setattr(service, "SCANNED_MAX", 2)
    for n in range(8):
        await book.add(ALEX, 0, entry(str(1000 + n), name=f"{n}", tags="odd" if n % 2 else "even"))

    assert await names(book) == ["0", "1", "2"]
    assert await names(book, after_id=3) == ["3", "4", "5"]
    assert await names(book, after_id=6) == ["6", "7"]
    assert await names(book, after_id=8) == []
    assert await names(book, text="odd") == ["1", "3", "5"]
    assert await names(book, text="odd", after_id=6) == ["7"]
    assert await names(book, text="neither") == []
    assert await names(book, address="1001", after_id=2) == []


# Whose they are.


async def test_nobody_sees_or_changes_contacts_of_others(book):
    await book.add(ALEX, 0, entry("111", name="Anna", groups=(1,)))
    await book.add_group(ALEX, 0, "third", 0)

    for other in (BOB, STRANGER):
        assert await listed(book, other) == []
        assert await listed(book, other, Filter(group_id=1)) == []
        assert len(await book.groups(other, 0)) == 2
        for refused in (
            book.change(other, 0, ["111"], Change(Given(name="x"))),
            book.delete(other, 0, ["111"]),
            book.move(other, 0, ["111"], 1, 3),
            book.change_group(other, 0, 3, "x", 0),
            book.delete_group(other, 0, 3),
            book.add(other, 0, entry("222", groups=(3,))),
        ):
            with pytest.raises(NotFound):
                await refused
    assert await names(book) == ["Anna"]
    assert await book.add(BOB, 0, entry("111", name="Bob's")) == 1


async def test_the_two_books_of_an_account_are_apart(book):
    await book.add(ALEX, 0, entry("111", name="Anna"))
    await book.add(ALEX, 1, entry("Anna@x.org", name="by mail"))

    assert await names(book, of=Book.MAILS) == ["by mail"]
    assert await names(book, of=Book.MAILS, address="anna@X.org") == ["by mail"]
    with pytest.raises(NotFound):
        await book.move(ALEX, 1, ["anna@x.org"], 1, 1)
    await book.change(ALEX, 1, ["ANNA@X.ORG"], Change(Given(), addresses=("anna@y.org",)))
    assert await listed(book, address="anna@x.org", of=Book.MAILS) == []


async def test_a_subclient_that_may_uses_its_main_account_s_contacts(book):
    await book.add(GUEST, 0, entry("111", name="of the guest", groups=(1,)))

    assert owner_of(GUEST, ALL) == 1
    assert owner_of(STRANGER, ALL) == 4
    assert await names(book) == ["of the guest"]
    assert [one.address async for page in book.pages(GUEST, 1) for one in page] == ["111"]


# Groups in a list of recipients.


async def test_a_group_is_read_page_by_page_in_the_order_of_its_contacts(book, monkeypatch, store):
    monkeypatch.setattr(service, "PAGE", 2)
    for n in range(5):
        await book.add(ALEX, 0, entry(f"10{n}", f"20{n}", first_name=f"N{n}", groups=(n % 2 + 1,)))

    pages = [[one.address for one in page] async for page in book.pages(ALEX, 1)]
    [first] = await store.read(numbers_of_group, 1, 2, 0, 1)

    assert pages == [["100", "102"], ["104"]]
    assert (first.contact_id, first.address, first.fields["first_name"]) == (2, "101", "N1")
    assert set(first.fields) == {
        "name",
        "last_name",
        "first_name",
        "middle_name",
        "birthday",
        "comments",
        "tags",
        "phone",
        "id",
    }
    assert await store.read(numbers_of_group, 1, 9, 0, 10) == []
    assert await store.read(numbers_of_group, 2, 1, 0, 10) == []


async def test_groups_in_a_list_become_numbers_and_personal_texts_are_filled(book):
    await book.add(ALEX, 0, entry("111", first_name="Anna", groups=(1,)))
    await book.add(ALEX, 0, entry("222", groups=(1, 2)))
    lines = [
        ListLine("555;G1", "Hello"),
        ListLine("g2,G99", "Dear {first_name|friend}", sender="Shop"),
        ListLine("777", "{first_name}"),
        ListLine("G1", "Dear {first_name|friend}", zone="3"),
    ]

    made = await book.expanded(ALEX, lines, 10)

    assert made == [
        ListLine("555", "Hello"),
        ListLine("111,222", "Hello"),
        ListLine("222", "Dear friend", sender="Shop"),
        ListLine("G99", "Dear {first_name|friend}", sender="Shop"),
        ListLine("777", "{first_name}"),
        ListLine("111", "Dear Anna", zone="3"),
        ListLine("222", "Dear friend", zone="3"),
    ]
    with pytest.raises(BadParameters, match="more than 1"):
        await book.expanded(ALEX, lines, 1)
    assert await book.expanded(BOB, [ListLine("G1", "x")], 0) == [ListLine("G1", "x")]


async def test_an_empty_group_has_no_recipients(book):
    await book.groups(ALEX, 0)

    assert await book.expanded(ALEX, [ListLine("G1,777", "x")], 0) == [ListLine("777", "x")]
    assert await book.expanded(ALEX, [ListLine("G1", "x")], 0) == []


# Whatever is done.


class Model:
    """What contacts ought to be, kept in dictionaries."""

    def __init__(self):
        self.contacts, self.groups = {}, {1: 1, 2: 2}
        self.last, self.last_group = 0, 2

    def holder(self, address):
        found = (one for one, (has, _) in self.contacts.items() if address in has)
        return next(found, None)

    def add(self, addresses, groups):
        holders = {h for a in addresses if (h := self.holder(a))}
        if len(holders) > 1 or not set(groups) <= self.groups.keys():
            return
        if not holders:
            self.last += 1
            self.contacts[self.last] = ([], set())
        has, joined = self.contacts[holders.pop() if holders else self.last]
        has += [address for address in addresses if address not in has]
        joined |= set(groups)

    def change(self, address, addresses, groups):
        one = self.holder(address)
        if one is None or not set(groups) <= self.groups.keys():
            return
        if any(self.holder(a) not in (None, one) for a in addresses):
            return
        self.contacts[one] = (list(addresses), set(groups))

    def move(self, address, group, how):
        one = self.holder(address)
        if one is None or group not in self.groups:
            return
        has, joined = self.contacts[one]
        new = {1: {group}, 2: joined | {group}, 3: joined - {group}}[how]
        self.contacts[one] = (has, new)

    def delete(self, address):
        self.contacts.pop(self.holder(address), None)

    def add_group(self):
        self.last_group += 1
        self.groups[self.last_group] = min(set(range(1, 99)) - set(self.groups.values()))

    def delete_group(self, group):
        if self.groups.pop(group, None):
            for _, joined in self.contacts.values():
                joined.discard(group)


async def step(book, chance, client, model):
    """Do something at random to the book, and to its model."""
    addresses = tuple(chance.sample([str(100 + n) for n in range(12)], chance.choice([1, 1, 2])))
    groups = tuple(chance.sample(range(1, model.last_group + 2), chance.choice([0, 1, 2])))
    address, group = addresses[0], chance.randint(1, model.last_group + 1)
    match chance.choice(["add", "add", "add", "change", "move", "move", "delete", "group", "drop"]):
        case "add":
            model.add(addresses, groups)
            await book.add(client, 0, entry(*addresses, groups=groups))
        case "change":
            model.change(address, addresses, groups)
            await book.change(client, 0, [address], Change(Given(), addresses, groups))
        case "move":
            how = chance.choice([1, 2, 3])
            model.move(address, group, how)
            await book.move(client, 0, [address], group, how)
        case "delete":
            model.delete(address)
            await book.delete(client, 0, [address])
        case "group":
            model.add_group()
            await book.add_group(client, 0, "group", 0)
        case "drop":
            model.delete_group(group)
            await book.delete_group(client, 0, group)


async def count_again(store):
    """Members of each group, by going through them."""
    counts = {}
    for row in await store.read(rows_of(schema.contact_members)):
        key = (row.client_id, row.group_id)
        counts[key] = counts.get(key, 0) + 1
    return counts


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_done_counts_and_lists_are_right(book, store, seed):
    chance = random.Random(seed)
    models = {client: Model() for client in (ALEX, BOB)}
    for client in models:
        await book.groups(client, 0)

    for _ in range(120):
        client = chance.choice(list(models))
        try:
            await step(book, chance, client, models[client])
        except Refusal:
            continue  # the model has refused it too, or the lists will differ

    counted = await count_again(store)
    held = {
        (r.client_id, r.address): r.contact_id
        for r in await store.read(rows_of(schema.contact_addresses))
    }
    for client, model in models.items():
        assert as_told(await listed(book, client)) == {
            one: (",".join(has), tuple(sorted(joined)))
            for one, (has, joined) in model.contacts.items()
        }
        groups = await book.groups(client, 0)
        assert {group.id: group.num for group in groups} == model.groups
        for group in groups:
            assert group.members == counted.pop((client.id, group.id), 0)
            in_it = await listed(book, client, Filter(group_id=group.id))
            assert len(in_it) == group.members
        for one, (has, _) in model.contacts.items():
            for address in has:
                assert held.pop((client.id, address)) == one
    assert (counted, held) == ({}, {})


async def test_many_at_one_time_lose_nothing(book, store):
    await book.groups(ALEX, 0)

    await asyncio.gather(
        *(book.add(ALEX, 0, entry(str(100 + n % 30), groups=(n % 2 + 1,))) for n in range(90)),
    )

    found = await listed(book)
    counted = await count_again(store)
    assert len(found) == 30
    assert [one.contact.id for one in found] == list(range(1, 31))
    assert {g.id: g.members for g in await book.groups(ALEX, 0)} == {
        1: counted[1, 1],
        2: counted[1, 2],
    }


async def test_a_page_of_the_store_ends_where_it_is_told(book, store):
    for n in range(4):
        await book.add(ALEX, 0, entry(str(100 + n)))

    found = await store.read(service.table.page, 1, 0, Filter(), 1, 3, 9)
    assert [contact.id for contact in found] == [2, 3]
    assert await store.read(service.table.edge, 1, 0, Filter(), 0, 2) == 3
    assert await store.read(service.table.edge, 1, 0, Filter(), 2, 2) == LAST
