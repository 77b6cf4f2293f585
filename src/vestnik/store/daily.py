"""What a client has sent on a day: to one number, with one text, from one address."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.dedup import Kind
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement

messages, texts, dedup = schema.messages, schema.texts, schema.dedup

_accepted_today = (
    messages.c.client_id == sa.bindparam("client"),
    messages.c.day == sa.bindparam("today"),
    messages.c.phone == sa.bindparam("to"),
    messages.c.status < sa.literal_column("22"),  # from there on they were refused
)
TO_NUMBER = Statement(sa.select(sa.func.count()).select_from(messages).where(*_accepted_today))
WITH_TEXT = Statement(
    sa.select(sa.func.count())
    .select_from(
        messages.outerjoin(
            texts, (texts.c.client_id == messages.c.client_id) & (texts.c.id == messages.c.text_id)
        )
    )
    .where(
        *_accepted_today, sa.func.coalesce(messages.c.text, texts.c.text) == sa.bindparam("said")
    )
)
# How many came from an address is kept like a request that was asked before: it runs out by itself.
FROM_ADDRESS = Statement(
    sa.select(dedup.c.answer).where(
        dedup.c.client_id == sa.bindparam("client"), dedup.c.digest == sa.bindparam("which")
    )
)
_put = insert(dedup).values(
    client_id=sa.bindparam("client", type_=BigInteger),
    digest=sa.bindparam("which", type_=LargeBinary),
    kind=sa.literal_column(str(int(Kind.ADDRESS))),
    until=sa.bindparam("runs_out", type_=BigInteger),
    answer=sa.bindparam("so_many", type_=Text),
)
KEEP_FROM_ADDRESS = Statement(
    _put.on_conflict_do_update(
        index_elements=["client_id", "digest"],
        set_={"until": _put.excluded.until, "answer": _put.excluded.answer},
    )
)


async def to_number(tx: Transaction, client_id: int, day: int, phone: str) -> int:
    """How many messages to this number were accepted, and not refused."""
    return _count(await tx.one(TO_NUMBER, client=client_id, today=day, to=phone))


async def with_text(tx: Transaction, client_id: int, day: int, phone: str, text: str) -> int:
    """How many of those said this."""
    return _count(await tx.one(WITH_TEXT, client=client_id, today=day, to=phone, said=text))


async def from_address(tx: Transaction, client_id: int, digest: bytes) -> int:
    """How many messages came from an IP address; `digest` is of the address and the day.

    Two at a time would miscount: the caller holds the client's account.
    """
    row = await tx.one(FROM_ADDRESS, client=client_id, which=digest)
    return int(row[0]) if row else 0


async def keep_from_address(
    tx: Transaction, client_id: int, digest: bytes, count: int, until: int
) -> None:
    await tx.run(
        KEEP_FROM_ADDRESS, client=client_id, which=digest, so_many=str(count), runs_out=until
    )


def _count(row: Row | None) -> int:
    return int(row[0]) if row else 0
