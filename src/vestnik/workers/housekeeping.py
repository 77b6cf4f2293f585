"""What time does, slice by slice: leases, validity, reports that never came, old rows."""

from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from vestnik.services.messages import reports, upkeep
from vestnik.services.messages.settlement import Setting
from vestnik.store import dedup, messages, overdue, partitions, segments
from vestnik.store.engine import Store, Transaction

log = structlog.get_logger(__name__)

SLICE = 500
KEPT_MS = 3 * 86_400_000  # reports that matched nothing
SEGMENTS_MS = 86_400_000
EXPIRY_MS = 10_000
LOOKED_AT = 5_000  # rows in one run: however many wait, a run costs the same
SWEEP_MS = 30_000

Move = Callable[[Transaction, Setting], Awaitable[int]]


class Housekeeping:
    """One run a second, each part as often as it needs."""

    def __init__(self, store: Store, setting: Callable[[], Setting]) -> None:
        self._store = store
        self._setting = setting
        self._next_expiry = 0
        self._looked_at = overdue.START
        self._next_sweep = 0

    async def run_once(self) -> bool:
        """Take a slice of everything that is due; returns whether more is left."""
        now = self._store.now()
        moved = await self._move(upkeep.lapse, "leases lapsed: the fate of messages is unknown")
        moved += await self._move(
            reports.apply_late, "reports came while their parts were recorded"
        )
        moved += await self._move(upkeep.give_up, "no report came within a day of validity")
        if now >= self._next_expiry:
            moved += await self._expire(now)
        if now >= self._next_sweep:
            swept = await self._store.write(_sweep, now)
            moved += swept
            if swept < SLICE:
                self._next_sweep = now + SWEEP_MS
        return moved >= SLICE

    async def _expire(self, now: int) -> int:
        """Look through the next rows that are due; at the end rest for a while, and begin anew.

        A reader looks; the writer is asked only where something has expired.
        """
        found, end = await self._store.read(overdue.look, now, self._looked_at, LOOKED_AT)
        expired = 0
        if found:
            words = "messages expired while they waited"
            expired = await self._move(partial(upkeep.expire, within=found), words)
        if expired == upkeep.SLICE:  # perhaps there are more in these stretches
            return expired
        self._looked_at = end
        if end == overdue.END:
            self._looked_at, self._next_expiry = overdue.START, now + EXPIRY_MS
        return expired

    async def _move(self, move: Move, words: str) -> int:
        moved = await self._store.write(move, self._setting())
        if moved:
            log.info(words, messages=moved)
        return moved


async def _sweep(tx: Transaction, now: int) -> int:
    """Drop what is of no more use; months ahead get their partitions."""
    await partitions.ensure_months(tx, now)
    forgotten = await dedup.forget(tx, now, SLICE)
    lost = await messages.drop_old_receipts(tx, now - KEPT_MS)
    if lost:
        log.warning("reports matched no message and are dropped", reports=lost)
    await segments.drop_old(tx, now - SEGMENTS_MS)
    return forgotten
