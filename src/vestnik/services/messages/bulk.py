"""Requests too big for one commit.

Their recipients are stored in chunks with the whole hold, in one short commit; then the client is
answered, and the chunks become messages one by one (services/sending/expanding.py).
"""

from collections.abc import Sequence

import msgspec

from vestnik.domain.message import Kind, Status
from vestnik.services.messages.draft import Draft, Recipient
from vestnik.services.messages.purses import holds_of
from vestnik.services.messages.rows import Sheet, sheet_of
from vestnik.store import mailing_runs, mailings
from vestnik.store.engine import Transaction

CHUNK_ROWS = 1_000

# A recipient in a chunk: text and sender are numbers of the chunk's own lists.
_Packed = tuple[
    str, int, str, int, int, int, str, int, int, tuple[int, ...], int, int, int, int,
    tuple[int, int] | None, str, tuple[tuple[str, str], ...], str, int,
]  # fmt: skip


class _Chunk(msgspec.Struct, array_like=True):
    texts: list[str]
    senders: list[str]
    recipients: list[_Packed]


class Common(Sheet, frozen=True):
    """What all messages of a stored request share, and the address that it came from."""

    address: str = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Chunk)


def pack(recipients: list[Recipient]) -> bytes:
    """A chunk of recipients, for the store."""
    texts: dict[str, int] = {}
    senders: dict[str, int] = {}
    packed: list[_Packed] = [
        (
            r.phone,
            texts.setdefault(r.text, len(texts)),
            r.comment,
            senders.setdefault(r.sender, len(senders)),
            int(r.kind),
            r.parts,
            r.mccmnc,
            r.carrier_id,
            r.price,
            r.shares,
            int(r.status),
            r.err,
            r.due,
            r.expires,
            r.window,
            r.zone,
            r.links,
            r.options,
            r.flags,
        )
        for r in recipients
    ]
    return _encoder.encode(_Chunk(list(texts), list(senders), packed))


def unpack(octets: bytes) -> list[Recipient]:
    """The recipients of a chunk."""
    chunk = _decoder.decode(octets)
    return [
        Recipient(
            phone,
            chunk.texts[text],
            comment,
            chunk.senders[sender],
            Kind(kind),
            parts,
            mccmnc,
            carrier_id,
            price,
            shares,
            status,
            err,
            due,
            expires,
            window=window,
            zone=zone,
            links=links,
            options=options,
            flags=flags,
        )
        for (
            phone,
            text,
            comment,
            sender,
            kind,
            parts,
            mccmnc,
            carrier_id,
            price,
            shares,
            status,
            err,
            due,
            expires,
            window,
            zone,
            links,
            options,
            flags,
        ) in chunk.recipients
    ]


async def store(tx: Transaction, draft: Draft, wire_id: str) -> None:
    """Write an accepted request as a mailing that is still to be expanded."""
    sheet = sheet_of(draft, wire_id, draft.now, mailing_id=draft.mailing_id)
    common = Common(**msgspec.structs.asdict(sheet), address=draft.address)
    row = (
        draft.client.id,
        draft.mailing_id,
        wire_id,
        mailings.EXPANDING,
        msgspec.json.encode(common).decode(),
        draft.total,
        draft.now,
    )
    sizes = [CHUNK_ROWS] * (len(draft.chunks) - 1)
    sizes.append(draft.total - sum(sizes))
    await mailings.put(tx, row, list(zip(draft.chunks, sizes, strict=True)))
    held = sorted((*key, amount) for key, amount in holds_of(draft))
    await mailings.put_holds(tx, [(draft.mailing_id, *hold) for hold in held])
    await mailing_runs.begin(tx, draft.client.id, draft.mailing_id, wire_id, draft.now)


def progress_of(
    client_id: int, mailing_id: int, wire_id: str, recipients: Sequence[Recipient]
) -> mailing_runs.Progress:
    """What new messages add to the run they belong to."""
    statuses = [int(recipient.status) for recipient in recipients]
    made, waiting = len(statuses), statuses.count(Status.WAITING)
    delivered = statuses.count(Status.DELIVERED)
    progress = mailing_runs.Progress()
    key = (client_id, mailing_id, wire_id)
    progress.add(key, (made, waiting, 0, delivered, made - waiting - delivered, 0))
    return progress


async def first_waiting(tx: Transaction, client_id: int, wire_id: str) -> Recipient | None:
    """The first recipient of a stored request whose message is not made yet."""
    for mailing_id, cursor, _ in await mailings.of_wire_id(tx, client_id, wire_id):
        octets = await mailings.chunk(tx, mailing_id, cursor)
        if octets is not None:
            return unpack(octets)[0]
    return None


async def waits(tx: Transaction, client_id: int, wire_id: str, phone: str) -> Recipient | None:
    """The recipient of a stored request whose message is not made yet."""
    sought = phone.encode()
    for mailing_id, _, _ in await mailings.of_wire_id(tx, client_id, wire_id):
        for (octets,) in await mailings.chunks_left(tx, mailing_id):
            if sought in octets:
                for recipient in unpack(octets):
                    if recipient.phone == phone:
                        return recipient
    return None
