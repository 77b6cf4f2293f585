"""Proves the invariants of the store, in one read transaction (data model, section 11).

Every violation is a sentence.  A sound centre has none, at any moment, serving or not.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vestnik.domain.money import money
from vestnik.domain.refusals import NotPossible
from vestnik.services.history.task_files import Files
from vestnik.store import checks, clients
from vestnik.store.engine import Store, Transaction
from vestnik.store.statement import Statement
from vestnik.store.tasks import Task

DAY_MS = 86_400_000
LATE_MS = 60_000  # how long a lease may have run out before somebody should have seen it

# Rules that one statement finds broken: the sentence names the columns it selects.
BROKEN: tuple[tuple[Statement, str], ...] = (
    (
        checks.ENTRIES_DIFFER,
        "account {0}, purse {1}: {2:m} and held {4:m} stand on it, entries make {3:m} and {5:m}",
    ),
    (checks.ENTRIES_OF_NOBODY, "account {0}, purse {1}: it has entries and does not exist"),
    (
        checks.HOLDS_DIFFER,
        "account {0}, purse {1}: held {2:m} stands on it, messages and mailings hold {3:m}",
    ),
    (
        checks.HELD_WITHOUT_QUEUE,
        "message {1} of client {0}: {2:m} is held for it and it is not in the queue",
    ),
    (
        checks.MONEY_WRONG,
        "message {1} of client {0}: money {2} does not go with held {3:m} and cost {4:m}",
    ),
    (
        checks.PURSE_WRONG,
        "message {1} of client {0}: purse {2} does not go with its flags {3} or its money",
    ),
    (checks.QUEUE_WITHOUT_MESSAGE, "message {1} of client {0}: it is in the queue only"),
    (
        checks.LOST,
        "message {1} of client {0}: its status {2} is not final and it is not in the queue",
    ),
    (
        checks.ENDED_IN_QUEUE,
        "message {1} of client {0}: it has ended with status {2} and is in the queue, stage {3}",
    ),
    (
        checks.PARTS_MISSING,
        "message {1} of client {0}: it was sent in {2} parts and {3} are on record",
    ),
    (
        checks.MAILINGS_WRONG,
        "mailing {1} of client {0}: {2} of {3} messages are made and its lists do not agree",
    ),
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the store does not know.

    `today` is the day number in the centre's zone, `windows` each carrier's window, `serving`
    whether somebody looks after leases now.
    """

    now_ms: int
    today: int
    windows: Mapping[int, int]
    serving: bool


class _Amount(int):
    """A number that `{:m}` writes as money; PostgreSQL sums whole numbers to decimals."""

    def __format__(self, form: str) -> str:
        return money(self) if form == "m" else format(int(self), form)


async def violations(tx: Transaction, known: Circumstances) -> list[str]:
    """What is wrong with the store, in plain words; at most some twenty cases of each rule."""
    wrong: list[str] = []
    for statement, sentence in BROKEN:
        for row in await checks.found(tx, statement):
            wrong.append(sentence.format(*(_shown(value) for value in row)))
    wrong += await _negative(tx)
    wrong += await _in_flight(tx, known)
    differences, trimmed = await _sums(tx, known)
    wrong += differences
    wrong += await _runs(tx, known)
    if not trimmed:  # else what old messages cost is no more on record
        wrong += await _currencies(tx)
    return wrong


async def files(store: Store, kept: Files) -> list[str]:
    """Finished tasks whose files are not what was written down of them."""
    wrong = []
    for row in await store.read(checks.found, checks.FILES):
        task = Task(*row)
        name = f"task {task.id} of client {task.client_id}"
        try:
            octets, sha256 = await _measured(await kept.read(task))
        except NotPossible as missing:
            wrong.append(f"{name} is done: {missing}")
            continue
        if octets != task.octets_utf8 or sha256 != task.sha256:
            wrong.append(
                f"{name}: its file of {octets} octets is not the one of {task.octets_utf8} octets"
                " that was written"
            )
    return wrong


async def _measured(pieces: AsyncIterator[bytes]) -> tuple[int, str]:
    octets, digest = 0, hashlib.sha256()
    async for piece in pieces:
        octets += len(piece)
        digest.update(piece)
    return octets, digest.hexdigest()


def _shown(value: Any) -> Any:
    return _Amount(value) if isinstance(value, int | Decimal) else value


