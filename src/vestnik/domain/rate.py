"""Rates: what one part, look-up, letter or call costs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from vestnik.domain.client import Client
from vestnik.domain.exchange import Exchange

DEFAULT_PRICE = 1_000_000  # 1.00 for whatever no rate names
CACHED_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one part, in micro-units, for a channel and an operator or a prefix.

    `client_id` is whose tariff it belongs to; None is the tariff of everybody.
    """

    client_id: int | None
    channel: str
    price: int
    prefix: str = ""
    operator: str = ""


class _Tariff:
    """The rates of one owner."""

    def __init__(self) -> None:
        self.by_operator: dict[tuple[str, str], int] = {}
        self.by_prefix: dict[tuple[str, str], int] = {}
        self.prefix_max = 0

    def add(self, rate: Rate) -> None:
        if rate.operator:
            self.by_operator[rate.channel, rate.operator] = rate.price
        else:
            self.by_prefix[rate.channel, rate.prefix] = rate.price
            self.prefix_max = max(self.prefix_max, len(rate.prefix))

    def price(self, channel: str, phone: str, mccmnc: str) -> int | None:
        known = self.by_operator.get((channel, mccmnc))
        if known is not None:
            return known
        for length in range(min(self.prefix_max, len(phone)), -1, -1):
            known = self.by_prefix.get((channel, phone[:length]))
            if known is not None:
                return known
        return None


class Rates:
    """All tariffs: an operator's price before a prefix's, a longer prefix before a shorter, a
    client's own tariff before everybody's."""

    def __init__(self, rates: list[Rate]) -> None:
        self._tariffs: dict[int | None, _Tariff] = {None: _Tariff()}
        for rate in rates:
            self._tariffs.setdefault(rate.client_id, _Tariff()).add(rate)
        self._prefix_max = max(t.prefix_max for t in self._tariffs.values())
        self._known: dict[tuple[int, str, str, str], int] = {}

    def price(self, owner_id: int, channel: str, phone: str, mccmnc: str) -> int:
        """What one part costs whoever pays by this owner's tariff."""
        owner = owner_id if owner_id in self._tariffs else 0
        key = (owner, channel, phone[: self._prefix_max], mccmnc)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= CACHED_MAX:
                self._known.clear()
            known = self._known[key] = self._look_up(owner, channel, phone, mccmnc)
        return known

    def places(self, owner_id: int) -> tuple[set[str], set[str]]:
        """The operators (MCC and MNC) and the prefixes that an owner's tariff, or everybody's, has
        prices of its own for."""
        operators: set[str] = set()
        prefixes: set[str] = set()
        for owner in (owner_id, None):
            tariff = self._tariffs.get(owner)
            if tariff is not None:
                operators |= {operator for _, operator in tariff.by_operator}
                prefixes |= {prefix for _, prefix in tariff.by_prefix if prefix}
        return operators, prefixes

    def _look_up(self, owner_id: int, channel: str, phone: str, mccmnc: str) -> int:
        for owner in (owner_id, None):
            tariff = self._tariffs.get(owner)
            price = tariff.price(channel, phone, mccmnc) if tariff else None
            if price is not None:
                return price
        return DEFAULT_PRICE


@dataclass(frozen=True, slots=True)
class Payer:
    """One account of the chain that pays for a client's messages, and whose tariff prices it.

    `currency` is the account's own, `tariff_currency` the one in which the tariff is written: that
    of its owner.
    """

    account_id: int
    tariff_id: int
    currency: str = "RUB"
    tariff_currency: str = "RUB"


def payers(client: Client, clients: dict[int, Client]) -> tuple[Payer, ...]:
    """Who pays, from the one nearest to the client up to the topmost.

    Each pays its price to the one above, the topmost pays the centre.  Types 2,
    3 and 4 spend their main account's balance; types 1, 2 and 4 are priced by its tariff.
    """
    chain: list[Payer] = []
    current: Client | None = client
    while current is not None:
        tariff = current
        while not tariff.own_tariff and tariff.parent_id is not None:
            tariff = clients[tariff.parent_id]
        account = current
        while not account.pays_itself and account.parent_id is not None:
            account = clients[account.parent_id]
        chain.append(Payer(account.id, tariff.id, account.currency, tariff.currency))
        current = clients[account.parent_id] if account.parent_id is not None else None
    return tuple(chain)


def shares(prices: list[int]) -> list[int]:
    """What each account of a chain loses for one message: the payer its price, an ancestor the
    difference to the one below, which is a gain when the subclient's price is the higher."""
    return [prices[0], *(above - below for below, above in pairwise(prices))]


@dataclass(frozen=True, slots=True)
class Chain:
    """Who pays for a client's messages, nearest first, and what money of theirs is worth."""

    payers: tuple[Payer, ...]
    exchange: Exchange = field(default_factory=Exchange)

    @property
    def one_currency(self) -> bool:
        return len({c for p in self.payers for c in (p.currency, p.tariff_currency)}) < 2

    def losses(self, prices: Sequence[int]) -> list[int]:
        """What each account loses for one part, in its own currency, given each one's price in
        the currency of its tariff.

        Money that changes its currency is rounded up to a micro-unit.  A whole number of parts
        costs so many times as much, so that a share of it can be told exactly.
        """
        if self.one_currency:
            return shares(list(prices))
        exchange = self.exchange
        own = [
            exchange.convert(price, payer.tariff_currency, payer.currency, up=True)
            for price, payer in zip(prices, self.payers, strict=True)
        ]
        lost = own[:1]
        for (below, above), (paid, price) in zip(pairwise(self.payers), pairwise(own), strict=True):
            lost.append(price - exchange.convert(paid, below.currency, above.currency))
        return lost
