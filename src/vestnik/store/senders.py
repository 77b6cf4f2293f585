"""Sender names, where they are registered, and the documents that go with them (senders.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger, Text

from vestnik.domain.sender import PAID, AtOperator, Status
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.statement import Statement, insert_into

senders, operators, files = schema.senders, schema.sender_operators, schema.sender_files
clients = schema.clients


@dataclass(frozen=True, slots=True)
class Sender:
    """A name of an account.

    `kind` and `status` are those of domain.sender; `owner` goes with a mail address, `details` is
    what countries ask for, `common` the operators at which a common name may replace it.
    """

    client_id: int
    id: int
    name: str
    kind: int
    status: int
    cmt: str
    owner: str
    details: Mapping[str, str]
    common: tuple[str, ...]
    reason: str
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Registration:
    """A name at one operator; `paid_month` is the last one its fee was paid for, 0 none."""

    client_id: int
    sender_id: int
    operator: str
    tariff: str
    status: int
    changed_at: int
    paid_month: int


@dataclass(frozen=True, slots=True)
class File:
    """A document of a name, without its octets."""

    number: int
    name: str
    type: str
    about: str
    created_at: int


def _literal(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(int(number)), Integer)


_client = sa.bindparam("client", type_=BigInteger)
_which = sa.bindparam("which", type_=BigInteger)
_SENDER = tuple(senders.c[name] for name in Sender.__dataclass_fields__)
_this = (senders.c.client_id == _client, senders.c.id == _which)
_CHANGEABLE = ("status", "cmt", "owner", "details", "common", "reason", "changed_at")

PUT = insert_into(senders)
ONE = Statement(sa.select(*_SENDER).where(*_this))
NAMED = Statement(
    sa.select(*_SENDER).where(
        senders.c.client_id == _client, senders.c.folded == sa.bindparam("name", type_=Text)
    )
)
CHANGE = Statement(
    sa.update(senders)
    .values({name: sa.bindparam(f"new_{name}", type_=senders.c[name].type) for name in _CHANGEABLE})
    .where(*_this)
)
DROP = Statement(sa.delete(senders).where(*_this))
COUNT = Statement(
    sa.select(sa.func.count()).select_from(senders).where(senders.c.client_id == _client)
)
_approved = senders.c.status == _literal(Status.APPROVED)
APPROVED = Statement(sa.select(senders.c.client_id, senders.c.folded).where(_approved))
EVERYBODYS = Statement(sa.select(*_SENDER).order_by(senders.c.client_id, senders.c.id))
_changed_since = sa.exists().where(
    operators.c.client_id == senders.c.client_id,
    operators.c.sender_id == senders.c.id,
    operators.c.changed_at >= sa.bindparam("since", type_=BigInteger),
)


def _page(*, everything: bool, since: bool) -> Statement:
    """The newest names before an id."""
    conditions = [senders.c.client_id == _client, senders.c.id < _which]
    if not everything:
        conditions.append(_approved)
    if since:
        conditions.append(_changed_since)
    return Statement(
        sa.select(*_SENDER)
        .where(*conditions)
        .order_by(senders.c.id.desc())
        .limit(sa.bindparam("most", type_=Integer))
    )


_PAGES = {
    (everything, since): _page(everything=everything, since=since)
    for everything in (False, True)
    for since in (False, True)
}

_REGISTRATION = tuple(operators.c[name] for name in Registration.__dataclass_fields__)
_at = (operators.c.client_id == _client, operators.c.sender_id == _which)
_operator = sa.bindparam("place", type_=Text)
PUT_REGISTRATION = insert_into(operators)
REGISTRATIONS = Statement(
    sa.select(*_REGISTRATION)
    .where(operators.c.client_id == _client)
    .order_by(operators.c.sender_id, operators.c.operator)
)
REGISTRATION = Statement(
    sa.select(*_REGISTRATION).where(*_at, operators.c.operator == _operator).with_for_update()
)
CHANGE_REGISTRATION = Statement(
    sa.update(operators)
    .values(
        tariff=sa.bindparam("new_tariff", type_=Text),
        status=sa.bindparam("new_status", type_=SmallInteger),
        changed_at=sa.bindparam("new_changed_at", type_=BigInteger),
        paid_month=sa.bindparam("new_paid_month", type_=Integer),
    )
    .where(*_at, operators.c.operator == _operator)
)
DROP_REGISTRATIONS = Statement(sa.delete(operators).where(*_at))
UNPAID = Statement(
    sa.select(*_REGISTRATION)
    .where(
        operators.c.tariff == sa.literal_column(f"'{PAID}'"),
        operators.c.status == _literal(AtOperator.REGISTERED),
        operators.c.paid_month < sa.bindparam("month", type_=Integer),
    )
    .order_by(operators.c.client_id, operators.c.sender_id, operators.c.operator)
    .limit(sa.bindparam("most", type_=Integer))
)

_FILE = tuple(files.c[name] for name in File.__dataclass_fields__)
_of_sender = (files.c.client_id == _client, files.c.sender_id == _which)
PUT_FILE = insert_into(files)
FILES = Statement(sa.select(*_FILE).where(*_of_sender).order_by(files.c.number))
FILE = Statement(
    sa.select(files.c.octets).where(*_of_sender, files.c.number == sa.bindparam("place"))
)
COUNT_FILES = Statement(
    sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(files.c.number), _literal(0)))
    .select_from(files)
    .where(*_of_sender)
)
COUNT_ALL_FILES = Statement(
    sa.select(sa.func.count()).select_from(files).where(files.c.client_id == _client)
)
DROP_FILES = Statement(sa.delete(files).where(*_of_sender))

TOLD = Statement(
    sa.select(clients.c.id, clients.c.profile).where(
        clients.c.profile.contains(sa.literal_column("'reserve_sender'"))
    )
)


async def put(tx: Transaction, sender: Sender) -> None:
    s = sender
    row = (
        s.client_id,
        s.id,
        s.name,
        s.name.lower(),
        s.kind,
        s.status,
        s.cmt,
        s.owner,
        msgspec.json.encode(s.details).decode(),
        ",".join(s.common),
        s.reason,
        s.created_at,
        s.changed_at,
    )
    await tx.many(PUT, [row])


async def one(tx: Transaction, client_id: int, sender_id: int) -> Sender | None:
    row = await tx.one(ONE, client=client_id, which=sender_id)
    return _sender(row) if row else None


async def named(tx: Transaction, client_id: int, name: str) -> Sender | None:
    """The client's name that differs from this one by capitals at most."""
    row = await tx.one(NAMED, client=client_id, name=name.lower())
    return _sender(row) if row else None


