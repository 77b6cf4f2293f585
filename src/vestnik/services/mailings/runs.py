"""Runs of mailings: begun when they are due, made slice by slice, ended when all has left.

A mailing is made ahead of its sending by at most AHEAD_MAX due messages, so the queue stays small
and prices, routes and a cancellation act soon.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from vestnik.domain import number, schedule
from vestnik.domain.client import Client
from vestnik.domain.ids import Ids
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Err, Flag, Kind, Status
from vestnik.domain.recurrence import Rule, next_run
from vestnik.domain.refusals import Refusal
from vestnik.services.contacts.books import numbers_of_group, owner_of
from vestnik.services.mailings import lists, slices
from vestnik.services.mailings import settings as mailing_settings
from vestnik.services.mailings.lists import CHUNK_ROWS, to_given, to_members
from vestnik.services.mailings.settings import Settings
from vestnik.services.mailings.slices import Slice
from vestnik.services.messages.chains import chained
from vestnik.services.messages.draft import Draft, Order, Recipient
from vestnik.services.messages.settlement import Setting, standing_of
from vestnik.services.sending.composing import SLICE, Composer
from vestnik.store import contact_groups, counters, dedup, mailing_runs, mailings, messages, queue
from vestnik.store.engine import Store, Transaction
from vestnik.store.mailings import Mailing, State
from vestnik.store.queue import Stage

AHEAD_MAX = 10_000
RUNNING_MAX = 1_000  # mailings that are looked at in one round
STOPPED_MAX = 1_000  # messages that are stopped in one commit
CHUNKS_DROPPED = 100
PRIORITY = 2  # behind single messages, and behind requests of a few
HOURS = (9, 22)  # of the recipient's own zone (jobs.md, 3.2)
# Whom a message does not wake: a look-up shows nothing, a letter waits to be read.
AT_ANY_HOUR = frozenset({Kind.HLR, Kind.PING, Kind.MAIL})


class _Lines:
    """The lines of a slice; `last` is the one that was read last."""

    def __init__(self, lines: Sequence[ListLine]) -> None:
        self._lines = iter(lines)
        self.last = ListLine("", "")

    def __iter__(self) -> Iterator[ListLine]:
        return self

    def __next__(self) -> ListLine:
        self.last = next(self._lines)
        return self.last


class Page(msgspec.Struct):
    """A piece of a list: its lines, those with the text that goes by SMS instead, how many they are
    to, where the list goes on."""

    lines: list[ListLine]
    instead: list[ListLine]
    count: int
    place: tuple[int, int]


class Runs:
    """What a worker does to mailings; `zone` is the centre's, by whose days sums are kept."""

    def __init__(
        self, store: Store, setting: Callable[[], Setting], ids: Ids, zone: tzinfo
    ) -> None:
        self._store = store
        self._setting = setting
        self._ids = ids
        self._zone = zone
        self._stopped: dict[int, int] = {}  # the last message that was stopped, by mailing

    async def due(self) -> list[tuple[Mailing, int]]:
        """Mailings to look at, each with how many messages of its last run wait."""
        return await self._store.read(mailing_runs.due, self._store.now(), RUNNING_MAX)

    async def start(self, mailing: Mailing) -> None:
        """Begin the run that is due; a client that may not send mailings has none."""
        client = self._sender(mailing)
        if client is None:
            await self._store.write(_fail, mailing, self._store.now())
            return
        owner = owner_of(client, self._setting().directory.clients)
        await self._store.write(_start, mailing, owner, self._store.now())

    async def ahead(self, mailing: Mailing) -> bool:
        """Enough of the client's messages wait to be sent at once."""
        now, room = self._store.now(), AHEAD_MAX
        for carrier in self._setting().directory.carriers:
            room -= await self._store.read(
                mailing_runs.due_rows, carrier, mailing.client_id, now, room
            )
            if room <= 0:
                return True
        return False

    async def make(self, mailing: Mailing) -> set[int]:
        """Make the next messages of a run; the carriers that have something to do now."""
        client = self._sender(mailing)
        if client is None:
            await self._store.write(_fail, mailing, self._store.now())
            return set()
        settings = msgspec.json.decode(mailing.settings, type=Settings)
        owner = owner_of(client, self._setting().directory.clients)
        page = await self._store.read(_page, mailing, settings, owner)
        if page is None:
            await self._store.write(_whole, mailing, self._store.now())
            return set()
        slice_ = await self._slice(mailing, client, settings, page)
        return await self._store.write(slices.write, slice_) or set()

    async def finish(self, mailing: Mailing) -> None:
        """All of a run has left: plan the next one, or end the mailing."""
        now = self._store.now()
        again = None
        settings = msgspec.json.decode(mailing.settings, type=Settings)
        if mailing.rptn is None or mailing.run <= mailing.rptn:
            zone = schedule.zone_of(settings.tz or None, mailing.zone)
            after = max(now, mailing.start_at)
            again = next_run(Rule(mailing.rpt), mailing.first_at, after, zone)
        if again is None:
            plan = (State.FINISHED, mailing.start_at, now)
        else:
            plan = (State.WAITING, again, again - settings.lead_ms)
        await self._store.write(mailing_runs.finish, mailing, *plan)

    async def leaving(self) -> list[Mailing]:
        """Mailings that were switched off or removed, and are not quite gone."""
        return await self._store.read(mailing_runs.leaving, RUNNING_MAX)

    async def leave(self, mailing: Mailing) -> bool:
        """Stop some of what waits of a mailing, or remove some of it; False: nothing to do now."""
        if mailing.state != State.FINISHED and not await self._is_still(mailing):
            return True
        flying = await self._store.read(mailing_runs.still, mailing, Stage.SENDING, 0, 1)
        if flying and mailing.state != State.FINISHED:
            return False  # one of them may come back to wait
        if mailing.leaving == mailings.REMOVED:
            await self._store.write(mailing_runs.remove, mailing, CHUNKS_DROPPED)
        else:
            await self._store.write(mailing_runs.stay, mailing)
        return True

    async def _is_still(self, mailing: Mailing) -> bool:
        """Nothing of it waits; else some of what does is stopped now."""
        past = self._stopped.get(mailing.id, 0)
        ids = await self._store.read(mailing_runs.still, mailing, Stage.WAITING, past, STOPPED_MAX)
        if ids:
            await self._store.write(_stop, mailing, ids, self._setting())
            self._stopped[mailing.id] = ids[-1]
            return False
        self._stopped.pop(mailing.id, None)
        return not past  # a whole round from the beginning has found nothing

    def _sender(self, mailing: Mailing) -> Client | None:
        """The client, if it may send mailings (jobs.md, 5.6)."""
        client = self._setting().directory.clients.get(mailing.client_id)
        if client is None:
            return None
        limits = client.limits
        return None if limits.locked or limits.no_mailings or limits.no_mass else client

    async def _slice(
        self, mailing: Mailing, client: Client, settings: Settings, page: Page
    ) -> Slice:
        now = self._store.now()
        setting = self._setting()
        lines = _Lines(page.lines)
        asked = mailing_settings.order(client, settings, mailing.zone, mailing.start_at, now, lines)
        maker = Composer(asked, setting.directory, None)
        recipients = await _composed(maker, lines)
        chained = await self._chain(asked, maker, settings, page, recipients)
        await self._forbid_repeated(mailing, recipients)
        pace = schedule.pace(settings.period, settings.freq) if settings.period else None
        _plan(recipients, mailing, client, setting, pace)
        for recipient, message_id in zip(
            recipients, self._ids.take(now, len(recipients)), strict=True
        ):
            recipient.id = message_id
        draft = Draft(
            client=client,
            recipients=recipients,
            accounts=maker.terms.accounts,
            holds={},
            wire_id=mailing.run_wire_id,
            urgent=False,
            priority=PRIORITY,
            options=maker.options,
            zone=maker.zone_name,
            window=maker.window,
            day=schedule.day_number(now, self._zone),
            now=now,
            origin=asked.origin,
            test=maker.test,
            digest=None,
            digest_kind=dedup.Kind.IDENTICAL,
            digest_s=0,
            params_digest=b"",
            flags=asked.flags | (Flag.CHAIN if chained else 0),
            blocks=maker.terms.blocks,
        )
        then = max(now, _offset(mailing, pace, mailing.made + page.count))
        return Slice(mailing, draft, page.place, page.count, then, setting.node, setting.new_id)

    async def _chain(
        self,
        asked: Order,
        maker: Composer,
        settings: Settings,
        page: Page,
        recipients: list[Recipient],
    ) -> bool:
        """Give recipients the ways that are tried when theirs fails; False when there are none."""
        others: list[list[Recipient]] = []
        for kind, given in mailing_settings.ways(settings, page.lines, page.instead):
            lines = _Lines(given)
            other = Composer(
                replace(asked, kind=kind, lines=lines), self._setting().directory, None
            )
            others.append(await _composed(other, lines))
        if not others:
            return False
        options = msgspec.json.decode(maker.options) if maker.options else {}
        for place, ways in enumerate(zip(recipients, *others, strict=True)):
            fine = [way for way in ways if way.status == Status.WAITING]
            without_route = ways[0].err == Err.NO_ROUTE
            if fine and (ways[0] is fine[0] or without_route):
                recipients[place] = chained(fine, maker.minutes, options)
        return True

    async def _forbid_repeated(self, mailing: Mailing, recipients: list[Recipient]) -> None:
        """Whoever got this text by an earlier slice of the run does not get it again."""
        waiting = {r.phone for r in recipients if r.status == Status.WAITING}
        seen = await self._store.read(mailing_runs.seen, mailing, sorted(waiting))
        for recipient in recipients:
            if recipient.status == Status.WAITING and (recipient.phone, recipient.text) in seen:
                slices.refuse(recipient, Status.FORBIDDEN, Err.NUMBER_LIMIT)


