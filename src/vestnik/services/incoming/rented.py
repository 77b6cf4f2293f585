"""Numbers for rent: what comes to one is its tenant's (info.md, 4).

A month is paid in advance: the days that are left of it when the number is taken, then each whole
month on its first day, as long as there is money.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from vestnik.domain.client import Client
from vestnik.domain.money import parse_money
from vestnik.domain.number import parse
from vestnik.domain.numbering import Numbering
from vestnik.domain.refusals import BadParameters, InsufficientFunds, NotFound
from vestnik.services.centre.directory import Directory
from vestnik.services.messages.settlement import Setting
from vestnik.store import ledger, rented, settings
from vestnik.store.engine import Store, Transaction
from vestnik.store.rented import CALL, NOBODY, RENT, Number

__all__ = ["CALL", "RENT", "Number", "Rented"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Month:
    """The month of a moment: how many days it has, how many are left with this one, and when it
    ends."""

    days: int
    left: int
    ends: int

    @classmethod
    def of(cls, now_ms: int, zone: ZoneInfo) -> "Month":
        now = datetime.fromtimestamp(now_ms / 1000, zone)
        begins = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
        year, month = divmod(begins.year * 12 + begins.month, 12)
        ends = begins.replace(year=year, month=month + 1)
        days = (ends.date() - begins.date()).days
        return cls(days, days - now.day + 1, int(ends.timestamp() * 1000))


class Rented:
    """Rents numbers to clients, and renews the rent; `zone` is where months begin."""

    def __init__(self, store: Store, setting: Callable[[], Setting], zone: ZoneInfo) -> None:
        self._store = store
        self._setting = setting
        self._zone = zone

    async def free(self) -> list[Number]:
        """Those that may be rented."""
        return await self._store.read(rented.free)

    async def buy(self, client: Client, phone: str, *, noprolong: bool, now_ms: int) -> None:
        """Rent a number for the days that are left of the month, today among them.

        Raises BadParameters for one that is not free, InsufficientFunds.
        """
        month = Month.of(now_ms, self._zone)
        await self._store.write(_buy, client.id, phone, noprolong, month, self._setting())

    async def change(self, client: Client, phone: str, *, noprolong: bool) -> None:
        """Say whether the rent goes on next month; raises BadParameters for a number that the
        client does not rent."""
        await self._store.write(_change, client.id, phone, noprolong)

    async def run_once(self) -> bool:
        """Renew what has run out, number by number; what cannot be paid becomes free."""
        for phone in await self._store.read(rented.due, self._store.now()):
            month = Month.of(self._store.now(), self._zone)
            renewed = await self._store.write(_renew, phone, month, self._setting())
            if renewed is False:
                log.info("a rented number has become free", number=phone[-4:])
        return False


async def _buy(
    tx: Transaction, client_id: int, phone: str, noprolong: bool, month: Month, setting: Setting
) -> None:
    number = await rented.lock(tx, phone)
    if number is None or number.kind != RENT or number.client_id != NOBODY:
        raise BadParameters(f"there is no free number {phone[:20]}")
    await _charge(tx, client_id, phone, number.cost * month.left // month.days, setting)
    await rented.change(tx, phone, client_id, month.ends, int(noprolong))
    await settings.raise_version(tx)


async def _charge(
    tx: Transaction, client_id: int, phone: str, amount: int, setting: Setting
) -> None:
    """Take rent from whoever pays for the client; raises InsufficientFunds."""
    payer = _payer(setting.directory, client_id)
    account = (await ledger.lock(tx, [(payer, 0)]))[payer, 0]
    if amount > account.available:
        raise InsufficientFunds
    if not amount:
        return
    entry = ledger.Entry(
        account_id=payer,
        purse=0,
        id=setting.new_id(),
        kind="rent",
        posted=-amount,
        held=0,
        messages=0,
        ref=phone,
        note="",
        at=setting.now,
    )
    await ledger.book(tx, [entry])


def _payer(directory: Directory, client_id: int) -> int:
    return directory.payers[client_id][0].account_id


async def _change(tx: Transaction, client_id: int, phone: str, noprolong: bool) -> None:
    number = await rented.lock(tx, phone)
    if number is None or number.client_id != client_id:
        raise BadParameters(f"you do not rent the number {phone[:20]}")
    await rented.change(tx, phone, client_id, number.paid_until, int(noprolong))


async def _renew(tx: Transaction, phone: str, month: Month, setting: Setting) -> bool | None:
    """True: it is paid for another month; False: it is free; None: nothing was due."""
    number = await rented.lock(tx, phone)
    if number is None or number.client_id == NOBODY or (number.paid_until or 0) > setting.now:
        return None
    known = number.client_id in setting.directory.clients
    if known and not number.noprolong:
        try:
            await _charge(tx, number.client_id, phone, number.cost, setting)
        except InsufficientFunds:
            known = False
        else:
            await rented.change(tx, phone, number.client_id, month.ends, 0)
            return True
    await rented.change(tx, phone, NOBODY, None, 0)
    await settings.raise_version(tx)
    return False


# What the operator's commands do.


async def add(tx: Transaction, phone: str, kind: str, cost: str, plan: Numbering) -> Number:
    """Make a number of the centre's known; raises BadParameters."""
    msisdn = parse(phone)
    if msisdn is None:
        raise BadParameters(f"'{phone}' is not a phone number")
    amount = parse_money(cost)
    if amount < 0:
        raise BadParameters("a month cannot cost less than nothing")
    if await rented.lock(tx, msisdn) is not None:
        raise BadParameters(f"the number {msisdn} is there already")
    number = Number(msisdn, kind, amount, plan.issued(msisdn).country)
    await rented.add(tx, number)
    return number


async def remove(tx: Transaction, phone: str) -> None:
    """Forget a number; raises NotFound, and BadParameters while somebody rents it."""
    msisdn = parse(phone) or phone
    number = await rented.lock(tx, msisdn)
    if number is None:
        raise NotFound(f"there is no number {msisdn}; 'vestnik number list' shows all")
    if number.client_id != NOBODY:
        raise BadParameters(f"the number {msisdn} is rented: its rent must end first")
    await rented.remove(tx, msisdn)


async def everything(tx: Transaction) -> list[Number]:
    return await rented.everything(tx)