async def change(tx: Transaction, sender: Sender) -> None:
    """Store a name as it is now; what it is called never changes."""
    await tx.run(
        CHANGE,
        client=sender.client_id,
        which=sender.id,
        new_status=sender.status,
        new_cmt=sender.cmt,
        new_owner=sender.owner,
        new_details=msgspec.json.encode(sender.details).decode(),
        new_common=",".join(sender.common),
        new_reason=sender.reason,
        new_changed_at=sender.changed_at,
    )


async def drop(tx: Transaction, client_id: int, sender_id: int) -> None:
    """Forget a name with its registrations and documents."""
    await tx.run(DROP_REGISTRATIONS, client=client_id, which=sender_id)
    await tx.run(DROP_FILES, client=client_id, which=sender_id)
    await tx.run(DROP, client=client_id, which=sender_id)


async def count(tx: Transaction, client_id: int) -> int:
    row = await tx.one(COUNT, client=client_id)
    return int(row[0]) if row else 0


async def page(
    tx: Transaction,
    client_id: int,
    before_id: int,
    most: int,
    *,
    everything: bool,
    since: int | None = None,
) -> list[Sender]:
    """The newest names before an id, oldest first; only approved ones without `everything`; with
    `since` those of which an operator has changed the status from that moment on."""
    given = {} if since is None else {"since": since}
    rows = await tx.all(
        _PAGES[everything, since is not None], client=client_id, which=before_id, most=most, **given
    )
    return [_sender(row) for row in reversed(rows)]


