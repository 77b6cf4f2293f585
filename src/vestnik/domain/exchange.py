"""What one currency is worth in another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vestnik.domain.refusals import NotPossible


@dataclass(frozen=True, slots=True)
class Exchange:
    """`worth` is what one whole unit of each currency is worth, in micro-units of one of them."""

    worth: Mapping[str, int] = field(default_factory=dict)

    def convert(self, amount: int, source: str, target: str, *, up: bool = False) -> int:
        """An amount in another currency, rounded down to a micro-unit, or up.

        Raises NotPossible for a currency whose worth nobody has told.
        """
        if source == target:
            return amount
        for code in (source, target):
            if code not in self.worth:
                raise NotPossible(f"nobody has told what {code} is worth")
        whole, rest = divmod(amount * self.worth[source], self.worth[target])
        return whole + (1 if up and rest else 0)
