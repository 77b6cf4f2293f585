"""Invoices and acts: what was printed, as it was, and what a month has cost (documents.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, Text

from vestnik.domain.ids import AHEAD_MS_MAX, first_id
from vestnik.domain.paper import Paper
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement, insert_into

papers, entries = schema.papers, schema.entries


@dataclass(frozen=True, slots=True)
class Stored:
    """A paper on record: whose it is, for whom it was made, and what it says."""

    id: int
    owner_id: int
    client_id: int
    kind: str
    year: int
    num: int
    month: int
    created_at: int
    paper: Paper


_id = sa.bindparam("which", type_=BigInteger)
_owner = sa.bindparam("owner", type_=BigInteger)
_client = sa.bindparam("client", type_=BigInteger)
_kind = sa.bindparam("sort", type_=Text)
_PAPER = tuple(papers.c)
_of_pair = (papers.c.owner_id == _owner, papers.c.client_id == _client, papers.c.kind == _kind)

PUT = insert_into(papers)
BY_ID = Statement(sa.select(*_PAPER).where(papers.c.id == _id, *_of_pair))
BY_NUM = Statement(
    sa.select(*_PAPER)
    .where(*_of_pair, papers.c.num == sa.bindparam("number", type_=Integer))
    .order_by(papers.c.year.desc())
    .limit(sa.literal_column("1"))
)
ANY = Statement(sa.select(*_PAPER).where(papers.c.id == _id))
ALL = Statement(sa.select(*_PAPER).order_by(papers.c.id))
OF_CLIENT = Statement(sa.select(*_PAPER).where(papers.c.client_id == _client).order_by(papers.c.id))
ACT = Statement(
    sa.select(papers.c.id).where(
        papers.c.kind == sa.literal_column("'act'"),
        papers.c.owner_id == _owner,
        papers.c.client_id == _client,
        papers.c.month == sa.bindparam("period", type_=Integer),
    )
)
# An id may run ahead of its moment, by an hour at most: the range of ids finds the partitions.
SPENT = Statement(
    sa.select(
        entries.c.kind,
        sa.func.sum(entries.c.posted),
        sa.func.sum(entries.c.messages),
        sa.func.count(),
    )
    .where(
        entries.c.account_id == _client,
        entries.c.purse == sa.literal_column("0"),
        entries.c.id >= sa.bindparam("low", type_=BigInteger),
        entries.c.id < sa.bindparam("high", type_=BigInteger),
        entries.c.at >= sa.bindparam("since", type_=BigInteger),
        entries.c.at < sa.bindparam("until", type_=BigInteger),
    )
    .group_by(entries.c.kind)
)


async def put(tx: Transaction, stored: Stored) -> None:
    s = stored
    body = msgspec.json.encode(s.paper).decode()
    row = (s.id, s.owner_id, s.client_id, s.kind, s.year, s.num, s.month, s.created_at, body)
    await tx.many(PUT, [row])


async def by_id(
    tx: Transaction, owner_id: int, client_id: int, kind: str, paper_id: int
) -> Stored | None:
    row = await tx.one(BY_ID, owner=owner_id, client=client_id, sort=kind, which=paper_id)
    return _stored(row) if row else None


async def by_num(
    tx: Transaction, owner_id: int, client_id: int, kind: str, num: int
) -> Stored | None:
    """The newest paper with this number: each year begins with 1."""
    row = await tx.one(BY_NUM, owner=owner_id, client=client_id, sort=kind, number=num)
    return _stored(row) if row else None


async def anybodys(tx: Transaction, paper_id: int) -> Stored | None:
    """A paper of whomever it is, for the operator."""
    row = await tx.one(ANY, which=paper_id)
    return _stored(row) if row else None


async def listed(tx: Transaction, client_id: int | None = None) -> list[Stored]:
    """All papers, or those made for one client."""
    rows: Sequence[Row]
    if client_id is None:
        rows = await tx.all(ALL)
    else:
        rows = await tx.all(OF_CLIENT, client=client_id)
    return [_stored(row) for row in rows]


async def has_act(tx: Transaction, owner_id: int, client_id: int, month: int) -> bool:
    """The act of a month is made."""
    return await tx.one(ACT, owner=owner_id, client=client_id, period=month) is not None


async def spent(
    tx: Transaction, account_id: int, since: int, until: int
) -> dict[str, tuple[int, int, int]]:
    """What entries of each kind came to in a period of ms: posted, messages, how many."""
    rows = await tx.all(
        SPENT,
        client=account_id,
        low=first_id(since - AHEAD_MS_MAX),
        high=first_id(until + AHEAD_MS_MAX),
        since=since,
        until=until,
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}


def _stored(row: Row) -> Stored:
    id_, owner_id, client_id, kind, year, num, month, created_at, body = row
    paper = msgspec.json.decode(body, type=Paper)
    return Stored(id_, owner_id, client_id, kind, year, num, month, created_at, paper)
