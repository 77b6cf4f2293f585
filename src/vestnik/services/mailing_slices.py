"""A slice of a mailing → messages, in one commit with its place in the list and its money.

It is composed outside the transaction, by the prices and routes of that moment; the transaction
does nothing when the mailing is not where it was any more.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from vestnik.domain.contact import Book
from vestnik.domain.message import Err, Kind, Status
from vestnik.services.blacklist import Asked, blocked
from vestnik.services.bulk import progress_of
from vestnik.services.draft import Recipient
from vestnik.services.message_rows import MessageRows, Sheet
from vestnik.store import day_counts, ledger, mailing_runs, statistics
from vestnik.store.engine import Transaction
from vestnik.store.mailings import Mailing


class Slice(msgspec.Struct):
    """Recipients that are ready to be messages, with what their commit needs.

    `place` is where the list goes on (chunk, contact), `count` how much of it they are, `next_at`
    when the next ones are due.
    """

    mailing: Mailing
    sheet: Sheet
    recipients: list[Recipient]
    place: tuple[int, int]
    count: int
    next_at: int
    day_limit: int
    number_limit: int
    node: int
    new_id: Callable[[], int]


async def write(tx: Transaction, slice_: Slice) -> set[int] | None:
    """Write a slice; the carriers that have something to do now, None when nothing was done."""
    mailing, sheet = slice_.mailing, slice_.sheet
    if not await mailing_runs.advance(
        tx, mailing, slice_.place, slice_.count, whole=False, next_at=slice_.next_at
    ):
        return None
    recipients = await _within_day(tx, slice_, slice_.recipients)
    recipients = await _welcome(tx, sheet.client_id, recipients)
    recipients = await _paid(tx, sheet.accounts, recipients)
    rows = MessageRows()
    rows.add(sheet, recipients)
    await ledger.book(tx, _entries(rows, slice_))
    await rows.write(tx, slice_.node)
    progress = progress_of(sheet.client_id, mailing.id, sheet.wire_id, recipients)
    await mailing_runs.count(tx, progress)
    return {r.carrier_id for r in recipients if r.status == Status.WAITING}


def refused(recipient: Recipient, status: int, err: int) -> Recipient:
    """The transaction may run again: what it was given stays as it was."""
    return replace(recipient, status=int(status), err=err, price=0, shares=(), window=None, zone="")


async def _within_day(
    tx: Transaction, slice_: Slice, recipients: Sequence[Recipient]
) -> Sequence[Recipient]:
    """Forbid what is more than the account, or one number, may have in a day (status.md)."""
    sheet = slice_.sheet
    if not (slice_.day_limit or slice_.number_limit):
        return recipients
    accepted = await statistics.accepted(tx, sheet.client_id, sheet.day)
    had: dict[str, int] = {}
    if slice_.number_limit:
        phones = [r.phone for r in recipients]
        had = await day_counts.of_numbers(tx, sheet.client_id, sheet.day, phones)
    made: list[Recipient] = []
    for recipient in recipients:
        accepted += 1
        waits = recipient.status == Status.WAITING
        if waits and slice_.day_limit and accepted > slice_.day_limit:
            made.append(refused(recipient, Status.FORBIDDEN, Err.DAILY_LIMIT))
        elif waits and slice_.number_limit and had.get(recipient.phone, 0) >= slice_.number_limit:
            made.append(refused(recipient, Status.FORBIDDEN, Err.NUMBER_LIMIT))
        else:
            had[recipient.phone] = had.get(recipient.phone, 0) + int(waits)
            made.append(recipient)
    return made


async def _welcome(
    tx: Transaction, client_id: int, recipients: Sequence[Recipient]
) -> Sequence[Recipient]:
    """Forbid those whom the account's black list names."""
    asked = {
        r.phone: Asked(client_id, r.phone, True, Book.MAILS if r.kind == Kind.MAIL else Book.PHONES)
        for r in recipients
        if r.status == Status.WAITING
    }
    found = await blocked(tx, asked.values())
    if not found:
        return recipients
    return [
        refused(r, Status.FORBIDDEN, Err.NUMBER_BARRED) if asked.get(r.phone) in found else r
        for r in recipients
    ]


async def _paid(
    tx: Transaction, accounts: Sequence[int], recipients: Sequence[Recipient]
) -> Sequence[Recipient]:
    """Those who can be paid for, one by one; the others end with 24 (jobs.md, 5.1)."""
    asked = {account for r in recipients for account, _ in _losses(accounts, r)}
    known = await ledger.lock(tx, [(account, 0) for account in asked])
    left = {account: known[account, 0].available for account in asked}
    made: list[Recipient] = []
    for recipient in recipients:
        losses = list(_losses(accounts, recipient))
        if any(left[account] < lost for account, lost in losses):
            made.append(refused(recipient, Status.NO_FUNDS, Err.NONE))
            continue
        for account, lost in losses:
            left[account] -= lost
        made.append(recipient)
    return made


def _losses(accounts: Sequence[int], recipient: Recipient) -> Iterable[tuple[int, int]]:
    """What a message takes from each account that loses by it."""
    if recipient.status != Status.WAITING:
        return
    for account, lost in zip(accounts, (recipient.price, *recipient.shares), strict=False):
        if lost > 0:
            yield account, lost


def _entries(rows: MessageRows, slice_: Slice) -> list[ledger.Entry]:
    """One hold for each account that loses something."""
    return [
        ledger.Entry(
            account_id=account,
            purse=0,
            id=slice_.new_id(),
            kind="hold",
            posted=0,
            held=amount,
            messages=count,
            ref="",
            note="",
            at=slice_.sheet.now,
        )
        for account, (amount, count) in sorted(rows.holds.items())
    ]
