"""How the messages of a mailing are made: what is stored of it, and the orders of its slices."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from vestnik.domain import schedule
from vestnik.domain.client import Client
from vestnik.domain.contact import Book
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Flag, Kind
from vestnik.services.messages.draft import Order

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


def ways(
    settings: Settings, lines: Sequence[ListLine], instead: Sequence[ListLine]
) -> list[tuple[Kind, list[ListLine]]]:
    """What is tried after the first way of a slice fails: the kind and the lines of each.

    First the repeat from another sender (`fl[5]`), then, where the channel is no SMS, the text that
    goes by SMS instead (`mes2`); `instead` are the lines with it.
    """
    made: list[tuple[Kind, list[ListLine]]] = []
    if settings.repeat:
        sender = settings.sender2
        again = [line if sender is None else line._replace(sender=sender or ".") for line in lines]
        made.append((Kind(settings.kind), again))
    if settings.mes2 and settings.kind != Kind.SMS:
        made.append((Kind.SMS, list(instead)))
    return made
