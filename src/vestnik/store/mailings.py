"""Mailings and how far they have got: their lists lie in chunks until they are expanded."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import sqlalchemy as sa
from sqlalchemy import BigInteger, SmallInteger

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

mailings, chunks, holds = schema.mailings, schema.mailing_chunks, schema.mailing_holds
files = schema.mailing_files

EXPANDING, EXPANDED = 1, 2  # the states of an oversized request
NAMED_KIND = 1
CHUNKS_TOGETHER = 16  # of one statement: the engine has copies of all its values
STOPPED, REMOVED = 1, 2  # what `leaving` says is to be done with a mailing


class State(IntEnum):
    """Where a mailing stands (jobs.md, 5.6)."""

    WAITING = 0
    RUNNING = 1
    FINISHED = 2
    CANCELLED = 3
    FAILED = 4


# A mailing with a name, as `Mailing` has it.
FIELDS = (
    mailings.c.client_id,
    mailings.c.id,
    mailings.c.wire_id,
    mailings.c.name,
    mailings.c.mail,
    mailings.c.state,
    mailings.c.settings,
    mailings.c.zone,
    mailings.c.rpt,
    mailings.c.rptn,
    mailings.c.run,
    mailings.c.run_wire_id,
    mailings.c.first_at,
    mailings.c.start_at,
    mailings.c.last_run,
    mailings.c.total,
    mailings.c.made,
    mailings.c.cursor,
    mailings.c.after,
    mailings.c.whole,
    mailings.c.leaving,
    mailings.c.created_at,
)
NAMED = (
    "client_id",
    "id",
    "wire_id",
    "total",
    "created_at",
    "kind",
    "name",
    "mail",
    "settings",
    "zone",
    "rpt",
    "rptn",
    "first_at",
    "start_at",
    "next_at",
)
PUT_NAMED = insert_into(mailings, *NAMED)
_shown = sa.and_(
    mailings.c.kind == sa.literal_column("1"), mailings.c.leaving < sa.literal_column("2")
)
FIND = Statement(
    sa.select(*FIELDS).where(
        mailings.c.client_id == sa.bindparam("client"),
        mailings.c.wire_id == sa.bindparam("wire"),
        mailings.c.mail == sa.bindparam("is_mail"),
        _shown,
    )
)
LISTED = Statement(
    sa.select(*FIELDS)
    .where(
        mailings.c.client_id == sa.bindparam("client"),
        mailings.c.mail == sa.bindparam("is_mail"),
        mailings.c.start_at >= sa.bindparam("since"),
        mailings.c.start_at < sa.bindparam("until"),
        _shown,
    )
    .order_by(mailings.c.id.desc())
    .limit(sa.bindparam("most"))
)
HIDE = Statement(
    sa.update(mailings)
    .values(leaving=sa.literal_column("2"))
    .where(mailings.c.client_id == sa.bindparam("client"), mailings.c.id == sa.bindparam("mailing"))
)
PUT_FILES = insert_into(files)
FILES = Statement(
    sa.select(files.c.field, files.c.name, files.c.octets)
    .where(files.c.mailing_id == sa.bindparam("mailing"))
    .order_by(files.c.number)
)
PUT = insert_into(mailings, "client_id", "id", "wire_id", "state", "common", "total", "created_at")
PUT_CHUNKS = insert_into(chunks)
_unnamed = mailings.c.kind == sa.literal_column("0")
_open = sa.and_(_unnamed, mailings.c.state == sa.literal_column(str(EXPANDING)))
PUT_HOLDS = insert_into(holds)
OLDEST = Statement(
    sa.select(
        mailings.c.client_id,
        mailings.c.id,
        mailings.c.wire_id,
        mailings.c.common,
        mailings.c.cursor,
        mailings.c.total,
        mailings.c.made,
    )
    .where(_open)
    .order_by(mailings.c.id)
    .limit(sa.literal_column("1"))
    .with_for_update(skip_locked=True)
)
ANY = Statement(sa.select(mailings.c.id).where(_open).limit(sa.literal_column("1")))
_stored = rows("stored", id=BigInteger)
STORED = Statement(sa.select(mailings.c.id).join(_stored, mailings.c.id == _stored.c.id), many=True)
CHUNKS_AFTER = Statement(
    sa.select(chunks.c.seq, chunks.c.rows)
    .where(chunks.c.mailing_id == sa.bindparam("mailing"), chunks.c.seq > sa.bindparam("place"))
    .order_by(chunks.c.seq)
    .limit(sa.bindparam("most"))
)
CHUNK = Statement(
    sa.select(chunks.c.rows).where(
        chunks.c.mailing_id == sa.bindparam("mailing"), chunks.c.seq == sa.bindparam("place")
    )
)
DROP_CHUNK = Statement(
    sa.delete(chunks).where(
        chunks.c.mailing_id == sa.bindparam("mailing"), chunks.c.seq == sa.bindparam("place")
    )
)
ADVANCE = Statement(
    sa.update(mailings)
    .values(
        cursor=mailings.c.cursor + 1,
        made=mailings.c.made + sa.bindparam("more"),
        state=sa.bindparam("now_state"),
    )
    .where(mailings.c.client_id == sa.bindparam("client"), mailings.c.id == sa.bindparam("mailing"))
)
_less = rows(
    "less", mailing_id=BigInteger, account_id=BigInteger, purse=SmallInteger, by=BigInteger
)
LOWER_HOLDS = Statement(
    sa.update(holds)
    .values(held=holds.c.held - _less.c.by)
    .where(
        holds.c.mailing_id == _less.c.mailing_id,
        holds.c.account_id == _less.c.account_id,
        holds.c.purse == _less.c.purse,
    ),
    many=True,
)
DROP_HOLDS = Statement(sa.delete(holds).where(holds.c.mailing_id == sa.bindparam("mailing")))
OF_WIRE_ID = Statement(
    sa.select(mailings.c.id, mailings.c.cursor, mailings.c.created_at).where(
        mailings.c.client_id == sa.bindparam("client"),
        mailings.c.wire_id == sa.bindparam("wire"),
        _open,
    )
)
CHUNKS_LEFT = Statement(
    sa.select(chunks.c.rows)
    .where(chunks.c.mailing_id == sa.bindparam("mailing"))
    .order_by(chunks.c.seq)
)


@dataclass(frozen=True, slots=True)
class Oversized:
    """A request that is being expanded; `common` is JSON of what all its messages share."""

    client_id: int
    id: int
    wire_id: str
    common: str
    cursor: int
    total: int
    made: int


@dataclass(frozen=True, slots=True)
class Mailing:
    """A mailing with a name.

    `wire_id` is what its client calls it and `run_wire_id` the id of the messages of its last run;
    `first_at`, `start_at` are when its first and its last or next run was due, `last_run` when the
    last began.  `cursor` is the chunk of its list that comes next, `after` the contact within.
    """

    client_id: int
    id: int
    wire_id: str
    name: str
    mail: int
    state: int
    settings: str
    zone: str
    rpt: int
    rptn: int | None
    run: int
    run_wire_id: str
    first_at: int
    start_at: int
    last_run: int | None
    total: int
    made: int
    cursor: int
    after: int
    whole: int
    leaving: int
    created_at: int


async def put_named(
    tx: Transaction,
    made: Values,
    lists: Sequence[tuple[bytes, int | None]],
    attached: Sequence[tuple[str, str, bytes]],
) -> None:
    """Store a mailing, as a tuple of NAMED, its list and its files (field, name, octets)."""
    await tx.many(PUT_NAMED, [made])
    await put_chunks(tx, made[1], lists)
    await tx.many(PUT_FILES, [(made[1], number, *file) for number, file in enumerate(attached)])


async def find(tx: Transaction, client_id: int, wire_id: str, *, mail: bool) -> Mailing | None:
    """The client's mailing of this id."""
    row = await tx.one(FIND, client=client_id, wire=wire_id, is_mail=int(mail))
    return Mailing(*row) if row else None


