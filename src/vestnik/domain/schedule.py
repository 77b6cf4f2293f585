"""When: the moments, windows, lifetimes and paces that requests name (send.md, "Time").

Moments are whole milliseconds since the epoch.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from vestnik.domain.refusals import BadDate, BadParameters

MOSCOW = ZoneInfo("Europe/Moscow")
_MOSCOW_HOURS = 3  # a fixed offset since 2014: what `tz` is counted from

_MINUTE, _HOUR = 60_000, 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_date = re.compile(
    r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)|(\d\d)\.(\d\d)\.(\d\d(?:\d\d)?) (\d\d):(\d\d)", re.ASCII
).fullmatch
# Ten digits are a date; so seconds of nine digits cannot be told, and were over in 2001.
_unix = re.compile(r"0(\d{0,8}|\d{10})", re.ASCII).fullmatch
_later = re.compile(r"\+(\d{1,7})", re.ASCII).fullmatch
_window = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII).fullmatch
_offset = re.compile(r"[+-]?\d{1,2}(?:\.\d{1,2})?", re.ASCII).fullmatch
_lifetime = re.compile(r"(\d{1,2})(?::(\d\d))?", re.ASCII).fullmatch
_day = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})", re.ASCII).fullmatch
_period = re.compile(r"\d{1,3}(?:\.\d{1,6})?", re.ASCII).fullmatch
_frequency = re.compile(r"\d{1,4}", re.ASCII).fullmatch


def due(text: str, now_ms: int, zone: tzinfo) -> int:
    """The moment that `time` names; never before now.

    Dates and windows are read in `zone` (see `zone_of`).  Raises BadDate for anything that is not
    one of the forms of send.md.
    """
    text = text.strip()
    if text in ("", "0"):
        return now_ms
    if match := _later(text):
        return now_ms + int(match[1]) * _MINUTE
    if is_date(text):
        return max(now_ms, _moment(text, zone))
    if match := _unix(text):
        return max(now_ms, int(match[1] or 0) * 1000)
    hours = window(text)
    if hours is None:
        raise BadDate
    return opening(hours, now_ms, zone)


def is_date(text: str) -> bool:
    """Whether it has the form of a full date: a zone for one line of `list` works with no other."""
    return _date(text.strip()) is not None


def window(text: str) -> tuple[int, int] | None:
    """The hours of a window, "9-21"; None if it is none.

    It opens at the first hour, 0 to 23, and closes at the second, 1 to 24; from a later hour to an
    earlier one it spans midnight.
    """
    match = _window(text.strip())
    if match is None:
        return None
    opens, closes = int(match[1]), int(match[2])
    if opens > 23 or not 1 <= closes <= 24 or opens == closes:
        return None
    return opens, closes


def zone_of(tz: str | None, account_zone: str) -> tzinfo:
    """The zone of a request: `tz` in hours from Moscow, or the account's own, by its name.

    Raises BadParameters for a `tz` that is no number or leads to where nobody lives.
    """
    if tz is None or not tz.strip():
        return ZoneInfo(account_zone)
    return _zone_from_moscow(tz.strip())


def validity(text: str) -> int:
    """Minutes of `valid`: "1" to "24" hours, or "00:01" to "24:00".  Raises BadParameters."""
    match = _lifetime(text.strip())
    if match is None or int(match[2] or 0) > 59:
        raise BadParameters
    minutes = int(match[1]) * 60 + int(match[2] or 0)
    if not 1 <= minutes <= 24 * 60:
        raise BadParameters
    return minutes


def spread(period: str, freq: str, count: int) -> Iterator[int]:
    """For each of `count` recipients the delay in ms after the first, in order.

    The portions are as equal as whole recipients can be.  Raises BadParameters, see `pace`.
    """
    portions, interval_ms = pace(period, freq)
    return (place * portions // count * interval_ms for place in range(count))


def pace(period: str, freq: str) -> tuple[int, int]:
    """How many portions a list is sent in, and the ms between them.

    A portion leaves every `freq` minutes (1 to 1440, empty: 60) for as long as `period` hours (0.1
    to 720) last.  Raises BadParameters.
    """
    length = _period(period.strip())
    interval = _frequency(freq.strip() or "60")
    if length is None or interval is None:
        raise BadParameters
    length_ms, interval_ms = round(float(length[0]) * _HOUR), int(interval[0]) * _MINUTE
    if not _HOUR // 10 <= length_ms <= 720 * _HOUR or not _MINUTE <= interval_ms <= 24 * _HOUR:
        raise BadParameters
    return -(-length_ms // interval_ms), interval_ms


def day_number(now_ms: int, zone: tzinfo) -> int:
    """Days since 1970-01-01 by the zone's calendar."""
    return _quarter(now_ms // 900_000, zone)[0]


def format_date(ms: int, zone: tzinfo) -> str:
    """The moment as clients read it, "DD.MM.YYYY hh:mm:ss" (conventions.md)."""
    seconds = ms // 1000
    _, hour, start = _quarter(seconds // 900, zone)
    return hour + _CLOCK[start + seconds % 900]


def parse_day(text: str, zone: tzinfo) -> tuple[int, int]:
    """The day "dd.mm.yyyy" in a zone: its first moment, and the first of the next day.

    Raises BadDate.
    """
    match = _day(text.strip())
    if match is None:
        raise BadDate
    day, month, year = map(int, match.groups())
    try:
        start = datetime(year, month, day, tzinfo=zone)
        end = start + timedelta(days=1)  # by the calendar: a day may have 23 or 25 hours
        return _ms(start), _ms(end)
    except (ValueError, OverflowError):
        raise BadDate from None


# "mm:ss" of each second of an hour.
_CLOCK = tuple(f"{second // 60:02}:{second % 60:02}" for second in range(3600))


@lru_cache(maxsize=4096)
def _quarter(number: int, zone: tzinfo) -> tuple[int, str, int]:
    """Of a quarter of an hour: its day, its hour as text, and its first second in that hour.

    Zones differ from one another by whole quarters, so a local day or hour never ends within one.
    """
    local = datetime.fromtimestamp(number * 900, zone)
    return local.toordinal() - _EPOCH.toordinal(), f"{local:%d.%m.%Y %H:}", local.minute * 60


@lru_cache(maxsize=256)
def _zone_from_moscow(tz: str) -> tzinfo:
    if not _offset(tz):
        raise BadParameters
    hours = float(tz)
    if not -12 <= _MOSCOW_HOURS + hours <= 14:
        raise BadParameters
    return MOSCOW if hours == 0 else timezone(timedelta(hours=_MOSCOW_HOURS + hours))


def _moment(text: str, zone: tzinfo) -> int:
    """The moment of a full date.  Raises BadDate if the calendar has no such day or hour."""
    match = _date(text)
    assert match is not None, text
    day, month, year, hour, minute = (part for part in match.groups() if part is not None)
    whole_year = int(year) if len(year) == 4 else 2000 + int(year)
    try:
        return _ms(datetime(whole_year, int(month), int(day), int(hour), int(minute), tzinfo=zone))
    except (ValueError, OverflowError):
        raise BadDate from None


def opening(hours: tuple[int, int], now_ms: int, zone: tzinfo) -> int:
    """`now_ms` if the window (see `window`) is open then, else when it opens next."""
    opens, closes = hours
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    if opens <= now.hour < closes or (closes < opens and not closes <= now.hour < opens):
        return now_ms
    start = now.replace(hour=opens, minute=0, second=0, microsecond=0, fold=0)
    if now.hour >= opens:
        start += timedelta(days=1)
    return _ms(start)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
