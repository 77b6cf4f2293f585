"""What currencies are worth: the operator tells it, and money between accounts is counted by it.

Each stands in the settings of the store, as micro-units of the currency of the centre.
"""

from collections.abc import Mapping

from vestnik.domain.exchange import Exchange
from vestnik.domain.money import MICRO, money, parse_money
from vestnik.domain.refusals import BadParameters
from vestnik.services.clients import fields
from vestnik.store import settings
from vestnik.store.engine import Transaction

PREFIX = "currency "


def exchange_of(everything: Mapping[str, str]) -> Exchange:
    """The exchange that the settings of the store tell."""
    return Exchange(
        {
            name.removeprefix(PREFIX): int(value)
            for name, value in everything.items()
            if name.startswith(PREFIX)
        }
    )


async def exchange(tx: Transaction) -> Exchange:
    """The present exchange."""
    return exchange_of(await settings.everything(tx))


async def tell(tx: Transaction, code: str, worth: str, centre: str) -> tuple[str, str]:
    """Set what one unit is worth in the currency of the centre; returns code and worth as stored.

    Raises BadParameters.
    """
    code = fields.currency(code)
    amount = parse_money(worth)
    if amount <= 0:
        raise BadParameters("a currency is worth more than nothing")
    if code == centre:
        raise BadParameters(f"{centre} is the currency of the centre: the others are told in it")
    await settings.put(tx, PREFIX + centre, str(MICRO))
    await settings.put(tx, PREFIX + code, str(amount))
    await settings.raise_version(tx)
    return code, money(amount)


async def listed(tx: Transaction) -> list[tuple[str, str]]:
    """Each currency and what it is worth."""
    worth = (await exchange(tx)).worth
    return [(code, money(worth[code])) for code in sorted(worth)]
