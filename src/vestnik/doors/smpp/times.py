"""The times of SMPP: absolute with a zone in quarters of an hour, or relative to now.

Moments are ms since the epoch.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from vestnik.doors.smpp.codes import Wrong
from vestnik.wire.smpp.command_status import ESME_RINVEXPIRY, ESME_RINVSCHED

MINUTE_MS = 60_000
VALIDITY_MINUTES_MAX = 24 * 60  # smpp.md, "SUBMIT_SM": as in send.php

# YYMMDDhhmmss, tenths, quarters, and + or - for an absolute time, R for a relative one.  Programs
# that read the specification loosely leave the seconds and what follows out.
_time = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d)(\d\d)([+\-R]))?", re.ASCII)
_QUARTERS_MAX = 48
_DAYS = {"year": 365, "month": 30}  # of a relative time: the specification names no calendar


def schedule(text: str, now_ms: int) -> str:
    """`schedule_delivery_time` in the words of an Order's `time`; empty for "at once".

    Raises Wrong with ESME_RINVSCHED.
    """
    if not text:
        return ""
    moment = _moment(text, now_ms, ESME_RINVSCHED)
    return f"0{max(moment, now_ms) // 1000:010d}" if moment > now_ms else ""


def validity(text: str, due_ms: int, now_ms: int) -> str:
    """`validity_period` in the words of an Order's `valid`, 24 hours at most; empty for the usual.

    A relative one counts from the moment of sending, as everywhere in the centre.  Raises Wrong
    with ESME_RINVEXPIRY, also for a validity that is over before the message can leave.
    """
    if not text:
        return ""
    relative = text.endswith("R")
    left_ms = _moment(text, now_ms, ESME_RINVEXPIRY) - (now_ms if relative else due_ms)
    minutes = min(-(-left_ms // 60_000), VALIDITY_MINUTES_MAX)
    if minutes < 1:
        raise Wrong(ESME_RINVEXPIRY)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def due(time: str, now_ms: int) -> int:
    """The moment that `schedule` wrote down."""
    return int(time) * 1000 if time else now_ms


def written(ms: int, zone: tzinfo) -> str:
    """A moment as query_sm_resp tells it: absolute, in a zone."""
    local = datetime.fromtimestamp(ms / 1000, zone)
    offset = local.utcoffset()
    assert offset is not None, zone
    quarters = round(offset.total_seconds() / 900)
    sign = "-" if quarters < 0 else "+"
    return f"{local:%y%m%d%H%M%S}0{abs(quarters):02d}{sign}"


def receipt_date(ms: int, zone: tzinfo) -> str:
    """A moment as the line of a receipt tells it: YYMMDDhhmm, in the account's zone."""
    return _minute_written(ms // MINUTE_MS, zone)


@lru_cache(maxsize=4_096)  # receipts come by the thousand, and many speak of one minute
def _minute_written(minute: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(minute * MINUTE_MS / 1000, zone):%y%m%d%H%M}"


def _moment(text: str, now_ms: int, status: int) -> int:
    read = _read(text)
    if read is None:
        raise Wrong(status)
    relative, ms = read
    return now_ms + ms if relative else ms


@lru_cache(maxsize=1_024)  # a mailing has one time for all its messages
def _read(text: str) -> tuple[bool, int] | None:
    """Whether a time is relative, and its ms; None for what is no time."""
    match = _time.fullmatch(text)
    if match is None:
        return None
    years, months, days, hours, minutes = map(int, match.groups()[:5])
    seconds, tenths, quarters = (int(match[n] or 0) for n in (6, 7, 8))
    if match[9] == "R":
        whole_days = years * _DAYS["year"] + months * _DAYS["month"] + days
        span = timedelta(days=whole_days, hours=hours, minutes=minutes, seconds=seconds)
        return True, span // timedelta(milliseconds=1)
    if quarters > _QUARTERS_MAX:
        return None
    offset = timedelta(minutes=15 * quarters) * (-1 if match[9] == "-" else 1)
    zone = timezone(offset) if match[9] else UTC
    try:
        moment = datetime(2000 + years, months, days, hours, minutes, seconds, tzinfo=zone)
    except ValueError:
        return None
    return False, int(moment.timestamp() * 1000) + tenths * 100