async def _composed(maker: Composer, lines: _Lines) -> list[Recipient]:
    """The recipients of a slice; those of a line that cannot be sent are refused by themselves."""
    made: list[Recipient] = []
    while True:
        try:
            for recipient in maker.recipients():
                made.append(recipient)
                if len(made) % SLICE == 0:
                    await asyncio.sleep(0)
        except Refusal:  # a text that is too long once it has somebody's own words in it
            made += _unsendable(maker, lines.last)
            continue
        return made


def _unsendable(maker: Composer, line: ListLine) -> Iterator[Recipient]:
    for phone in number.split_phones(line.phones):
        yield Recipient(
            number.parse(phone) or phone[:40],
            line.text,
            "",
            "",
            maker.order.kind,
            1,
            "",
            0,
            0,
            (),
            int(Status.FORBIDDEN),
            Err.SPAM,
            maker.due,
            maker.due,
        )


def _offset(mailing: Mailing, pace: tuple[int, int] | None, place: int) -> int:
    """When the portion leaves that has this place of the list."""
    begun = mailing.last_run or 0
    if pace is None or place >= mailing.total:
        return begun
    portions, interval_ms = pace
    return begun + place * portions // mailing.total * interval_ms


def _plan(
    recipients: Sequence[Recipient],
    mailing: Mailing,
    client: Client,
    setting: Setting,
    pace: tuple[int, int] | None,
) -> None:
    """Give each its portion, and its hours in the zone it belongs to.

    An account's own hours it has already.
    """
    numbering = setting.directory.numbering
    known: dict[tuple[tuple[int, int], str, int], int] = {}
    for place, recipient in enumerate(recipients):
        if recipient.status != Status.WAITING:
            continue
        if not client.limits.hours and recipient.kind not in AT_ANY_HOUR:
            recipient.window = (HOURS[0] * 60, HOURS[1] * 60)
            recipient.zone = numbering.find(recipient.phone).zone or client.zone
        due = max(recipient.due, _offset(mailing, pace, mailing.made + place))
        if recipient.window is not None:
            key = (recipient.window, recipient.zone, due)
            if key not in known:
                opens, closes = recipient.window
                hours = (opens // 60, closes // 60)
                known[key] = schedule.opening(hours, due, ZoneInfo(recipient.zone))
            due = known[key]
        recipient.expires += due - recipient.due
        recipient.due = due


async def _fail(tx: Transaction, mailing: Mailing, now: int) -> None:
    await mailing_runs.end(tx, mailing.client_id, mailing.id, State.FAILED, mailings.STOPPED, now)


async def _start(tx: Transaction, mailing: Mailing, owner: int, now: int) -> None:
    settings = msgspec.json.decode(mailing.settings, type=Settings)
    total = await mailing_runs.size(tx, mailing.id)
    for group_number in settings.groups:
        group = await contact_groups.of_num(tx, owner, settings.book, group_number)
        total += group.members if group else 0
    wire_id = mailing.wire_id
    if mailing.run:  # the first run's messages have the id that the client knows the mailing by
        numbers = await counters.reserve(tx, counters.WIRE, [(mailing.client_id, 1)])
        wire_id = str(numbers[mailing.client_id][0])
    await mailing_runs.start(tx, mailing, wire_id, total, now)


async def _page(tx: Transaction, mailing: Mailing, settings: Settings, owner: int) -> Page | None:
    """The next piece of a mailing's list; None at its end."""
    octets = await mailings.chunk(tx, mailing.id, mailing.cursor)
    if octets is None:
        return None
    entries = lists.unpack(octets)
    past = (mailing.cursor + 1, 0)
    own, instead = (
        settings.text,
        [replace(entry, text=settings.mes2) for entry in entries if settings.mes2],
    )
    if not entries[0].group:
        grouped = bool(settings.groups)
        count = sum(entry.phones.count(",") + 1 for entry in entries)
        lines = to_given(entries, own, grouped=grouped)
        return Page(lines, to_given(instead, own, grouped=grouped), count, past)
    members = await numbers_of_group(
        tx, owner, entries[0].group, mailing.after, CHUNK_ROWS, settings.book
    )
    if not members:
        return Page([], [], 0, past)
    more = len(members) == CHUNK_ROWS
    return Page(
        to_members(entries[0].line(own), members),
        [line for entry in instead for line in to_members(entry.line(own), members)],
        len(members),
        (mailing.cursor, members[-1].contact_id) if more else past,
    )


async def _whole(tx: Transaction, mailing: Mailing, now: int) -> None:
    """All of the list has its messages."""
    place = (mailing.cursor, mailing.after)
    await mailing_runs.advance(tx, mailing, place, 0, whole=True, next_at=now)


async def _stop(tx: Transaction, mailing: Mailing, ids: Sequence[int], setting: Setting) -> None:
    """End messages that wait with -2; what is held for them goes back."""
    settlement = setting.settlement()
    stopped: list[tuple[int, int]] = []
    for row in await messages.standing(tx, [(mailing.client_id, one) for one in ids]):
        message = standing_of(row)
        if message.stage in (Stage.WAITING, Stage.PAUSED):
            settlement.stand(message, Status.STOPPED)
            settlement.release(message)
            stopped.append(message.key)
    await queue.remove(tx, stopped)
    await settlement.write(tx, setting.node, setting.new_id)