async def approved(tx: Transaction) -> dict[int, frozenset[str]]:
    """The names that each client may show, in lower case."""
    found: dict[int, set[str]] = {}
    for client_id, name in await tx.all(APPROVED):
        found.setdefault(client_id, set()).add(name)
    return {client_id: frozenset(names) for client_id, names in found.items()}


async def everybodys(tx: Transaction) -> list[Sender]:
    return [_sender(row) for row in await tx.all(EVERYBODYS)]


async def put_registration(tx: Transaction, made: Registration) -> None:
    m = made
    row = (m.client_id, m.sender_id, m.operator, m.tariff, m.status, m.changed_at, m.paid_month)
    await tx.many(PUT_REGISTRATION, [row])


async def registrations(tx: Transaction, client_id: int) -> dict[int, list[Registration]]:
    """The registrations of all names of a client, by their ids."""
    found: dict[int, list[Registration]] = {}
    for row in await tx.all(REGISTRATIONS, client=client_id):
        found.setdefault(row[1], []).append(Registration(*row))
    return found


async def registration(
    tx: Transaction, client_id: int, sender_id: int, operator: str
) -> Registration | None:
    """A name at one operator, which nobody else changes until the commit."""
    row = await tx.one(REGISTRATION, client=client_id, which=sender_id, place=operator)
    return Registration(*row) if row else None


async def change_registration(tx: Transaction, changed: Registration) -> None:
    await tx.run(
        CHANGE_REGISTRATION,
        client=changed.client_id,
        which=changed.sender_id,
        place=changed.operator,
        new_tariff=changed.tariff,
        new_status=changed.status,
        new_changed_at=changed.changed_at,
        new_paid_month=changed.paid_month,
    )


async def unpaid(tx: Transaction, month: int, most: int) -> list[Registration]:
    """Paid registrations whose fee for a month has not been charged."""
    return [Registration(*row) for row in await tx.all(UNPAID, month=month, most=most)]


async def put_file(
    tx: Transaction, client_id: int, sender_id: int, file: File, octets: bytes
) -> None:
    row = (client_id, sender_id, file.number, file.name, file.type, file.about, file.created_at)
    await tx.many(PUT_FILE, [(*row, octets)])


async def files_of(tx: Transaction, client_id: int, sender_id: int) -> list[File]:
    return [File(*row) for row in await tx.all(FILES, client=client_id, which=sender_id)]


async def file(tx: Transaction, client_id: int, sender_id: int, number: int) -> bytes:
    row = await tx.one(FILE, client=client_id, which=sender_id, place=number)
    assert row is not None, (client_id, sender_id, number)
    return bytes(row[0])


async def count_files(tx: Transaction, client_id: int, sender_id: int) -> tuple[int, int]:
    """How many documents a name has, and the highest number of one."""
    row = await tx.one(COUNT_FILES, client=client_id, which=sender_id)
    assert row is not None
    return int(row[0]), int(row[1])


async def count_all_files(tx: Transaction, client_id: int) -> int:
    """How many documents all names of a client have."""
    row = await tx.one(COUNT_ALL_FILES, client=client_id)
    return int(row[0]) if row else 0


async def reserves(tx: Transaction) -> dict[int, str]:
    """The reserve names of accounts that let one stand in for another (users.md)."""
    found = {}
    for client_id, text in await tx.all(TOLD):
        told = msgspec.json.decode(text, type=_Told)
        if told.reserve_sender and not int(told.no_replaced_sender):
            found[client_id] = told.reserve_sender
    return found


class _Told(msgspec.Struct):
    """What the profile of an account says of its reserve name."""

    reserve_sender: str = ""
    no_replaced_sender: int | str = 0


def _sender(row: Row) -> Sender:
    (client_id, id_, name, kind, status, cmt, owner, details, common, reason, created, changed) = (
        row
    )
    return Sender(
        client_id=client_id,
        id=id_,
        name=name,
        kind=kind,
        status=status,
        cmt=cmt,
        owner=owner,
        details=msgspec.json.decode(details, type=dict[str, str]),
        common=tuple(word for word in common.split(",") if word),
        reason=reason,
        created_at=created,
        changed_at=changed,
    )
