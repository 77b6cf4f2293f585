"""How the messages of a mailing are made: what is stored of it, and the orders of its slices."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import msgspec

from vestnik.domain import schedule
from vestnik.domain.client import Client
from vestnik.domain.contact import Book
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag, Kind
from vestnik.services.draft import Order

ORIGIN = "http"


class Settings(msgspec.Struct, omit_defaults=True):
    """What all runs of a mailing share, in the words of send.md.

    `text` is its own text, "" for a list that has its own (`listed`).  `zoned`: lines of its list
    have zones of their own, and the earliest is due `lead_ms` before the run.  `groups` are the
    groups it goes to; its texts may then be personal.  `sender` None is the account's default.
    """

    kind: int = 0
    text: str = ""
    listed: bool = False
    sender: str | None = None
    translit: int = 0
    tz: str = ""
    zoned: bool = False
    lead_ms: int = 0
    groups: list[int] = []
    period: str = ""
    freq: str = ""
    valid: str = ""
    options: dict[str, object] = {}
    mes2: str = ""
    sender2: str | None = None
    repeat: bool = False

    @property
    def book(self) -> Book:
        """Whose members its groups have."""
        return Book.MAILS if self.kind == Kind.MAIL else Book.PHONES


def order(
    client: Client,
    settings: Settings,
    zone: str,
    start_at: int,
    now: int,
    lines: Iterable[ListLine],
) -> Order:
    """The order of some of a mailing's messages; `zone` was the account's when it was given.

    How many recipients one request may have does not concern it: it has come in already.
    """
    limits = replace(client.limits, rows_per_request=0)
    return Order(
        client=replace(client, zone=zone, limits=limits),
        kind=Kind(settings.kind),
        lines=lines,
        params_digest=b"",
        now_ms=now,
        sender=settings.sender,
        translit=settings.translit,
        time=_clock(start_at, settings, zone) if settings.zoned else "",
        tz=settings.tz,
        valid=settings.valid,
        options=settings.options,
        origin=ORIGIN,
        flags=Flag.MASS,
    )


def _clock(start_at: int, settings: Settings, zone: str) -> str:
    """When the run is due by the mailing's clock: a line with a zone has the same hour there."""
    local = datetime.fromtimestamp(start_at / 1000, schedule.zone_of(settings.tz or None, zone))
    return f"{local:%d.%m.%Y %H:%M}"
