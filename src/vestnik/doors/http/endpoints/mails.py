"""mails.php: contacts by e-mail, their groups, the black list."""

from vestnik.domain.contact import Book
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, endpoint
from vestnik.doors.http.endpoints import address_book
from vestnik.doors.http.endpoints import address_book_shapes as shapes
from vestnik.doors.http.endpoints.operations import identical
from vestnik.doors.http.reply import Answer

WORDS = shapes.Words(Book.MAILS, "mail", "new_mail")


@endpoint(
    "/sys/mails.php",
    codes=codes.CONTACTS,
    parameters=shapes.parameters(WORDS),
    answers=shapes.answers(WORDS),
    rate=identical,
)
async def mails(call: Call) -> Answer:
    """One of address_book_shapes.OPERATIONS (phones.md)."""
    return await address_book.answer(call, WORDS)
