"""Messages, the texts they share, their parts at a carrier, reports that matched nothing yet."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, SmallInteger, Text

from vestnik.store import schema
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.statement import Statement, insert_into, rows

messages, texts, parts = schema.messages, schema.texts, schema.parts
receipts, queue, clients = schema.receipts, schema.queue, schema.clients

# What accept writes; the other columns keep their defaults.
WRITTEN = (
    "client_id",
    "id",
    "wire_id",
    "phone",
    "day",
    "type",
    "flags",
    "sender",
    "text",
    "text_id",
    "comment",
    "options",
    "parts",
    "mccmnc",
    "mailing_id",
    "origin",
    "status",
    "err",
    "changed_at",
    "sent_at",
    "account_id",
    "purse",
    "price",
    "held",
    "money",
)
PUT = insert_into(messages, *WRITTEN)
PUT_TEXTS = insert_into(texts)
_newest_of = sa.select(sa.func.max(messages.c.id)).where(messages.c.client_id == clients.c.id)
_newest = sa.select(_newest_of.scalar_subquery().label("id")).subquery("newest")
LAST_ID = Statement(sa.select(sa.func.max(_newest.c.id)))  # by the end of each client's range

_change = rows(
    "change",
    client_id=BigInteger,
    id=BigInteger,
    status=SmallInteger,
    err=Integer,
    at=BigInteger,
    sent_at=BigInteger,
    carrier_id=BigInteger,
    uncertain=SmallInteger,
    held=BigInteger,
    cost=BigInteger,
    money=SmallInteger,
)
SETTLE = Statement(
    sa.update(messages)
    .values(
        status=_change.c.status,
        err=_change.c.err,
        changed_at=_change.c.at,
        sent_at=_change.c.sent_at,
        carrier_id=_change.c.carrier_id,
        uncertain=_change.c.uncertain,
        held=_change.c.held,
        cost=_change.c.cost,
        money=_change.c.money,
    )
    .where(messages.c.client_id == _change.c.client_id, messages.c.id == _change.c.id),
    many=True,
)

PUT_PARTS = insert_into(
    parts, "client_id", "message_id", "part", "carrier_id", "carrier_ref", "status", "err", "at"
)
PUT_RECEIPTS = insert_into(
    receipts,
    "id",
    "carrier_id",
    "carrier_ref",
    "phone",
    "status",
    "err",
    "raw",
    "at",
    "reported_at",
)

# What a transition of a message needs to know of it.
_standing = (
    messages.c.client_id,
    messages.c.id,
    messages.c.wire_id,
    messages.c.phone,
    messages.c.day,
    messages.c.flags,
    messages.c.sender,
    messages.c.parts,
    messages.c.mccmnc,
    messages.c.status,
    messages.c.err,
    messages.c.changed_at,
    messages.c.sent_at,
    messages.c.carrier_id,
    messages.c.uncertain,
    messages.c.account_id,
    messages.c.purse,
    messages.c.price,
    messages.c.held,
    messages.c.cost,
    messages.c.money,
    messages.c.mailing_id,
)
_named = rows("named", client_id=BigInteger, id=BigInteger)
STAGES = Statement(
    sa.select(queue.c.client_id, queue.c.message_id, queue.c.stage)
    .join(_named, (queue.c.client_id == _named.c.client_id) & (queue.c.message_id == _named.c.id))
    .with_for_update(of=queue),
    many=True,
)
STANDING = Statement(
    sa.select(*_standing)
    .select_from(
        _named.join(
            messages, (messages.c.client_id == _named.c.client_id) & (messages.c.id == _named.c.id)
        )
    )
    .with_for_update(of=messages),
    many=True,
)

_ref = rows("ref", carrier_id=BigInteger, carrier_ref=Text)
BY_REF = Statement(
    sa.select(
        parts.c.carrier_id,
        parts.c.carrier_ref,
        parts.c.client_id,
        parts.c.message_id,
        parts.c.part,
        messages.c.phone,
    ).select_from(
        _ref.join(
            parts,
            (parts.c.carrier_id == _ref.c.carrier_id) & (parts.c.carrier_ref == _ref.c.carrier_ref),
        ).join(
            messages,
            (messages.c.client_id == parts.c.client_id) & (messages.c.id == parts.c.message_id),
        )
    ),
    many=True,
)
_receipt_ref = rows("receipt_ref", carrier_id=BigInteger, carrier_ref=Text)
_kept = (
    receipts.c.id,
    receipts.c.carrier_id,
    receipts.c.carrier_ref,
    receipts.c.phone,
    receipts.c.status,
    receipts.c.err,
    receipts.c.raw,
    receipts.c.reported_at,
)
EARLY = Statement(
    sa.select(*_kept).join(
        _receipt_ref,
        (receipts.c.carrier_id == _receipt_ref.c.carrier_id)
        & (receipts.c.carrier_ref == _receipt_ref.c.carrier_ref),
    ),
    many=True,
)
EARLY_SINCE = Statement(
    sa.select(*_kept)
    .where(
        receipts.c.at >= sa.bindparam("since"),
        sa.exists().where(
            parts.c.carrier_id == receipts.c.carrier_id,
            parts.c.carrier_ref == receipts.c.carrier_ref,
        ),
    )
    .limit(sa.bindparam("most"))
)
_gone = rows("gone", id=BigInteger)
DROP_RECEIPTS = Statement(
    sa.delete(receipts).where(receipts.c.id.in_(sa.select(_gone.c.id))), many=True
)
OLD_RECEIPTS = Statement(sa.delete(receipts).where(receipts.c.at < sa.bindparam("before")))

_part = rows(
    "part_change",
    client_id=BigInteger,
    message_id=BigInteger,
    part=SmallInteger,
    status=SmallInteger,
    err=Integer,
    at=BigInteger,
)
SET_PARTS = Statement(
    sa.update(parts)
    .values(status=_part.c.status, err=_part.c.err, at=_part.c.at)
    .where(
        parts.c.client_id == _part.c.client_id,
        parts.c.message_id == _part.c.message_id,
        parts.c.part == _part.c.part,
    ),
    many=True,
)
_whole = rows("whole", client_id=BigInteger, message_id=BigInteger)
PARTS_OF = Statement(
    sa.select(
        parts.c.client_id,
        parts.c.message_id,
        parts.c.part,
        parts.c.status,
        parts.c.err,
        parts.c.carrier_ref,
    ).join(
        _whole,
        (parts.c.client_id == _whole.c.client_id) & (parts.c.message_id == _whole.c.message_id),
    ),
    many=True,
)
# status.php: the latest message of a pair.
FOUND = (
    messages.c.id,
    messages.c.wire_id,
    messages.c.phone,
    messages.c.type,
    messages.c.flags,
    messages.c.sender,
    sa.func.coalesce(messages.c.text, texts.c.text, "").label("text"),
    messages.c.comment,
    messages.c.parts,
    messages.c.mccmnc,
    messages.c.status,
    messages.c.err,
    messages.c.changed_at,
    messages.c.sent_at,
    messages.c.price,
    messages.c.held,
    messages.c.cost,
    messages.c.money,
    messages.c.options,
)
_with_text = messages.outerjoin(
    texts, (texts.c.client_id == messages.c.client_id) & (texts.c.id == messages.c.text_id)
)
LATEST = Statement(
    sa.select(*FOUND)
    .select_from(_with_text)
    .where(
        messages.c.client_id == sa.bindparam("client"),
        messages.c.wire_id == sa.bindparam("wire"),
        messages.c.phone == sa.bindparam("to"),
        messages.c.hidden == sa.literal_column("0"),
    )
    .order_by(messages.c.id.desc())
    .limit(sa.literal_column("1"))
)
_answer = rows("answer", client_id=BigInteger, id=BigInteger, options=Text)
# How a look-up was to be made is of no more use when it has been made.
KEEP_FOUND = Statement(
    sa.update(messages)
    .values(options=_answer.c.options)
    .where(messages.c.client_id == _answer.c.client_id, messages.c.id == _answer.c.id),
    many=True,
)
HIDE = Statement(
    sa.update(messages)
    .values(hidden=sa.literal_column("1"))
    .where(messages.c.client_id == sa.bindparam("client"), messages.c.id == sa.bindparam("which"))
)


async def put(tx: Transaction, made: Sequence[Values]) -> None:
    """Write messages, given as tuples of WRITTEN."""
    await tx.many(PUT, made)


async def put_texts(tx: Transaction, made: Sequence[Values]) -> None:
    """Write shared texts: (client, id, text)."""
    await tx.many(PUT_TEXTS, made)


async def last_id(tx: Transaction) -> int:
    """The greatest id in the store, from which a node's ids go on; 0 for none."""
    row = await tx.one(LAST_ID)
    return (row[0] or 0) if row else 0


