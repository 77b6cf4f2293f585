"""What a commit changes of messages that are on record: status, money, sums.

Money never moves twice: capture and release act only on what is still held.  The sums follow from
the messages themselves (`_counted`), so a recount over the messages must give the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import neg, sub
from typing import NamedTuple

import msgspec

from vestnik.domain.chain import Step
from vestnik.domain.message import Flag, Status
from vestnik.services.centre.directory import Directory
from vestnik.services.messages.chains import Way, following, written
from vestnik.services.news import status_row, transport_of
from vestnik.store import chains, ledger, mailing_runs, messages, news, statistics
from vestnik.store.engine import Row, Transaction, Values
from vestnik.store.queue import Stage

MINUTE_MS = 60_000


class Money:
    """The `money` of a message."""

    NONE = 0
    HELD = 1
    CAPTURED = 2
    RELEASED = 3


class Standing(msgspec.Struct):
    """A message on record, as far as its transitions need it; `stage` None: it has ended.  `way` is
    its chain, once messages.chains has loaded it.
    """

    client_id: int
    id: int
    wire_id: str
    phone: str
    day: int
    flags: int
    sender: str
    parts: int
    mccmnc: str
    status: int
    err: int
    changed_at: int
    sent_at: int
    carrier_id: int
    uncertain: int
    account_id: int
    purse: int
    price: int
    held: int
    cost: int
    money: int
    mailing_id: int | None
    stage: int | None
    way: Way | None = None

    @property
    def type(self) -> int:
        return self.flags & Flag.TYPE

    @property
    def key(self) -> tuple[int, int]:
        return self.client_id, self.id


def standing_of(row: Row) -> Standing:
    """From a row of `messages.standing`."""
    return Standing(*row)


REACHED = frozenset(int(status) for status in Status if status.reached)
FAILED = frozenset(int(s) for s in Status if s is Status.EXPIRED or s >= Status.UNDELIVERABLE)

Counted = tuple[int, int, int, int, int]


def _counted(message: Standing) -> Counted:
    """What a message adds to the sums: sent, delivered, failed, spent, returned."""
    status, cost = message.status, message.cost
    return (
        int(message.carrier_id != 0),
        int(status in REACHED),
        int(status in FAILED),
        cost,
        message.price - cost if message.money > Money.HELD else 0,
    )


def _sums_key(message: Standing) -> statistics.Key:
    return (
        message.client_id,
        message.day,
        message.type,
        message.mccmnc,
        message.sender,
        message.purse,
    )


class _Before(NamedTuple):
    """What a message was before the commit."""

    counted: Counted
    status: int
    sums_key: statistics.Key
    parts: int


class Settlement:
    """Changes of one commit; `write` puts them into the store together."""

    def __init__(self, directory: Directory, now: int) -> None:
        self._directory = directory
        self._now = now
        self._before: dict[tuple[int, int], _Before] = {}
        self._changed: dict[tuple[int, int], Standing] = {}
        # By kind of entry: account and purse → [posted, held, messages].
        self._money: dict[str, dict[tuple[int, int], list[int]]] = {"capture": {}, "release": {}}
        # With the share that is captured, as a numerator and a denominator.
        self._of_ancestors: list[tuple[Standing, int, int]] = []
        self._again: list[tuple[Standing, Step, int]] = []  # with the carrier of the step
        self._found: dict[tuple[int, int], Mapping[str, str]] = {}

    def touch(self, message: Standing) -> None:
        """The message is about to change."""
        key = message.client_id, message.id
        if key not in self._changed:
            self._before[key] = _Before(
                _counted(message), message.status, _sums_key(message), message.parts
            )
            self._changed[key] = message

    def stand(self, message: Standing, status: int, err: int = 0) -> None:
        """Give it a status; once a client has seen 0 it never sees -1 again."""
        self.touch(message)
        if status != message.status or err != message.err:
            message.changed_at = self._now
        message.status, message.err = int(status), err

    def find(self, message: Standing, hlr: Mapping[str, str]) -> None:
        """A look-up has its answer, by the names of `look_up.NAMES`."""
        self._found[message.key] = hlr

    def capture(self, message: Standing, parts: int | None = None) -> None:
        """Take what is held, or the share of some of the parts, and let the rest go.

        Some parts of what its payer has for nothing cost nobody: their share could not be told
        from the message afterwards.
        """
        if message.money != Money.HELD:
            return
        taken, whole = (message.parts if parts is None else parts), message.parts
        if message.way is not None:  # the step that reached the person, of the dearest
            taken, whole = (message.way.chain.price, message.price) if message.price else (1, 1)
        if not message.price and taken < whole:
            self.release(message)
            return
        self.touch(message)
        amount = message.held * taken // whole
        self._book("capture", message.account_id, message.purse, -amount, -message.held)
        if self._has_ancestors(message.client_id):
            self._of_ancestors.append((message, taken, whole))
        message.cost, message.held, message.money = amount, 0, Money.CAPTURED

    def release(self, message: Standing) -> None:
        """Give back what is held."""
        if message.money != Money.HELD:
            return
        self.touch(message)
        self._book("release", message.account_id, message.purse, 0, -message.held)
        if self._has_ancestors(message.client_id):
            self._of_ancestors.append((message, 0, 1))
        message.cost, message.held, message.money = 0, 0, Money.RELEASED

    def fall_back(self, message: Standing) -> bool:
        """Send a message that failed by the next step of its chain; False when there is none.

        Its queue row, which stands, waits then; what the client sees and what is held stay.
        """
        next_ = following(message, self._directory)
        if next_ is None or message.way is None:
            return False
        number, step, carrier_id = next_
        self.touch(message)
        message.flags = message.flags & ~Flag.TYPE | step.kind
        message.sender, message.parts = step.sender, step.parts
        message.stage = int(Stage.WAITING)
        message.way = Way(message.way.chain.past(number), message.way.options)
        self._again.append((message, step, carrier_id))
        return True

    def _book(self, kind: str, account: int, purse: int, posted: int, held: int) -> None:
        change = self._money[kind].setdefault((account, purse), [0, 0, 0])
        change[0] += posted
        change[1] += held
        change[2] += 1

    async def write(self, tx: Transaction, node: int, new_ids: Callable[[], int]) -> None:
        """Write messages, accounts with their entries, sums and news, in that order of locks."""
        await self._send_again(tx)
        await messages.settle(tx, [_row(m) for m in self._changed.values()])
        await messages.keep_found(tx, list(self._answers()))
        await self._settle_ancestors(tx)
        await ledger.book(tx, list(self._entries(new_ids)))
        await statistics.add(tx, self._sums(), node)
        await mailing_runs.count(tx, self._progress())
        await news.put(tx, list(self._news(new_ids)))

    def _has_ancestors(self, client_id: int) -> bool:
        """Somebody above the payer may have a share.

        Who pays for a client may have changed since its message was accepted; that it is a
        subclient never does.
        """
        client = self._directory.clients.get(client_id)
        return client is None or client.parent_id is not None

    def _answers(self) -> Iterable[Values]:
        for key, hlr in self._found.items():
            if key in self._changed:
                yield (*key, msgspec.json.encode({"hlr": dict(hlr)}).decode())

    def _news(self, new_ids: Callable[[], int]) -> Iterable[Values]:
        """What the clients want to hear of these changes."""
        for key, message in self._changed.items():
            if message.status == self._before[key].status:
                continue
            client = self._directory.clients.get(message.client_id)
            transport = transport_of(client, message.flags, message.status)
            if transport is not None:
                hlr = self._found.get(key)
                told = _told(message) if hlr is None else _told(message) | {"hlr": dict(hlr)}
                yield status_row(transport, new_ids(), self._now, told)

    async def _send_again(self, tx: Transaction) -> None:
        """Move messages to their next steps."""
        await chains.change(tx, [_step_row(m, step) for m, step, _ in self._again])
        waiting = [
            (*m.key, carrier, self._now, self._now + step.minutes * MINUTE_MS)
            for m, step, carrier in self._again
        ]
        await chains.send_again(tx, waiting)

    async def _settle_ancestors(self, tx: Transaction) -> None:
        if not self._of_ancestors:
            return
        shares = await ledger.charged(tx, [m.key for m, _, _ in self._of_ancestors])
        for message, share, whole in self._of_ancestors:
            for account, amount in shares.get(message.key, []):
                kind = "capture" if share else "release"
                taken = amount * share // whole
                self._book(kind, account, 0, -taken, -max(0, amount))

    def _entries(self, new_ids: Callable[[], int]) -> Iterable[ledger.Entry]:
        for kind, changes in self._money.items():
            for (account, purse), (posted, held, count) in sorted(changes.items()):
                yield ledger.Entry(
                    account_id=account,
                    purse=purse,
                    id=new_ids(),
                    kind=kind,
                    posted=posted,
                    held=held,
                    messages=count,
                    ref="",
                    note="",
                    at=self._now,
                )

    def _sums(self) -> statistics.Sums:
        sums = statistics.Sums()
        for key, message in self._changed.items():
            now, before = _counted(message), self._before[key]
            sums_key = _sums_key(message)
            if sums_key != before.sums_key or message.parts != before.parts:  # another step
                sent, delivered, failed, spent, returned = map(neg, before.counted)
                gone = (-1, -before.parts, sent, delivered, failed, spent, returned)
                sums.add(before.sums_key, gone)
                sums.add(sums_key, (1, message.parts, *now))
            elif now != before.counted:
                sent, delivered, failed, spent, returned = map(sub, now, before.counted)
                sums.add(sums_key, (0, 0, sent, delivered, failed, spent, returned))
        return sums

    def _progress(self) -> mailing_runs.Progress:
        """How much further the runs of mailings are by these changes."""
        progress = mailing_runs.Progress()
        for key, message in self._changed.items():
            if message.mailing_id is not None:
                now, before = _counted(message), self._before[key]
                waited = int(before.status == Status.WAITING)
                sent, delivered, failed, spent, _ = map(sub, now, before.counted)
                progress.add(
                    (message.client_id, message.mailing_id, message.wire_id),
                    (
                        0,
                        int(message.status == Status.WAITING) - waited,
                        sent,
                        delivered,
                        failed,
                        spent,
                    ),
                )
        return progress


@dataclass(slots=True)
class Setting:
    """What a commit that settles messages needs besides their rows: who writes, when, the rules."""

    directory: Directory
    node: int
    owner: int
    now: int
    new_id: Callable[[], int]

    def settlement(self) -> Settlement:
        return Settlement(self.directory, self.now)

    def charged_on_sent(self, client_id: int) -> bool:
        client = self.directory.clients.get(client_id)
        return client is None or client.limits.charge_on == "sent"

    def taken_on_sent(self, message: Standing) -> bool:
        """What is held for it is taken then; of a chain nobody knows yet which step reaches."""
        return not message.flags & Flag.CHAIN and self.charged_on_sent(message.client_id)

    def resends(self, carrier_id: int) -> bool:
        """What the carrier may have is sent again: the operator has said so."""
        carrier = self.directory.carriers.get(carrier_id)
        return carrier is not None and carrier.on_unknown == "resend"


def _told(message: Standing) -> dict[str, object]:
    """What a client is told of its message."""
    return {
        "client_id": message.client_id,
        "int_id": message.id,
        "wire_id": message.wire_id,
        "phone": message.phone,
        "status": message.status,
        "err": message.err,
        "at": message.changed_at,
        "sent_at": message.sent_at,
        "cost": message.cost,
        "parts": message.parts,
        "sender": message.sender,
        "type": message.type,
        "flag": message.flags,
        "mccmnc": message.mccmnc,
    }


def _step_row(message: Standing, step: Step) -> tuple[object, ...]:
    assert message.way is not None
    options = written(message.way.options, message.way.chain)
    return (
        *message.key,
        step.kind,
        message.flags,
        step.sender,
        step.text,
        step.parts,
        options,
    )


def _row(message: Standing) -> tuple[object, ...]:
    return (
        message.client_id,
        message.id,
        message.status,
        message.err,
        message.changed_at,
        message.sent_at,
        message.carrier_id,
        message.uncertain,
        message.held,
        message.cost,
        message.money,
    )
