"""What a client sent and received, page by page.

An id is a moment, so a period is a range of ids and a page is a range of the primary key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from vestnik.domain.ids import moment
from vestnik.domain.message import Flag, Kind
from vestnik.domain.schedule import day_number
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import ROWS_MAX, Statement, rows

messages, texts, incoming = schema.messages, schema.texts, schema.incoming

# So many recipients are looked for in the index of days and phones; more are met while scanning.
RECIPIENTS_FEW = 8

# A set of statuses is one number: bit `status - STATUS_LOWEST`.
STATUS_LOWEST = -3

# `messages.money`: what the price of a message has come to (data model, section 2).
_HELD, _TAKEN = 1, 2


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of a client's messages; what is empty does not matter.

    `recipients` are numbers or e-mail addresses as they are stored.
    """

    recipients: tuple[str, ...] = ()
    mail: bool = False
    statuses: tuple[int, ...] = ()
    sender: str = ""

    @property
    def few(self) -> bool:
        """The index of days and phones finds them faster than a scan."""
        return 0 < len(self.recipients) <= RECIPIENTS_FEW


class _Id(sa.ColumnElement[int]):
    """`messages.id` in a condition for which SQLite must not choose the key.

    It takes any range of a key, and its order, for a bargain.  PostgreSQL knows better, and finds
    its partitions by that range.
    """

    inherit_cache = False
    type = BigInteger()


@compiles(_Id)
def _plain_id(element: _Id, compiler: SQLCompiler, **words: Any) -> str:
    return compiler.process(messages.c.id, **words)


@compiles(_Id, "sqlite")
def _unindexed_id(element: _Id, compiler: SQLCompiler, **words: Any) -> str:
    return "+" + compiler.process(messages.c.id, **words)


def _literal(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number), Integer)


# What the client paid for a message, or what it will pay while the money is held.
_cost = sa.case(
    (messages.c.money == _literal(_TAKEN), messages.c.cost),
    (messages.c.money == _literal(_HELD), messages.c.price),
    else_=_literal(0),
)
_shared_text = (
    sa.select(texts.c.text)
    .where(texts.c.client_id == messages.c.client_id, texts.c.id == messages.c.text_id)
    .scalar_subquery()
)
# Who knows the code that proves whose number it is must have got the message.
SECRET_TEXT = "***"


