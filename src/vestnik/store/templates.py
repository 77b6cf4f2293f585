"""Texts that accounts keep, and those that operators allow them (templates.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger, Text

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into

templates, op_templates = schema.templates, schema.op_templates

SIGNATURE = 1 << 1  # of `flag`: the template is an automatic signature, by fl[1]
APPROVED = 1  # the status of an operator's template that texts may satisfy

CHANGEABLE = ("name", "message", "format", "sender", "flag")


@dataclass(frozen=True, slots=True)
class Template:
    """An account's own text; `flag` has a bit for each `fl[n]`."""

    id: int
    name: str
    message: str
    format: str
    sender: str
    flag: int


@dataclass(frozen=True, slots=True)
class Registered:
    """A text registered with an operator; `kind` as mts_srv, `status` 0 waits, 1 is approved, 2
    rejected."""

    client_id: int
    id: int
    sender: str
    kind: str
    message: str
    status: int


_client = sa.bindparam("client", type_=BigInteger)
_which = sa.bindparam("which", type_=BigInteger)
_TEMPLATE = tuple(templates.c[name] for name in Template.__dataclass_fields__)
_this = (templates.c.client_id == _client, templates.c.id == _which)

PUT = insert_into(templates)
ALL = Statement(
    sa.select(*_TEMPLATE).where(templates.c.client_id == _client).order_by(templates.c.id)
)
ONE = Statement(sa.select(*_TEMPLATE).where(*_this))
CHANGE = Statement(
    sa.update(templates)
    .values({name: sa.bindparam(name, type_=templates.c[name].type) for name in CHANGEABLE})
    .where(*_this)
)
DROP = Statement(sa.delete(templates).where(*_this))
COUNT = Statement(
    sa.select(sa.func.count()).select_from(templates).where(templates.c.client_id == _client)
)
_signs = templates.c.flag.bitwise_and(sa.literal_column(str(SIGNATURE), Integer))
SIGNATURES = Statement(
    sa.select(templates.c.client_id, templates.c.format, templates.c.message)
    .where(_signs != sa.literal_column("0"))
    .order_by(templates.c.client_id, templates.c.id)
)

_REGISTERED = tuple(op_templates.c[name] for name in Registered.__dataclass_fields__)
PUT_REGISTERED = insert_into(op_templates)
OF_CLIENT = Statement(
    sa.select(*_REGISTERED).where(op_templates.c.client_id == _client).order_by(op_templates.c.id)
)
OF_SENDER = Statement(
    sa.select(*_REGISTERED)
    .where(
        op_templates.c.client_id == _client,
        op_templates.c.folded == sa.bindparam("name", type_=Text),
    )
    .order_by(op_templates.c.id)
)
EVERYBODYS = Statement(
    sa.select(*_REGISTERED).order_by(op_templates.c.client_id, op_templates.c.id)
)
ALLOWED = Statement(
    sa.select(*_REGISTERED)
    .where(op_templates.c.status == sa.literal_column(str(APPROVED)))
    .order_by(op_templates.c.client_id, op_templates.c.id)
)
COUNT_REGISTERED = Statement(
    sa.select(sa.func.count()).select_from(op_templates).where(op_templates.c.client_id == _client)
)
JUDGE = Statement(
    sa.update(op_templates)
    .values(status=sa.bindparam("verdict", type_=SmallInteger))
    .where(op_templates.c.client_id == _client, op_templates.c.id == _which)
)


async def put(tx: Transaction, client_id: int, template: Template, now_ms: int) -> None:
    t = template
    row = (client_id, t.id, t.name, t.message, t.format, t.sender, t.flag, now_ms)
    await tx.many(PUT, [row])


async def all_of(tx: Transaction, client_id: int) -> list[Template]:
    """Every template of a client, in the order of ids."""
    return [Template(*row) for row in await tx.all(ALL, client=client_id)]


async def one(tx: Transaction, client_id: int, template_id: int) -> Template | None:
    row = await tx.one(ONE, client=client_id, which=template_id)
    return Template(*row) if row else None


async def change(tx: Transaction, client_id: int, template: Template) -> None:
    """Store a template as it is now."""
    values = {name: getattr(template, name) for name in CHANGEABLE}
    await tx.run(CHANGE, client=client_id, which=template.id, **values)


async def drop(tx: Transaction, client_id: int, template_id: int) -> None:
    await tx.run(DROP, client=client_id, which=template_id)


async def count(tx: Transaction, client_id: int) -> int:
    row = await tx.one(COUNT, client=client_id)
    return int(row[0]) if row else 0


async def signatures(tx: Transaction) -> Mapping[int, Mapping[str, str]]:
    """Each client's automatic signatures by format; of several the newest."""
    found: dict[int, dict[str, str]] = {}
    for client_id, format, message in await tx.all(SIGNATURES):
        found.setdefault(client_id, {})[format] = message
    return found


async def put_registered(tx: Transaction, made: list[Registered], now_ms: int) -> None:
    rows = [
        (r.client_id, r.id, r.sender, r.sender.lower(), r.kind, r.message, r.status, now_ms)
        for r in made
    ]
    await tx.many(PUT_REGISTERED, rows)


async def registered(tx: Transaction, client_id: int, sender: str = "") -> list[Registered]:
    """What a client has had registered, for one sender name or for all."""
    if sender:
        rows = await tx.all(OF_SENDER, client=client_id, name=sender.lower())
    else:
        rows = await tx.all(OF_CLIENT, client=client_id)
    return [Registered(*row) for row in rows]


async def everybodys(tx: Transaction) -> list[Registered]:
    return [Registered(*row) for row in await tx.all(EVERYBODYS)]


async def allowed(tx: Transaction) -> list[Registered]:
    """What is approved, of all clients."""
    return [Registered(*row) for row in await tx.all(ALLOWED)]


async def count_registered(tx: Transaction, client_id: int) -> int:
    row = await tx.one(COUNT_REGISTERED, client=client_id)
    return int(row[0]) if row else 0


async def judge(tx: Transaction, client_id: int, template_id: int, status: int) -> bool:
    """Set the status of a registered text; False if there is none."""
    return await tx.run(JUDGE, client=client_id, which=template_id, verdict=status) > 0
