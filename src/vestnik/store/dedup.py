"""What was asked before: identical requests for a minute, a client's own keys for a day."""

from collections.abc import Sequence
from enum import IntEnum

import sqlalchemy as sa
from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, rows

dedup = schema.dedup


class Kind(IntEnum):
    """What a digest stands for."""

    IDENTICAL = 1  # the same request: refused
    KEY = 2  # the same Idempotency-Key: the first answer again
    UNIQUE_ID = 3  # the same own id and phones: the first answer again
    ADDRESS = 5  # an IP address on a day: how many messages came from it (store/daily.py)
    DAY = 6  # a day: how many messages were accepted on it when they were last counted
    TRANSFER = 4  # one of the few transfers to a subclient that a minute has room for


_put = insert(dedup).values(
    {column.name: sa.bindparam(column.name, type_=column.type) for column in dedup.c}
)
CLAIM = Statement(
    _put.on_conflict_do_update(
        index_elements=["client_id", "digest"],
        set_={
            "kind": _put.excluded.kind,
            "until": _put.excluded.until,
            "params": _put.excluded.params,
            "answer": _put.excluded.answer,
        },
        where=dedup.c.until <= sa.bindparam("now", type_=BigInteger),
    ).returning(dedup.c.client_id, dedup.c.digest),
    many=True,
)
_key = rows("key", client_id=BigInteger, digest=LargeBinary)
ANSWERS = Statement(
    sa.select(dedup.c.client_id, dedup.c.digest, dedup.c.params, dedup.c.answer).join(
        _key, (dedup.c.client_id == _key.c.client_id) & (dedup.c.digest == _key.c.digest)
    ),
    many=True,
)
STANDING = Statement(
    sa.select(dedup.c.params, dedup.c.answer).where(
        dedup.c.client_id == sa.bindparam("client"),
        dedup.c.digest == sa.bindparam("digest", type_=LargeBinary),
        dedup.c.until > sa.bindparam("now"),
    )
)
_answer = rows("given", client_id=BigInteger, digest=LargeBinary, answer=Text)
ANSWER = Statement(
    sa.update(dedup)
    .values(answer=_answer.c.answer)
    .where(dedup.c.client_id == _answer.c.client_id, dedup.c.digest == _answer.c.digest),
    many=True,
)
_old = (
    sa.select(dedup.c.client_id, dedup.c.digest)
    .where(dedup.c.until <= sa.bindparam("now"))
    .limit(sa.bindparam("most"))
)
FORGET = Statement(sa.delete(dedup).where(sa.tuple_(dedup.c.client_id, dedup.c.digest).in_(_old)))


async def claim(tx: Transaction, asked: Sequence[Values], now: int) -> set[tuple[int, bytes]]:
    """Remember digests: (client, digest, kind, until, params, answer).

    Returns those that are new, or that had run out; the others were asked before.
    """
    found = await tx.many(CLAIM, sorted(asked, key=lambda a: (a[0], a[1])), now=now)
    return {(row[0], bytes(row[1])) for row in found}


async def answers(tx: Transaction, keys: Sequence[tuple[int, bytes]]) -> Sequence[Row]:
    """What was first asked and answered: (client, digest, params, answer)."""
    return await tx.many(ANSWERS, keys)


async def standing(
    tx: Transaction, client_id: int, digest: bytes, now: int
) -> tuple[bytes, str] | None:
    """What was first asked and answered, while it is remembered: (params, answer)."""
    row = await tx.one(STANDING, client=client_id, digest=digest, now=now)
    return (bytes(row[0]), row[1]) if row else None


async def answer(tx: Transaction, given: Sequence[Values]) -> None:
    """Keep first answers: (client, digest, answer)."""
    await tx.many(ANSWER, given)


async def forget(tx: Transaction, now: int, most: int) -> int:
    """Drop a slice of what has run out; returns how many."""
    return await tx.run(FORGET, now=now, most=most)
