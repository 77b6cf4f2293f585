"""How much was sent, spent and paid in: read from the daily sums and the entries, never counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Protocol

from vestnik.domain.client import Client
from vestnik.domain.ids import AHEAD_MS_MAX, first_id
from vestnik.domain.numbering import Numbering
from vestnik.domain.rate import Payer
from vestnik.domain.refusals import BadDate, BadParameters, NoSubclient, NotFound
from vestnik.domain.schedule import day_number, format_date, parse_day
from vestnik.services.clients.currencies import exchange_of
from vestnik.services.clients.subclients import not_of_a_subclient, own
from vestnik.store import statistics as table
from vestnik.store.engine import Row, Store, Transaction


class Directory(Protocol):
    """What statistics need to know of the centre: see services/centre/directory.py."""

    @property
    def clients(self) -> Mapping[int, Client]: ...
    @property
    def by_login(self) -> Mapping[str, int]: ...
    @property
    def payers(self) -> Mapping[int, tuple[Payer, ...]]: ...
    @property
    def numbering(self) -> Numbering: ...
    @property
    def settings(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the centre's calendar by their numbers, both included; `since` and `until` are the
    first moment of the first and the moment after the last, in ms since the epoch."""

    first: int
    last: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Turnover:
    """What an account did in some days: money in micro-units of `currency`.

    `messages` and `spent` are of one purse of whoever paid; what nobody paid for is with the first.
    `received` is what was paid into the account's own such purse.  `kind` (a message's type),
    `country` and `operator` are of detailed statistics only.
    """

    client_id: int
    login: str
    messages: int
    spent: int
    received: int
    currency: str
    kind: int = 0
    country: str = ""
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which subclients, and in what money.

    `user` (a login) or `user_id` names one; without them `shared` says whether it is those that
    spend the main account's balance or those that have their own.  `own_currency` tells each in its
    own, else in the main account's.
    """

    days: Days
    user: str = ""
    user_id: int = 0
    shared: bool = True
    purse: int = 0
    own_currency: bool = True


class Statistics:
    """The statistics of accounts; `zone` is that of the centre, where its days begin."""

    def __init__(self, store: Store, directory: Callable[[], Directory], zone: tzinfo) -> None:
        self._store, self._directory, self._zone = store, directory, zone

    def days(self, start: str, end: str, now_ms: int, *, month: bool = False) -> Days:
        """The days from `start` to `end`, written dd.mm.yyyy.

        Without `start` from today on, or from the first of this month; without `end` up to now.
        Raises BadParameters.
        """
        zone = self._zone
        try:
            since, _ = parse_day(start, zone) if start else self._usual(now_ms, month)
            # Ids may run ahead of the clock, and what was just accepted belongs to "now".
            until = parse_day(end, zone)[1] if end else max(now_ms, since) + AHEAD_MS_MAX
        except BadDate:
            raise BadParameters("a day is written dd.mm.yyyy") from None
        if since >= until:
            raise BadParameters("the period ends before it begins")
        return Days(day_number(since, zone), day_number(until - 1, zone), since, until)

    def _usual(self, now_ms: int, month: bool) -> tuple[int, int]:
        today = format_date(now_ms, self._zone).partition(" ")[0]
        return parse_day(f"01{today[2:]}" if month else today, self._zone)

    async def of_client(self, client: Client, days: Days, purse: int = 0) -> Turnover:
        """What the client did itself; zeros if that is nothing (get.md, 3)."""
        return (await self._turnovers([client], days, purse))[0]

    async def of_subclients(self, main: Client, asked: Asked) -> list[Turnover]:
        """A record for each subclient, by their ids (users.md, 4).

        Raises NotFound if there are none, NoSubclient for one that is not the caller's, NotPossible
        for a caller that is a subclient itself or for a currency without a known worth.
        """
        chosen = self._chosen(main, asked)
        found = await self._turnovers(chosen, asked.days, asked.purse)
        return self._told(main, asked, found)

    async def detailed(self, main: Client, asked: Asked) -> list[Turnover]:
        """A record for each subclient, kind of message, country and operator.

        What was paid in belongs to no message, so it is 0 here.  Raises as `of_subclients`.
        """
        chosen = {client.id: client for client in self._chosen(main, asked)}
        days = asked.days
        rows = await self._store.read(
            table.by_network, list(chosen), asked.purse, days.first, days.last
        )
        if not rows:
            raise NotFound
        return self._told(main, asked, self._of_networks(chosen, rows))

    def _of_networks(self, chosen: Mapping[int, Client], rows: Sequence[Row]) -> list[Turnover]:
        """Networks of one operator are one: its name is what is told."""
        numbering = self._directory().numbering
        counted: dict[tuple[int, int, str, str], list[int]] = {}
        for client_id, kind, mccmnc, messages, spent in rows:
            country, operator = numbering.country(mccmnc), numbering.operator(mccmnc)
            of_one = counted.setdefault((client_id, kind, country, operator), [0, 0])
            of_one[0] += messages
            of_one[1] += spent
        return [
            Turnover(
                client_id,
                chosen[client_id].login,
                messages,
                spent,
                0,
                self._currency(chosen[client_id]),
                kind,
                country,
                operator,
            )
            for (client_id, kind, country, operator), (messages, spent) in sorted(counted.items())
        ]

    def _chosen(self, main: Client, asked: Asked) -> list[Client]:
        not_of_a_subclient(main)
        directory = self._directory()
        if asked.user or asked.user_id:
            named = directory.by_login.get(asked.user.strip().lower(), 0)
            if asked.user and asked.user_id not in (0, named):
                raise NoSubclient
            return [own(main, directory.clients.get(named if asked.user else asked.user_id))]
        found = [
            client
            for _, client in sorted(directory.clients.items())
            if client.parent_id == main.id and client.pays_itself != asked.shared
        ]
        if not found:
            raise NotFound
        return found

    def _currency(self, client: Client) -> str:
        """That of the account which pays for the client."""
        return self._directory().payers[client.id][0].currency

    async def _turnovers(self, of: Sequence[Client], days: Days, purse: int) -> list[Turnover]:
        sums, received = await self._store.read(_read, [client.id for client in of], days, purse)
        exchange = exchange_of(self._directory().settings)
        found = []
        for client in of:
            messages, spent = sums.get(client.id, (0, 0))
            currency = self._currency(client)
            paid_in = exchange.convert(received.get(client.id, 0), client.currency, currency)
            found.append(Turnover(client.id, client.login, messages, spent, paid_in, currency))
        return found

    def _told(self, main: Client, asked: Asked, found: list[Turnover]) -> list[Turnover]:
        """In the currency that was asked for."""
        if asked.own_currency:
            return found
        exchange = exchange_of(self._directory().settings)
        return [
            replace(
                one,
                spent=exchange.convert(one.spent, one.currency, main.currency),
                received=exchange.convert(one.received, one.currency, main.currency),
                currency=main.currency,
            )
            for one in found
        ]


async def _read(
    tx: Transaction, client_ids: Sequence[int], days: Days, purse: int
) -> tuple[dict[int, tuple[int, int]], dict[int, int]]:
    """Messages that a purse paid for with their cost, and what was paid into it, by client."""
    sums = await table.totals(tx, client_ids, purse, days.first, days.last)
    since, until = first_id(days.since), first_id(days.until)
    return sums, await table.received(tx, client_ids, purse, since, until)
