"""What a checker asks the store: each statement finds what breaks one rule, and finds nothing in a
sound store."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from vestnik.domain.message import Flag
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.queue import Stage
from vestnik.store.statement import Statement
from vestnik.store.tasks import State, Task

messages, queue, parts = schema.messages, schema.queue, schema.parts
accounts, entries, charges = schema.accounts, schema.entries, schema.charges
sums, mailings, chunks = schema.sums, schema.mailings, schema.mailing_chunks
holds, runs, tasks = schema.mailing_holds, schema.mailing_runs, schema.tasks

OF_MESSAGES = ("hold", "capture", "release")  # kinds of entries that messages make

FOUND_MAX = 20  # of one rule; more would say no more

NONE, HELD, CAPTURED, RELEASED = range(4)  # `money` of a message
STOPPED, WAITING, SENT = -2, -1, 0  # `status` of a message that has not ended


def _sum(column: Any) -> Any:
    return sa.func.coalesce(sa.func.sum(column), sa.literal_column("0"))


def _literal(number: int) -> Any:
    return sa.literal_column(str(number))


_SECOND_PURSE = _literal(Flag.SECOND_PURSE)


def _queued(column: Any) -> Any:
    """The queue row of a message."""
    return sa.and_(queue.c.client_id == messages.c.client_id, queue.c.message_id == column)


_booked = (
    sa.select(
        entries.c.account_id,
        entries.c.purse,
        _sum(entries.c.posted).label("posted"),
        _sum(entries.c.held).label("held"),
    )
    .group_by(entries.c.account_id, entries.c.purse)
    .subquery("booked")
)
_posted = sa.func.coalesce(_booked.c.posted, _literal(0))
_held = sa.func.coalesce(_booked.c.held, _literal(0))
_of_account = sa.and_(_booked.c.account_id == accounts.c.id, _booked.c.purse == accounts.c.purse)
ENTRIES_DIFFER = Statement(
    sa.select(accounts.c.id, accounts.c.purse, accounts.c.posted, _posted, accounts.c.held, _held)
    .select_from(accounts.outerjoin(_booked, _of_account))
    .where((accounts.c.posted != _posted) | (accounts.c.held != _held))
    .order_by(accounts.c.id, accounts.c.purse)
    .limit(_literal(FOUND_MAX))
)
ENTRIES_OF_NOBODY = Statement(
    sa.select(_booked.c.account_id, _booked.c.purse)
    .select_from(_booked.outerjoin(accounts, _of_account))
    .where(accounts.c.id.is_(None))
    .limit(_literal(FOUND_MAX))
)
NEGATIVE = Statement(
    sa.select(
        accounts.c.id, accounts.c.purse, accounts.c.posted, accounts.c.held, accounts.c.credit
    )
    .where(
        (accounts.c.held < _literal(0))
        | (accounts.c.posted - accounts.c.held + accounts.c.credit < _literal(0))
    )
    .limit(_literal(FOUND_MAX))
)
CREDIT_CHANGES = Statement(
    sa.select(entries.c.account_id, entries.c.purse)
    .where(entries.c.kind == sa.literal_column("'credit'"))
    .group_by(entries.c.account_id, entries.c.purse)
)

_own_holds = sa.select(
    messages.c.account_id.label("account_id"),
    messages.c.purse.label("purse"),
    messages.c.held.label("held"),
).where(messages.c.money == _literal(HELD))
_ancestors_holds = (
    sa.select(charges.c.account_id, _literal(0).label("purse"), charges.c.amount)
    .join(
        messages,
        (messages.c.client_id == charges.c.client_id) & (messages.c.id == charges.c.message_id),
    )
    .where(messages.c.money == _literal(HELD), charges.c.amount > _literal(0))
)
_mailings_holds = sa.select(holds.c.account_id, holds.c.purse, holds.c.held)
_every_hold = sa.union_all(_own_holds, _ancestors_holds, _mailings_holds).subquery("every_hold")
_expected = (
    sa.select(_every_hold.c.account_id, _every_hold.c.purse, _sum(_every_hold.c.held).label("held"))
    .group_by(_every_hold.c.account_id, _every_hold.c.purse)
    .subquery("expected")
)
_expected_held = sa.func.coalesce(_expected.c.held, _literal(0))
HOLDS_DIFFER = Statement(
    sa.select(accounts.c.id, accounts.c.purse, accounts.c.held, _expected_held)
    .select_from(
        accounts.outerjoin(
            _expected,
            (_expected.c.account_id == accounts.c.id) & (_expected.c.purse == accounts.c.purse),
        )
    )
    .where(accounts.c.held != _expected_held)
    .order_by(accounts.c.id, accounts.c.purse)
    .limit(_literal(FOUND_MAX))
)

# What messages cost that were taken whole or in part, and the shares of the payers' ancestors.
_payer = sa.and_(accounts.c.id == messages.c.account_id, accounts.c.purse == messages.c.purse)
PAID = Statement(
    sa.select(accounts.c.currency, _sum(messages.c.cost))
    .join(accounts, _payer)
    .where(messages.c.money == _literal(CAPTURED))
    .group_by(accounts.c.currency)
)
_charged = sa.and_(
    messages.c.client_id == charges.c.client_id, messages.c.id == charges.c.message_id
)
# An ancestor's share is in the ancestor's own currency.
_sharer = sa.and_(accounts.c.id == charges.c.account_id, accounts.c.purse == _literal(0))
_captured_shares = (
    sa.select(accounts.c.currency, _sum(charges.c.amount))
    .select_from(charges.join(messages, _charged).join(accounts, _sharer))
    .where(messages.c.money == _literal(CAPTURED), messages.c.cost == messages.c.price)
    .group_by(accounts.c.currency)
)
PAID_ABOVE = Statement(_captured_shares)
PAID_ABOVE_IN_PART = Statement(
    sa.select(accounts.c.currency, charges.c.amount, messages.c.cost, messages.c.price)
    .select_from(charges.join(messages, _charged).join(accounts, _sharer))
    .where(messages.c.money == _literal(CAPTURED), messages.c.cost != messages.c.price)
)
POSTED = Statement(
    sa.select(accounts.c.currency, _sum(accounts.c.posted)).group_by(accounts.c.currency)
)
FROM_OUTSIDE = Statement(
    sa.select(accounts.c.currency, _sum(entries.c.posted))
    .join(accounts, (accounts.c.id == entries.c.account_id) & (accounts.c.purse == entries.c.purse))
    .where(entries.c.kind.not_in([sa.literal_column(f"'{kind}'") for kind in OF_MESSAGES]))
    .group_by(accounts.c.currency)
)

HELD_WITHOUT_QUEUE = Statement(
    sa.select(messages.c.client_id, messages.c.id, messages.c.held)
    .outerjoin(queue, _queued(messages.c.id))
    .where(messages.c.money == _literal(HELD), queue.c.message_id.is_(None))
    .limit(_literal(FOUND_MAX))
)
MONEY_WRONG = Statement(
    sa.select(
        messages.c.client_id, messages.c.id, messages.c.money, messages.c.held, messages.c.cost
    )
    .where(
        ((messages.c.money != _literal(HELD)) & (messages.c.held != _literal(0)))
        | ((messages.c.money != _literal(CAPTURED)) & (messages.c.cost != _literal(0)))
        | (messages.c.held < _literal(0))
        | (messages.c.cost > messages.c.price)
        | (messages.c.money.not_in([_literal(n) for n in (NONE, HELD, CAPTURED, RELEASED)]))
    )
    .limit(_literal(FOUND_MAX))
)
QUEUE_WITHOUT_MESSAGE = Statement(
    sa.select(queue.c.client_id, queue.c.message_id)
    .outerjoin(
        messages,
        (messages.c.client_id == queue.c.client_id) & (messages.c.id == queue.c.message_id),
    )
    .where(messages.c.id.is_(None))
    .limit(_literal(FOUND_MAX))
)
_unfinished = messages.c.status.in_([_literal(WAITING), _literal(SENT)])
LOST = Statement(
    sa.select(messages.c.client_id, messages.c.id, messages.c.status)
    .outerjoin(queue, _queued(messages.c.id))
    .where(_unfinished, queue.c.message_id.is_(None))
    .limit(_literal(FOUND_MAX))
)
ENDED_IN_QUEUE = Statement(
    sa.select(messages.c.client_id, messages.c.id, messages.c.status, queue.c.stage)
    .join(queue, _queued(messages.c.id))
    .where(
        sa.not_(_unfinished),
        sa.not_(
            (messages.c.status == _literal(STOPPED)) & (queue.c.stage == _literal(Stage.PAUSED))
        ),
    )
    .limit(_literal(FOUND_MAX))
)
IN_FLIGHT = Statement(
    sa.select(
        queue.c.carrier_id,
        queue.c.owner,
        sa.func.count().label("sending"),
        sa.func.min(queue.c.next_at).label("oldest"),
    )
    .where(queue.c.stage == _literal(Stage.SENDING))
    .group_by(queue.c.carrier_id, queue.c.owner)
)

_taken = (
    sa.select(parts.c.client_id, parts.c.message_id, sa.func.count().label("taken"))
    .group_by(parts.c.client_id, parts.c.message_id)
    .subquery("taken")
)
_taken_parts = sa.func.coalesce(_taken.c.taken, _literal(0))
PARTS_MISSING = Statement(
    sa.select(messages.c.client_id, messages.c.id, messages.c.parts, _taken_parts)
    .select_from(
        queue.join(messages, _queued(messages.c.id)).outerjoin(
            _taken,
            (_taken.c.client_id == queue.c.client_id) & (_taken.c.message_id == queue.c.message_id),
        )
    )
    .where(queue.c.stage == _literal(Stage.SENT), _taken_parts < messages.c.parts)
    .limit(_literal(FOUND_MAX))
)


def _one_if(condition: Any) -> Any:
    return sa.case((condition, _literal(1)), else_=_literal(0))


PURSE_WRONG = Statement(
    sa.select(messages.c.client_id, messages.c.id, messages.c.purse, messages.c.flags)
    .where(
        messages.c.purse.not_in([_literal(0), _literal(1)])
        | (messages.c.flags.bitwise_and(_SECOND_PURSE) != messages.c.purse * _SECOND_PURSE)
        | ((messages.c.purse != _literal(0)) & (messages.c.money == _literal(NONE)))
    )
    .limit(_literal(FOUND_MAX))
)
_settled = messages.c.money.in_([_literal(CAPTURED), _literal(RELEASED)])
_KEY = ("client_id", "day", "type", "mccmnc", "sender", "purse")
COUNTED: dict[str, Any] = {
    "messages": sa.func.count(),
    "parts": _sum(messages.c.parts),
    "sent": _sum(_one_if(messages.c.carrier_id != _literal(0))),
    "delivered": _sum(_one_if(messages.c.status.in_([_literal(n) for n in (1, 2, 4)]))),
    "failed": _sum(
        _one_if((messages.c.status == _literal(3)) | (messages.c.status >= _literal(20)))
    ),
    "spent": _sum(messages.c.cost),
    "returned": _sum(sa.case((_settled, messages.c.price - messages.c.cost), else_=_literal(0))),
}
_recount = sa.select(
    *(messages.c[name] for name in _KEY),
    *(count.label(name) for name, count in COUNTED.items()),
).group_by(*(messages.c[name] for name in _KEY))
_sums_of_nodes = sa.select(
    *(sums.c[name] for name in _KEY), *(_sum(sums.c[name]).label(name) for name in COUNTED)
).group_by(*(sums.c[name] for name in _KEY))
RECOUNTED = Statement(_recount)
SUMMED = Statement(_sums_of_nodes)

# What is left of each list, and whether a group is in it, whose members nobody knows beforehand.
_left = (
    sa.select(
        chunks.c.mailing_id,
        _sum(chunks.c.recipients).label("recipients"),
        _sum(_one_if(chunks.c.recipients.is_(None))).label("uncounted"),
        _sum(_one_if(chunks.c.seq >= mailings.c.cursor)).label("left"),
        _sum(
            sa.case((chunks.c.seq >= mailings.c.cursor, chunks.c.recipients), else_=_literal(0))
        ).label("recipients_left"),
    )
    .join(mailings, mailings.c.id == chunks.c.mailing_id)
    .group_by(chunks.c.mailing_id)
    .subquery("left_chunks")
)
_uncounted, _chunks_left, _recipients_left = (
    sa.func.coalesce(_left.c[name], _literal(0))
    for name in ("uncounted", "left", "recipients_left")
)
_differs = (_uncounted == _literal(0)) & (mailings.c.made + _recipients_left != mailings.c.total)
_running, _finished = mailings.c.state == _literal(1), mailings.c.state == _literal(2)
MAILINGS_WRONG = Statement(
    sa.select(mailings.c.client_id, mailings.c.id, mailings.c.made, mailings.c.total)
    .outerjoin(_left, _left.c.mailing_id == mailings.c.id)
    .where(
        (
            (mailings.c.kind == _literal(0))
            & (
                (mailings.c.made > mailings.c.total)
                | (
                    _finished
                    & ((mailings.c.made != mailings.c.total) | (_chunks_left > _literal(0)))
                )
                | (_running & ((_chunks_left == _literal(0)) | _differs))
            )
        )
        | ((mailings.c.kind == _literal(1)) & _running & _differs)
    )
    .limit(_literal(FOUND_MAX))
)
RUN_COUNTED: dict[str, Any] = {
    "made": COUNTED["messages"],
    "waiting": _sum(_one_if(messages.c.status == _literal(WAITING))),
    "sent": COUNTED["sent"],
    "delivered": COUNTED["delivered"],
    "failed": COUNTED["failed"],
    "cost": COUNTED["spent"],
}
_RUN = ("client_id", "mailing_id", "wire_id")
RUNS = Statement(
    sa.select(*(runs.c[name] for name in (*_RUN, *RUN_COUNTED)), runs.c.started_at).order_by(
        *(runs.c[name] for name in _RUN)
    )
)
RUNS_RECOUNTED = Statement(
    sa.select(*(messages.c[name] for name in _RUN), *RUN_COUNTED.values())
    .where(messages.c.mailing_id.is_not(None))
    .group_by(*(messages.c[name] for name in _RUN))
)
FILES = Statement(
    sa.select(*(tasks.c[field.name] for field in fields(Task))).where(
        tasks.c.status == _literal(State.DONE)
    )
)


async def found(tx: Transaction, statement: Statement) -> Sequence[Row]:
    return await tx.all(statement)
