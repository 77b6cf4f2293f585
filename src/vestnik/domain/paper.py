"""An invoice, or an act of work done: all that is printed on it, as it was when it was made."""

from dataclasses import dataclass

from vestnik.domain.money import MICRO

INVOICE, ACT = "invoice", "act"

HUNDREDTH = MICRO // 100


@dataclass(frozen=True, slots=True)
class Party:
    """One side: its name, and the details of the company, perhaps in several lines."""

    name: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One service: `amount` in micro-units, whole hundredths; `unit` service, message or month."""

    service: str
    quantity: int
    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper.

    `kind` is INVOICE or ACT, `day` (year, month, day) its date, `month` (year, month) the period of
    an act.  `contract` is the number of the buyer's contract, "" without one; `language` ru or en.
    """

    kind: str
    num: int
    day: tuple[int, int, int]
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    currency: str
    language: str
    contract: str = ""
    month: tuple[int, int] | None = None

    @property
    def total(self) -> int:
        """The sum in micro-units."""
        return sum(line.amount for line in self.lines)


def to_hundredths(micro: int) -> int:
    """The nearest whole hundredth, in micro-units; papers know nothing smaller."""
    return (micro + HUNDREDTH // 2) // HUNDREDTH * HUNDREDTH
