"""What a client has sent on a day: in all, to one number, with one text, from one address."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.dedup import Kind
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement

messages, texts, dedup = schema.messages, schema.texts, schema.dedup

_in_all = (
    messages.c.client_id == sa.bindparam("client"),
    messages.c.day == sa.bindparam("today"),
    messages.c.status < sa.literal_column("22"),  # from there on they were refused
)
_accepted_today = (*_in_all, messages.c.phone == sa.bindparam("to"))
ACCEPTED = Statement(sa.select(sa.func.count()).select_from(messages).where(*_in_all))
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
# What is counted is kept like a request that was asked before: it runs out by itself.
KEPT = Statement(
    sa.select(dedup.c.answer).where(
        dedup.c.client_id == sa.bindparam("client"), dedup.c.digest == sa.bindparam("which")
    )
)
_put = insert(dedup).values(
    client_id=sa.bindparam("client", type_=BigInteger),
    digest=sa.bindparam("which", type_=LargeBinary),
    kind=sa.bindparam("kind", type_=SmallInteger),
    until=sa.bindparam("runs_out", type_=BigInteger),
    answer=sa.bindparam("counted", type_=Text),
)
KEEP = Statement(
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
    row = await tx.one(KEPT, client=client_id, which=digest)
    return int(row[0]) if row else 0


async def keep_from_address(
    tx: Transaction, client_id: int, digest: bytes, count: int, until: int
) -> None:
    await _keep(tx, Kind.ADDRESS, client_id, digest, str(count), until)


class Count(NamedTuple):
    """What was once counted of a day: messages on record, and those of them not refused."""

    on_record: int
    accepted: int


async def accepted(tx: Transaction, client_id: int, day: int) -> int:
    """How many messages of a day were accepted, and not refused.  Reads them all."""
    return _count(await tx.one(ACCEPTED, client=client_id, today=day))


async def last_count(tx: Transaction, client_id: int, digest: bytes) -> Count:
    """The last that was kept; `digest` is of the day."""
    row = await tx.one(KEPT, client=client_id, which=digest)
    return Count(*map(int, row[0].split())) if row else Count(0, 0)


async def keep_count(
    tx: Transaction, client_id: int, digest: bytes, count: Count, until: int
) -> None:
    words = f"{count.on_record} {count.accepted}"
    await _keep(tx, Kind.DAY, client_id, digest, words, until)


async def _keep(
    tx: Transaction, kind: Kind, client_id: int, digest: bytes, counted: str, until: int
) -> None:
    await tx.run(
        KEEP, client=client_id, which=digest, kind=int(kind), counted=counted, runs_out=until
    )


def _count(row: Row | None) -> int:
    return int(row[0]) if row else 0
