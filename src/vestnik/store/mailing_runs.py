"""Runs of mailings: what is due, how far each is, which of its messages still wait."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Text

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.mailings import FIELDS, Mailing
from vestnik.store.queue import Stage, stands
from vestnik.store.statement import Statement, insert_into, rows

mailings, runs, chunks = schema.mailings, schema.mailing_runs, schema.mailing_chunks
messages, texts, queue = schema.messages, schema.texts, schema.queue

# What is counted of a run, in this order; `cost` is what was taken for its messages.
COUNTED = ("made", "waiting", "sent", "delivered", "failed", "cost")
Key = tuple[int, int, str]  # client, mailing, wire id of the run
Change = tuple[int, int, int, int, int, int]

_planned = sa.and_(
    mailings.c.kind == sa.literal_column("1"), mailings.c.state < sa.literal_column("2")
)
_waiting_of_run = (
    sa.select(runs.c.waiting)
    .where(
        runs.c.client_id == mailings.c.client_id,
        runs.c.mailing_id == mailings.c.id,
        runs.c.wire_id == mailings.c.run_wire_id,
    )
    .scalar_subquery()
)
DUE = Statement(
    sa.select(*FIELDS, _waiting_of_run)
    .where(_planned, mailings.c.next_at <= sa.bindparam("now"))
    .order_by(mailings.c.next_at)
    .limit(sa.bindparam("most"))
)
_this = (mailings.c.client_id == sa.bindparam("client"), mailings.c.id == sa.bindparam("mailing"))
START = Statement(
    sa.update(mailings)
    .values(
        state=sa.literal_column("1"),
        run=mailings.c.run + 1,
        run_wire_id=sa.bindparam("wire"),
        last_run=sa.bindparam("now"),
        total=sa.bindparam("recipients"),
        cursor=sa.literal_column("0"),
        after=sa.literal_column("0"),
        made=sa.literal_column("0"),
        whole=sa.literal_column("0"),
        next_at=sa.bindparam("now"),
    )
    .where(
        *_this,
        mailings.c.state == sa.literal_column("0"),
        mailings.c.run == sa.bindparam("known_run"),
    )
    .returning(mailings.c.id)
)
ADVANCE = Statement(
    sa.update(mailings)
    .values(
        cursor=sa.bindparam("new_cursor"),
        after=sa.bindparam("new_after"),
        made=mailings.c.made + sa.bindparam("more"),
        whole=sa.bindparam("is_whole"),
        next_at=sa.bindparam("then"),
    )
    .where(
        *_this,
        mailings.c.state == sa.literal_column("1"),
        mailings.c.run == sa.bindparam("known_run"),
        mailings.c.cursor == sa.bindparam("known_cursor"),
        mailings.c.after == sa.bindparam("known_after"),
        mailings.c.whole == sa.literal_column("0"),
    )
    .returning(mailings.c.id)
)
FINISH = Statement(
    sa.update(mailings)
    .values(
        state=sa.bindparam("new_state"),
        start_at=sa.bindparam("starts"),
        next_at=sa.bindparam("then"),
    )
    .where(
        *_this,
        mailings.c.state == sa.literal_column("1"),
        mailings.c.run == sa.bindparam("known_run"),
        mailings.c.whole == sa.literal_column("1"),
    )
    .returning(mailings.c.id)
)
END = Statement(
    sa.update(mailings)
    .values(
        state=sa.bindparam("new_state"),
        leaving=sa.bindparam("how"),
        next_at=sa.bindparam("now"),  # nothing comes next: this is when it ended
    )
    .where(*_this, mailings.c.state < sa.literal_column("2"))
    .returning(mailings.c.id)
)
SIZE = Statement(
    sa.select(sa.func.coalesce(sa.func.sum(chunks.c.recipients), sa.literal_column("0"))).where(
        chunks.c.mailing_id == sa.bindparam("mailing")
    )
)
BEGIN = insert_into(runs, "client_id", "mailing_id", "wire_id", "run", "started_at")
_change = rows(
    "progress",
    client_id=BigInteger,
    mailing_id=BigInteger,
    wire_id=Text,
    **dict.fromkeys(COUNTED, BigInteger),
)
COUNT = Statement(
    sa.update(runs)
    .values({name: runs.c[name] + _change.c[name] for name in COUNTED})
    .where(
        runs.c.client_id == _change.c.client_id,
        runs.c.mailing_id == _change.c.mailing_id,
        runs.c.wire_id == _change.c.wire_id,
    ),
    many=True,
)
OF_MAILING = Statement(
    sa.select(runs.c.run, runs.c.wire_id, *(runs.c[name] for name in COUNTED))
    .where(runs.c.client_id == sa.bindparam("client"), runs.c.mailing_id == sa.bindparam("mailing"))
    .order_by(runs.c.run)
)

# How many due messages of a client wait at a carrier, behind its requests of a few.
_due_rows = (
    sa.select(sa.literal_column("1").label("one"))
    .select_from(queue)
    .where(
        queue.c.carrier_id == sa.bindparam("carrier"),
        queue.c.priority == sa.literal_column("2"),
        queue.c.client_id == sa.bindparam("client"),
        queue.c.next_at <= sa.bindparam("now"),
        stands(Stage.WAITING),
    )
    .limit(sa.bindparam("most"))
    .subquery("due_rows")
)
DUE_ROWS = Statement(sa.select(sa.func.count()).select_from(_due_rows))

_asked = rows("asked", wire_id=Text, phone=Text)
SEEN = Statement(
    sa.select(messages.c.phone, sa.func.coalesce(messages.c.text, texts.c.text, ""))
    .select_from(
        _asked.join(
            messages,
            (messages.c.client_id == sa.bindparam("client"))
            & (messages.c.wire_id == _asked.c.wire_id)
            & (messages.c.phone == _asked.c.phone),
        ).outerjoin(
            texts, (texts.c.client_id == messages.c.client_id) & (texts.c.id == messages.c.text_id)
        )
    )
    .where(messages.c.mailing_id == sa.bindparam("mailing")),
    many=True,
)

_queued = queue.join(
    messages,
    (messages.c.client_id == queue.c.client_id) & (messages.c.id == queue.c.message_id),
)
STILL = Statement(
    sa.select(queue.c.message_id)
    .select_from(_queued)
    .where(
        queue.c.client_id == sa.bindparam("client"),
        queue.c.message_id > sa.bindparam("past"),
        queue.c.stage == sa.bindparam("where"),
        messages.c.mailing_id == sa.bindparam("mailing"),
    )
    .order_by(queue.c.message_id)
    .limit(sa.bindparam("most"))
)
LEAVING = Statement(
    sa.select(*FIELDS)
    .where(mailings.c.leaving > sa.literal_column("0"))
    .order_by(mailings.c.id)
    .limit(sa.bindparam("most"))
)
STAY = Statement(
    sa.update(mailings)
    .values(leaving=sa.literal_column("0"))
    .where(*_this, mailings.c.leaving == sa.literal_column("1"))
)
_some_chunks = (
    sa.select(chunks.c.seq)
    .where(chunks.c.mailing_id == sa.bindparam("mailing"))
    .order_by(chunks.c.seq)
    .limit(sa.bindparam("most"))
)
DROP_CHUNKS = Statement(
    sa.delete(chunks).where(
        chunks.c.mailing_id == sa.bindparam("mailing"),
        chunks.c.seq.in_(_some_chunks.scalar_subquery()),
    )
)
DROP_RUNS = Statement(
    sa.delete(runs).where(
        runs.c.client_id == sa.bindparam("client"), runs.c.mailing_id == sa.bindparam("mailing")
    )
)
DROP_FILES = Statement(
    sa.delete(schema.mailing_files).where(
        schema.mailing_files.c.mailing_id == sa.bindparam("mailing")
    )
)
DROP = Statement(sa.delete(mailings).where(*_this))


class Progress:
    """Changes of one commit, folded to one row for each run."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        self.changes: dict[Key, Change] = {}

    def add(self, key: Key, change: Change) -> None:
        known = self.changes.get(key)
        if known is None:
            self.changes[key] = change
        else:
            a, b, c, d, e, f = known
            g, h, i, j, k, m = change
            self.changes[key] = (a + g, b + h, c + i, d + j, e + k, f + m)


