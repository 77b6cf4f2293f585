"""The contract of an engine.

A transaction is a function: `await store.write(function, …)` begins, awaits `function(tx, …)` and
commits, or rolls back when it raises.  The function awaits `tx` and nothing else: on SQLite the
writer's own thread drives it to its end, so there is no hop between threads for each statement.
It may run twice (a deadlock, a lost connection before the commit), so it changes nothing but `tx`.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from vestnik.store.statement import Statement

P = ParamSpec("P")
T = TypeVar("T")

Row = Sequence[Any]  # what a statement returns
Values = tuple[Any, ...]  # what it is given


class DataRefused(Exception):
    """The store refuses a value: the transaction's data are at fault, not the store."""


class CommitUnknown(Exception):
    """The connection was lost while committing: nobody knows whether it took place."""


class Transaction(Protocol):
    """What a transaction function may ask of its store."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgres`."""

    async def all(self, statement: Statement, /, **parameters: Any) -> Sequence[Row]:
        """Run it and return every row."""

    async def one(self, statement: Statement, /, **parameters: Any) -> Row | None:
        """Run it and return its first row."""

    async def run(self, statement: Statement, /, **parameters: Any) -> int:
        """Run it and return how many rows it changed."""

    async def many(
        self, statement: Statement, data: Sequence[Row], /, **parameters: Any
    ) -> list[Row]:
        """Run it over many rows and return what it returns, in no order."""

    async def script(self, sql: str, /) -> None:
        """Run SQL that a migration rendered, statement after statement."""


Work = Callable[Concatenate[Transaction, P], Awaitable[T]]


class Store(Protocol):
    """Where everything is remembered."""

    name: str

    async def open(self) -> None:
        """Connect; raises StoreUnavailable in plain words."""

    async def close(self) -> None:
        """Finish what runs, then disconnect."""

    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a transaction that may change things; returns after the commit.

        Raises DataRefused, StoreUnavailable, CommitUnknown, or what the function raises.
        """

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a transaction that sees one state and changes nothing."""

    async def claim_node(self, node: int) -> bool:
        """Be the only process that serves as this node, until it closes; False: another does."""

    def now(self) -> int:
        """The store's clock, in ms since the epoch: leases are judged by it alone."""