async def standing(tx: Transaction, named: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """Messages named by (client, id), with the stage of their queue row (or None).

    Both are locked, the queue first: nobody else moves them before the commit.
    """
    keys = sorted(named)
    stages = {(row[0], row[1]): row[2] for row in await tx.many(STAGES, keys)}
    found = await tx.many(STANDING, keys)
    return [(*row, stages.get((row[0], row[1]))) for row in found]


async def settle(tx: Transaction, changes: Sequence[Values]) -> None:
    """Write the new standing of messages, as tuples of SETTLE's columns."""
    await tx.many(SETTLE, sorted(changes))


async def put_parts(tx: Transaction, made: Sequence[Values]) -> None:
    """Parts a carrier took: (client, message, part, carrier, ref, status, err, at)."""
    await tx.many(PUT_PARTS, made)


async def by_ref(tx: Transaction, refs: Sequence[tuple[int, str]]) -> Sequence[Row]:
    """Parts by (carrier, ref): (carrier, ref, client, message, part, phone)."""
    return await tx.many(BY_REF, refs)


async def set_parts(tx: Transaction, changes: Sequence[Values]) -> None:
    """New states of parts: (client, message, part, status, err, at)."""
    await tx.many(SET_PARTS, sorted(changes))


async def parts_of(tx: Transaction, named: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """All parts of messages: (client, message, part, status, err, ref)."""
    return await tx.many(PARTS_OF, named)


async def early(tx: Transaction, refs: Sequence[tuple[int, str]]) -> Sequence[Row]:
    """Kept reports whose parts have now become known."""
    return await tx.many(EARLY, refs)


async def early_since(tx: Transaction, since: int, most: int) -> Sequence[Row]:
    """Reports kept since a moment whose parts are known, as those of `early`."""
    return await tx.all(EARLY_SINCE, since=since, most=most)


async def keep_receipts(tx: Transaction, made: Sequence[Values]) -> None:
    """Keep reports that match nothing yet."""
    await tx.many(PUT_RECEIPTS, made)


async def drop_receipts(tx: Transaction, ids: Sequence[int]) -> None:
    await tx.many(DROP_RECEIPTS, [(i,) for i in ids])


async def drop_old_receipts(tx: Transaction, before: int) -> int:
    """Drop reports that matched nothing in time; returns how many."""
    return await tx.run(OLD_RECEIPTS, before=before)


async def latest(tx: Transaction, client_id: int, wire_id: str, phone: str) -> Row | None:
    """The latest visible message of a pair, as FOUND."""
    return await tx.one(LATEST, client=client_id, wire=wire_id, to=phone)


async def keep_found(tx: Transaction, found: Sequence[Values]) -> None:
    """What look-ups found stands among their options: (client, id, JSON of the options)."""
    await tx.many(KEEP_FOUND, sorted(found))


async def hide(tx: Transaction, client_id: int, message_id: int) -> None:
    await tx.run(HIDE, client=client_id, which=message_id)
