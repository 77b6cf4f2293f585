"""The monthly fee of a paid sender name at an operator (senders.md, 3).

It is charged in full when the operator connects the name and on the first of each month; a month
is charged once, whoever asks and however often.  Who cannot pay loses the name at that operator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from vestnik.domain.rate import Payer
from vestnik.domain.refusals import InsufficientFunds
from vestnik.domain.sender import PAID, AtOperator
from vestnik.store import ledger, senders
from vestnik.store.engine import Transaction
from vestnik.store.ledger import Entry
from vestnik.store.senders import Registration

FEE = "fee"  # the kind of its entries


@dataclass(frozen=True, slots=True)
class Fees:
    """What a month costs, in micro-units of the payer's money, and who books it.

    `month` is year * 12 + month - 1 in the centre's zone; `payers` are those of the directory.
    """

    amount: int
    month: int
    payers: Mapping[int, tuple[Payer, ...]]
    new_id: Callable[[], int]
    now_ms: int


async def charge_next(tx: Transaction, fees: Fees) -> bool:
    """Charge one fee that is due for the month; False when none is."""
    due = await senders.unpaid(tx, fees.month, 1)
    if not due:
        return False
    one = due[0]
    # Another node may have charged it by now: whoever holds the row looks again.
    held = await senders.registration(tx, one.client_id, one.sender_id, one.operator)
    if held is None or not _is_due(held, fees):
        return True
    try:
        await charge(tx, held, fees)
    except InsufficientFunds:
        off = replace(held, status=AtOperator.OFF, changed_at=fees.now_ms)
        await senders.change_registration(tx, off)
    return True


def _is_due(registration: Registration, fees: Fees) -> bool:
    return (
        registration.tariff == PAID
        and registration.status == AtOperator.REGISTERED
        and registration.paid_month < fees.month
    )


async def charge(tx: Transaction, registration: Registration, fees: Fees) -> None:
    """Take the fee of a registration whose row this transaction holds, and mark the month as paid.

    Raises InsufficientFunds if the payer has less to spend.
    """
    sender = await senders.one(tx, registration.client_id, registration.sender_id)
    assert sender is not None, registration
    if fees.amount:
        payer = fees.payers[registration.client_id][0].account_id
        account = (await ledger.lock(tx, [(payer, 0)]))[payer, 0]
        if account.available < fees.amount:
            raise InsufficientFunds
        entry = Entry(
            account_id=payer,
            purse=0,
            id=fees.new_id(),
            kind=FEE,
            posted=-fees.amount,
            held=0,
            messages=0,
            ref=f"{registration.client_id}/{registration.sender_id}/{registration.operator}",
            note=f"sender name {sender.name} at {registration.operator}",
            at=fees.now_ms,
        )
        await ledger.book(tx, [entry])
    await senders.change_registration(tx, replace(registration, paid_month=fees.month))
