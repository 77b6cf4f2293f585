"""Carriers and routes: which carrier takes a message."""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

CACHED_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Carrier:
    """A configured account at an operator or provider.

    `channel` names the module that speaks to it ("smpp", "virtual"); `settings` are that module's.
    `on_unknown`: hold or resend a message whose fate is unknown.  `receipt_parts`: whose reports
    end a long message: those of all its parts, of the first or of the last.
    """

    id: int
    name: str
    channel: str
    settings: dict[str, Any]
    on_unknown: str = "hold"
    receipt_parts: str = "all"
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """A rule: messages of this channel, prefix, operator, client and sender may go to a carrier.

    Empty fields fit everything.  Higher `priority` is tried first; among equals `weight` shares the
    messages out, and the others follow as fail-over.
    """

    id: int
    carrier_id: int
    channel: str = "sms"
    prefix: str = ""
    operator: str = ""
    client_id: int | None = None
    sender: str = ""
    priority: int = 0
    weight: int = 1

    def fits(self, channel: str, client_id: int, sender: str, phone: str, mccmnc: str) -> bool:
        return (
            self.channel == channel
            and (self.client_id is None or self.client_id == client_id)
            and phone.startswith(self.prefix)
            and (not self.operator or self.operator == mccmnc)
            and (not self.sender or self.sender == sender)
        )


Plan = tuple[int, ...]


class Routes:
    """All routes of the centre; `default` is the carrier of what no route takes (0: none)."""

    def __init__(self, routes: list[Route], default: int = 0) -> None:
        self._routes = sorted(routes, key=lambda r: (-r.priority, r.id))
        self._default = default
        self._prefix_max = max((len(r.prefix) for r in routes), default=0)
        self._by_sender = any(r.sender for r in routes)
        self._by_client = {r.client_id for r in routes if r.client_id is not None}
        self._fitting: dict[tuple[str, int, str, str, str], tuple[Route, ...]] = {}

    def fitting(
        self, channel: str, client_id: int, sender: str, phone: str, mccmnc: str
    ) -> tuple[Route, ...]:
        """Routes that take the message, highest priority first."""
        key = (
            channel,
            client_id if client_id in self._by_client else 0,
            sender if self._by_sender else "",
            phone[: self._prefix_max],
            mccmnc,
        )
        known = self._fitting.get(key)
        if known is None:
            if len(self._fitting) >= CACHED_MAX:
                self._fitting.clear()
            known = self._fitting[key] = tuple(
                r for r in self._routes if r.fits(channel, client_id, sender, phone, mccmnc)
            )
        return known

    def plan(self, channel: str, client_id: int, sender: str, phone: str, mccmnc: str) -> Plan:
        """Carriers to try, in order.

        The lot between equals is the phone's: the same message always draws the same plan, so a
        step along it can be kept as a number.
        """
        fitting = self.fitting(channel, client_id, sender, phone, mccmnc)
        if not fitting:
            return (self._default,) if self._default else ()
        if len(fitting) == 1:
            return (fitting[0].carrier_id,)
        return _ordered(fitting, crc32(phone.encode()))


def _ordered(fitting: tuple[Route, ...], lot: int) -> Plan:
    """By priority; among equals the lot chooses the first by weight, the others follow in turn."""
    order: list[int] = []
    at = 0
    while at < len(fitting):
        end = at
        while end < len(fitting) and fitting[end].priority == fitting[at].priority:
            end += 1
        equals = fitting[at:end]
        first = _drawn(equals, lot)
        order += [r.carrier_id for r in equals[first:] + equals[:first]]
        at = end
    return tuple(dict.fromkeys(order))


def _drawn(equals: tuple[Route, ...], lot: int) -> int:
    total = sum(r.weight for r in equals)
    if total <= 0:
        return 0
    ticket = lot % total
    for index, route in enumerate(equals):
        ticket -= route.weight
        if ticket < 0:
            return index
    raise AssertionError(ticket)
