"""What is tried next when a message does not reach its recipient (text.md, "Chains")."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Step:
    """Another way for a message: its kind, text and sender, how many parts that takes, what its
    payer pays for it and for how many minutes it is tried."""

    kind: int
    text: str
    sender: str
    parts: int
    price: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a message is on its way: the price of the present step, and the steps to come."""

    price: int
    steps: tuple[Step, ...] = ()

    def past(self, number: int) -> "Chain":
        """The way from the step of this number on, which is the present one then."""
        return Chain(self.steps[number].price, self.steps[number + 1 :])

    def stopped(self) -> "Chain":
        """No step follows any more."""
        return replace(self, steps=())