async def _negative(tx: Transaction) -> list[str]:
    """Nobody spends what he does not have, unless his credit was changed since."""
    changed = {tuple(row) for row in await checks.found(tx, checks.CREDIT_CHANGES)}
    wrong = []
    for account, purse, posted, held, credit in await checks.found(tx, checks.NEGATIVE):
        name = f"account {account}, purse {purse}"
        if held < 0:
            wrong.append(f"{name}: {money(held)} is held, which is less than nothing")
        elif (account, purse) not in changed:
            wrong.append(
                f"{name}: {money(posted)} less {money(held)} held is more than its credit of"
                f" {money(credit)} below zero"
            )
    return wrong


async def _in_flight(tx: Transaction, known: Circumstances) -> list[str]:
    """No more is on its way to a carrier than its window takes, and nothing is forgotten there."""
    wrong = []
    for carrier, owner, sending, oldest in await checks.found(tx, checks.IN_FLIGHT):
        window = known.windows.get(carrier)
        if window is not None and sending > window:
            wrong.append(
                f"carrier {carrier}: run {owner} is sending {sending} messages and the window is"
                f" {window}"
            )
        if known.serving and oldest + LATE_MS < known.now_ms:
            late_s = (known.now_ms - oldest) // 1000
            wrong.append(
                f"carrier {carrier}: run {owner} has messages whose lease ended {late_s} s ago"
            )
    return wrong


Key = tuple[Any, ...]


async def _sums(tx: Transaction, known: Circumstances) -> tuple[list[str], bool]:
    """The daily sums against a recount, and whether old messages have been removed already."""
    recounted = await _by_key(tx, checks.RECOUNTED)
    summed = await _by_key(tx, checks.SUMMED)
    keep_days = {c.id: c.limits.keep_days for c in await clients.everybody(tx)}
    wrong: list[str] = []
    trimmed = False
    for key in sorted(recounted.keys() | summed.keys()):
        nothing = (0,) * len(checks.COUNTED)
        counted, written = recounted.get(key, nothing), summed.get(key, nothing)
        if counted == written:
            continue
        client, day, kind, network, sender, purse = key
        keep = keep_days.get(client, 0)
        if keep and day <= known.today - keep:
            trimmed = True
        elif len(wrong) < checks.FOUND_MAX:
            pairs = zip(checks.COUNTED, written, counted, strict=True)
            named = ", ".join(f"{name} {w} for {c}" for name, w, c in pairs if w != c)
            wrong.append(
                f"sums of client {client}, day {day}, type {kind}, network '{network}', sender"
                f" '{sender}', purse {purse}: {named} counted"
            )
    return wrong, trimmed


async def _runs(tx: Transaction, known: Circumstances) -> list[str]:
    """The counters of mailings' runs against a recount; old messages may have been removed."""
    recounted = {tuple(r[:3]): tuple(r[3:]) for r in await checks.found(tx, checks.RUNS_RECOUNTED)}
    keep_days = {c.id: c.limits.keep_days for c in await clients.everybody(tx)}
    nothing = (0,) * len(checks.RUN_COUNTED)
    wrong: list[str] = []
    for row in await checks.found(tx, checks.RUNS):
        client, mailing, wire_id, *written, started_at = row
        counted = recounted.get((client, mailing, wire_id), nothing)
        keep = keep_days.get(client, 0)
        kept = not keep or started_at > known.now_ms - (keep - 1) * DAY_MS
        if tuple(written) != counted and kept and len(wrong) < checks.FOUND_MAX:
            pairs = zip(checks.RUN_COUNTED, written, counted, strict=True)
            named = ", ".join(f"{name} {w} for {c}" for name, w, c in pairs if w != c)
            wrong.append(f"run {wire_id} of mailing {mailing} of client {client}: {named} counted")
    return wrong


async def _by_key(tx: Transaction, statement: Statement) -> dict[Key, tuple[int, ...]]:
    width = 6  # client, day, type, network, sender, purse
    found = await checks.found(tx, statement)
    return {tuple(row[:width]): tuple(int(n) for n in row[width:]) for row in found}


async def _currencies(tx: Transaction) -> list[str]:
    """All money of a currency is what came from outside less what messages cost at the top."""
    posted = {row[0]: int(row[1]) for row in await checks.found(tx, checks.POSTED)}
    expected = dict.fromkeys(posted, 0)
    for row in await checks.found(tx, checks.FROM_OUTSIDE):
        expected[row[0]] += int(row[1])
    for statement in (checks.PAID, checks.PAID_ABOVE):
        for row in await checks.found(tx, statement):
            expected[row[0]] -= int(row[1])
    for currency, amount, cost, price in await checks.found(tx, checks.PAID_ABOVE_IN_PART):
        expected[currency] -= amount * cost // price
    return [
        f"all accounts in {currency}: {money(posted[currency])} stands on them and top-ups less"
        f" payments make {money(expected[currency])}"
        for currency in sorted(posted)
        if posted[currency] != expected[currency]
    ]