async def due(tx: Transaction, now: int, most: int) -> list[tuple[Mailing, int]]:
    """Mailings that are to be looked at, each with how many messages of its last run wait."""
    found = await tx.all(DUE, now=now, most=most)
    return [(Mailing(*row[:-1]), row[-1] or 0) for row in found]


async def start(tx: Transaction, mailing: Mailing, wire_id: str, recipients: int, now: int) -> bool:
    """Begin the next run; False when another node has, or it was switched off."""
    began = await tx.one(
        START,
        client=mailing.client_id,
        mailing=mailing.id,
        known_run=mailing.run,
        wire=wire_id,
        recipients=recipients,
        now=now,
    )
    if began is None:
        return False
    run = (mailing.client_id, mailing.id, wire_id, mailing.run + 1, now)
    await tx.many(BEGIN, [run])
    return True


async def begin(tx: Transaction, client_id: int, mailing_id: int, wire_id: str, now: int) -> None:
    """The one run of an oversized request."""
    await tx.many(BEGIN, [(client_id, mailing_id, wire_id, 1, now)])


async def advance(
    tx: Transaction,
    mailing: Mailing,
    place: tuple[int, int],
    more: int,
    *,
    whole: bool,
    next_at: int,
) -> bool:
    """Move its place in the list (chunk, contact); False when that is not where it was any more."""
    moved = await tx.one(
        ADVANCE,
        client=mailing.client_id,
        mailing=mailing.id,
        known_run=mailing.run,
        known_cursor=mailing.cursor,
        known_after=mailing.after,
        new_cursor=place[0],
        new_after=place[1],
        more=more,
        is_whole=int(whole),
        then=next_at,
    )
    return moved is not None


