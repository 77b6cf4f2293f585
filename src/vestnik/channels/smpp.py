"""SMS to a carrier by SMPP: binds, one window over all of them, refusals, receipts, incoming."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from vestnik.channels.base import Hears, SendFailed, Taken
from vestnik.channels.smpp_binds import Bind
from vestnik.channels.smpp_heard import Ears
from vestnik.channels.smpp_refusals import PAUSES, refusals, verdict_on
from vestnik.channels.smpp_settings import SmppSettings
from vestnik.channels.smpp_submits import Submit, compose
from vestnik.domain.message import Err, Incoming, Outgoing, Refs, Report, Status
from vestnik.net.smpp import Link, LinkLost, NoAnswer
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.command_status import ESME_ROK, ESME_RX_T_APPN, described
from vestnik.wire.smpp.receipt import normal_id
from vestnik.wire.smpp.session import NotAllowed

UNBIND_S_MAX = 5.0
DOWN_PAUSE_S = 1.0
# How long a message may wait here for its turn when there is a rate: its lease runs meanwhile, and
# each of its parts takes a turn.
PACED_S_MAX = 5


@dataclass(frozen=True, slots=True)
class _Failure:
    """What became of a PDU that was not taken."""

    reason: str
    retry: bool
    sure: bool = True
    status: int = Status.UNDELIVERABLE
    err: int = Err.REJECTED
    pause_s: float = 0.0


class _Pace:
    """Spreads submits evenly over each second."""

    def __init__(self, rate: float) -> None:
        self._interval_s = 1 / rate if rate else 0.0
        self._next_at = 0.0

    async def turn(self) -> None:
        if not self._interval_s:
            return
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + self._interval_s
        if at > now:
            await asyncio.sleep(at - now)


class SmppChannel:
    """One SMPP carrier; the contract is channels/base.py's."""

    def __init__(
        self,
        settings: SmppSettings,
        name: str = "smpp",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._log = structlog.get_logger(__name__).bind(carrier=name)
        self._ears = Ears(settings)
        self._refusals = refusals(settings)
        self._window = asyncio.Semaphore(settings.window)
        self._pace = _Pace(settings.rate)
        self._busy = 0  # PDUs that were handed over and have no outcome yet
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self._binds: list[Bind] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._hearing: set[asyncio.Task[None]] = set()
        self._hears: Hears | None = None

    async def start(self, hears: Hears) -> None:
        """Begin to keep the binds up; see channels/base.py."""
        self._hears = hears
        kinds: tuple[type[p.BindRequest], ...] = (p.BindTransceiver,)
        if self._settings.bind == "transmitter_receiver":
            kinds = (p.BindTransmitter, p.BindReceiver)
        self._binds = [
            Bind(self._settings, kind, self._heard, self._log)
            for _ in range(self._settings.binds)
            for kind in kinds
        ]
        self._keepers = [asyncio.create_task(bind.keep()) for bind in self._binds]

    async def stop(self, grace_s: float) -> None:
        """Send nothing more, finish what was handed over, unbind."""
        self._stopping = True
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
                while self._hearing:
                    await asyncio.wait(self._hearing)
        except TimeoutError:
            self._log.warning("stopped with submits unanswered", submits=self._busy)
        await _cancel(self._keepers)
        await asyncio.gather(*(bind.leave(UNBIND_S_MAX) for bind in self._binds))
        await _cancel(self._hearing)

    @property
    def ready(self) -> bool:
        return not self._stopping and self._pick() is not None

    @property
    def window(self) -> int:
        window, rate = self._settings.window, self._settings.rate
        return max(1, min(window, int(rate * PACED_S_MAX))) if rate else window

    @property
    def state(self) -> str:
        up = sum(bind.link is not None for bind in self._binds)
        if self._stopping or not self._binds:
            return "stopped"
        if up:
            return f"bound {up} of {len(self._binds)}"
        return f"connecting: {self._binds[0].problem}"

    def resume(self, message: Outgoing, ref: str, sent_at: int) -> None:
        """The carrier does not live in this process: its receipts come by themselves."""

    async def send(self, message: Outgoing) -> Taken:
        """Submit the parts that the carrier does not have yet; see channels/base.py."""
        if not self.ready:
            raise SendFailed("not bound", retry=True, pause_s=DOWN_PAUSE_S)
        composed = compose(message, self._settings, int(self._clock() * 1000))
        submits = [submit for submit in composed if not message.taken.issuperset(submit.parts)]
        if len(submits) == 1:
            outcomes = [await self._submit(submits[0])]
        else:
            outcomes = await asyncio.gather(*map(self._submit, submits))
        refs: Refs = tuple(
            (part, outcome)
            for submit, outcome in zip(submits, outcomes, strict=True)
            if isinstance(outcome, str)
            for part in submit.parts
        )
        failures = [outcome for outcome in outcomes if isinstance(outcome, _Failure)]
        if failures:
            raise _send_failed(failures, refs, some_taken=bool(refs or message.taken))
        return Taken(refs, Status.DELIVERED if self._settings.receipts == "none" else None)

    async def _submit(self, submit: Submit) -> str | _Failure:
        """The carrier's id of the part, or why there is none."""
        self._busy += 1
        self._idle.clear()
        try:
            async with self._window:
                await self._pace.turn()
                return await self._ask(submit.pdu)
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    async def _ask(self, pdu: p.SubmitSm) -> str | _Failure:
        link = self._pick()
        if link is None:
            return _Failure("not bound", retry=True, pause_s=DOWN_PAUSE_S)
        try:
            answer = await link.ask(pdu)
        except LinkLost as reason:
            if not reason.written:
                return _Failure(str(reason), retry=True, pause_s=DOWN_PAUSE_S)
            return _Failure(str(reason), retry=True, sure=False, err=Err.NO_STATUS)
        except NoAnswer as reason:
            return _Failure(str(reason), retry=True, sure=False, err=Err.NO_STATUS)
        except NotAllowed as reason:
            return _Failure(str(reason), retry=True, pause_s=DOWN_PAUSE_S)
        except ValueError as reason:
            return _Failure(f"cannot be written: {reason}", retry=False)
        if answer.status or not isinstance(answer.pdu, p.SubmitSmResp):
            return self._refusal(answer.status)
        return normal_id(answer.pdu.message_id, self._settings.response_ids)

    def _refusal(self, status: int) -> _Failure:
        verdict = verdict_on(status, self._refusals)
        return _Failure(
            f"refused: {described(status)}",
            retry=verdict.retry,
            status=verdict.status,
            err=verdict.err,
            pause_s=self._settings.throttle_pause_s if status in PAUSES else 0.0,
        )

    def _pick(self) -> Link | None:
        """The link with the fewest unanswered submits."""
        best = None
        for bind in self._binds:
            link = bind.link if bind.sends else None
            if link is not None and (
                best is None or link.session.outstanding < best.session.outstanding
            ):
                best = link
        return best

    def _heard(self, link: Link, frame: p.Frame) -> None:
        if isinstance(frame.pdu, p.UNANSWERED):
            self._log.info("ignored", pdu=type(frame.pdu).__name__)
            return
        task = asyncio.create_task(self._take_in(link, frame))
        self._hearing.add(task)
        task.add_done_callback(self._hearing.discard)

    async def _take_in(self, link: Link, frame: p.Frame) -> None:
        """Tell what was heard; answer once it is durable, or so that the carrier repeats it."""
        assert self._hears is not None
        assert isinstance(frame.pdu, (p.DeliverSm, p.DataSm))
        status = ESME_ROK
        try:
            match self._ears.hear(frame.pdu):
                case Report() as report:
                    await self._hears.report(report)
                case Incoming() as incoming:
                    await self._hears.incoming(incoming)
                case None:
                    self._log.warning("receipt without id or state", sequence=frame.sequence)
        except Exception:  # noqa: BLE001  the store's trouble or our bug: the carrier repeats it
            self._log.exception("cannot take in", sequence=frame.sequence)
            status = ESME_RX_T_APPN
        link.answer(frame, status=status)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _send_failed(failures: list[_Failure], refs: Refs, *, some_taken: bool) -> SendFailed:
    """One failure for a message of several parts: the worst of theirs."""
    final = [failure for failure in failures if not failure.retry]
    unsure = [failure for failure in failures if not failure.sure]
    worst = (final or unsure or failures)[0]
    incomplete = bool(final) and some_taken
    return SendFailed(
        worst.reason,
        retry=not final,
        sure=not unsure,
        status=Status.UNDELIVERABLE if incomplete else Status(worst.status),
        err=Err.INCOMPLETE if incomplete else worst.err,
        refs=refs,
        pause_s=max(failure.pause_s for failure in failures),
    )
