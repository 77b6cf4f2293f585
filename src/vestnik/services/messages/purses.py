"""Which of its payer's purses pays for what is sent.

The second (electronic) purse pays for a request only when the first cannot cover it whole, and then
for all of it.  The payer's ancestors gain and lose by their first one (data model, section 5).
"""

from collections.abc import Iterable, Mapping

from vestnik.domain.message import Flag
from vestnik.services.messages.draft import Draft
from vestnik.store.ledger import Account, Entry

FIRST, SECOND = 0, 1
FLAGS = (0, Flag.SECOND_PURSE)  # of a message, by the purse that pays for it

Key = tuple[int, int]  # account and purse
Loss = tuple[int, int]  # account and amount, in micro-units of its currency


def wanted(payer: int, losing: Iterable[int]) -> set[Key]:
    """What is to be locked before `hold`: both purses of a payer that loses something."""
    keys = {(payer, FIRST)}
    for account in losing:
        keys.add((account, FIRST))
        if account == payer:
            keys.add((payer, SECOND))
    return keys


def hold(payer: int, losses: Iterable[Loss], accounts: Mapping[Key, Account]) -> int | None:
    """Hold, in memory, what a request takes; the purse that pays for it.

    It fits whole or not at all: None says that nothing was held.
    """
    losses = list(losses)
    for purse in (FIRST, SECOND):
        taken = _of_purses(payer, losses, purse)
        for key, amount in taken:
            if accounts[key].available < amount:
                break
        else:
            for key, amount in taken:
                accounts[key].held += amount
            return purse
    return None


def holds_of(draft: Draft) -> list[tuple[Key, int]]:
    """What an accepted draft holds of each account."""
    return _of_purses(draft.accounts[0], draft.holds.items(), draft.purse)


def _of_purses(payer: int, losses: Iterable[Loss], purse: int) -> list[tuple[Key, int]]:
    return [
        ((account, purse if account == payer else FIRST), amount)
        for account, amount in losses
        if amount
    ]


def entries(holds: Mapping[Key, list[int]], ids: Iterable[int], at: int) -> list[Entry]:
    """One entry for each purse that holds something: an amount, for so many messages."""
    return [
        Entry(
            account_id=account,
            purse=purse,
            id=entry_id,
            kind="hold",
            posted=0,
            held=amount,
            messages=count,
            ref="",
            note="",
            at=at,
        )
        for entry_id, ((account, purse), (amount, count)) in zip(
            ids, sorted(holds.items()), strict=False
        )
    ]
