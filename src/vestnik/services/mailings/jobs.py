"""Mailings with a name: order one, switch it off, remove it, tell how far it is (jobs.md)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import msgspec

from vestnik.domain import schedule
from vestnik.domain.client import Client
from vestnik.domain.ids import Ids
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Status
from vestnik.domain.recurrence import Rule
from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.services.centre.directory import Directory
from vestnik.services.contacts.books import PAGE, numbers_of_group, owner_of
from vestnik.services.mailings import lists, repeats
from vestnik.services.mailings.lists import (
    Entry,
    Packed,
    as_given,
    as_line,
    to_given,
    to_members,
)
from vestnik.services.mailings.orders import Attached, NewMailing, Ordered, Progress, Shown
from vestnik.services.mailings.settings import Settings, order, ways
from vestnik.services.sending.composing import SLICE, Composer
from vestnik.store import (
    contact_groups,
    counters,
    mailing_runs,
    mailings,
    templates,
)
from vestnik.store.engine import Store, Transaction
from vestnik.store.mailings import Mailing, State

__all__ = ["Attached", "Jobs", "Mailing", "NewMailing", "Ordered", "Progress", "Shown", "State"]

NAME_MAX = 100
LISTED_MAX = 10_000  # mailings of one answer
CHUNKS_READ = 50
EVER = 1 << 62  # beyond any moment, in ms


@dataclass(frozen=True, slots=True)
class _Row:
    """What `_put` writes."""

    client: Client
    id: int
    new: NewMailing
    settings: Settings
    list: Packed
    total: int
    start_at: int


class Jobs:
    """The mailings of clients; `ring` wakes the worker when there is something to do."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        ids: Ids,
        ring: Callable[[], None],
    ) -> None:
        self._store = store
        self._directory = directory
        self._ids = ids
        self._ring = ring

    async def add(self, client: Client, new: NewMailing) -> Ordered:
        """Store a mailing, to be started when it is due.

        With a key that was used within a day, the first answer again; nothing is stored.  Raises
        BadParameters (also for a key that was used for another order), BadDate, Duplicate for the
        same order within the account's `identical_s`.
        """
        known = await self._store.read(repeats.first_answer, client, new) if new.key else None
        if known is not None:
            return known
        _check(new)
        text = await self._text(client, new)
        zone = schedule.zone_of(new.tz or None, client.zone)
        start_at = schedule.due(new.time, new.now_ms, zone)
        list_ = await lists.packed(new.lines, new.text)
        lead_ms = start_at - _earliest(client, new, start_at, list_.zones)
        mailing_id = self._ids.take(new.now_ms)[0]
        settings = _settings(mailing_id, new, text, list_, lead_ms)
        total = list_.total + await self._in_groups(client, settings)
        if not total:
            raise BadParameters("phones: no recipient is given")
        row = _Row(client, mailing_id, new, settings, list_, total, start_at)
        cost = await self._priced(row)
        ordered = await self._store.write(_put, row, cost)
        self._ring()
        return ordered

    async def cancel(self, client: Client, wire_id: str, *, mail: bool) -> None:
        """Switch a mailing off: what waits of it is stopped, what has left goes on.

        One that has ended already stays as it is.  Raises NotFound.
        """
        now = self._store.now()
        await self._store.write(_cancel, client.id, wire_id, mail, now, remove=False)
        self._ring()

    async def delete(self, client: Client, wire_id: str, *, mail: bool) -> None:
        """Switch a mailing off and forget it; the history keeps its messages.  Raises NotFound."""
        now = self._store.now()
        await self._store.write(_cancel, client.id, wire_id, mail, now, remove=True)
        self._ring()

    async def listed(
        self, client: Client, since: int | None, until: int | None, *, mail: bool
    ) -> list[Mailing]:
        """The newest mailings first, of those sent in a period of ms (None: no bound)."""
        return await self._store.read(
            mailings.listed,
            client.id,
            0 if since is None else since,
            EVER if until is None else until,
            LISTED_MAX,
            mail=mail,
        )

    async def one(self, client: Client, wire_id: str, *, mail: bool) -> Shown:
        """All there is to say of a mailing.  Raises NotFound."""
        mailing = await self._store.read(mailings.find, client.id, wire_id, mail=mail)
        if mailing is None:
            raise NotFound("there is no such mailing")
        settings = msgspec.json.decode(mailing.settings, type=Settings)
        given = [entry async for entry in self._entries(mailing.id)]
        runs = await self._store.read(mailing_runs.of_mailing, client.id, mailing.id)
        sums = [sum(run[place] for run in runs) for place in range(2, 8)]
        return Shown(
            mailing,
            "" if settings.listed else ",".join(map(as_given, given)),
            "\n".join(as_line(e) for e in given) if settings.listed else settings.text,
            settings.sender,
            Progress(*sums),
        )

    async def _entries(self, mailing_id: int) -> AsyncIterator[Entry]:
        """Its list, a few chunks at a time."""
        after = -1
        while True:
            found = await self._store.read(mailings.chunks_after, mailing_id, after, CHUNKS_READ)
            for after, octets in found:  # noqa: B007 - the last one is where it goes on
                for entry in lists.unpack(octets):
                    yield entry
            if len(found) < CHUNKS_READ:
                return

    async def _text(self, client: Client, new: NewMailing) -> str:
        """The text that all get: its own, or that of a template as it is now."""
        if new.template is None:
            return new.text
        found = await self._store.read(templates.one, client.id, new.template)
        if found is None:
            raise BadParameters(f"tpl: there is no template {new.template}")
        return found.message

    async def _in_groups(self, client: Client, settings: Settings) -> int:
        """How many are in groups; raises BadParameters for one that nobody is in."""
        owner = owner_of(client, self._directory().clients)
        members = 0
        for number in settings.groups:
            group = await self._store.read(contact_groups.of_num, owner, settings.book, number)
            if group is None or not group.members:
                raise BadParameters(f"phones: nobody is in a group G{number}")
            members += group.members
        return members

    async def _priced(self, row: _Row) -> int:
        """The price of all messages if it was asked; raises BadParameters for a text that cannot be
        sent, and what else nobody could get."""
        cost = 0
        self._check_ways(row)
        asked = order(row.client, row.settings, row.client.zone, row.start_at, row.new.now_ms, [])
        maker = Composer(asked, self._directory(), None)
        async for lines in self._lines(row):
            asked.lines = lines
            recipients = maker.recipients()
            while some := list(islice(recipients, SLICE)):
                cost += sum(r.price for r in some if r.status <= Status.DELIVERED)
                await asyncio.sleep(0)
            await asyncio.sleep(0)
        return cost

    def _check_ways(self, row: _Row) -> None:
        """Raise BadParameters where the text that goes by SMS instead cannot be sent."""
        for kind, lines in ways(row.settings, [], [ListLine("", row.settings.mes2)]):
            asked = order(
                row.client, row.settings, row.client.zone, row.start_at, row.new.now_ms, lines
            )
            asked.kind = kind
            list(Composer(asked, self._directory(), None).recipients())

    async def _lines(self, row: _Row) -> AsyncIterator[list[ListLine]]:
        """The list as it will be composed, or where no price is asked its texts alone."""
        own = row.settings.text
        owner, book = owner_of(row.client, self._directory().clients), row.settings.book
        checked: set[tuple[str, str]] = set()
        for octets, _ in row.list.chunks:
            entries = lists.unpack(octets)
            texts = [e.line(own)._replace(phones="") for e in entries]
            fresh = [t for t in texts if (t.text, t.zone) not in checked]
            yield fresh
            checked = {(t.text, t.zone) for t in texts}
            if not row.new.priced:
                continue
            if not entries[0].group:
                yield to_given(entries, row.settings.text, grouped=bool(row.settings.groups))
                continue
            after = 0
            while True:
                page = await self._store.read(
                    numbers_of_group, owner, entries[0].group, after, PAGE, book
                )
                yield to_members(entries[0].line(own), page)
                if len(page) < PAGE:
                    break
                after = page[-1].contact_id