def shown_text(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The text of a message, unless it is for the recipient alone."""
    secret = messages.c.flags.bitwise_and(_literal(Flag.SECRET)) != _literal(0)
    return sa.case((secret, sa.literal_column(f"'{SECRET_TEXT}'")), else_=text)


# The columns of a page.
PAGE = (
    messages.c.id,
    messages.c.wire_id,
    messages.c.phone,
    messages.c.sent_at,
    messages.c.changed_at,
    messages.c.status,
    messages.c.err,
    _cost.label("paid"),
    messages.c.parts,
    messages.c.sender,
    messages.c.type,
    messages.c.mccmnc,
    shown_text(sa.func.coalesce(messages.c.text, _shared_text, sa.literal_column("''"))).label(
        "text"
    ),
)

_of_client = messages.c.client_id == sa.bindparam("client")


def _between(column: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.and_(column >= sa.bindparam("low"), column < sa.bindparam("high"))


_status_bit = _literal(1).bitwise_lshift(messages.c.status - _literal(STATUS_LOWEST))
_places = [f"to_{number}" for number in range(RECIPIENTS_FEW)]


def _chosen(wanted: Filter) -> tuple[bool, bool, bool]:
    return wanted.mail, bool(wanted.statuses), bool(wanted.sender)


def _select(
    mail: bool, by_status: bool, by_sender: bool, key: sa.ColumnElement[int] = messages.c.id
) -> sa.Select[tuple[object, ...]]:
    """Visible messages of a range, newest first."""
    kind = messages.c.type == _literal(Kind.MAIL)
    conditions = [kind if mail else ~kind, messages.c.hidden == _literal(0)]
    if by_status:
        among = _status_bit.bitwise_and(sa.bindparam("statuses", type_=Integer))
        conditions.append(among != _literal(0))
    if by_sender:
        conditions.append(messages.c.sender == sa.bindparam("name"))
    return (
        sa.select(*PAGE)
        .where(_of_client, _between(key), *conditions)
        .order_by(key.desc())
        .limit(sa.bindparam("most", type_=Integer))
    )


@cache
def _scan(mail: bool, by_status: bool, by_sender: bool) -> Statement:
    return Statement(_select(mail, by_status, by_sender))


@cache
def _scan_for(mail: bool, by_status: bool, by_sender: bool) -> Statement:
    """A scan for many recipients."""
    sought = rows("sought", phone=Text)
    among = messages.c.phone.in_(sa.select(sought.c.phone))
    return Statement(_select(mail, by_status, by_sender).where(among), many=True)


@cache
def _probe(mail: bool, by_status: bool, by_sender: bool) -> Statement:
    """A look at each day of the index for a few recipients."""
    days = sa.select(sa.bindparam("first", type_=Integer).label("day")).cte("days", recursive=True)
    days = days.union_all(
        sa.select(days.c.day + _literal(1)).where(days.c.day < sa.bindparam("last", type_=Integer))
    )
    among = messages.c.phone.in_([sa.bindparam(place, type_=Text) for place in _places])
    found = _select(mail, by_status, by_sender, _Id())
    return Statement(found.where(messages.c.day.in_(sa.select(days.c.day)), among))


REACH = Statement(
    sa.select(messages.c.id)
    .where(_of_client, _between(messages.c.id))
    .order_by(messages.c.id.desc())
    .limit(_literal(1))
    .offset(sa.bindparam("skipped", type_=Integer))
)
NEWEST = Statement(
    sa.select(messages.c.id).where(_of_client).order_by(messages.c.id.desc()).limit(_literal(1))
)


async def scan(
    tx: Transaction, client_id: int, wanted: Filter, low: int, high: int, most: int
) -> Sequence[Row]:
    """The newest messages with ids from `low` to below `high`, by going over all of them."""
    given = _given(client_id, wanted, low, high, most)
    if not wanted.recipients:
        return await tx.all(_scan(*_chosen(wanted)), **given)
    found = await tx.many(_scan_for(*_chosen(wanted)), _full(wanted.recipients), **given)
    return _newest_first(found, most)


async def probe(
    tx: Transaction, client_id: int, wanted: Filter, low: int, high: int, most: int
) -> Sequence[Row]:
    """The same for a filter with few recipients, by the index of days and phones."""
    to = [*wanted.recipients, *wanted.recipients[:1] * (RECIPIENTS_FEW - len(wanted.recipients))]
    # Days are those of the centre's zone, which begin up to a day off those of UTC.
    return await tx.all(
        _probe(*_chosen(wanted)),
        **_given(client_id, wanted, low, high, most),
        **dict(zip(_places, to, strict=True)),
        first=day_number(moment(low), UTC) - 1,
        last=day_number(moment(high), UTC) + 1,
    )


async def reach(tx: Transaction, client_id: int, low: int, high: int, count: int) -> int:
    """How far `count` messages go back from `high`: the id of the last of them, or `low`."""
    row = await tx.one(REACH, client=client_id, low=low, high=high, skipped=count - 1)
    return int(row[0]) if row else low


async def newest_id(tx: Transaction, client_id: int) -> int:
    """The id of the client's newest message; 0 if it has none."""
    row = await tx.one(NEWEST, client=client_id)
    return int(row[0]) if row else 0


def _given(client_id: int, wanted: Filter, low: int, high: int, most: int) -> dict[str, object]:
    given: dict[str, object] = {"client": client_id, "low": low, "high": high, "most": most}
    if wanted.statuses:
        given["statuses"] = sum(1 << (s - STATUS_LOWEST) for s in set(wanted.statuses))
    if wanted.sender:
        given["name"] = wanted.sender
    return given


def _full(recipients: tuple[str, ...]) -> list[tuple[str]]:
    """Recipients for as few statements as can be: each scans, and takes a power of two of them.

    The last one is repeated, which changes nothing, to fill the last statement.
    """
    count = len(recipients)
    size = ROWS_MAX if count > ROWS_MAX else 1 << (count - 1).bit_length()
    missing = -count % size
    return [(phone,) for phone in (*recipients, *recipients[-1:] * missing)]


def _newest_first(found: list[Row], most: int) -> Sequence[Row]:
    return sorted(found, key=lambda row: row[0], reverse=True)[:most]


_received = (
    sa.select(
        incoming.c.id,
        incoming.c.received_at,
        incoming.c.phone,
        incoming.c.text,
        incoming.c.to_phone,
        incoming.c.sent_at,
    )
    .where(
        incoming.c.client_id == sa.bindparam("client"),
        incoming.c.id > sa.bindparam("after"),
        incoming.c.received_at >= sa.bindparam("since", type_=BigInteger),
    )
    .limit(sa.bindparam("most", type_=Integer))
)
_to = incoming.c.to_phone == sa.bindparam("number")
RECEIVED = {
    (newest, by_number): Statement(
        (_received.where(_to) if by_number else _received).order_by(
            incoming.c.id.desc() if newest else incoming.c.id
        )
    )
    for newest in (True, False)
    for by_number in (True, False)
}
RECEIVED_AT = Statement(
    sa.select(incoming.c.id, incoming.c.received_at)
    .where(incoming.c.client_id == sa.bindparam("client"), incoming.c.id >= sa.bindparam("first"))
    .order_by(incoming.c.id)
    .limit(_literal(1))
)
RECEIVED_LAST = Statement(
    sa.select(incoming.c.id)
    .where(incoming.c.client_id == sa.bindparam("client"))
    .order_by(incoming.c.id.desc())
    .limit(_literal(1))
)


async def received(
    tx: Transaction,
    client_id: int,
    after: int,
    since: int,
    to_phone: str,
    most: int,
    *,
    newest: bool,
) -> Sequence[Row]:
    """Incoming messages past an id and received since a moment: the newest, or those next to it.

    Rows are (id, received_at, phone, text, to_phone, sent_at), newest first.
    """
    given: dict[str, object] = {"client": client_id, "after": after, "since": since, "most": most}
    if to_phone:
        given["number"] = to_phone
    found = await tx.all(RECEIVED[newest, bool(to_phone)], **given)
    return found if newest else found[::-1]


async def received_at(tx: Transaction, client_id: int, first: int) -> Row | None:
    """(id, received_at) of the incoming message with this id, or the next one."""
    return await tx.one(RECEIVED_AT, client=client_id, first=first)


async def last_received(tx: Transaction, client_id: int) -> int:
    """The id of the client's last incoming message; 0 if it has none."""
    row = await tx.one(RECEIVED_LAST, client=client_id)
    return int(row[0]) if row else 0
