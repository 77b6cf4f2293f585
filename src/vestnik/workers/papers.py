"""What the first of the month brings: acts of the month before, and fees of sender names."""

from collections.abc import Callable

import structlog

from vestnik.services.centre.directory import Directory
from vestnik.services.money import documents
from vestnik.services.money.documents import Habits
from vestnik.services.senders import codes
from vestnik.services.senders import fees as sender_fees
from vestnik.services.senders.fees import Fees
from vestnik.store.engine import DataRefused, Store

# What a node whose clock is slow still writes into the old month must stand in its act.
ACTS_AFTER_MS = 600_000

log = structlog.get_logger(__name__)


class Papers:
    """Looks once in a while whether a month has ended; one act, or fee, is one commit.

    `fee` is that of a paid name, in micro-units; `new_id` makes the ids of entries.
    """

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        habits: Habits,
        fee: int,
        new_id: Callable[[], int],
    ) -> None:
        self._store = store
        self._directory = directory
        self._habits = habits
        self._fee = fee
        self._new_id = new_id
        self._made_until = 0  # a month: this process need not look again before the next

    async def run_once(self) -> bool:
        """Do what is due; other commits find room in between."""
        now = self._store.now()
        zone = self._habits.zone
        await self._make_acts(documents.month_of(now - ACTS_AFTER_MS, zone), now)
        await self._charge(documents.month_of(now, zone), now)
        await self._store.write(codes.forget_old, now)
        return False

    async def _make_acts(self, month: int, now: int) -> None:
        if self._made_until >= month:
            return
        for due in await self._store.read(documents.months_due, month):
            made = 0
            for main_id, client_id in await self._store.read(documents.pairs):
                made += await self._act(main_id, client_id, due, now)
            await self._store.write(documents.month_done, due)
            if made:
                log.info("acts are made", month=f"{due // 12}-{due % 12 + 1:02}", acts=made)
        self._made_until = month

    async def _act(self, main_id: int, client_id: int, month: int, now: int) -> bool:
        try:
            made = await self._store.write(
                documents.make_act, main_id, client_id, month, self._habits, now
            )
        except DataRefused:
            # Another node made it in this very moment: the number it drew is the only one.
            log.info("the act is made already", client=client_id)
            return False
        return made is not None

    async def _charge(self, month: int, now: int) -> None:
        fees = Fees(self._fee, month, self._directory().payers, self._new_id, now)
        charged = 0
        while await self._store.write(sender_fees.charge_next, fees):
            charged += 1
        if charged:
            log.info("fees of sender names are charged", fees=charged)
