"""The accounts that are bound to this process: their binds, their speed, their window."""

from collections import deque
from collections.abc import Iterator
from math import inf

from vestnik.domain.client import Limits
from vestnik.doors.smpp.codes import Wrong
from vestnik.net.smpp import Link
from vestnik.wire.smpp.command_status import (
    ESME_RBINDFAIL,
    ESME_RSUBMITFAIL,
    ESME_RTHROTTLED,
)
from vestnik.wire.smpp.states import State

SINGLE_MAX, SINGLE_S = 10, 60.0  # fewer submits than that in the time are no mailing (smpp.md)
ORIGINS_MAX = 50_000  # messages of an account whose bind is remembered


class Bind:
    """One bound connection of a client.

    `iso` says that its default alphabet is ISO-8859-1 (system_type at bind).
    """

    __slots__ = ("_recent", "account", "address", "iso", "link")

    def __init__(self, account: "Account", link: Link, address: str, *, iso: bool) -> None:
        self.account = account
        self.link = link
        self.address = address
        self.iso = iso
        self._recent: deque[float] = deque(maxlen=SINGLE_MAX)

    @property
    def receives(self) -> bool:
        """Receipts and incoming messages can go here."""
        state = self.link.session.state
        return state in (State.BOUND_RX, State.BOUND_TRX) and not self.link.closing

    def beside(self, receivers: list["Bind"]) -> list["Bind"]:
        """Those of the receivers that seem to be of the same program: a program that knows nothing
        of the message would throw its receipt away.

        They are at the same address; and who submits by a transmitter hears by a plain receiver.
        """
        near = [bind for bind in receivers if bind.address == self.address] or receivers
        if self.link.session.state is not State.BOUND_TX:
            return near
        return [bind for bind in near if bind.link.session.state is State.BOUND_RX] or near

    def is_single(self, now: float) -> bool:
        """Count a submit; whether it is one of few, by the clock of the loop."""
        recent = self._recent
        mass = len(recent) == SINGLE_MAX and now - recent[0] < SINGLE_S
        recent.append(now)
        return not mass


class Account:
    """What the binds of one client share."""

    __slots__ = ("_at", "_origins", "_room", "_turn", "binds", "client_id", "owed")

    def __init__(self, client_id: int, now: float) -> None:
        self.client_id = client_id
        self.binds: list[Bind] = []
        self.owed = 0  # requests that wait for our answer
        self._room = inf  # submits that may come now: a second's worth at most
        self._at = now
        self._turn = 0
        self._origins: dict[str, Bind] = {}

    def admit(self, limits: Limits, now: float) -> None:
        """Let one more submit in; raises Wrong with ESME_RTHROTTLED where there are too many, and
        with ESME_RSUBMITFAIL once the account may no longer use the door."""
        if limits.locked or not limits.smpp:
            raise Wrong(ESME_RSUBMITFAIL)
        if limits.smpp_window and self.owed >= limits.smpp_window:
            raise Wrong(ESME_RTHROTTLED)
        rate = limits.smpp_rate
        if not rate:
            return
        self._room = min(rate, self._room + (now - self._at) * rate)
        self._at = now
        if self._room < 1:
            raise Wrong(ESME_RTHROTTLED)
        self._room -= 1

    def submitted(self, wire_id: str, bind: Bind) -> None:
        """The receipt of this message goes to that bind, or one that belongs to it, where there is
        a choice."""
        if len(self.binds) < 2:
            return
        if len(self._origins) >= ORIGINS_MAX:
            del self._origins[next(iter(self._origins))]
        self._origins[wire_id] = bind

    def receiver(self, wire_id: str = "") -> Bind | None:
        """The bind that a receipt goes to: the one that submitted, else one that belongs to it,
        else those that receive in turn; None without any."""
        origin = self._origins.get(wire_id)
        if origin is not None and origin.receives:
            return origin
        receivers = [bind for bind in self.binds if bind.receives]
        if not receivers:
            return None
        if origin is not None:
            receivers = origin.beside(receivers)
        self._turn += 1
        return receivers[self._turn % len(receivers)]

    @property
    def can_receive(self) -> bool:
        return any(bind.receives for bind in self.binds)


class Accounts:
    """Every account that was ever bound: to come again must not make anybody faster."""

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(list(self._accounts.values()))

    def enter(
        self, client_id: int, link: Link, address: str, now: float, *, iso: bool, most: int
    ) -> Bind:
        """One more bind of a client; raises Wrong with ESME_RBINDFAIL beyond `most` (0: any)."""
        account = self._accounts.get(client_id)
        if account is None:
            account = self._accounts[client_id] = Account(client_id, now)
        if most and len(account.binds) >= most:
            raise Wrong(ESME_RBINDFAIL)
        bind = Bind(account, link, address, iso=iso)
        account.binds.append(bind)
        return bind
