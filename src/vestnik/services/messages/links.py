"""Short links: making them, leading people on, counting who follows (text.md, info.md 3).

A link of one recipient tells more than a count: its message was read, and gets status 4.  Clicks
are counted in memory and written once a second; a crash loses at most that second.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog

from vestnik.domain import link as form
from vestnik.domain.client import Client
from vestnik.domain.message import Err, Status
from vestnik.domain.refusals import NotFound, StoreUnavailable
from vestnik.domain.schedule import day_number
from vestnik.services.messages.settlement import Setting, Standing, standing_of
from vestnik.store import counters, links, messages
from vestnik.store.engine import Row, Store, Transaction

log = structlog.get_logger(__name__)

LINK = "link"  # the counter of a client's links
KNOWN_MAX = 10_000  # links whose addresses are kept in memory
CLICKED_MAX = 100_000  # links that were clicked since the last write
SLICE = 500
TOLD_MAX = 2_000  # messages that are told of clicks in one commit
UNTOLD_MS = 30_000  # how often messages that had no end yet are looked at again
WAITED_MS = 3 * 86_400_000  # how long the end of a message is waited for


class Made(NamedTuple):
    """One link of a text: the code that stands in it, and the address."""

    code: str
    link: str


class NewLink(NamedTuple):
    """A link to be stored; `message_id` is 0 where it serves several messages."""

    client_id: int
    message_id: int
    code: str
    link: str


def shorten(
    text: str, base: str, random: Callable[[int], bytes] = os.urandom
) -> tuple[str, tuple[Made, ...]]:
    """The text with short links in the place of its addresses, and those links; `base` is what
    stands before a code, and with none the text stays.  It needs no store: codes are random.

    An address that occurs twice has one link.
    """
    made: dict[str, str] = {}

    def short(link: str) -> str:
        if link not in made:
            made[link] = form.code_of(random(form.RANDOM_OCTETS))
        return base + made[link]

    if not base or "://" not in text:
        return text, ()
    shortened = form.replace_links(text, short)
    return shortened, tuple(Made(code, link) for link, code in made.items())


def rows_for(client_id: int, message_id: int, made: Sequence[tuple[str, str]]) -> list[NewLink]:
    """The links of a text on their way into the store."""
    return [NewLink(client_id, message_id, code, link) for code, link in made]


async def write(tx: Transaction, made: Sequence[NewLink], now: int) -> None:
    """Store links in the transaction that stores their messages.

    Their ids, which clients know them by, are the next ones of each client.
    """
    if not made:
        return
    wanted: dict[int, int] = {}
    for one in made:
        wanted[one.client_id] = wanted.get(one.client_id, 0) + 1
    given = await counters.reserve(tx, LINK, list(wanted.items()))
    ids = {client_id: iter(numbers) for client_id, numbers in given.items()}
    rows = [
        (
            one.code,
            one.client_id,
            next(ids[one.client_id]),
            one.message_id,
            form.digest_of(one.link),
            one.link,
            now,
        )
        for one in made
    ]
    await links.put(tx, rows)


@dataclass(frozen=True, slots=True)
class Clicks:
    """How often a link was followed: ever, this month, today, yesterday."""

    id: int
    all: int
    month: int
    today: int
    yesterday: int


class _Link(NamedTuple):
    """A link as it is known by its code."""

    client_id: int
    id: int
    message_id: int
    location: str


class Links:
    """Leads people on, and counts.  `ring` is told when clients may have news."""

    def __init__(
        self,
        store: Store,
        setting: Callable[[], Setting],
        zone: ZoneInfo,
        ring: Callable[[], None],
    ) -> None:
        self._store = store
        self._setting = setting
        self._zone = zone
        self._ring = ring
        self._known: OrderedDict[str, _Link] = OrderedDict()
        self._clicked: dict[tuple[int, int, int], int] = {}
        self._told_of: dict[str, tuple[int, int]] = {}  # codes, and the messages to be told
        self._after = ""
        self._next_untold = 0

    async def location(self, code: str, *, clicked: bool) -> str | None:
        """Where a code leads, as a header may say it; None if nowhere.  `clicked`: somebody goes
        there, and did not only ask."""
        if not form.is_code(code):
            return None
        link = self._known.get(code) or await self._look_up(code)
        if link is not None and clicked:
            self._count(code, link)
        return link.location if link is not None else None

    async def _look_up(self, code: str) -> _Link | None:
        row = await self._store.read(links.one, code)
        location = form.location(row[3]) if row is not None else None
        if row is None or location is None:
            return None
        found = self._known[code] = _Link(row[0], row[1], row[2], location)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return found

    def _count(self, code: str, link: _Link) -> None:
        key = (link.client_id, link.id, day_number(self._store.now(), self._zone))
        if key not in self._clicked and len(self._clicked) >= CLICKED_MAX:
            log.warning("more links are clicked than can be counted", links=len(self._clicked))
            return
        self._clicked[key] = self._clicked.get(key, 0) + 1
        if link.message_id:
            self._told_of[code] = link.client_id, link.message_id

    async def flush(self) -> bool:
        """Write what was counted, and tell messages whose links were clicked; returns whether there
        is more to do at once."""
        now = self._store.now()
        clicked, told_of = self._clicked, dict(islice(self._told_of.items(), TOLD_MAX))
        after = self._after if now >= self._next_untold else None
        if not clicked and not told_of and after is None:
            return False
        self._clicked = {}
        try:
            self._after, changed = await self._store.write(
                _settle, clicked, told_of, after, self._setting()
            )
        except StoreUnavailable:
            for key, count in clicked.items():
                self._clicked[key] = self._clicked.get(key, 0) + count
            raise
        for code in told_of:
            self._told_of.pop(code, None)
        if changed:
            self._ring()
        if after is not None and not self._after:
            self._next_untold = now + UNTOLD_MS
        return bool(self._told_of) or bool(self._after)

    async def clicks(self, client: Client, link_id: int, link: str, now_ms: int) -> Clicks:
        """The clicks of a link of the client's, named by its id, or else by where it leads: then of
        all that lead there, under the id of the newest.  Raises NotFound."""
        today = day_number(now_ms, self._zone)
        first = today - datetime.fromtimestamp(now_ms / 1000, self._zone).day + 1
        found = await self._store.read(_clicks, client.id, link_id, link, first, today)
        if found is None:
            raise NotFound
        return found


async def _clicks(
    tx: Transaction, client_id: int, link_id: int, link: str, month_begins: int, today: int
) -> Clicks | None:
    if link_id:
        known = await links.by_id(tx, client_id, link_id)
        if known is None:
            return None
        row = await links.clicks_of(tx, client_id, known, month_begins, today)
    else:
        digest = form.digest_of(link)
        known = await links.by_link(tx, client_id, digest, link)
        if known is None:
            return None
        row = await links.clicks_there(tx, client_id, digest, link, month_begins, today)
    return Clicks(known, *(int(count) for count in row))


async def _settle(
    tx: Transaction,
    clicked: Mapping[tuple[int, int, int], int],
    told_of: Mapping[str, tuple[int, int]],
    after: str | None,
    setting: Setting,
) -> tuple[str, bool]:
    """Write clicks, tell messages of them, and look at a slice of those that had no end before
    (None: not now).

    Returns where the next slice begins (empty: at the first) and whether a message changed.
    """
    await links.count(tx, [(*key, count) for key, count in clicked.items()])
    await links.mark(tx, sorted(told_of))
    waiting = await links.untold(tx, after, SLICE) if after is not None else ()
    rows = [(code, *message, setting.now) for code, message in told_of.items()]
    done, changed = await _tell(tx, [*rows, *waiting], setting)
    await links.told(tx, done)
    return (waiting[-1][0] if len(waiting) == SLICE else ""), changed


async def _tell(tx: Transaction, rows: Sequence[Row], setting: Setting) -> tuple[list[str], bool]:
    """Give messages the status 4; rows are those of `untold`.

    Returns the codes that nothing more is to be done about, and whether a message changed.
    """
    keys = sorted({(row[1], row[2]) for row in rows})
    standings = {s.key: s for s in map(standing_of, await messages.standing(tx, keys))}
    settlement = setting.settlement()
    done: list[str] = []
    changed = False
    for code, client_id, message_id, created_at in rows:
        message = standings.get((client_id, message_id))
        if message is not None and message.stage is None:
            if _may_be_clicked(message):
                settlement.stand(message, Status.CLICKED)
                changed = True
            done.append(code)
        elif message is None or created_at < setting.now - WAITED_MS:
            done.append(code)
    await settlement.write(tx, setting.node, setting.new_id)
    return done, changed


def _may_be_clicked(message: Standing) -> bool:
    """It has reached its subscriber, whatever else was heard of it (data model, section 3)."""
    return (
        message.status in (Status.DELIVERED, Status.EXPIRED) or message.err == Err.NO_STATUS
    ) and message.err != Err.VIRTUAL


async def drop_old(tx: Transaction, before: int) -> int:
    """Forget a slice of the links made before a moment; returns how many."""
    return await links.drop_old(tx, before, SLICE)