def _check(new: NewMailing) -> None:
    if not 1 <= len(new.name.strip()) <= NAME_MAX:
        raise BadParameters(f"name has 1 to {NAME_MAX} characters")
    if new.rpt not in list(Rule):
        raise BadParameters(f"rpt is 0 to {max(Rule)}")
    if new.period:
        schedule.pace(new.period, new.freq)


def _earliest(client: Client, new: NewMailing, start_at: int, zones: Iterable[str]) -> int:
    """When the first lines of its list are due: those with a zone have its clock."""
    if not schedule.is_date(new.time):
        return start_at
    named = [schedule.zone_of(zone, client.zone) for zone in zones]
    return min([start_at, *(schedule.due(new.time, new.now_ms, zone) for zone in named)])


def _settings(mailing_id: int, new: NewMailing, text: str, list_: Packed, lead_ms: int) -> Settings:
    """Files lie beside the mailing, not in each of its messages: these say where."""
    options = dict(new.options)
    if new.files:
        options["files"] = [
            {"field": file.field, "name": file.name, "mailing": mailing_id, "number": number}
            for number, file in enumerate(new.files)
        ]
    return Settings(
        kind=int(new.kind),
        text=text,
        listed=new.listed,
        sender=new.sender,
        translit=new.translit,
        tz=new.tz,
        zoned=bool(list_.zones) and schedule.is_date(new.time),
        lead_ms=lead_ms,
        groups=list_.groups,
        period=new.period,
        freq=new.freq,
        valid=new.valid,
        options=options,
        mes2=new.mes2,
        sender2=new.sender2,
        repeat=new.repeat,
    )


async def _put(tx: Transaction, row: _Row, cost: int) -> Ordered:
    new, client = row.new, row.client
    numbers = await counters.reserve(tx, counters.WIRE, [(client.id, 1)])
    ordered = Ordered(str(numbers[client.id][0]), cost)
    told = await repeats.remember(tx, client, new, ordered)
    if told is not None:
        return told
    await mailings.put_named(
        tx,
        (
            client.id,
            row.id,
            ordered.wire_id,
            row.total,
            new.now_ms,
            mailings.NAMED_KIND,
            new.name.strip(),
            int(new.mail),
            msgspec.json.encode(row.settings).decode(),
            client.zone,
            new.rpt,
            new.rptn,
            row.start_at,
            row.start_at,
            row.start_at - row.settings.lead_ms,
        ),
        row.list.chunks,
        [(file.field, file.name, file.octets) for file in new.files],
    )
    return ordered


async def _cancel(
    tx: Transaction, client_id: int, wire_id: str, mail: bool, now: int, *, remove: bool
) -> None:
    mailing = await mailings.find(tx, client_id, wire_id, mail=mail)
    if mailing is None:
        raise NotFound("there is no such mailing")
    how = mailings.REMOVED if remove else mailings.STOPPED
    stopped = await mailing_runs.end(tx, client_id, mailing.id, State.CANCELLED, how, now)
    if remove and not stopped:
        await mailings.hide(tx, mailing)
