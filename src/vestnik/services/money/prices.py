"""What a client pays, zone by zone (info.md, 1)."""

from collections.abc import Callable
from dataclasses import dataclass

from vestnik.domain.client import Client
from vestnik.domain.message import CHANNEL_OF, Kind
from vestnik.domain.numbering import Numbering
from vestnik.domain.rate import Payer
from vestnik.services.centre.directory import Directory

# Prices of a zone, by the names of the wire, and the channel that each is of.
CHANNELS: dict[str, str] = {
    "api": CHANNEL_OF[Kind.SMS],
    "mass": CHANNEL_OF[Kind.SMS],
    "mms": CHANNEL_OF[Kind.MMS],
    "hlr": CHANNEL_OF[Kind.HLR],
    "call": CHANNEL_OF[Kind.CALL],
    "viber": CHANNEL_OF[Kind.VIBER],
    "soc": CHANNEL_OF[Kind.SOCIAL],
    "mail": CHANNEL_OF[Kind.MAIL],
}
_EVERYWHERE = {"ru": "Все направления", "en": "Everywhere"}
_ELSEWHERE = {"ru": "Остальные направления", "en": "Everywhere else"}


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone; `prices` are micro-units a part, look-up, letter or call, by CHANNELS."""

    number: int
    name: str
    prices: dict[str, int]


class Prices:
    """The tariffs of clients as they see them; `language` is that of names, "ru" or "en"."""

    def __init__(self, directory: Callable[[], Directory], language: str = "ru") -> None:
        self._directory = directory
        self._language = language

    def zones(self, client: Client) -> list[Zone]:
        """Every network and every prefix that the tariff of the client names, then the rest.

        Each price is what a message there would cost: where the tariff names no price for a
        channel, that of a shorter prefix, of everybody's tariff, or the usual one.
        """
        directory = self._directory()
        payer = directory.payers[client.id][0]
        operators, prefixes = directory.rates.places(payer.tariff_id)
        plan = directory.numbering
        # Where only some channels have a price for a network, others have that of its prefix.
        networks = [(plan.operator(o) or o, plan.number_of(o), o) for o in sorted(operators)]
        places = [(_place(plan, prefix), prefix, "") for prefix in sorted(prefixes)]
        found = networks + places
        rest = (_ELSEWHERE if found else _EVERYWHERE)[self._language]
        return [
            Zone(number, name, self._prices(directory, payer, phone, mccmnc))
            for number, (name, phone, mccmnc) in enumerate([*found, (rest, "", "")], start=1)
        ]

    @staticmethod
    def _prices(directory: Directory, payer: Payer, phone: str, mccmnc: str) -> dict[str, int]:
        """In the money of whoever pays, which need not be that of its tariff."""
        price, convert = directory.rates.price, directory.exchange.convert
        source, target = payer.tariff_currency, payer.currency
        return {
            name: convert(price(payer.tariff_id, channel, phone, mccmnc), source, target, up=True)
            for name, channel in CHANNELS.items()
        }


def _place(plan: Numbering, prefix: str) -> str:
    """What people call the place of a prefix: its operator, its region, or its country."""
    network = plan.issued(prefix)
    name = network.operator or network.region or network.country
    return f"{name} ({prefix})" if name else prefix
