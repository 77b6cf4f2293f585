"""What was sent and received: the rows of get.php, and those of exports.

Long scans are cut into short read transactions: one that lasts would keep SQLite's log from being
folded back into its file.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from vestnik.domain import number
from vestnik.domain.client import Client
from vestnik.domain.ids import AHEAD_MS_MAX, first_id, moment
from vestnik.domain.message import STATUS_NAMES, Kind, Status
from vestnik.domain.money import money
from vestnik.domain.numbering import Numbering
from vestnik.domain.refusals import BadDate, BadParameters, NotFound
from vestnik.domain.schedule import format_date, parse_day
from vestnik.store import history as table
from vestnik.store.engine import Row, Store, Transaction
from vestnik.store.history import Filter

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
# The longest period that may be asked for: six months of any year (get.md).
PERIOD_MS_MAX = 184 * DAY_MS
# How far back incoming messages may be asked for, and how far apart their order of ids and their
# order of time may be: parts of one message are joined within a day.
HOURS_MAX = 168
UNORDERED_MS_MAX = DAY_MS

SCANNED_MAX = 5_000  # messages gone over in one transaction

LANGUAGES = ("ru", "en")  # in the order of STATUS_NAMES
STATUSES = frozenset(int(s) for s in Status) - {int(Status.NOT_FOUND)}

# The columns of an export, in their order (downloads.md).
FIELDS = (
    "id",
    "int_id",
    "phone",
    "send_date",
    "last_date",
    "status",
    "status_name",
    "err",
    "cost",
    "sms_cnt",
    "sender_id",
    "type",
    "mccmnc",
    "country",
    "operator",
    "region",
    "message",
)


class Directory(Protocol):
    """What history needs to know of the centre: see services/centre/directory.py."""

    @property
    def numbering(self) -> Numbering: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent: moments in ms since the epoch, `cost` in micro-units (get.md, 1)."""

    id: int
    wire_id: str
    phone: str
    sent_at: int
    changed_at: int
    status: int
    status_name: str
    err: int
    cost: int
    parts: int
    sender: str
    kind: int
    format: int
    mccmnc: str
    country: str
    operator: str
    region: str
    text: str
    checksum: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message from a subscriber: moments in ms since the epoch (get.md, 2)."""

    id: int
    received_at: int
    phone: str
    text: str
    to_phone: str
    sent_at: int


def period(start: str, end: str, zone: tzinfo, now_ms: int) -> tuple[int, int]:
    """The ms from the first moment of `start` to the last of `end`, days as "dd.mm.yyyy".

    Without `start` it begins six months ago, without `end` it goes on to now.  Raises BadParameters
    for a period that is reversed, unreadable or longer than six months (get.md, downloads.md).
    """
    try:
        # Ids may run ahead of the clock, and what was just accepted belongs to "now".
        until = parse_day(end, zone)[1] if end else now_ms + AHEAD_MS_MAX
        since = parse_day(start, zone)[0] if start else now_ms - PERIOD_MS_MAX
    except BadDate:
        raise BadParameters("a day is written dd.mm.yyyy") from None
    if since >= until:
        raise BadParameters("the period ends before it begins")
    if min(until, now_ms) - since > PERIOD_MS_MAX + DAY_MS:
        raise BadParameters("the period is longer than six months")
    return since, until


def filter_from(
    phones: str, emails: str, format: str, statuses: str = "", sender: str = ""
) -> Filter:
    """A filter from what a client wrote: lists by comma, format "", "0" or "8".

    Raises BadParameters.  Addresses without a format mean e-mail messages (get.md).
    """
    if format not in ("", "0", "8"):
        raise BadParameters("format is 0 or 8")
    recipients = [number.parse(phone) or phone for phone in number.split_phones(phones)]
    addresses = [address.strip() for address in emails.split(",")]
    recipients += [address for address in addresses if address]
    return Filter(
        recipients=tuple(dict.fromkeys(recipients)),
        mail=format == "8" if format else bool(emails),
        statuses=tuple(_statuses(statuses)),
        sender=sender,
    )


def _statuses(text: str) -> Iterator[int]:
    for piece in text.split(","):
        word = piece.strip()
        if not word:
            continue
        sign = word[1:] if word[0] == "-" else word
        digits = sign.isascii() and sign.isdigit() and len(sign) < 4
        if not digits or int(word) not in STATUSES:
            raise BadParameters(f"there is no status '{word[:10]}'")
        yield int(word)


async def page(
    tx: Transaction,
    client_id: int,
    wanted: Filter,
    low: int,
    high: int,
    most: int = SCANNED_MAX,
    *,
    first: bool,
) -> tuple[Sequence[Row], int]:
    """The newest messages of a range of ids, and the id below which the next page begins.

    There is no next page when that id is `low`.  `first` says that none was read before: if few
    recipients are sought, an index may then have all of them at once.
    """
    if first and wanted.few:
        rows = await table.probe(tx, client_id, wanted, low, high, most)
        bottom = low
    else:
        bottom = await table.reach(tx, client_id, low, high, SCANNED_MAX)
        rows = await table.scan(tx, client_id, wanted, bottom, high, most)
    return rows, rows[-1][0] if len(rows) == most else bottom


class History:
    """The messages of a client, read from the store.

    `language` is that of status names, "ru" or "en".
    """

    def __init__(
        self, store: Store, directory: Callable[[], Directory], language: str = "ru"
    ) -> None:
        self._store = store
        self._directory = directory
        self._names = status_names(language)

    async def sent(
        self,
        client: Client,
        wanted: Filter,
        since: int,
        until: int,
        *,
        before_id: int = 0,
        most: int,
    ) -> list[Sent]:
        """The newest messages of a period in ms, at most so many, only those before an id if given.

        Raises NotFound if there is none (get.md).
        """
        low, high = first_id(since), first_id(until)
        if before_id:
            high = min(high, before_id)
        found: list[Row] = []
        first = True
        while low < high and len(found) < most:
            rows, high = await self._store.read(
                page, client.id, wanted, low, high, most - len(found), first=first
            )
            found += rows
            first = False
        if not found:
            raise NotFound
        numbering = self._directory().numbering
        return [self._sent(row, numbering) for row in found]

    def _sent(self, row: Row, numbering: Numbering) -> Sent:
        (id_, wire_id, phone, sent_at, changed_at, status, err, cost, parts, sender, kind) = row[
            :11
        ]
        mccmnc, text = row[11:]
        network = numbering.carried(phone, mccmnc)
        return Sent(
            id=id_,
            wire_id=wire_id,
            phone=phone,
            sent_at=sent_at or moment(id_),
            changed_at=changed_at,
            status=status,
            status_name=self._names[status],
            err=err,
            cost=cost,
            parts=parts,
            sender=sender,
            kind=kind,
            format=kind if kind == Kind.MAIL else 0,
            mccmnc=network.mccmnc,
            country=network.country,
            operator=network.operator,
            region=network.region,
            text=text,
            checksum=zlib.crc32(f"{id_}:{text}".encode()),
        )

    async def received(
        self,
        client: Client,
        now_ms: int,
        *,
        hours: float | None = None,
        after_id: int | None = None,
        to_phone: str = "",
        most: int,
    ) -> list[Received]:
        """Incoming messages, newest first; without hours and id, those of the last hour.

        With `after_id` they are the next ones past it, so that who pages forward skips none; alone
        it goes back seven days (get.md, 2).
        """
        if hours is None:
            hours = 1 if after_id is None else HOURS_MAX
        since = now_ms - int(min(hours, HOURS_MAX) * HOUR_MS)
        rows = await self._store.read(_received, client.id, after_id, since, to_phone, most)
        return [Received(*row) for row in rows]


async def _received(
    tx: Transaction, client_id: int, after_id: int | None, since: int, to_phone: str, most: int
) -> Sequence[Row]:
    floor = await _first_since(tx, client_id, since - UNORDERED_MS_MAX) - 1
    return await table.received(
        tx,
        client_id,
        max(floor, after_id or 0),
        since,
        to_phone,
        most,
        newest=after_id is None,
    )


async def _first_since(tx: Transaction, client_id: int, since: int) -> int:
    """The first id that came after a moment: ids and moments grow together, so by halving."""
    low, high = 1, await table.last_received(tx, client_id) + 1
    while low < high:
        middle = (low + high) // 2
        row = await table.received_at(tx, client_id, middle)
        if row is not None and row[1] < since:
            low = int(row[0]) + 1
        else:
            high = middle
    return low


def status_names(language: str) -> dict[int, str]:
    """Statuses in words; raises ValueError for a language that they were not written in."""
    place = LANGUAGES.index(language)
    return {int(status): names[place] for status, names in STATUS_NAMES.items()}


class Cells:
    """Makes the text of an export's columns, FIELDS, of the rows of a page.

    What repeats from row to row is kept: an export is long, and this is most of its work.
    """

    def __init__(self, zone: str, numbering: Numbering, language: str = "ru") -> None:
        self._zone = ZoneInfo(zone)
        self._carried = numbering.carried
        self._statuses = {
            status: (str(status), name) for status, name in status_names(language).items()
        }
        self._costs: dict[int, str] = {}

    def __call__(self, rows: Sequence[Row]) -> list[tuple[str, ...]]:
        zone, carried, costs, statuses = self._zone, self._carried, self._costs, self._statuses
        made: list[tuple[str, ...]] = []
        for row in rows:
            id_, wire_id, phone, sent_at, changed_at, status, err = row[:7]
            cost, parts, sender, kind, mccmnc, text = row[7:]
            network = carried(phone, mccmnc)
            made.append(
                (
                    wire_id,
                    str(id_),
                    phone,
                    format_date(sent_at or moment(id_), zone),
                    format_date(changed_at, zone),
                    *statuses[status],
                    str(err),
                    costs.get(cost) or self._cost(cost),
                    str(parts),
                    sender,
                    str(kind),
                    network.mccmnc,
                    network.country,
                    network.operator,
                    network.region,
                    text,
                )
            )
        return made

    def _cost(self, micro: int) -> str:
        if len(self._costs) >= SCANNED_MAX:
            self._costs.clear()
        return self._costs.setdefault(micro, money(micro))
