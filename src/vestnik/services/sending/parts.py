"""Parts of clients' long messages: kept from the first one on, sent once they are together.

Every part is answered with the id of its message, so each is durable before its answer.  A part
that comes again gets the same answer.  When the last part is here the message is sent under a key
of its own, so that whoever sends it again after a crash gets the first answer.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import groupby

import structlog

from vestnik.domain.refusals import Duplicate, Refusal, StoreUnavailable
from vestnik.services.gathering import Gathering
from vestnik.services.messages.draft import Accepted, Order
from vestnik.store import counters, dedup, submit_parts
from vestnik.store.engine import CommitUnknown, Row, Store, Transaction, Values

log = structlog.get_logger(__name__)

GATHER_MS = 60_000  # how long a message waits for its parts (smpp.md, "Text rules")
# What joins no more is left alone a little longer: clocks of nodes differ.
MARGIN_MS = 5_000
KEPT_MS = 120_000  # how long a message that was sent is remembered: its parts may come again
SWEEP_ROWS = 500

GATHERING, WHOLE, REFUSED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Part:
    """A part that came: `number` of `total`, from 1.

    `manner` says how the octets are to be read, in the words of whoever takes parts.
    """

    client_id: int
    sender: str
    phone: str
    reference: int
    total: int
    number: int
    coding: int
    octets: bytes
    manner: str
    flags: int


@dataclass(slots=True)
class Series:
    """The parts of one message that are here, by their numbers.

    `at` is when the first one came, `identical_s` for how long the message may not come again.
    """

    client_id: int
    id: int
    wire_id: str
    state: int
    at: int
    parts: dict[int, Part]
    identical_s: int = 0

    @property
    def name(self) -> tuple[int, int]:
        return self.client_id, self.id

    @property
    def any_part(self) -> Part:
        return next(iter(self.parts.values()))

    @property
    def complete(self) -> bool:
        return len(self.parts) == self.any_part.total

    @property
    def joined(self) -> Part:
        """The whole message as one part; a flag of any part is one of the message."""
        in_order = [self.parts[number] for number in sorted(self.parts)]
        flags = 0
        for part in in_order:
            flags |= part.flags
        octets = b"".join(part.octets for part in in_order)
        return replace(in_order[0], octets=octets, flags=flags)


@dataclass(slots=True)
class Taken:
    """What became of a part: `whole` is its series once nothing is missing."""

    wire_id: str = ""
    whole: Series | None = None
    refused: bool = False


Came = tuple[Part, int]  # a part, and for how many seconds its message may not come again
# Makes the order of a whole message; None when its client is no more.  May raise a Refusal.
Compose = Callable[[Part], Order | None]


class PartsIn:
    """Takes parts.  The process runs `line`, which commits them."""

    def __init__(
        self,
        store: Store,
        new_id: Callable[[], int],
        send: Callable[[Order], Awaitable[Accepted]],
    ) -> None:
        self._store = store
        self._new_id = new_id
        self._send = send
        self._sent: set[tuple[int, int]] = set()  # series that this process has seen through
        self.line: Gathering[tuple[Came, Taken]] = Gathering("parts", self._commit)

    async def take(self, part: Part, identical_s: int, compose: Compose) -> str:
        """Keep a part; returns the id of its message once the part, and with the last one the
        message, is durable.

        Raises Duplicate for a message that came within the last `identical_s` seconds; with the
        last part the refusals of `compose` and `Sending.send`; StoreUnavailable.
        """
        taken = Taken()
        try:
            await self.line.put(((part, identical_s), taken))
        except CommitUnknown as reason:  # the client repeats it, and it is the same part
            raise StoreUnavailable(str(reason)) from reason
        if taken.refused:
            raise Duplicate
        if taken.whole is not None and taken.whole.name not in self._sent:
            await self._send_whole(taken.whole, compose)
        return taken.wire_id

    async def sweep(self, compose: Compose) -> bool:
        """Send what has waited too long, forget what was sent; True if more may be left.

        Parts whose others never came are sent as messages of their own, under the common id.
        Raises StoreUnavailable.
        """
        now = self._store.now()
        waited = await self._old(GATHERING, now - GATHER_MS - MARGIN_MS)
        late = [
            self._send_late(series, part, f"{series.id} {part.number}", compose)
            for series in waited
            for part in series.parts.values()
        ]
        await asyncio.gather(*late)
        # The last may be cut off by the limit: its turn comes with the next sweep.
        sent = [series for series in await self._old(WHOLE, now - KEPT_MS) if series.complete]
        # A process that is no more may not have seen these through.
        unknown = [series for series in sent if series.name not in self._sent]
        await asyncio.gather(*(self._send_late(s, s.joined, str(s.id), compose) for s in unknown))
        refused = await self._old(REFUSED, now - KEPT_MS)
        await self._drop(*waited, *sent, *refused)
        self._sent.difference_update(series.name for series in (*sent, *refused))
        return bool(waited or sent or refused)

    async def _commit(self, batch: list[tuple[Came, Taken]]) -> None:
        fates = await self._store.write(
            take_parts, [came for came, _ in batch], self._store.now(), self._new_id
        )
        for (_, taken), fate in zip(batch, fates, strict=True):
            taken.wire_id, taken.whole, taken.refused = fate.wire_id, fate.whole, fate.refused

    async def _send_whole(self, series: Series, compose: Compose) -> None:
        try:
            order = compose(series.joined)
            if order is not None:
                await self._send(_under_key(order, series, str(series.id)))
        except Refusal:
            await self._store.write(_refuse, series)
            self._sent.add(series.name)
            raise
        self._sent.add(series.name)

    async def _send_late(self, series: Series, whole: Part, key: str, compose: Compose) -> None:
        try:
            order = compose(whole)
            if order is not None:
                await self._send(_under_key(order, series, key))
        except Refusal as refusal:
            log.info(
                "a message whose parts were late is refused",
                client=series.client_id,
                id=series.wire_id,
                reason=str(refusal),
            )

    async def _old(self, state: int, before: int) -> list[Series]:
        rows = await self._store.read(submit_parts.old, state, before, SWEEP_ROWS)
        return _series_of(rows)

    async def _drop(self, *gone: Series) -> None:
        keys = [(*series.name, number) for series in gone for number in series.parts]
        if keys:
            await self._store.write(submit_parts.drop, keys)


async def take_parts(
    tx: Transaction, came: Sequence[Came], now: int, new_id: Callable[[], int]
) -> list[Taken]:
    """Keep a batch of parts; what became of each, in their order."""
    clients = sorted({part.client_id for part, _ in came})
    # The lock of their counters: nobody else takes parts of theirs until the commit.
    await counters.reserve(tx, counters.WIRE, [(client, 0) for client in clients])
    kept = await submit_parts.of_keys(tx, sorted({_key(part) for part, _ in came}))
    shelf = _Shelf(kept, now, new_id)
    placed = [shelf.take(part, identical_s) for part, identical_s in came]
    await _number(tx, shelf.begun)
    await _refuse_doubles(tx, shelf.finished, now)
    await submit_parts.put(tx, [_row(series, part) for series, part in shelf.added])
    await submit_parts.set_state(tx, [(*s.name, s.state) for s in shelf.finished_of_kept()])
    return [
        Taken(series.wire_id, series if series.state == WHOLE else None, series.state == REFUSED)
        for series in placed
    ]


class _Shelf:
    """The series that the parts of one commit may belong to."""

    def __init__(self, kept: Sequence[Row], now: int, new_id: Callable[[], int]) -> None:
        self._now, self._new_id = now, new_id
        self._newest: dict[tuple[int, str, str, int], Series] = {}
        self.begun: list[Series] = []
        self.finished: list[Series] = []
        self.added: list[tuple[Series, Part]] = []
        for series in sorted(_series_of(kept), key=lambda s: s.id):
            self._newest[_key(series.any_part)] = series

    def take(self, part: Part, identical_s: int) -> Series:
        """Put a part where it belongs."""
        series = self._newest.get(_key(part))
        if series is None or not self._fits(series, part, identical_s):
            series = Series(part.client_id, self._new_id(), "", GATHERING, self._now, {})
            self._newest[_key(part)] = series
            self.begun.append(series)
        if part.number not in series.parts:
            series.parts[part.number] = part
            self.added.append((series, part))
            if series.complete:
                series.state, series.identical_s = WHOLE, identical_s
                self.finished.append(series)
        return series

    def _fits(self, series: Series, part: Part, identical_s: int) -> bool:
        """The part belongs to the series: it is missing there, or has come again."""
        other, known = series.any_part, series.parts.get(part.number)
        if (other.total, other.coding) != (part.total, part.coding):
            return False
        age = self._now - series.at
        same = known is not None and known.octets == part.octets
        if series.state == GATHERING:
            return age < GATHER_MS and (known is None or same)
        return same and identical_s > 0 and age < KEPT_MS

    def finished_of_kept(self) -> Iterable[Series]:
        """Those whose earlier parts were kept before."""
        new = Counter(series.name for series, _ in self.added)
        return (series for series in self.finished if new[series.name] < len(series.parts))


async def _number(tx: Transaction, begun: Sequence[Series]) -> None:
    """Give new series their wire ids."""
    wanted = sorted(Counter(series.client_id for series in begun).items())
    found = await counters.reserve(tx, counters.WIRE, wanted)
    numbers = {client: iter(taken) for client, taken in found.items()}
    for series in begun:
        series.wire_id = str(next(numbers[series.client_id]))


async def _refuse_doubles(tx: Transaction, whole: Sequence[Series], now: int) -> None:
    """A message that says the same as one of the last minute is refused (conventions.md)."""
    asked: dict[tuple[int, bytes], Series] = {}
    for series in whole:
        if not series.identical_s:
            continue
        first = asked.setdefault((series.client_id, _digest(series.joined)), series)
        if first is not series:
            series.state = REFUSED
    identical = int(dedup.Kind.IDENTICAL)
    claims = [
        (*key, identical, now + series.identical_s * 1000, b"", "") for key, series in asked.items()
    ]
    fresh = await dedup.claim(tx, claims, now)
    for key, series in asked.items():
        if key not in fresh:
            series.state = REFUSED


async def _refuse(tx: Transaction, series: Series) -> None:
    """A message that was refused is refused again while it is remembered, like any other."""
    await submit_parts.set_state(tx, [(*series.name, REFUSED)])


def _under_key(order: Order, series: Series, key: str) -> Order:
    """The order under the common id, sent once however often it is sent.

    No header of an HTTP request can hold the first character of the key.
    """
    order.wire_id = series.wire_id
    order.idempotency_key = f"\0parts {key}"
    return order


def _digest(part: Part) -> bytes:
    asked = f"{part.sender}\0{part.phone}\0{part.coding}\0{part.manner}\0".encode()
    return blake2b(asked + part.octets, digest_size=16, person=b"long message").digest()


def _key(part: Part) -> tuple[int, str, str, int]:
    return part.client_id, part.phone, part.sender, part.reference


def _row(series: Series, part: Part) -> Values:
    return (
        part.client_id,
        series.id,
        part.number,
        part.total,
        part.sender,
        part.phone,
        part.reference,
        part.coding,
        part.octets,
        part.manner,
        part.flags,
        series.wire_id,
        series.state,
        series.at,
    )


def _series_of(rows: Iterable[Row]) -> list[Series]:
    """Rows of the table as the series they make, in the order of client and series."""
    found: list[Series] = []
    ordered = sorted(rows, key=lambda row: (row[0], row[1], row[2]))
    for (client_id, series_id), members in groupby(ordered, key=lambda row: (row[0], row[1])):
        parts: dict[int, Part] = {}
        for row in members:
            number, total, sender, phone, reference, coding, octets, manner, flags = row[2:11]
            parts[number] = Part(
                client_id,
                sender,
                phone,
                reference,
                total,
                number,
                coding,
                bytes(octets),
                manner,
                flags,
            )
        wire_id, state, at = row[11:]
        found.append(Series(client_id, series_id, wire_id, state, at, parts))
    return found
