"""A letter to an account's own name → a message to its phone (sms-commands.md, "E-mail to SMS")."""

from hashlib import blake2b

from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.doors.smtp.command import key_of
from vestnik.doors.smtp.letter import Letter
from vestnik.services.messages.draft import Order

LENGTH_MAX = 200  # characters, of which one part holds 160 or 70


def forwarded(letter: Letter, client: Client, address: str, now_ms: int) -> Order:
    """One part that tells who wrote, about what, and as much of the text as fits.

    Strangers write these letters: nothing in them is a command.
    """
    heading = ": ".join(part for part in (letter.author, letter.subject) if part)
    whole = " ".join(f"{heading} {letter.text}".replace("\0", " ").split())
    text = whole[:LENGTH_MAX].lstrip("_")  # __CALL__ and its like would choose the channel
    phone = client.limits.mail_phone
    digest = blake2b(f"{phone}\n{text}".encode(), digest_size=16, person=b"forwarded").digest()
    return Order(
        client=client,
        kind=Kind.SMS,
        lines=[ListLine(phone, text)],
        params_digest=digest,
        now_ms=now_ms,
        maxsms=1,
        idempotency_key=key_of(letter, digest),
        address=address,
        origin="smtp",
    )