async def listed(
    tx: Transaction, client_id: int, since: int, until: int, most: int, *, mail: bool
) -> list[Mailing]:
    """The client's mailings that were or are to be sent in a period, the newest first."""
    found = await tx.all(
        LISTED, client=client_id, is_mail=int(mail), since=since, until=until, most=most
    )
    return [Mailing(*row) for row in found]


async def hide(tx: Transaction, mailing: Mailing) -> None:
    """Show it no more: it is to be removed once none of its messages waits."""
    await tx.run(HIDE, client=mailing.client_id, mailing=mailing.id)


async def files_of(tx: Transaction, mailing_id: int) -> list[tuple[str, str, bytes]]:
    """What is attached to its messages: (field, name, octets)."""
    found = await tx.all(FILES, mailing=mailing_id)
    return [(row[0], row[1], bytes(row[2])) for row in found]


async def put(tx: Transaction, made: Values, lists: Sequence[tuple[bytes, int]]) -> None:
    """Store a mailing (client, id, wire id, state, common, total, created at) and its chunks, each
    with the number of its recipients."""
    await tx.many(PUT, [made])
    await put_chunks(tx, made[1], lists)


async def put_chunks(
    tx: Transaction, mailing_id: int, lists: Sequence[tuple[bytes, int | None]]
) -> None:
    """Store the list of a mailing; a chunk that names a group has no number of recipients."""
    rows = [(mailing_id, seq, octets, count) for seq, (octets, count) in enumerate(lists)]
    for at in range(0, len(rows), CHUNKS_TOGETHER):
        await tx.many(PUT_CHUNKS, rows[at : at + CHUNKS_TOGETHER])


