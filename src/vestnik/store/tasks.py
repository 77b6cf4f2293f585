"""Deferred tasks.

What a worker changes is guarded by owner and fence: a task that does not answer to the guard has
been cancelled, or is somebody else's by now, and is left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, Text

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement, insert_into

tasks, counters = schema.tasks, schema.counters

TRIES_MAX = 3  # leases that may lapse before a task has failed


class State(IntEnum):
    """The `status` of a task on the wire (downloads.md)."""

    WAITING = 0
    RUNNING = 1
    DONE = 2
    CANCELLED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Task:
    """A task as its client sees it; moments in ms since the epoch."""

    client_id: int
    id: int
    name: str
    filter: str
    format: str
    status: int
    created_at: int
    start_at: int
    started_at: int | None
    ended_at: int | None
    high_id: int
    rows_done: int
    rows_total: int
    file: str
    octets_utf8: int
    octets_single: int
    sha256: str
    fence: int
    tries: int
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that a worker holds."""

    client_id: int
    id: int
    owner: int
    fence: int


@dataclass(frozen=True, slots=True)
class File:
    """The file of a finished task: octets in UTF-8 or binary, and in a charset of single octets."""

    name: str
    rows: int
    octets_utf8: int
    octets_single: int
    sha256: str


def _literal(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(int(number)), Integer)


def _is(*states: State) -> sa.ColumnElement[bool]:
    """As literals, or PostgreSQL cannot use the partial indexes."""
    if len(states) == 1:
        return tasks.c.status == _literal(states[0])
    return tasks.c.status.in_([_literal(state) for state in states])


_TASK = tuple(tasks.c[name] for name in Task.__dataclass_fields__)
_client = sa.bindparam("client", type_=BigInteger)
_which = sa.bindparam("which", type_=BigInteger)
_now = sa.bindparam("now", type_=BigInteger)
_this = (tasks.c.client_id == _client, tasks.c.id == _which)
_held = (
    *_this,
    tasks.c.owner == sa.bindparam("holder", type_=BigInteger),
    tasks.c.fence == sa.bindparam("held_fence", type_=BigInteger),
    _is(State.RUNNING),
)

PUT = insert_into(
    tasks, "client_id", "id", "name", "filter", "format", "created_at", "start_at", "lease"
)
ONE = Statement(sa.select(*_TASK).where(*_this))
_name = sa.bindparam("name", type_=Text)
# The task's own name before its file's, a ready file before others, the newest before the older.
NAMED = Statement(
    sa.select(*_TASK)
    .where(tasks.c.client_id == _client, sa.or_(tasks.c.name == _name, tasks.c.file == _name))
    .order_by(
        sa.case((tasks.c.name == _name, 0), else_=1),
        sa.case((_is(State.DONE), 0), else_=1),
        tasks.c.id.desc(),
    )
    .limit(_literal(1))
)
_most = sa.bindparam("most", type_=Integer)
LAST = Statement(
    sa.select(*_TASK).where(tasks.c.client_id == _client).order_by(tasks.c.id.desc()).limit(_most)
)
AFTER = Statement(
    sa.select(*_TASK)
    .where(tasks.c.client_id == _client, tasks.c.id > _which)
    .order_by(tasks.c.id)
    .limit(_most)
)
UNFINISHED = Statement(
    sa.select(sa.func.count())
    .select_from(tasks)
    .where(tasks.c.client_id == _client, _is(State.WAITING, State.RUNNING))
)
CANCEL = Statement(
    sa.update(tasks)
    .values(status=_literal(State.CANCELLED), ended_at=_now)
    .where(*_this, _is(State.WAITING, State.RUNNING))
)
DROP = Statement(sa.delete(tasks).where(*_this, tasks.c.status != _literal(State.RUNNING)))
OLD = Statement(
    sa.select(*_TASK)
    .where(
        _is(State.DONE, State.CANCELLED, State.FAILED),
        tasks.c.ended_at < sa.bindparam("before", type_=BigInteger),
    )
    .limit(_most)
)
FILES = Statement(sa.select(tasks.c.client_id, tasks.c.file).where(_is(State.DONE)))

