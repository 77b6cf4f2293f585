"""One SMPP session without a socket or a clock, from either side.

Octets go in by `receive`, requests by `ask`, answers by `answer`; events come out, and what is to
be written waits in `octets_to_send`.  `now` is in seconds of any clock that never steps back.
"""

from dataclasses import dataclass

from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.command_status import (
    ESME_RALYBND,
    ESME_RINVBNDSTS,
    ESME_RINVCMDLEN,
    ESME_RTHROTTLED,
)
from vestnik.wire.smpp.fields import record
from vestnik.wire.smpp.states import BINDS, MAY_ASK, Side, State


@record
class Asked:
    """The peer wants something and waits for `answer` (outbind and alert_notification do not)."""

    frame: p.Frame


@record
class Answered:
    """The peer's response, or its generic_nack, to our request of that sequence."""

    sequence: int
    request: p.Pdu
    frame: p.Frame


@dataclass(frozen=True, slots=True)
class Expired:
    """Our request was not answered in time; a later answer will be Stray."""

    sequence: int
    request: p.Pdu


@dataclass(frozen=True, slots=True)
class Stray:
    """A response that nobody waits for: too late, or never asked."""

    frame: p.Frame


@dataclass(frozen=True, slots=True)
class Turned:
    """A PDU that was refused here: unreadable, not allowed now, or over the window."""

    command_id: int
    sequence: int
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unbound:
    """Either side said good-bye and the other agreed: close once everything is written."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The session is over: framing lost, or the peer silent.  Close the connection."""

    reason: str


Event = Asked | Answered | Expired | Stray | Turned | Unbound | Broken


class NotAllowed(Exception):
    """Our own mistake: this side may not ask that in this state."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The patience of a session, in seconds; 0 switches a limit off."""

    response_s: float = 30.0  # an answer to our request
    enquire_s: float = 30.0  # silence before we ask whether the peer is there
    enquires_max: int = 2  # unanswered ones before we give up
    bind_s: float = 30.0  # from the connection to the first bind
    idle_s: float = 0.0  # without a request from the peer, whatever else it sends
    owed_max: int = 2000  # the peer's requests that we have not answered; more are throttled


SMSC_LIMITS = Limits(enquire_s=60.0)
# To look up a member of an enumeration takes a quarter of a microsecond; these are met at each PDU.
_SMSC, _CLOSED = Side.SMSC, State.CLOSED


