"""The files of deferred tasks, in pieces, where nodes share no disk."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, LargeBinary

from vestnik.store import schema, tasks
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement
from vestnik.store.tasks import Claim

chunks = schema.task_chunks

_client = sa.bindparam("client", type_=BigInteger)
_which = sa.bindparam("which", type_=BigInteger)
_place = sa.bindparam("place", type_=BigInteger)
_of_task = (chunks.c.client_id == _client, chunks.c.task_id == _which)

PUT = Statement(
    sa.insert(chunks).values(
        {
            "client_id": _client,
            "task_id": _which,
            "seq": _place,
            "octets": sa.bindparam("piece", type_=LargeBinary),
        }
    )
)
ONE = Statement(sa.select(chunks.c.octets).where(*_of_task, chunks.c.seq == _place))
DROP = Statement(sa.delete(chunks).where(*_of_task))
_elsewhere = sa.exists().where(
    schema.tasks.c.client_id == _client,
    schema.tasks.c.id == _which,
    schema.tasks.c.fence != sa.bindparam("held_fence", type_=BigInteger),
)
DROP_OWN = Statement(sa.delete(chunks).where(*_of_task, ~_elsewhere))


async def put(
    tx: Transaction, claim: Claim, rows_done: int, lease: int, place: int, octets: bytes
) -> bool:
    """Store a piece and hold the task longer; False if the task is not ours any more."""
    if not await tasks.renew(tx, claim, rows_done, lease):
        return False
    await tx.run(PUT, client=claim.client_id, which=claim.id, place=place, piece=octets)
    return True


async def one(tx: Transaction, client_id: int, task_id: int, place: int) -> bytes | None:
    """A piece of a file, from place 0 on."""
    row = await tx.one(ONE, client=client_id, which=task_id, place=place)
    return bytes(row[0]) if row else None


async def drop(tx: Transaction, client_id: int, task_id: int) -> None:
    await tx.run(DROP, client=client_id, which=task_id)


async def drop_own(tx: Transaction, claim: Claim) -> None:
    """Forget what this claim has stored, unless another claim has the task by now."""
    await tx.run(DROP_OWN, client=claim.client_id, which=claim.id, held_fence=claim.fence)
