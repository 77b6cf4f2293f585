"""A request too big for one commit becomes messages, a chunk a commit.

The cursor moves in the same commit as the messages, so a crash neither loses nor doubles anybody.
Prices and routes are those of the moment of acceptance; black lists and daily limits act now, and
what was held for those whom they stop goes back.
"""

from collections.abc import Iterator, Sequence

import msgspec

from vestnik.domain.client import Client
from vestnik.domain.message import Status
from vestnik.services.messages import bulk, purses
from vestnik.services.messages.draft import Recipient
from vestnik.services.messages.purses import Key
from vestnik.services.messages.rows import MessageRows
from vestnik.services.messages.settlement import Setting
from vestnik.services.sending import daily
from vestnik.store import ledger, mailing_runs, mailings
from vestnik.store.engine import Transaction
from vestnik.store.mailings import Oversized

_WAITING = int(Status.WAITING)


class Chunk(msgspec.Struct):
    """A chunk of a stored request, as black lists and daily limits see it.

    `holds` is what they give back, as less than nothing.
    """

    client: Client
    recipients: list[Recipient]
    accounts: tuple[int, ...]
    holds: dict[int, int]
    day: int
    address: str
    flags: int
    blocks: bool


async def expand(tx: Transaction, ids: list[int], setting: Setting) -> set[int] | None:
    """Turn one chunk of the oldest request into messages; `ids` are CHUNK_ROWS new message ids.

    Returns the carriers that have something to do now; None when no request waits.
    """
    mailing = await mailings.oldest(tx)
    if mailing is None:
        return None
    octets = await mailings.chunk(tx, mailing.id, mailing.cursor)
    assert octets is not None, f"mailing {mailing.id} lacks its chunk {mailing.cursor}"
    recipients = bulk.unpack(octets)
    for recipient, message_id in zip(recipients, ids, strict=False):
        recipient.id = message_id
    sheet = msgspec.json.decode(mailing.common, type=bulk.Common)
    released = await _judge(tx, mailing, sheet, recipients, setting)
    rows = MessageRows()
    rows.add(sheet, recipients)
    await rows.write(tx, setting.node)
    progress = bulk.progress_of(mailing.client_id, mailing.id, mailing.wire_id, recipients)
    await mailing_runs.count(tx, progress)
    await _lower_holds(tx, mailing, rows, released)
    done = mailing.made + len(recipients) >= mailing.total
    await mailings.advance(tx, mailing, len(recipients), done=done)
    if done:
        await mailings.drop_holds(tx, mailing.id)
    return {r.carrier_id for r in recipients if r.status == _WAITING}


async def _judge(
    tx: Transaction,
    mailing: Oversized,
    sheet: bulk.Common,
    recipients: list[Recipient],
    setting: Setting,
) -> dict[Key, list[int]]:
    """Forbid those that a black list or a daily limit stops, by the rules of this moment.

    Returns what is given back, booked already: an amount for so many messages.
    """
    client = setting.directory.clients.get(mailing.client_id)
    blocks = mailing.client_id in setting.directory.blacklisted
    if client is None or not (blocks or client.limits.daily):
        return {}
    payer, *_ = sheet.accounts
    keys = [(a, sheet.purse if a == payer else purses.FIRST) for a in sheet.accounts]
    # Before anything is counted: of two commits of an account one waits here for the other.
    await ledger.lock(tx, list({(payer, purses.FIRST), *keys}))
    fine = [r for r in recipients if r.status == _WAITING]
    losses = [list(_losses(keys, recipient)) for recipient in fine]
    nothing = dict.fromkeys(sheet.accounts, 0)
    chunk = Chunk(
        client, recipients, sheet.accounts, nothing, sheet.day, sheet.address, sheet.flags, blocks
    )
    await daily.block(tx, [chunk])
    if client.limits.daily:
        today = daily.Today(tx)
        await today.limit(chunk)
        await today.keep(setting.now)
    released: dict[Key, list[int]] = {}
    for recipient, lost in zip(fine, losses, strict=True):
        if recipient.status != _WAITING:
            for key, amount in lost:
                given = released.setdefault(key, [0, 0])
                given[0] += amount
                given[1] += 1
    await ledger.book(tx, _releases(released, setting))
    return released


def _losses(keys: Sequence[Key], recipient: Recipient) -> Iterator[tuple[Key, int]]:
    """What is held for a message, by account and purse."""
    amounts = (recipient.price, *recipient.shares)
    return ((key, lost) for key, lost in zip(keys, amounts, strict=False) if lost > 0)


def _releases(released: dict[Key, list[int]], setting: Setting) -> list[ledger.Entry]:
    return [
        ledger.Entry(
            account_id=account,
            purse=purse,
            id=setting.new_id(),
            kind="release",
            posted=0,
            held=-amount,
            messages=count,
            ref="",
            note="",
            at=setting.now,
        )
        for (account, purse), (amount, count) in sorted(released.items())
    ]


async def _lower_holds(
    tx: Transaction, mailing: Oversized, rows: MessageRows, released: dict[Key, list[int]]
) -> None:
    """What was held for the chunk stands on its messages now, or was given back."""
    less: dict[Key, int] = {}
    for held in (rows.holds, released):
        for key, (amount, _) in held.items():
            less[key] = less.get(key, 0) + amount
    await mailings.lower_holds(tx, mailing.id, [(*key, amount) for key, amount in less.items()])
