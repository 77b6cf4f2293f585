"""Virtual: takes every kind of message and reaches nobody.

A developer's safe place.  Everything is delivered within a second, but for numbers whose endings
choose another fate (architecture: "A fresh centre").
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from vestnik.channels.base import Hears, SendFailed, Taken
from vestnik.domain import look_up
from vestnik.domain.message import Err, Kind, Outgoing, Report, Status
from vestnik.domain.numbering import builtin

log = structlog.get_logger(__name__)

WINDOW = 1_000
DELAY_S = 0.3
AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Ending:
    """The fate that a number's last four digits choose; `status` None: never reported."""

    status: Status | None
    err: int = 0
    delay_s: float = DELAY_S


ENDINGS: dict[str, Ending] = {
    "9901": Ending(Status.UNDELIVERABLE, Err.UNKNOWN_SUBSCRIBER),
    "9902": Ending(Status.EXPIRED, Err.OFFLINE),
    "9903": Ending(Status.DELIVERED, delay_s=60.0),
    "9905": Ending(None),
    "9906": Ending(Status.DELIVERED),
}
ROAMS, ROAMS_AT = "9906", "77010000099"  # a look-up finds it abroad, at that service centre
TEST_NETWORK = "001", "01"  # what the numbering plan of mobile networks keeps for tests
REFUSED = "9904"
DELIVERED = Ending(Status.DELIVERED)


@dataclass(frozen=True, slots=True)
class VirtualSettings:
    """`window`: how many messages may be on their way at one time."""

    window: int = WINDOW


def settings_from(mapping: dict[str, Any]) -> VirtualSettings:
    """Raises ValueError for a setting that does not exist or a value it cannot have."""
    unknown = set(mapping) - {"window"}
    if unknown:
        raise ValueError(f"virtual has no setting '{min(unknown)}'; it has: window")
    window = int(mapping.get("window", WINDOW))
    if window < 1:
        raise ValueError("window must be at least 1")
    return VirtualSettings(window)


def answer_of(phone: str, ending: Ending) -> dict[str, str] | None:
    """What a look-up finds out about a number, by the names of `look_up.NAMES`.

    Of a subscriber who is away only the IMSI is known; None: it does not exist.
    """
    if ending.status is Status.UNDELIVERABLE:
        return None
    home = builtin().find(phone)
    mcc, mnc = (home.mcc, home.mnc) if home.mcc else TEST_NETWORK
    answer = dict.fromkeys(look_up.NAMES, "")
    answer["imsi"] = f"{mcc}{mnc}{phone[-10:]:0>10}"
    if ending.status is not Status.DELIVERED:
        return answer
    answer |= {"mcc": mcc, "mnc": mnc, "cn": home.country, "net": home.operator}
    answer["msc"] = f"{phone[:-7]}0000099"
    if phone.endswith(ROAMS):
        abroad = builtin().find(ROAMS_AT)
        answer |= {"msc": ROAMS_AT, "rcn": abroad.country, "rnet": abroad.operator}
    return answer


class VirtualChannel:
    """One virtual carrier.  Its "network" lives in this process: after a restart `resume` tells it
    which reports are still to come."""

    def __init__(self, settings: VirtualSettings, clock: Callable[[], float] = time.time) -> None:
        self._window = settings.window
        self._clock = clock
        self._hears: Hears | None = None
        self._reports: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()

    async def start(self, hears: Hears) -> None:
        self._hears = hears

    async def stop(self, grace_s: float) -> None:
        self._hears = None
        for timer in self._timers:
            timer.cancel()
        if self._reports:
            await asyncio.wait(self._reports, timeout=grace_s)

    @property
    def ready(self) -> bool:
        return self._hears is not None

    @property
    def window(self) -> int:
        return self._window

    @property
    def state(self) -> str:
        return "takes everything, reaches nobody" if self.ready else "stopped"

    async def send(self, message: Outgoing) -> Taken:
        if message.phone.endswith(REFUSED):
            raise SendFailed(
                "refused by its number's ending",
                retry=False,
                status=Status.UNDELIVERABLE,
                err=Err.REJECTED,
            )
        refs = tuple((part, f"{message.id}-{part}") for part in range(1, message.parts + 1))
        for _, ref in refs:
            self._report_later(ref, message, 0.0)
        return Taken(refs)

    def resume(self, message: Outgoing, ref: str, sent_at: int) -> None:
        self._report_later(ref, message, max(0.0, self._clock() - sent_at / 1000))

    def _report_later(self, ref: str, message: Outgoing, gone_s: float) -> None:
        phone = message.phone
        ending = ENDINGS.get(phone[-4:], DELIVERED)
        if ending.status is None:
            return
        hlr = answer_of(phone, ending) if message.kind is Kind.HLR else None
        report = Report(ref, phone, ending.status, ending.err, raw="virtual", hlr=hlr)
        self._at(max(0.0, ending.delay_s - gone_s), report)

    def _at(self, delay_s: float, report: Report) -> None:
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(timer)
            task = loop.create_task(self._tell(report))
            self._reports.add(task)
            task.add_done_callback(self._reports.discard)

        timer = loop.call_later(delay_s, due)
        self._timers.add(timer)

    async def _tell(self, report: Report) -> None:
        if self._hears is None:
            return
        try:
            await self._hears.report(report)
        except Exception as failure:  # noqa: BLE001 - a carrier repeats what was not taken
            log.warning("a virtual report was not taken", reason=str(failure))
            self._at(AGAIN_S, report)
