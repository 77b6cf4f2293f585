"""Orders to one recipient → drafts: composed together, step by step.

What is asked in one turn of the loop gathers, and each step is done for all of it before the next
begins.  A processor that does the same thing many times over finds its code and tables at hand:
that takes half the time of doing everything for one order, then everything for the next.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Protocol

from vestnik.domain.message import Status
from vestnik.services.centre.directory import Directory
from vestnik.services.messages.draft import Accepted, Draft, Order, Recipient
from vestnik.services.sending.composing import Composer
from vestnik.services.sending.drafting import drafted, hold
from vestnik.services.sending.flood import Floods
from vestnik.services.sending.texts import Text

_WAITING = int(Status.WAITING)

_several = re.compile(r"[,;\s]|[Gg]\d+\Z").search  # a list of phones, or a group


def is_single(order: Order) -> bool:
    """The order names one recipient, and nothing of it depends on how many there are."""
    lines = order.lines
    if not isinstance(lines, (list, tuple)) or len(lines) != 1 or order.period:
        return False
    phones = lines[0].phones
    return bool(phones) and not order.client.limits.unique_ids and not _several(phones)


class Intake(Protocol):
    """Who takes drafts: see sending/intake.py."""

    def put(self, draft: Draft) -> object: ...


class _Single:
    """An order on its way, and who waits for it; what a step makes is there for the next."""

    __slots__ = ("answered", "draft", "line", "maker", "order", "recipient", "text")

    maker: Composer
    text: Text
    recipient: Recipient
    draft: Draft

    def __init__(self, order: Order, answered: "asyncio.Future[Accepted]") -> None:
        self.order, self.answered = order, answered
        [self.line] = order.lines


class Singles:
    """The orders of one process; `intake` takes their drafts."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        floods: Floods,
        zone: tzinfo,
        intake: Intake,
    ) -> None:
        self._directory, self._floods = directory, floods
        self._zone, self._intake = zone, intake
        self._asked: list[_Single] = []
        self._steps = (self._begin, self._say, self._address, self._draft, self._hand_on)

    def add(self, order: Order) -> "asyncio.Future[Accepted]":
        """Compose an order with the others of this turn of the loop.

        The future is done once the order is durable, and fails with what is wrong with it.
        """
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Accepted] = loop.create_future()
        if not self._asked:
            loop.call_soon(self._compose)
        self._asked.append(_Single(order, answered))
        return answered

    def _compose(self) -> None:
        going, self._asked = self._asked, []
        for step in self._steps:
            failed = False
            for single in going:
                try:
                    step(single)
                except Exception as failure:  # noqa: BLE001 - it is raised where it is waited for
                    failed = True
                    if not single.answered.done():
                        single.answered.set_exception(failure)
            if failed:
                going = [single for single in going if not single.answered.done()]

    def _begin(self, single: _Single) -> None:
        single.maker = Composer(single.order, self._directory(), self._floods)

    def _say(self, single: _Single) -> None:
        single.text = single.maker.texts.read(single.line.text)

    def _address(self, single: _Single) -> None:
        single.recipient = single.maker.single(single.line, single.text)

    def _draft(self, single: _Single) -> None:
        maker, recipient = single.maker, single.recipient
        accounts = maker.terms.accounts
        holds = {accounts[0]: 0}
        if recipient.status == _WAITING:
            hold(holds, accounts, recipient)
        single.draft = drafted(maker, [recipient], holds, single.answered, self._zone)

    def _hand_on(self, single: _Single) -> None:
        self._intake.put(single.draft)