async def finish(
    tx: Transaction, mailing: Mailing, state: int, start_at: int, next_at: int
) -> None:
    """Its run is over: it waits for the next one, or has had its last."""
    await tx.one(
        FINISH,
        client=mailing.client_id,
        mailing=mailing.id,
        known_run=mailing.run,
        new_state=state,
        starts=start_at,
        then=next_at,
    )


async def end(
    tx: Transaction, client_id: int, mailing_id: int, state: int, leaving: int, now: int
) -> bool:
    """Have a mailing run no more; False if it had ended already."""
    ended = await tx.one(
        END, client=client_id, mailing=mailing_id, new_state=state, how=leaving, now=now
    )
    return ended is not None


async def size(tx: Transaction, mailing_id: int) -> int:
    """How many recipients its list has, those of groups aside."""
    row = await tx.one(SIZE, mailing=mailing_id)
    return int(row[0]) if row else 0


async def count(tx: Transaction, progress: Progress) -> None:
    """Add what a commit changed; runs are taken in the order of their keys."""
    data = [(*key, *change) for key, change in progress.changes.items() if any(change)]
    await tx.many(COUNT, sorted(data))


async def of_mailing(tx: Transaction, client_id: int, mailing_id: int) -> Sequence[Row]:
    """Its runs, the first one first: (run, wire id) and what COUNTED says."""
    return await tx.all(OF_MAILING, client=client_id, mailing=mailing_id)


async def due_rows(tx: Transaction, carrier_id: int, client_id: int, now: int, most: int) -> int:
    """How many messages of a client's mailings are due and wait at a carrier, at most `most`."""
    row = await tx.one(DUE_ROWS, carrier=carrier_id, client=client_id, now=now, most=most)
    return int(row[0]) if row else 0


async def seen(tx: Transaction, mailing: Mailing, phones: Sequence[str]) -> set[tuple[str, str]]:
    """Phones and texts that the run has messages with already."""
    asked = [(mailing.run_wire_id, phone) for phone in phones]
    found = await tx.many(SEEN, asked, client=mailing.client_id, mailing=mailing.id)
    return {(row[0], row[1]) for row in found}


async def still(tx: Transaction, mailing: Mailing, stage: Stage, past: int, most: int) -> list[int]:
    """Its unfinished messages of a stage past an id, in the order of ids."""
    found = await tx.all(
        STILL,
        client=mailing.client_id,
        mailing=mailing.id,
        past=past,
        where=int(stage),
        most=most,
    )
    return [row[0] for row in found]


async def leaving(tx: Transaction, most: int) -> list[Mailing]:
    """Mailings whose waiting messages are to be stopped, or that are to be removed."""
    return [Mailing(*row) for row in await tx.all(LEAVING, most=most)]


async def stay(tx: Transaction, mailing: Mailing) -> None:
    """None of its messages waits any more, and it is kept."""
    await tx.run(STAY, client=mailing.client_id, mailing=mailing.id)


async def remove(tx: Transaction, mailing: Mailing, most: int) -> bool:
    """Drop so many chunks of its list, and once they have all gone the mailing; True at its end."""
    if await tx.run(DROP_CHUNKS, mailing=mailing.id, most=most) == most:
        return False
    await tx.run(DROP_FILES, mailing=mailing.id)
    await tx.run(DROP_RUNS, client=mailing.client_id, mailing=mailing.id)
    await tx.run(DROP, client=mailing.client_id, mailing=mailing.id)
    return True
