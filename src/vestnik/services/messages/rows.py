"""Recipients → rows of messages, queue, charges and sums: what a commit of new messages writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from vestnik.domain.message import Err, Status
from vestnik.services.messages import links
from vestnik.services.messages.draft import Draft, Recipient
from vestnik.services.messages.links import NewLink
from vestnik.services.messages.purses import FLAGS
from vestnik.services.news import status_row, transport_of
from vestnik.store import ledger, messages, news, queue, statistics
from vestnik.store.engine import Transaction, Values
from vestnik.store.queue import Stage

# A member of an enumeration takes a quarter of a microsecond to look up, and these are needed for
# every message.
_WAITING, _DELIVERED = int(Status.WAITING), int(Status.DELIVERED)
_UNDELIVERABLE, _NO_FUNDS = int(Status.UNDELIVERABLE), int(Status.NO_FUNDS)
_QUEUED, _SENDING = int(Stage.WAITING), int(Stage.SENDING)


class Sheet(msgspec.Struct, frozen=True):
    """What all messages of one request share.

    `owner` and `lease` stand in the queue rows of those that are handed over at once.  `purse` is
    that of the payer, the first of `accounts`, which pays for all that is charged.  `transport` is
    how the client is told of those that have their end already; empty: not at all.  `tracked`:
    short links are each recipient's own, and a click is news of its message.
    """

    client_id: int
    wire_id: str
    accounts: tuple[int, ...]
    priority: int
    options: str
    zone: str
    window: tuple[int, int] | None
    day: int
    origin: str
    now: int
    owner: int = 0
    lease: int = 0
    mailing_id: int | None = None
    flags: int = 0
    transport: str = ""
    purse: int = 0
    tracked: bool = False


def sheet_of(
    draft: Draft,
    wire_id: str,
    now: int,
    *,
    owner: int = 0,
    lease: int = 0,
    mailing_id: int | None = None,
) -> Sheet:
    """What the messages of a draft share."""
    return Sheet(
        draft.client.id,
        wire_id,
        draft.accounts,
        draft.priority,
        draft.options,
        draft.zone,
        draft.window,
        draft.day,
        draft.origin,
        now,
        owner,
        lease,
        mailing_id,
        draft.flags,
        transport_of(draft.client, draft.flags, _DELIVERED) or "",
        draft.purse,
        bool(draft.client.limits.link_tracking),
    )


@dataclass(slots=True)
class MessageRows:
    """The rows of one commit; `holds` is what each account and purse holds for them: amount and
    messages.

    `made` is what the rows of messages will be made of, `waiting` those of the queue: each kind of
    row for all of them, then the next kind (docs/design/step-by-step.md).
    """

    made: list[tuple[Sheet, Recipient, int, bool, int | None, int]] = field(default_factory=list)
    waiting: list[tuple[Sheet, Recipient]] = field(default_factory=list)
    texts: list[Values] = field(default_factory=list)
    charges: list[tuple[int, int, int, int]] = field(default_factory=list)
    holds: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    news: list[Values] = field(default_factory=list)
    links: list[NewLink] = field(default_factory=list)
    linked_at: int = 0

    def add(self, sheet: Sheet, recipients: Sequence[Recipient], *, fits: bool = True) -> None:
        """Make the rows of a request, or of a slice of it.

        Refused recipients are rows too, without money or queue; when the request does not fit its
        account those that would have waited end with 24.
        """
        shared = self._shared_texts(sheet.client_id, recipients)
        made, waiting = self.made, self.waiting
        for recipient in recipients:
            waits = recipient.status == _WAITING
            status = int(recipient.status) if fits or not waits else _NO_FUNDS
            holds = fits and waits and recipient.charged
            text_id = shared.get(recipient.text) if shared else None
            purse = sheet.purse if holds and recipient.price else 0
            made.append((sheet, recipient, status, holds, text_id, purse))
            if sheet.transport and _is_news(sheet, recipient, status):
                told = _told(sheet, recipient, status)
                self.news.append(status_row(sheet.transport, recipient.id, sheet.now, told))
            if recipient.links:
                owner = recipient.id if sheet.tracked else 0
                self.links += links.rows_for(sheet.client_id, owner, recipient.links)
                self.linked_at = sheet.now
            if fits and waits:
                waiting.append((sheet, recipient))
                self._charge(sheet, recipient)

    async def write(self, tx: Transaction, node: int) -> None:
        """Write them; the accounts' entries are the caller's, for it alone knows what was held."""
        await messages.put_texts(tx, self.texts)
        await messages.put(tx, [_message(*one) for one in self.made])
        await queue.put(tx, [_queue(*one) for one in self.waiting])
        await ledger.charge(tx, self.charges)
        await statistics.add(tx, self._sums(), node)
        await news.put(tx, self.news)
        await links.write(tx, self.links, self.linked_at)

    def _shared_texts(self, client_id: int, recipients: Sequence[Recipient]) -> dict[str, int]:
        """Texts that more than one recipient gets are stored once, under the first one's id."""
        if len(recipients) < 2:
            return {}
        first: dict[str, int] = {}
        shared: dict[str, int] = {}
        for recipient in recipients:
            known = first.setdefault(recipient.text, recipient.id)
            if known != recipient.id:
                shared[recipient.text] = known
        self.texts += [(client_id, text_id, text) for text, text_id in shared.items()]
        return shared

    def _sums(self) -> statistics.Sums:
        sums = statistics.Sums()
        for sheet, recipient, status, _, _, purse in self.made:
            delivered = 1 if status == _DELIVERED else 0
            failed = 1 if status >= _UNDELIVERABLE else 0
            # Kinds are whole numbers: as a part of a key they need not be turned into plain ones.
            key = (
                sheet.client_id,
                sheet.day,
                recipient.kind,
                recipient.mccmnc,
                recipient.sender,
                purse,
            )
            sums.add(key, (1, recipient.parts, 0, delivered, failed, 0, 0))
        return sums

    def _charge(self, sheet: Sheet, recipient: Recipient) -> None:
        _hold(self.holds, (sheet.accounts[0], sheet.purse), recipient.price)
        if not recipient.shares:
            return
        for account, lost in zip(sheet.accounts[1:], recipient.shares, strict=False):
            if lost:
                self.charges.append((account, recipient.id, sheet.client_id, lost))
            _hold(self.holds, (account, 0), lost)


