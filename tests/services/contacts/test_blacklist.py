import pytest
from tests.building import rows_of

from vestnik.domain.contact import Book
from vestnik.domain.refusals import NotFound
from vestnik.services.contacts.blacklist import Asked, Blocks, add, blocked, remove
from vestnik.store import schema, settings
from vestnik.store.blacklist import clients_with

pytestmark = pytest.mark.anyio

PHONE, MAIL = "79161234567", "anna@example.org"


@pytest.mark.parametrize(
    ("blocks", "mass", "single"),
    [(Blocks.ALL, True, True), (Blocks.MASS, True, False), (Blocks.SINGLE, False, True)],
)
async def test_an_entry_blocks_what_it_says(store, blocks, mass, single):
    await store.write(add, 1, Book.PHONES, PHONE, blocks)
    asked = {Asked(1, PHONE, mass=True), Asked(1, PHONE, mass=False)}

    found = await store.read(blocked, asked)

    assert found == {one for one in asked if (mass if one.mass else single)}


async def test_one_question_is_about_many_messages_of_many_clients(store):
    phones = [str(79_160_000_000 + n) for n in range(1_500)]
    for phone in phones[::500]:
        await store.write(add, 1, Book.PHONES, phone, Blocks.ALL)
    await store.write(add, 2, Book.PHONES, phones[1], Blocks.MASS)
    await store.write(add, 2, Book.MAILS, MAIL, Blocks.ALL)
    asked = [Asked(client, phone, mass=True) for client in (1, 2, 3) for phone in phones]
    asked += [Asked(client, "Anna@Example.ORG", mass=False, book=Book.MAILS) for client in (1, 2)]

    found = await store.read(blocked, asked)

    assert found == {
        *(Asked(1, phone, mass=True) for phone in phones[::500]),
        Asked(2, phones[1], mass=True),
        Asked(2, "Anna@Example.ORG", mass=False, book=Book.MAILS),
    }
    assert await store.read(blocked, []) == set()


async def test_a_number_is_the_same_however_it_is_written(store):
    first = await store.write(add, 1, Book.PHONES, "89161234567", Blocks.ALL)
    second = await store.write(add, 1, Book.PHONES, "79161234567", Blocks.SINGLE)

    assert first == second == 1
    assert await store.read(blocked, [Asked(1, PHONE, mass=True)]) == set()
    assert await store.read(blocked, [Asked(1, PHONE, mass=False)])

    await store.write(remove, 1, Book.PHONES, "9161234567")

    assert await store.read(blocked, [Asked(1, PHONE, mass=False)]) == set()


async def test_what_is_not_blocked_cannot_be_unblocked(store):
    await store.write(add, 1, Book.PHONES, PHONE, Blocks.ALL)

    for client, book in ((2, Book.PHONES), (1, Book.MAILS)):
        with pytest.raises(NotFound):
            await store.write(remove, client, book, PHONE)
    assert len(await store.read(rows_of(schema.blacklist))) == 1


async def test_the_directory_is_told_who_blocks_anybody_and_no_more(store):
    async def standing():
        return await store.read(clients_with), await store.read(settings.version)

    _, at_first = await standing()
    await store.write(add, 7, Book.PHONES, PHONE, Blocks.ALL)
    assert await standing() == (frozenset({7}), at_first + 1)
    await store.write(add, 7, Book.MAILS, MAIL, Blocks.ALL)
    await store.write(add, 7, Book.PHONES, PHONE, Blocks.MASS)
    await store.write(remove, 7, Book.PHONES, PHONE)
    assert await standing() == (frozenset({7}), at_first + 1)
    await store.write(remove, 7, Book.MAILS, MAIL)
    assert await standing() == (frozenset(), at_first + 2)
    await store.write(add, 7, Book.PHONES, PHONE, Blocks.ALL)
    assert await standing() == (frozenset({7}), at_first + 3)
