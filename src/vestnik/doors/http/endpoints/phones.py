"""phones.php: contacts by telephone, their groups, the black list."""

from vestnik.domain.contact import Book
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, endpoint
from vestnik.doors.http.endpoints import address_book
from vestnik.doors.http.endpoints import address_book_shapes as shapes
from vestnik.doors.http.endpoints.operations import identical
from vestnik.doors.http.reply import Answer

WORDS = shapes.Words(Book.PHONES, "phone", "new_phone")


@endpoint(
    "/sys/phones.php",
    codes=codes.CONTACTS,
    parameters=shapes.parameters(WORDS),
    answers=shapes.answers(WORDS),
    rate=identical,
)
async def phones(call: Call) -> Answer:
    """One of address_book_shapes.OPERATIONS (phones.md)."""
    return await address_book.answer(call, WORDS)
