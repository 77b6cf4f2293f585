"""Codes that confirm digital sender names; only their keyed hashes are stored (senders.md, 3.1)."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement

codes = schema.sender_codes


@dataclass(frozen=True, slots=True)
class Code:
    """A code on record: `digest` is empty once it was used, `tries` counts wrong ones."""

    digest: str
    sent_at: int
    tries: int


_client = sa.bindparam("client", type_=BigInteger)
_phone = sa.bindparam("msisdn", type_=Text)
_now = sa.bindparam("now", type_=BigInteger)
_this = (codes.c.client_id == _client, codes.c.phone == _phone)

_given = insert(codes).values(
    client_id=_client, phone=_phone, digest=sa.bindparam("secret", type_=Text), sent_at=_now
)
# An older code is replaced; a young one stays, and then nothing comes back.
TAKE = Statement(
    _given.on_conflict_do_update(
        index_elements=["client_id", "phone"],
        set_={
            "digest": _given.excluded.digest,
            "sent_at": _given.excluded.sent_at,
            "tries": sa.literal_column("0"),
        },
        where=codes.c.sent_at <= sa.bindparam("before", type_=BigInteger),
    ).returning(codes.c.sent_at)
)
ONE = Statement(
    sa.select(codes.c.digest, codes.c.sent_at, codes.c.tries).where(*_this).with_for_update()
)
TRIED = Statement(
    sa.update(codes).values(tries=codes.c.tries + sa.literal_column("1")).where(*_this)
)
USED = Statement(sa.update(codes).values(digest=sa.literal_column("''")).where(*_this))
DROP = Statement(sa.delete(codes).where(*_this, codes.c.sent_at == _now))
FORGET = Statement(
    sa.delete(codes).where(codes.c.sent_at < sa.bindparam("before", type_=BigInteger))
)


async def take(
    tx: Transaction, client_id: int, phone: str, digest: str, now: int, before: int
) -> bool:
    """Put a code on record; False when one was sent after `before`."""
    row = await tx.one(TAKE, client=client_id, msisdn=phone, secret=digest, now=now, before=before)
    return row is not None


async def one(tx: Transaction, client_id: int, phone: str) -> Code | None:
    """The code of a number, which nobody else tries until the commit."""
    row = await tx.one(ONE, client=client_id, msisdn=phone)
    return Code(*row) if row else None


async def tried(tx: Transaction, client_id: int, phone: str) -> None:
    """Count a wrong try."""
    await tx.run(TRIED, client=client_id, msisdn=phone)


async def used(tx: Transaction, client_id: int, phone: str) -> None:
    """A code opens once; that it was sent is remembered."""
    await tx.run(USED, client=client_id, msisdn=phone)


async def drop(tx: Transaction, client_id: int, phone: str, sent_at: int) -> None:
    """Forget a code that could not be sent."""
    await tx.run(DROP, client=client_id, msisdn=phone, now=sent_at)


async def forget(tx: Transaction, before: int) -> int:
    """Drop codes sent before a moment; returns how many."""
    return await tx.run(FORGET, before=before)
