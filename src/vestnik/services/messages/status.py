"""What became of a client's messages, and deleting them (status.md)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from vestnik.domain.client import Client
from vestnik.domain.message import Flag, Kind, Status
from vestnik.domain.number import parse
from vestnik.domain.numbering import Network, Numbering
from vestnik.domain.refusals import NotPossible
from vestnik.services.centre.directory import Directory
from vestnik.services.messages import bulk
from vestnik.services.messages.draft import Recipient
from vestnik.services.messages.settlement import Money, Setting, standing_of
from vestnik.store import messages, queue
from vestnik.store.engine import Row, Store, Transaction
from vestnik.store.history import SECRET_TEXT
from vestnik.store.queue import Stage

NOWHERE = Numbering([])  # the plan where nobody has asked for the place

HLR_SENDER = "HLR"  # clients know the row of a look-up by this word in the sender's place


@dataclass(frozen=True, slots=True)
class Found:
    """A message on record; times in ms since the epoch, cost in micro-units."""

    id: int
    wire_id: str
    phone: str
    kind: int
    flag: int
    sender: str
    text: str
    comment: str
    parts: int
    mccmnc: str
    status: int
    err: int
    changed_at: int
    sent_at: int
    cost: int
    country: str = ""
    operator: str = ""
    region: str = ""
    operator_orig: str = ""
    hlr: Mapping[str, str] | None = None


class Statuses:
    """Looks messages up and deletes them."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        setting: Callable[[], Setting],
    ) -> None:
        self._store = store
        self._directory = directory
        self._setting = setting

    async def look(
        self, client: Client, pairs: Sequence[tuple[str, str]], full: int
    ) -> list[Found | None]:
        """The latest message of each pair of wire id and phone, in their order; None: unknown.

        With `full` 2 the country, operator and region come from the numbering plan.
        """
        rows = await self._store.read(_latest, client.id, pairs)
        numbering = self._directory().numbering
        found: list[Found | None] = []
        for row, (wire_id, phone) in zip(rows, pairs, strict=True):
            where = _Where(numbering if full == 2 else NOWHERE, _phone(phone))
            if row is None:
                found.append(None)
            elif isinstance(row, Recipient):
                found.append(_waiting(row, wire_id, where))
            else:
                found.append(_found(row, where))
        return found

    async def delete(self, client: Client, pairs: Sequence[tuple[str, str]]) -> None:
        """Take messages out of the history; one that still waits is cancelled and its price goes
        back.  Raises NotPossible when one of them does not exist; then none is deleted."""
        await self._store.write(_delete, client.id, pairs, self._setting())


def _phone(asked: str) -> str:
    """The number as it is stored: an e-mail address, and what is no number, as it was asked."""
    return asked.strip() if "@" in asked else parse(asked) or asked.strip().lstrip("+")


async def _latest(
    tx: Transaction, client_id: int, pairs: Sequence[tuple[str, str]]
) -> list[Row | Recipient | None]:
    """The latest message of each pair, or who is to get it when its list is not expanded yet."""
    found: list[Row | Recipient | None] = []
    for wire_id, asked in pairs:
        phone = _phone(asked)
        row: Row | Recipient | None = await messages.latest(tx, client_id, wire_id, phone)
        found.append(row or await bulk.waits(tx, client_id, wire_id, phone))
    return found


@dataclass(frozen=True, slots=True)
class _Where:
    """A number's place in a plan: the network it was in when a message went there, and the operator
    that issued it."""

    plan: Numbering
    phone: str

    def now(self, mccmnc: str) -> Network:
        return self.plan.carried(self.phone, mccmnc)

    @property
    def operator_orig(self) -> str:
        return self.plan.issued(self.phone).operator


def _waiting(recipient: Recipient, wire_id: str, where: _Where) -> Found:
    network = where.now(recipient.mccmnc)
    return Found(
        id=0,
        wire_id=wire_id,
        phone=recipient.phone,
        kind=int(recipient.kind),
        flag=int(recipient.kind),
        sender=recipient.sender,
        text=recipient.text,
        comment=recipient.comment,
        parts=recipient.parts,
        mccmnc=recipient.mccmnc,
        status=int(recipient.status),
        err=recipient.err,
        changed_at=recipient.due,
        sent_at=recipient.due,
        cost=recipient.price,
        country=network.country,
        operator=network.operator,
        region=network.region,
        operator_orig=where.operator_orig,
    )


def _found(row: Row, where: _Where) -> Found:
    (id_, wire_id, phone, kind, flags, sender, text, comment, parts, mccmnc) = row[:10]
    (status, err, changed_at, sent_at, _, held, cost, money, options) = row[10:]
    network = where.now(mccmnc)
    return Found(
        id=id_,
        wire_id=wire_id,
        phone=phone,
        kind=kind,
        flag=flags & Flag.WIRE,
        sender=HLR_SENDER if kind == Kind.HLR else sender,
        text=SECRET_TEXT if flags & Flag.SECRET else text,
        comment=comment,
        parts=parts,
        mccmnc=mccmnc,
        status=status,
        err=err,
        changed_at=changed_at,
        sent_at=sent_at,
        cost=held if money == Money.HELD else cost,
        country=network.country,
        operator=network.operator,
        region=network.region,
        operator_orig=where.operator_orig,
        hlr=_answer(options) if kind == Kind.HLR else None,
    )


def _answer(options: str) -> Mapping[str, str] | None:
    """What a look-up found; None while it is under way."""
    answer: Mapping[str, str] | None = msgspec.json.decode(options or "{}").get("hlr")
    return answer


async def _delete(
    tx: Transaction, client_id: int, pairs: Sequence[tuple[str, str]], setting: Setting
) -> None:
    rows = await _latest(tx, client_id, pairs)
    ids = [row[0] for row in rows if row is not None and not isinstance(row, Recipient)]
    if len(ids) < len(rows):
        raise NotPossible
    settlement = setting.settlement()
    cancelled: list[tuple[int, int]] = []
    for row in await messages.standing(tx, sorted({(client_id, i) for i in ids})):
        message = standing_of(row)
        if message.stage in (Stage.WAITING, Stage.PAUSED):
            settlement.stand(message, Status.STOPPED)
            settlement.release(message)
            cancelled.append(message.key)
    await queue.remove(tx, cancelled)
    for message_id in ids:
        await messages.hide(tx, client_id, message_id)
    await settlement.write(tx, setting.node, setting.new_id)