class Session:
    """The state of one session; see the module."""

    def __init__(self, side: Side, now: float, limits: Limits | None = None) -> None:
        self.side = side
        self._may, self._peer_may = MAY_ASK[side], MAY_ASK[side.other]
        self.state = State.OPEN
        self.limits = limits or (Limits() if side is Side.ESME else SMSC_LIMITS)
        self.owed = 0  # the peer's requests that wait for our answer
        self.behind = False  # octets that came are not read yet
        self._in = bytearray()
        self._out: list[bytes] = []
        self._asked: dict[int, tuple[p.Pdu, float]] = {}
        self._sequence = 0
        self._enquires = 0  # unanswered, in a row
        self._began = self._heard = self._requested = now
        self._enquired = now

    @property
    def outstanding(self) -> int:
        """Our requests that wait for an answer; enquire_link is not counted."""
        return len(self._asked)

    def ask(self, pdu: p.Pdu, now: float) -> int:
        """Send a request and return its sequence number.

        Raises NotAllowed for what the state forbids, ValueError for what cannot be encoded.
        """
        if type(pdu) not in self._may[self.state]:
            raise NotAllowed(f"{type(pdu).__name__} by {self.side.name} in {self.state.name}")
        sequence = self._next_sequence()
        self._out.append(p.encode(pdu, sequence))
        if not isinstance(pdu, p.UNANSWERED):
            self._asked[sequence] = (pdu, now)
        return sequence

    def answer(self, frame: p.Frame, pdu: p.Pdu | None = None, status: int = 0) -> None:
        """Answer a request; without a PDU by an empty response of its kind.

        Raises ValueError for what cannot be encoded.  Nothing is written once the session is over.
        """
        if self.state is _CLOSED:
            return
        response = p.response_to(frame.pdu.command_id) if pdu is None else pdu
        self._out.append(p.encode(response, frame.sequence, status))
        self.owed = max(0, self.owed - 1)
        if self.side is _SMSC and not status:
            self.state = BINDS.get(type(frame.pdu), self.state)

    def octets_to_send(self) -> bytes:
        """Everything that is to be written, once."""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def receive(self, octets: bytes, now: float, most: int = 0) -> list[Event]:
        """Take octets as they arrived; never raises.

        With `most` no more than so many PDUs are read now: `behind` then says that the next call,
        with or without octets, goes on with what is left.
        """
        events: list[Event] = []
        if octets:
            self._heard = now
            self._enquires = 0
            self._in += octets
        buffer, left = self._in, most
        self.behind = False
        while self.state is not _CLOSED:
            try:
                frame = p.decode(buffer)
            except p.Unreadable as reason:
                events.append(self._unreadable(reason, now))
                continue
            except p.Malformed as reason:
                self._out.append(p.encode(p.GenericNack(), reason.sequence, ESME_RINVCMDLEN))
                events.append(self._break(str(reason)))
                break
            if frame is None:
                break
            event = self._take(frame, now)
            if event is not None:
                events.append(event)
            left -= 1
            if not left:
                self.behind = len(buffer) > 0
                break
        if self.state is _CLOSED:
            buffer.clear()
            self.behind = False
        return events

    def tick(self, now: float) -> list[Event]:
        """What time alone brings about; call it about once a second."""
        if self.state is _CLOSED:
            return []
        broken = self._impatient(now)
        if broken is not None:
            return [broken]
        events: list[Event] = []
        # In the order of asking, so the first that is not late ends the search.
        while self._asked:
            sequence, (request, asked_at) = next(iter(self._asked.items()))
            if now - asked_at <= self.limits.response_s:
                break
            del self._asked[sequence]
            events.append(Expired(sequence, request))
        self._enquire(now)
        return events

    def _take(self, frame: p.Frame, now: float) -> Event | None:
        if frame.pdu.command_id & p.RESPONSE:
            return self._take_response(frame)
        self._requested = now
        kind = type(frame.pdu)
        if kind not in self._peer_may[self.state]:
            status = ESME_RALYBND if kind in BINDS and self.state.bound else ESME_RINVBNDSTS
            return self._turn(frame, status, f"{kind.__name__} in {self.state.name}")
        if kind is p.EnquireLink:
            self._out.append(p.encode(p.EnquireLinkResp(), frame.sequence))
            return None
        if kind is p.Unbind:
            self._out.append(p.encode(p.UnbindResp(), frame.sequence))
            self.state = State.UNBOUND
            return Unbound()
        if kind in p.UNANSWERED:
            return Asked(frame)
        if self.limits.owed_max and self.owed >= self.limits.owed_max:
            return self._turn(frame, ESME_RTHROTTLED, f"{self.owed} requests unanswered")
        self.owed += 1
        return Asked(frame)

    def _take_response(self, frame: p.Frame) -> Event | None:
        known = self._asked.get(frame.sequence)
        if known is None:
            return None if type(frame.pdu) is p.EnquireLinkResp else Stray(frame)
        request, _ = known
        if type(frame.pdu) not in (p.RESPONSES[type(request)], p.GenericNack):
            return Stray(frame)
        del self._asked[frame.sequence]
        if not frame.status and self.side is Side.ESME:
            self.state = BINDS.get(type(request), self.state)
        if type(request) is p.Unbind:
            self.state = State.UNBOUND
        return Answered(frame.sequence, request, frame)

    def _turn(self, frame: p.Frame, status: int, reason: str) -> Turned:
        if not isinstance(frame.pdu, p.UNANSWERED):
            response = p.response_to(frame.pdu.command_id)
            self._out.append(p.encode(response, frame.sequence, status))
        return Turned(frame.pdu.command_id, frame.sequence, status, reason)

    def _unreadable(self, reason: p.Unreadable, now: float) -> Turned:
        # To answer an answer would make two peers talk for ever.
        if not reason.command_id & p.RESPONSE:
            self._requested = now
            response = p.response_to(reason.command_id)
            self._out.append(p.encode(response, reason.sequence, reason.status))
        return Turned(reason.command_id, reason.sequence, reason.status, str(reason))

    def _impatient(self, now: float) -> Broken | None:
        limits = self.limits
        unbound = self.state is State.OPEN
        if unbound and limits.bind_s and now - self._began > limits.bind_s:
            return self._break(f"no bind within {limits.bind_s:g} s")
        if limits.idle_s and now - self._requested > limits.idle_s:
            return self._break(f"idle for {limits.idle_s:g} s")
        if self._enquires >= limits.enquires_max and self._silent(now):
            return self._break(f"{self._enquires} enquire_link unanswered")
        return None

    def _silent(self, now: float) -> bool:
        silence_s = now - max(self._heard, self._enquired)
        return 0 < self.limits.enquire_s <= silence_s

    def _enquire(self, now: float) -> None:
        if self.state.bound and self._silent(now):
            self._out.append(p.encode(p.EnquireLink(), self._next_sequence()))
            self._enquires += 1
            self._enquired = now

    def _break(self, reason: str) -> Broken:
        self.state = State.CLOSED
        return Broken(reason)

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % p.SEQUENCE_MAX + 1
        while self._sequence in self._asked:
            self._sequence = self._sequence % p.SEQUENCE_MAX + 1
        return self._sequence
