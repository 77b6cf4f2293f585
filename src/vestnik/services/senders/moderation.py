"""What the operator of the centre decides of sender names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vestnik.domain.refusals import BadParameters, InsufficientFunds, NotFound
from vestnik.domain.sender import OPERATORS, PAID, AtOperator, Status
from vestnik.services.clients import clients
from vestnik.services.senders import fees as sender_fees
from vestnik.services.senders.fees import Fees
from vestnik.store import senders, settings
from vestnik.store.engine import Transaction
from vestnik.store.senders import File, Registration, Sender

REASON_MAX = 500

# How the command line calls where a name stands with an operator.
STATES = {
    "asked": AtOperator.ASKED,
    "in-work": AtOperator.IN_WORK,
    "registered": AtOperator.REGISTERED,
    "refused": AtOperator.REFUSED,
    "off": AtOperator.OFF,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A name as the operator sees it; `documents` is how many there are."""

    login: str
    sender: Sender
    registrations: Sequence[Registration]
    documents: int


async def everybodys(tx: Transaction, login: str = "") -> list[Shown]:
    """All names, or those of one client; raises NotFound."""
    only = (await clients.named(tx, login)).id if login else None
    logins = {client.id: client.login for client, _ in await clients.everybody(tx)}
    shown = []
    registered: dict[int, dict[int, list[Registration]]] = {}
    for sender in await senders.everybodys(tx):
        owner = sender.client_id
        if only is not None and owner != only:
            continue
        if owner not in registered:
            registered[owner] = await senders.registrations(tx, owner)
        count, _ = await senders.count_files(tx, owner, sender.id)
        shown.append(Shown(logins[owner], sender, registered[owner].get(sender.id, []), count))
    return shown


async def judge(
    tx: Transaction, login: str, name: str, status: Status, reason: str, now_ms: int
) -> Sender:
    """Approve or refuse a name, or ask for documents; raises NotFound, BadParameters."""
    if len(reason) > REASON_MAX:
        raise BadParameters(f"a reason has at most {REASON_MAX} characters")
    sender = await named(tx, login, name)
    judged = replace(sender, status=status, reason=reason, changed_at=now_ms)
    await senders.change(tx, judged)
    await settings.raise_version(tx)
    return judged


async def set_operator(
    tx: Transaction, login: str, name: str, operator: str, state: AtOperator, fees: Fees
) -> None:
    """Note where a name stands with an operator; one that is connected there pays its first fee.

    Raises NotFound when no registration was asked for there, BadParameters, InsufficientFunds.
    """
    if operator not in OPERATORS:
        raise BadParameters(f"there is no operator '{operator}'; there are: {', '.join(OPERATORS)}")
    sender = await named(tx, login, name)
    held = await senders.registration(tx, sender.client_id, sender.id, operator)
    if held is None:
        raise NotFound(f"'{sender.name}' was not asked for at {operator}")
    changed = replace(held, status=state, changed_at=fees.now_ms)
    await senders.change_registration(tx, changed)
    connected = state == AtOperator.REGISTERED and held.status != AtOperator.REGISTERED
    if connected and held.tariff == PAID and held.paid_month < fees.month:
        try:
            await sender_fees.charge(tx, changed, fees)
        except InsufficientFunds:
            raise InsufficientFunds(
                f"'{login}' cannot pay the first month of '{sender.name}' at {operator}"
            ) from None


async def documents(tx: Transaction, login: str, name: str) -> list[tuple[File, bytes]]:
    """The documents of a name; raises NotFound."""
    sender = await named(tx, login, name)
    return [
        (file, await senders.file(tx, sender.client_id, sender.id, file.number))
        for file in await senders.files_of(tx, sender.client_id, sender.id)
    ]


async def named(tx: Transaction, login: str, name: str) -> Sender:
    """A client's name; raises NotFound."""
    client = await clients.named(tx, login)
    sender = await senders.named(tx, client.id, name.strip().removeprefix("+"))
    if sender is None:
        raise NotFound(
            f"'{client.login}' has no sender name '{name}'; 'vestnik sender list' shows all"
        )
    return sender
