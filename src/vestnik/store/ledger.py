"""Accounts and their immutable entries.

An entry carries two signed changes, of what is posted and of what is held; hold, capture and
release are one entry for each account and commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import BigInteger, SmallInteger

from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into, rows

accounts, entries, charges = schema.accounts, schema.entries, schema.charges


@dataclass(slots=True)
class Account:
    """What stands on an account, in micro-units."""

    id: int
    purse: int
    currency: str
    posted: int
    held: int
    credit: int

    @property
    def available(self) -> int:
        return self.posted - self.held + self.credit


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of an account; `messages` counts those it stands for."""

    account_id: int
    purse: int
    id: int
    kind: str
    posted: int
    held: int
    messages: int
    ref: str
    note: str
    at: int


_ACCOUNT = tuple(accounts.c[name] for name in Account.__dataclass_fields__)
_wanted = rows("wanted", id=BigInteger, purse=SmallInteger)
LOCK = Statement(
    sa.select(*_ACCOUNT)
    .join(_wanted, (accounts.c.id == _wanted.c.id) & (accounts.c.purse == _wanted.c.purse))
    .order_by(accounts.c.id, accounts.c.purse)
    .with_for_update(of=accounts),
    many=True,
)
ONE = Statement(
    sa.select(*_ACCOUNT).where(
        accounts.c.id == sa.bindparam("account"), accounts.c.purse == sa.bindparam("which")
    )
)
_change = rows("change", id=BigInteger, purse=SmallInteger, posted=BigInteger, held=BigInteger)
MOVE = Statement(
    sa.update(accounts)
    .values(posted=accounts.c.posted + _change.c.posted, held=accounts.c.held + _change.c.held)
    .where(accounts.c.id == _change.c.id, accounts.c.purse == _change.c.purse),
    many=True,
)
OPEN = insert_into(accounts, "id", "purse", "currency", "credit")
BOOK = insert_into(entries)
CHARGE = insert_into(charges)
_message = rows("message", client_id=BigInteger, message_id=BigInteger)
CHARGED = Statement(
    sa.select(charges.c.client_id, charges.c.message_id, charges.c.account_id, charges.c.amount)
    .join(
        _message,
        (charges.c.client_id == _message.c.client_id)
        & (charges.c.message_id == _message.c.message_id),
    )
    .order_by(charges.c.account_id, charges.c.message_id),
    many=True,
)
CREDIT = Statement(
    sa.update(accounts)
    .values(credit=sa.bindparam("amount"))
    .where(accounts.c.id == sa.bindparam("account"), accounts.c.purse == sa.bindparam("which"))
)


async def lock(
    tx: Transaction, wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Account]:
    """Accounts by (id, purse), held until the commit, taken in the order of their keys."""
    found = await tx.many(LOCK, sorted(wanted))
    return {(row[0], row[1]): Account(*row) for row in found}


async def account(tx: Transaction, account_id: int, purse: int = 0) -> Account | None:
    row = await tx.one(ONE, account=account_id, which=purse)
    return Account(*row) if row else None


async def open_account(tx: Transaction, account_id: int, currency: str, credit: int = 0) -> None:
    await tx.many(
        OPEN, [(account_id, purse, currency, credit if purse == 0 else 0) for purse in (0, 1)]
    )


async def set_credit(tx: Transaction, account_id: int, amount: int, purse: int = 0) -> None:
    await tx.run(CREDIT, account=account_id, which=purse, amount=amount)


async def book(tx: Transaction, made: Sequence[Entry]) -> None:
    """Write entries and move their accounts: the two always agree."""
    moved: dict[tuple[int, int], list[int]] = {}
    for entry in made:
        change = moved.setdefault((entry.account_id, entry.purse), [0, 0])
        change[0] += entry.posted
        change[1] += entry.held
    await tx.many(MOVE, [(*key, *change) for key, change in sorted(moved.items())])
    await tx.many(
        BOOK,
        [
            (e.account_id, e.purse, e.id, e.kind, e.posted, e.held, e.messages, e.ref, e.note, e.at)
            for e in made
        ],
    )


async def charge(tx: Transaction, made: Sequence[tuple[int, int, int, int]]) -> None:
    """Record ancestors' shares: (account, message, client, signed amount)."""
    await tx.many(CHARGE, made)


async def charged(
    tx: Transaction, messages: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Ancestors' shares of messages named by (client, id): their (account, signed amount)."""
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for client_id, message_id, account_id, amount in await tx.many(CHARGED, messages):
        found.setdefault((client_id, message_id), []).append((account_id, amount))
    return found
