"""Submits on their way: taken in, committed, answered (smpp.md, "SUBMIT_SM").

A submit that is a whole message is composed at once and then waits a single time, for its commit;
a task for each would cost a fifth of the door's time.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from vestnik.domain.client import Client
from vestnik.domain.message import Flag
from vestnik.domain.refusals import Refusal, StoreUnavailable
from vestnik.doors.smpp import codes, submits
from vestnik.doors.smpp.accounts import Bind
from vestnik.doors.smpp.codes import Wrong
from vestnik.doors.smpp.services import Services
from vestnik.services.messages.draft import Accepted, Order
from vestnik.services.sending.parts import Part
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.command_status import ESME_RSYSERR

log = structlog.get_logger(__name__)

SUBMIT = "smpp submit"
_MASS, _RECEIPT_WANTED = int(Flag.MASS), int(Flag.RECEIPT_WANTED)


class Asked:
    """A submit that waits for its answer: on which bind, since when by the clock of the loop, and
    what its answer may depend on."""

    __slots__ = ("at", "bind", "flags", "frame", "sender")

    def __init__(self, bind: Bind, frame: p.Frame, at: float) -> None:
        self.bind, self.frame, self.at = bind, frame, at
        self.sender, self.flags = "", 0


class Taking:
    """The submits of one door; `clock` and `observe` are the door's."""

    def __init__(
        self,
        services: Services,
        clock: Callable[[], int],
        observe: Callable[[str, int, float], None],
    ) -> None:
        self._services, self._clock, self._observe = services, clock, observe
        self._loop = asyncio.get_running_loop()
        self._underway: set[asyncio.Future[Any]] = set()
        self._closing = False

    def __len__(self) -> int:
        """How many wait for their commit."""
        return len(self._underway)

    async def finish(self, grace_s: float) -> None:
        """Take nothing more; wait for what is under way, no longer than that, then let it go."""
        self._closing = True
        if self._underway:
            _, late = await asyncio.wait(self._underway, timeout=grace_s)
            for taken in late:
                taken.cancel()

    def take(self, bind: Bind, frame: p.Frame) -> None:
        """Take a submit; it is answered after its commit, or at once where it is refused."""
        account = bind.account
        client = self._services.client(account.client_id)
        asked = Asked(bind, frame, self._loop.time())
        now_ms = self._clock()
        taken: asyncio.Future[Any]
        try:
            if client is None or self._closing:
                raise Wrong(ESME_RSYSERR)
            account.admit(client.limits, asked.at)
            assert isinstance(frame.pdu, p.SubmitSm | p.DataSm)
            submit = submits.read(frame.pdu, iso=bind.iso, address=bind.address, now_ms=now_ms)
            if not bind.is_single(asked.at) and not submits.urgent(frame.pdu):
                submit.flags |= _MASS
            asked.sender, asked.flags = submit.sender, submit.flags
            if submit.place.total > 1:
                taken = self._loop.create_task(self._take_part(client, submit))
            else:
                taken = self._services.sending.begin(submit.order(client, now_ms))
        except Exception as failure:  # noqa: BLE001 - it is told below
            self._tell(asked, "", failure)
            return
        account.owed += 1
        self._underway.add(taken)
        taken.add_done_callback(partial(self._taken, asked))

    async def _take_part(self, client: Client, submit: submits.Submit) -> str:
        part = submit.part(client)
        return await self._services.parts.take(part, client.limits.identical_s, self.compose)

    def _taken(self, asked: Asked, taken: "asyncio.Future[Accepted | str]") -> None:
        """A submit is on record, or is not."""
        self._underway.discard(taken)
        asked.bind.account.owed -= 1
        if taken.cancelled():  # the door has closed before
            return
        failure = taken.exception()
        if failure is not None:
            self._tell(asked, "", failure)
            return
        done = taken.result()
        self._tell(asked, done if isinstance(done, str) else done.wire_id, None)

    def _tell(self, asked: Asked, wire_id: str, failure: BaseException | None) -> None:
        """Answer a submit."""
        bind, frame, response = asked.bind, asked.frame, None
        status = 0 if failure is None else _status_of(asked, failure)
        if not status:
            if asked.flags & _RECEIPT_WANTED:
                bind.account.submitted(wire_id, bind)
            answer = p.SubmitSmResp if type(frame.pdu) is p.SubmitSm else p.DataSmResp
            response = answer(wire_id)
        bind.link.answer(frame, response, status)
        self._observe(SUBMIT, status, self._loop.time() - asked.at)

    def compose(self, whole: Part) -> Order | None:
        """The order of a message whose parts are together; None when its client is no more."""
        client = self._services.client(whole.client_id)
        if client is None:
            return None
        manner = submits.manner_of(whole)
        return submits.order_of(
            client, whole.sender, whole.phone, whole.octets, whole.flags, manner, self._clock()
        )


def _status_of(asked: Asked, failure: BaseException) -> int:
    match failure:
        case Wrong():
            return failure.status
        case StoreUnavailable():
            log.warning("a submit is not taken: the store is away", reason=str(failure))
        case Refusal():
            return codes.submit_status(failure, asked.sender)
        case _:
            client = asked.bind.account.client_id
            log.error("a submit failed", client=client, exc_info=failure)
    return ESME_RSYSERR