def _is_news(sheet: Sheet, recipient: Recipient, status: int) -> bool:
    """A refusal that the answer of its own request tells is none; test mode's and a list's are."""
    ended = status >= _DELIVERED
    return ended and (sheet.mailing_id is not None or recipient.err == Err.VIRTUAL)


def _told(sheet: Sheet, recipient: Recipient, status: int) -> dict[str, object]:
    return {
        "client_id": sheet.client_id,
        "int_id": recipient.id,
        "wire_id": sheet.wire_id,
        "phone": recipient.phone,
        "status": status,
        "err": recipient.err,
        "at": sheet.now,
        "sent_at": sheet.now,
        "cost": 0,
        "parts": recipient.parts,
        "sender": recipient.sender,
        "type": int(recipient.kind),
        "flag": sheet.flags | recipient.flags | recipient.kind,
        "mccmnc": recipient.mccmnc,
    }


def _hold(holds: dict[tuple[int, int], list[int]], key: tuple[int, int], amount: int) -> None:
    if amount > 0:
        held = holds.setdefault(key, [0, 0])
        held[0] += amount
        held[1] += 1


def _message(
    sheet: Sheet, recipient: Recipient, status: int, holds: bool, text_id: int | None, purse: int
) -> Values:
    held = recipient.price if holds else 0
    return (
        sheet.client_id,
        recipient.id,
        sheet.wire_id,
        recipient.phone,
        sheet.day,
        recipient.kind,
        sheet.flags | recipient.flags | recipient.kind | FLAGS[purse],
        recipient.sender,
        None if text_id is not None else recipient.text,
        text_id,
        recipient.comment,
        recipient.options or sheet.options,
        recipient.parts,
        recipient.mccmnc,
        sheet.mailing_id,
        sheet.origin,
        status,
        recipient.err,
        sheet.now,
        max(recipient.due, sheet.now),
        sheet.accounts[0],
        purse,
        held,
        held,
        int(holds),
    )


def _queue(sheet: Sheet, recipient: Recipient) -> Values:
    handed = recipient.handed
    window_from, window_to = recipient.window or sheet.window or (None, None)
    return (
        sheet.client_id,
        recipient.id,
        recipient.carrier_id,
        sheet.priority,
        _SENDING if handed else _QUEUED,
        sheet.lease if handed else recipient.due,
        recipient.expires,
        window_from,
        window_to,
        recipient.zone or sheet.zone,
        sheet.owner if handed else 0,
        int(handed),
    )
