"""When a mailing runs again: its repeat rule, by the wall clock of its zone (jobs.md, 3.1).

Moments are whole milliseconds since the epoch.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import MAXYEAR, UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum

_HOUR = 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SATURDAY = 5


class Rule(IntEnum):
    """The parameter `rpt`."""

    BY_HAND = 0
    HOURLY = 1
    DAILY = 2
    WORKDAYS = 3
    WEEKENDS = 4
    WEEKLY = 5
    MONTHLY = 6
    YEARLY = 7


def next_run(rule: Rule, first_ms: int, after_ms: int, zone: tzinfo) -> int | None:
    """When the mailing whose first run was due at `first_ms` is due next after a moment.

    Repeats keep the hour and minute of the first run by the zone's clock; one that a change of the
    clock leaves out is as much later as the clock was put forward.  A month without the first
    run's day has its last day instead.  None: never again, by the rule or by the calendar's end.
    """
    after_ms = max(after_ms, first_ms)
    if rule is Rule.BY_HAND:
        return None
    if rule is Rule.HOURLY:
        return after_ms + _HOUR - (after_ms - first_ms) % _HOUR
    first = datetime.fromtimestamp(first_ms / 1000, zone)
    since = datetime.fromtimestamp(after_ms / 1000, zone).date()
    for day in _DAYS[rule](first.date(), since):
        clock = first.timetz().replace(fold=0)
        due = (datetime.combine(day, clock) - _EPOCH) // timedelta(milliseconds=1)
        if due > after_ms:
            return due
    return None


def _each_day(since: date) -> Iterator[date]:
    """Enough days to find any weekday after the clock of the first of them has passed."""
    for number in range(9):
        if (date.max - since).days < number:
            return
        yield since + timedelta(days=number)


def _weekly(first: date, since: date) -> Iterator[date]:
    return (day for day in _each_day(since) if day.weekday() == first.weekday())


def _monthly(first: date, since: date) -> Iterator[date]:
    for month in range(since.month - 1, since.month + 1):
        year, place = since.year + month // 12, month % 12 + 1
        if year <= MAXYEAR:
            yield date(year, place, min(first.day, monthrange(year, place)[1]))


def _yearly(first: date, since: date) -> Iterator[date]:
    for year in range(since.year, min(since.year + 1, MAXYEAR) + 1):
        yield date(year, first.month, min(first.day, monthrange(year, first.month)[1]))


_DAYS: dict[Rule, Callable[[date, date], Iterator[date]]] = {
    Rule.DAILY: lambda _, since: _each_day(since),
    Rule.WORKDAYS: lambda _, since: (d for d in _each_day(since) if d.weekday() < _SATURDAY),
    Rule.WEEKENDS: lambda _, since: (d for d in _each_day(since) if d.weekday() >= _SATURDAY),
    Rule.WEEKLY: _weekly,
    Rule.MONTHLY: _monthly,
    Rule.YEARLY: _yearly,
}