_running = tasks.alias("running")
_idle = ~sa.exists().where(
    _running.c.client_id == tasks.c.client_id,
    _running.c.status == _literal(State.RUNNING),
)
DUE = Statement(
    sa.select(tasks.c.client_id, tasks.c.id)
    .where(_is(State.WAITING), tasks.c.start_at <= _now, _idle)
    .order_by(tasks.c.start_at, tasks.c.client_id, tasks.c.id)
    .limit(_most)
)
LOCK_CLIENT = Statement(
    sa.select(counters.c.next)
    .where(counters.c.client_id == _client, counters.c.kind == sa.bindparam("kind", type_=Text))
    .with_for_update()
)
_lease = sa.bindparam("until", type_=BigInteger)
CLAIM = Statement(
    sa.update(tasks)
    .values(
        status=_literal(State.RUNNING),
        owner=sa.bindparam("holder", type_=BigInteger),
        lease=_lease,
        fence=tasks.c.fence + _literal(1),
        tries=tasks.c.tries + _literal(1),
        started_at=_now,
        high_id=sa.bindparam("newest", type_=BigInteger),
        rows_done=_literal(0),
    )
    .where(*_this, _is(State.WAITING), _idle)
    .returning(*_TASK)
)
RENEW = Statement(
    sa.update(tasks)
    .values(lease=_lease, rows_done=sa.bindparam("rows", type_=BigInteger))
    .where(*_held)
)
_texts = {name: sa.bindparam(f"new_{name}", type_=Text) for name in ("file", "sha256")}
_sizes = {
    name: sa.bindparam(f"new_{name}", type_=BigInteger)
    for name in ("rows_done", "rows_total", "octets_utf8", "octets_single")
}
FINISH = Statement(
    sa.update(tasks)
    .values(status=_literal(State.DONE), ended_at=_now, reason="", **_texts, **_sizes)
    .where(*_held)
)
_reason = sa.bindparam("because", type_=Text)
FAIL = Statement(
    sa.update(tasks)
    .values(status=_literal(State.FAILED), ended_at=_now, reason=_reason)
    .where(*_held)
)
_last_try = tasks.c.tries >= _literal(TRIES_MAX)
_gives_up = {
    "status": sa.case((_last_try, _literal(State.FAILED)), else_=_literal(State.WAITING)),
    "ended_at": sa.case((_last_try, _now), else_=None),
    "reason": _reason,
}
_LOST = (tasks.c.client_id, tasks.c.id, tasks.c.status)
GIVE_BACK = Statement(sa.update(tasks).values(**_gives_up).where(*_held))
GIVE_BACK_LAPSED = Statement(
    sa.update(tasks)
    .values(**_gives_up)
    .where(_is(State.RUNNING), tasks.c.lease < _now)
    .returning(*_LOST)
)
GIVE_BACK_OWN = Statement(
    sa.update(tasks)
    .values(**_gives_up)
    .where(_is(State.RUNNING), tasks.c.owner == sa.bindparam("holder", type_=BigInteger))
    .returning(*_LOST)
)
PUT_DOWN = Statement(
    sa.update(tasks)
    .values(status=_literal(State.WAITING), tries=tasks.c.tries - _literal(1))
    .where(*_held)
)


async def put(
    tx: Transaction,
    client_id: int,
    task_id: int,
    name: str,
    filter: str,
    format: str,
    created_at: int,
    start_at: int,
) -> None:
    await tx.many(PUT, [(client_id, task_id, name, filter, format, created_at, start_at, 0)])


async def one(tx: Transaction, client_id: int, task_id: int) -> Task | None:
    row = await tx.one(ONE, client=client_id, which=task_id)
    return Task(*row) if row else None


async def named(tx: Transaction, client_id: int, name: str) -> Task | None:
    """The task of this name, or whose file has it: of several the newest that is ready."""
    row = await tx.one(NAMED, client=client_id, name=name)
    return Task(*row) if row else None


async def last(tx: Transaction, client_id: int, most: int) -> list[Task]:
    """The last tasks, in the order of their ids."""
    rows = await tx.all(LAST, client=client_id, most=most)
    return [Task(*row) for row in reversed(rows)]


