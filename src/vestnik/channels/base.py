"""The contract of a channel.

One channel object serves one carrier.  It keeps its own window and pace; the dispatcher hands
it no more than `window` messages at one time and is told what became of each.  What comes back by
itself (reports, incoming messages) goes to the `Hears` it was started with, which returns once it
is durable: only then may the carrier be answered.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from vestnik.domain.message import Incoming, Outgoing, Refs, Report, Status


class Taken(msgspec.Struct, frozen=True):
    """The carrier took every part.

    `final` is set where nothing more will be reported: the status the message ends with.
    """

    refs: Refs
    final: Status | None = None


class SendFailed(Exception):
    """A message did not leave whole.

    `sure`: no octet of the missing parts can have been taken; False means that nobody knows, and
    the message must not be re-sent blindly.  `retry`: worth another try, here or on the next route.
    `status` and `err` are what it ends with if it is not tried again.  `refs` are the parts that
    the carrier did take.  `pause_s` asks the dispatcher to leave this carrier alone for a while.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool,
        sure: bool = True,
        status: Status = Status.UNDELIVERABLE,
        err: int = 255,
        refs: Refs = (),
        pause_s: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.retry = retry
        self.sure = sure
        self.status = status
        self.err = err
        self.refs = refs
        self.pause_s = pause_s


@dataclass(frozen=True, slots=True)
class Hears:
    """Where a channel tells what it hears.  Each returns after the commit."""

    report: Callable[[Report], Awaitable[None]]
    incoming: Callable[[Incoming], Awaitable[None]]


class Channel(Protocol):
    """One carrier's way out."""

    async def start(self, hears: Hears) -> None:
        """Begin to keep the carrier connected; returns at once, connecting goes on behind."""

    async def stop(self, grace_s: float) -> None:
        """Finish what is in the window within the grace, then disconnect."""

    @property
    def ready(self) -> bool:
        """Messages can be handed over now."""

    @property
    def window(self) -> int:
        """How many messages may be on their way to the carrier at one time."""

    @property
    def state(self) -> str:
        """For people: "bound 2 of 2", "connecting: connection refused"."""

    async def send(self, message: Outgoing) -> Taken:
        """Hand a message over; raises SendFailed.

        Cancelling it is allowed and means the same as `sure=False` once an octet has left.
        """

    def resume(self, message: Outgoing, ref: str, sent_at: int) -> None:
        """Called at start for each message sent before a restart, on channels whose carrier lives
        in this process (`virtual`); others do nothing."""
