"""A slice of a mailing → messages, in one commit with its place in the list and its money.

It is composed outside the transaction, by the prices and routes of that moment; the transaction
does nothing when the mailing is not where it was any more.
"""

from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from vestnik.domain.message import Status
from vestnik.services.messages import purses
from vestnik.services.messages.bulk import progress_of
from vestnik.services.messages.draft import Draft, Recipient
from vestnik.services.messages.rows import MessageRows, sheet_of
from vestnik.services.sending import daily
from vestnik.store import ledger, mailing_runs
from vestnik.store.engine import Transaction
from vestnik.store.mailings import Mailing

_WAITING = int(Status.WAITING)


class Slice(msgspec.Struct):
    """A draft that is ready to be messages, and where its mailing stands then.

    `place` is where the list goes on (chunk, contact), `count` how much of it the draft is,
    `next_at` when the next ones are due.
    """

    mailing: Mailing
    draft: Draft
    place: tuple[int, int]
    count: int
    next_at: int
    node: int
    new_id: Callable[[], int]


async def write(tx: Transaction, slice_: Slice) -> set[int] | None:
    """Write a slice; the carriers that have something to do now, None when nothing was done."""
    mailing = slice_.mailing
    if not await mailing_runs.advance(
        tx, mailing, slice_.place, slice_.count, whole=False, next_at=slice_.next_at
    ):
        return None
    draft = _copied(slice_.draft)
    # Before anything is counted: of two commits of an account one waits here for the other.
    accounts = await ledger.lock(tx, list(purses.wanted(draft.accounts[0], _losing(draft))))
    await daily.block(tx, [draft])
    if draft.client.limits.daily:
        today = daily.Today(tx)
        await today.limit(draft)
        await today.keep(draft.now)
    paid = _pay(draft, accounts)
    rows = MessageRows()
    for purse, recipients in paid.items():
        by_purse = replace(draft, purse=purse)
        sheet = sheet_of(by_purse, draft.wire_id, draft.now, mailing_id=mailing.id)
        rows.add(sheet, recipients)
    ids = (slice_.new_id() for _ in rows.holds)
    await ledger.book(tx, purses.entries(rows.holds, ids, draft.now))
    await rows.write(tx, slice_.node)
    progress = progress_of(mailing.client_id, mailing.id, draft.wire_id, draft.recipients)
    await mailing_runs.count(tx, progress)
    return {r.carrier_id for r in draft.recipients if r.status == _WAITING}


def refuse(recipient: Recipient, status: int, err: int) -> None:
    """Nothing is sent to it, and nobody pays."""
    recipient.status, recipient.err = int(status), int(err)
    recipient.price, recipient.shares = 0, ()


def _copied(draft: Draft) -> Draft:
    """The transaction may run again: what it was given stays as it was."""
    recipients = [replace(recipient) for recipient in draft.recipients]
    holds = dict.fromkeys(draft.accounts, 0)
    for recipient in recipients:
        for account, lost in _losses(draft, recipient):
            holds[account] += lost
    return replace(draft, recipients=recipients, holds=holds)


def _pay(draft: Draft, accounts: dict[purses.Key, ledger.Account]) -> dict[int, list[Recipient]]:
    """Judge one by one whether they can be paid for; the others end with 24 (jobs.md, 5.1).

    Returns the recipients by the purse that pays; those that nobody pays for are with the first.
    """
    paid: dict[int, list[Recipient]] = {purses.FIRST: [], purses.SECOND: []}
    for recipient in draft.recipients:
        purse = purses.hold(draft.accounts[0], _losses(draft, recipient), accounts)
        if purse is None:
            refuse(recipient, Status.NO_FUNDS, 0)
        paid[purse or purses.FIRST].append(recipient)
    return paid


def _losing(draft: Draft) -> set[int]:
    return {account for r in draft.recipients for account, _ in _losses(draft, r)}


def _losses(draft: Draft, recipient: Recipient) -> Iterator[tuple[int, int]]:
    """What a message takes from each account that loses by it."""
    if recipient.status != _WAITING:
        return
    amounts = (recipient.price, *recipient.shares)
    for account, lost in zip(draft.accounts, amounts, strict=False):
        if lost > 0:
            yield account, lost