async def after(tx: Transaction, client_id: int, task_id: int, most: int) -> list[Task]:
    """The next tasks past an id."""
    return [Task(*row) for row in await tx.all(AFTER, client=client_id, which=task_id, most=most)]


async def unfinished(tx: Transaction, client_id: int) -> int:
    """How many tasks of the client wait or run."""
    row = await tx.one(UNFINISHED, client=client_id)
    return int(row[0]) if row else 0


async def cancel(tx: Transaction, client_id: int, task_id: int, now: int) -> bool:
    """End a task that waits or runs; False if it does neither."""
    return await tx.run(CANCEL, client=client_id, which=task_id, now=now) > 0


async def drop(tx: Transaction, client_id: int, task_id: int) -> bool:
    """Forget a task; False if it runs, or there is none."""
    return await tx.run(DROP, client=client_id, which=task_id) > 0


async def old(tx: Transaction, before: int, most: int) -> list[Task]:
    """Tasks that ended before a moment."""
    return [Task(*row) for row in await tx.all(OLD, before=before, most=most)]


async def files(tx: Transaction) -> Sequence[Row]:
    """(client, file) of every finished task."""
    return await tx.all(FILES)


async def due(tx: Transaction, now: int, most: int) -> list[tuple[int, int]]:
    """(client, id) of due tasks whose clients have none running, oldest first."""
    return [(row[0], row[1]) for row in await tx.all(DUE, now=now, most=most)]


async def lock_client(tx: Transaction, client_id: int, kind: str) -> None:
    """Nobody else takes a number or a task of the client's until the commit."""
    await tx.one(LOCK_CLIENT, client=client_id, kind=kind)


async def claim(
    tx: Transaction, client_id: int, task_id: int, owner: int, now: int, lease: int, high_id: int
) -> Task | None:
    """Take a waiting task, unless the client has one running; its fence is then this claim's."""
    row = await tx.one(
        CLAIM,
        client=client_id,
        which=task_id,
        holder=owner,
        until=lease,
        now=now,
        newest=high_id,
    )
    return Task(*row) if row else None


async def renew(tx: Transaction, claim: Claim, rows_done: int, lease: int) -> bool:
    """Tell how far it got, and hold it longer; False if it is not ours any more."""
    return await tx.run(RENEW, **_guard(claim), rows=rows_done, until=lease) > 0


async def finish(tx: Transaction, claim: Claim, file: File, now: int) -> bool:
    """The file is ready; False if the task is not ours any more."""
    changed = await tx.run(
        FINISH,
        **_guard(claim),
        now=now,
        new_file=file.name,
        new_sha256=file.sha256,
        new_rows_done=file.rows,
        new_rows_total=file.rows,
        new_octets_utf8=file.octets_utf8,
        new_octets_single=file.octets_single,
    )
    return changed > 0


async def fail(tx: Transaction, claim: Claim, reason: str, now: int) -> bool:
    """It cannot be done, and why; False if the task is not ours any more."""
    return await tx.run(FAIL, **_guard(claim), because=reason, now=now) > 0


async def give_back(tx: Transaction, claim: Claim, reason: str, now: int) -> bool:
    """Let it begin again, unless it has failed often enough; False if it is not ours any more."""
    return await tx.run(GIVE_BACK, **_guard(claim), because=reason, now=now) > 0


async def give_back_lapsed(tx: Transaction, reason: str, now: int) -> Sequence[Row]:
    """The same for all whose leases have run out: (client, id, status) of each."""
    return await tx.all(GIVE_BACK_LAPSED, because=reason, now=now)


async def give_back_own(tx: Transaction, owner: int, reason: str, now: int) -> Sequence[Row]:
    """The same for all that a node held when it last stopped."""
    return await tx.all(GIVE_BACK_OWN, holder=owner, because=reason, now=now)


async def put_down(tx: Transaction, claim: Claim) -> bool:
    """Let it begin again later, through no fault of its own."""
    return await tx.run(PUT_DOWN, **_guard(claim)) > 0


def _guard(claim: Claim) -> dict[str, int]:
    return {
        "client": claim.client_id,
        "which": claim.id,
        "holder": claim.owner,
        "held_fence": claim.fence,
    }
