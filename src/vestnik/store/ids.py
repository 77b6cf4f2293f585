"""From which id a node goes on: it must not make one again when its clock has stepped back."""

import sqlalchemy as sa

from vestnik.domain.ids import NODES, PER_MS, first_id
from vestnik.store import messages, schema
from vestnik.store.engine import Transaction
from vestnik.store.queue import Stage, stands
from vestnik.store.statement import Statement

accounts, clients, entries = schema.accounts, schema.clients, schema.entries
mailings, news, outboxes = schema.mailings, schema.news, schema.outboxes
queue, receipts, submit_parts = schema.queue, schema.receipts, schema.submit_parts

_since = sa.bindparam("since", type_=sa.BigInteger)


def _ahead(id_: sa.ColumnElement[int]) -> sa.Select[int]:
    return sa.select(id_.label("id")).where(id_ >= _since)


def _number(value: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(value), sa.BigInteger)


# Where ids grow within an owner's range of the key they are looked up at the end of each.
_everywhere = sa.union_all(
    _ahead(entries.c.id).where(
        entries.c.account_id == accounts.c.id, entries.c.purse == accounts.c.purse
    ),
    _ahead(mailings.c.id).where(mailings.c.client_id == clients.c.id),
    _ahead(submit_parts.c.series).where(submit_parts.c.client_id == clients.c.id),
    _ahead(receipts.c.id),
    _ahead(news.c.id),
    _ahead(outboxes.c.owner),
    _ahead(queue.c.owner).where(stands(Stage.SENDING)),
).subquery("ahead")
AHEAD = Statement(
    sa.select(sa.func.max(_everywhere.c.id)).where(
        _everywhere.c.id // _number(PER_MS) % _number(NODES) == sa.bindparam("node")
    )
)


async def last(tx: Transaction, node: int, now_ms: int) -> int:
    """The id that a node's ids go on from; 0 for none.

    It is that of the last message, whichever node took it, or one that the node has made of this
    moment or a later one.  There are such when the clock has stepped back.
    """
    row = await tx.one(AHEAD, since=first_id(now_ms), node=node)
    ahead = (row[0] or 0) if row else 0
    return max(ahead, await messages.last_id(tx))