async def put_holds(tx: Transaction, made: Sequence[Values]) -> None:
    """What an unexpanded mailing holds: (mailing, account, purse, held)."""
    await tx.many(PUT_HOLDS, made)


async def waiting(tx: Transaction) -> bool:
    """Some mailing is not expanded yet."""
    return await tx.one(ANY) is not None


async def any_of(tx: Transaction, ids: Sequence[int]) -> bool:
    """One of these mailings is in the store."""
    return bool(await tx.many(STORED, [(i,) for i in ids]))


async def oldest(tx: Transaction) -> Oversized | None:
    """The request to expand next, locked."""
    row = await tx.one(OLDEST)
    return Oversized(*row) if row else None


async def chunk(tx: Transaction, mailing_id: int, seq: int) -> bytes | None:
    row = await tx.one(CHUNK, mailing=mailing_id, place=seq)
    return bytes(row[0]) if row else None


async def chunks_after(
    tx: Transaction, mailing_id: int, seq: int, most: int
) -> list[tuple[int, bytes]]:
    """The next chunks of a list past one, each with its place."""
    found = await tx.all(CHUNKS_AFTER, mailing=mailing_id, place=seq, most=most)
    return [(row[0], bytes(row[1])) for row in found]


async def advance(tx: Transaction, mailing: Oversized, made: int, *, done: bool) -> None:
    """The chunk at the cursor has become messages."""
    await tx.run(DROP_CHUNK, mailing=mailing.id, place=mailing.cursor)
    await tx.run(
        ADVANCE,
        client=mailing.client_id,
        mailing=mailing.id,
        more=made,
        now_state=EXPANDED if done else EXPANDING,
    )


async def lower_holds(tx: Transaction, mailing_id: int, by: Sequence[tuple[int, int, int]]) -> None:
    """What the mailing held for its messages stands on them now: (account, purse, amount)."""
    await tx.many(LOWER_HOLDS, [(mailing_id, *less) for less in sorted(by)])


async def drop_holds(tx: Transaction, mailing_id: int) -> None:
    await tx.run(DROP_HOLDS, mailing=mailing_id)


async def of_wire_id(tx: Transaction, client_id: int, wire_id: str) -> Sequence[Row]:
    """Mailings that are still expanded under a wire id: (id, cursor, created at)."""
    return await tx.all(OF_WIRE_ID, client=client_id, wire=wire_id)


async def chunks_left(tx: Transaction, mailing_id: int) -> Sequence[Row]:
    """The lists that are not messages yet."""
    return await tx.all(CHUNKS_LEFT, mailing=mailing_id)
