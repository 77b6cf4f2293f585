"""Invoices and acts of subclients (documents.md).

A paper keeps all that it says: what changes afterwards changes no paper.  Its number is the next
one of the main account's year, raised in the transaction that makes it: there are no gaps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from vestnik.domain.client import Client
from vestnik.domain.paper import ACT, INVOICE, Line, Paper, Party, to_hundredths
from vestnik.domain.refusals import BadParameters, NotFound, NotPossible
from vestnik.services.clients import subclients
from vestnik.services.senders.fees import FEE
from vestnik.store import clients, counters, settings
from vestnik.store import documents as table
from vestnik.store.documents import Stored
from vestnik.store.engine import Store, Transaction

__all__ = ["Documents", "Habits", "Stored", "Subclient"]

SERVICE_MAX = 300  # characters
PAPER = "paper"  # of ids
ACTS_DONE = "acts_done"  # the setting that says up to which month acts are made
CATCH_UP_MONTHS = 12  # how far back acts are made after the centre was away

SERVICES: Mapping[str, str] = {
    "ru": "Услуги по доставке сообщений",
    "en": "Services of message delivery",
}
CAPTURE, RENT = "capture", "rent"
# What an act charges for: the kinds of entries, their names and units.
_LINES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "ru": {
        CAPTURE: ("Доставка сообщений", "message"),
        FEE: ("Абонентская плата за имена отправителя", "month"),
        RENT: ("Аренда номеров", "month"),
    },
    "en": {
        CAPTURE: ("Delivery of messages", "message"),
        FEE: ("Monthly fees of sender names", "month"),
        RENT: ("Rent of numbers", "month"),
    },
}


@dataclass(frozen=True, slots=True)
class Subclient:
    """Which subclient is meant: by its id, or else by its login."""

    login: str = ""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """How papers are made: their language, and the zone in which days and months begin."""

    language: str
    zone: ZoneInfo


class Documents:
    """The papers that main accounts make for their subclients."""

    def __init__(self, store: Store, habits: Habits) -> None:
        self._store = store
        self._habits = habits

    async def invoice(
        self, main: Client, of: Subclient, amount: int, service: str, now_ms: int
    ) -> Stored:
        """Make an invoice, the sum in micro-units of the main account's currency.

        Raises BadParameters, NoSubclient, and NotPossible for a subclient without a balance of its
        own.
        """
        if len(service) > SERVICE_MAX:
            raise BadParameters(f"service: at most {SERVICE_MAX} characters")
        name = service.strip() or SERVICES[self._habits.language]
        return await self._store.write(_invoice, main, of, amount, name, self._habits, now_ms)

    async def one(
        self, main: Client, of: Subclient, kind: str, paper_id: int | None, num: int | None
    ) -> Stored:
        """A subclient's paper by its id, or else by its number, which may be that of several years:
        then of the last.  Raises NoSubclient, NotFound."""
        return await self._store.read(_one, main, of, kind, paper_id, num)


async def _subclient(tx: Transaction, main: Client, of: Subclient) -> Client:
    if of.id is not None:
        return subclients.own(main, await clients.by_id(tx, of.id))
    return subclients.own(main, await clients.by_login(tx, of.login.strip().lower()))


async def _one(
    tx: Transaction, main: Client, of: Subclient, kind: str, paper_id: int | None, num: int | None
) -> Stored:
    client = await _subclient(tx, main, of)
    if paper_id is not None:
        found = await table.by_id(tx, main.id, client.id, kind, paper_id)
    else:
        assert num is not None, "an id or a number"
        found = await table.by_num(tx, main.id, client.id, kind, num)
    if found is None:
        raise NotFound
    return found


async def _invoice(
    tx: Transaction,
    main: Client,
    of: Subclient,
    amount: int,
    service: str,
    habits: Habits,
    now_ms: int,
) -> Stored:
    client = await _subclient(tx, main, of)
    if not client.pays_itself:
        raise NotPossible("a subclient without a balance of its own has no invoices")
    lines = (Line(service, 1, "service", amount),)
    return await _put(tx, main, client, INVOICE, lines, main.currency, habits, now_ms)


async def party(tx: Transaction, client: Client) -> Party:
    """What papers say of an account: its name and details, or its login while it has told none."""
    told = await clients.profile(tx, client.id)
    return Party(told.name.strip() or client.login, told.details.strip())


async def _put(
    tx: Transaction,
    main: Client,
    client: Client,
    kind: str,
    lines: tuple[Line, ...],
    currency: str,
    habits: Habits,
    now_ms: int,
    month: int = 0,
) -> Stored:
    """Put a paper on record under the next number."""
    today = _day(now_ms, habits.zone)
    num = (await counters.reserve(tx, f"{kind} {today.year}", [(main.id, 1)]))[main.id][0]
    paper = Paper(
        kind=kind,
        num=num,
        day=(today.year, today.month, today.day),
        seller=await party(tx, main),
        buyer=await party(tx, client),
        lines=lines,
        currency=currency,
        language=habits.language,
        contract=(await clients.profile(tx, client.id)).contract.strip(),
        month=(month // 12, month % 12 + 1) if month else None,
    )
    stored = Stored(
        id=await settings.take_id(tx, PAPER),
        owner_id=main.id,
        client_id=client.id,
        kind=kind,
        year=today.year,
        num=num,
        month=month,
        created_at=now_ms,
        paper=paper,
    )
    await table.put(tx, stored)
    return stored


# Acts.


def _day(now_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(now_ms / 1000, zone).date()


def month_of(now_ms: int, zone: ZoneInfo) -> int:
    """A month as one number: year * 12 + month - 1."""
    today = _day(now_ms, zone)
    return today.year * 12 + today.month - 1


def _month_ms(month: int, zone: ZoneInfo) -> int:
    """The first moment of a month."""
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=zone).timestamp() * 1000)


async def months_due(tx: Transaction, now_month: int) -> list[int]:
    """The months that are over and whose acts are not made: of a new centre the last one."""
    done = (await settings.everything(tx)).get(ACTS_DONE)
    first = int(done) + 1 if done else now_month - 1
    return list(range(max(first, now_month - CATCH_UP_MONTHS), now_month))


async def month_done(tx: Transaction, month: int) -> None:
    """Remember that all acts of a month are made."""
    await settings.put(tx, ACTS_DONE, str(month))


async def pairs(tx: Transaction) -> list[tuple[int, int]]:
    """Main accounts and their subclients with a balance of their own, by ids."""
    return [
        (client.parent_id, client.id)
        for client in await clients.everybody(tx)
        if client.parent_id is not None and client.pays_itself
    ]


async def make_act(
    tx: Transaction, main_id: int, client_id: int, month: int, habits: Habits, now_ms: int
) -> Stored | None:
    """Make the act of a month, unless it is made, or nothing was spent.

    The figures are those of the ledger: whatever was taken in that month stands in its act, and in
    no other.
    """
    if await table.has_act(tx, main_id, client_id, month):
        return None
    main, client = await clients.by_id(tx, main_id), await clients.by_id(tx, client_id)
    if main is None or client is None:
        return None
    since, until = (_month_ms(m, habits.zone) for m in (month, month + 1))
    spent = await table.spent(tx, client_id, since, until)
    lines = tuple(_lines(spent, habits.language))
    if not lines:
        return None
    return await _put(tx, main, client, ACT, lines, client.currency, habits, now_ms, month)


def _lines(spent: Mapping[str, tuple[int, int, int]], language: str) -> list[Line]:
    lines = []
    for kind, (name, unit) in _LINES[language].items():
        posted, messages, count = spent.get(kind, (0, 0, 0))
        amount = to_hundredths(-posted)
        if amount > 0:
            lines.append(Line(name, messages if kind == CAPTURE else count, unit, amount))
    return lines


# For the operator.


async def everybodys(tx: Transaction, login: str = "") -> list[tuple[str, str, Stored]]:
    """All papers, or those made for one client, with the logins of both sides; raises NotFound."""
    logins = {client.id: client.login for client in await clients.everybody(tx)}
    only = None
    if login:
        client = await clients.by_login(tx, login.strip().lower())
        if client is None:
            raise NotFound(f"there is no client '{login}'; 'vestnik client list' shows all")
        only = client.id
    return [
        (logins.get(one.owner_id, ""), logins.get(one.client_id, ""), one)
        for one in await table.listed(tx, only)
    ]


async def anybodys(tx: Transaction, paper_id: int) -> Stored:
    """A paper of whomever it is; raises NotFound."""
    found = await table.anybodys(tx, paper_id)
    if found is None:
        raise NotFound(f"there is no document {paper_id}; 'vestnik document list' shows all")
    return found
