"""Incoming messages → messages of the account they came to: sent on, and answered (users.md)."""

from collections.abc import Collection, Iterator
from hashlib import blake2b

from vestnik.domain import number
from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.services.messages.draft import Order
from vestnik.services.news import News


def orders_of(
    news: News, client: Client, own_numbers: Collection[str], now_ms: int
) -> Iterator[Order]:
    """What the account sends because of one incoming message.

    Each has a key of its own, so that after a crash the same news sends nothing twice.  What
    strangers write is told in one line behind their number, where no mark of theirs has a meaning.
    A number of the centre itself gets no answer: two of them would talk for ever.
    """
    said, limits = news.payload, client.limits
    told = " ".join(f"{said['phone']}: {said['text']}".split())
    if limits.text_max:
        told = told[: limits.text_max]
    if limits.incoming_to_phone and limits.incoming_phone:
        yield _order(news, client, Kind.SMS, limits.incoming_phone, told, now_ms)
    if limits.incoming_to_email and limits.incoming_email:
        yield _order(news, client, Kind.MAIL, limits.incoming_email, told, now_ms)
    phone = number.parse(said["phone"])
    if limits.auto_answer and phone is not None and phone not in own_numbers:
        text = limits.auto_answer.lstrip("_")  # __CALL__ and its like would choose the channel
        yield _order(news, client, Kind.SMS, phone, text, now_ms)


def _order(news: News, client: Client, kind: Kind, to: str, text: str, now_ms: int) -> Order:
    named = f"{news.id}\n{kind}\n{to}"
    shown = blake2b(f"{named}\n{text}".encode(), digest_size=16, person=b"forward")
    return Order(
        client=client,
        kind=kind,
        lines=[ListLine(to, text)],
        params_digest=shown.digest(),
        now_ms=now_ms,
        options={"subj": f"SMS: {news.payload['phone']}"} if kind is Kind.MAIL else {},
        idempotency_key=f"\0forward {named}",  # no client can write such a key
        origin="forward",
    )
