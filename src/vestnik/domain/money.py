"""Money as text: whole micro-units inside, a decimal point outside."""

import re

from vestnik.domain.refusals import BadParameters

MICRO = 1_000_000  # micro-units in one whole unit of a currency

_WRITTEN = re.compile(r"([+-]?)(\d{1,12})(?:[.,](\d{1,6}))?", re.ASCII)


def money(micro: int) -> str:
    """An amount as clients read it: at least two decimals, at most four, halves away from zero.

    The forms are those of recorded.md: `1.40`, `3215.3097`.
    """
    hundredths, rest = divmod((abs(micro) + 50) // 100, 100)
    whole, cents = divmod(hundredths, 100)
    sign = "-" if micro < 0 and (hundredths or rest) else ""
    text = f"{sign}{whole}.{cents:02d}"
    return f"{text}{rest:02d}".removesuffix("0") if rest else text


def parse_money(text: str) -> int:
    """Micro-units of an amount that a person wrote: `100`, `100.50`, `0,0001`.

    Raises BadParameters for anything else.
    """
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise BadParameters(f"'{text}' is not an amount of money, such as 100 or 100.50")
    sign, whole, decimals = written.groups()
    amount = int(whole) * MICRO + int((decimals or "").ljust(6, "0"))
    return -amount if sign == "-" else amount
