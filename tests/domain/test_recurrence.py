from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.recurrence import Rule, next_run

MOSCOW, BERLIN, NEW_YORK = map(ZoneInfo, ("Europe/Moscow", "Europe/Berlin", "America/New_York"))
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clock moves by half an hour
HOUR, DAY = 3_600_000, 86_400_000

zones = st.sampled_from([MOSCOW, BERLIN, NEW_YORK, LORD_HOWE, UTC])
moments = st.integers(1_000_000_000, 4_000_000_000).map(lambda s: s // 60 * 60_000)
repeats = st.sampled_from([rule for rule in Rule if rule is not Rule.BY_HAND])


def ms(text, zone=MOSCOW):
    return int(datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=zone).timestamp() * 1000)


def told(at, zone=MOSCOW):
    return datetime.fromtimestamp(at / 1000, zone).strftime("%d.%m.%Y %H:%M")


def following(rule, first, after=None, zone=MOSCOW):
    """The run after a run, as the zone's clock shows it."""
    return told(next_run(rule, ms(first, zone), ms(after or first, zone), zone), zone)


def test_a_mailing_by_hand_has_no_next_run():
    assert next_run(Rule.BY_HAND, 0, 0, MOSCOW) is None


@pytest.mark.parametrize(
    ("rule", "then"),
    [
        (Rule.HOURLY, "20.11.2026 11:00"),
        (Rule.DAILY, "21.11.2026 10:00"),
        (Rule.WORKDAYS, "23.11.2026 10:00"),
        (Rule.WEEKENDS, "21.11.2026 10:00"),
        (Rule.WEEKLY, "27.11.2026 10:00"),
        (Rule.MONTHLY, "20.12.2026 10:00"),
        (Rule.YEARLY, "20.11.2027 10:00"),
    ],
)
def test_each_rule_after_a_friday(rule, then):
    assert following(rule, "20.11.2026 10:00") == then


def test_a_weekend_ends_on_sunday():
    assert following(Rule.WEEKENDS, "21.11.2026 10:00", "22.11.2026 10:00") == "28.11.2026 10:00"


@pytest.mark.parametrize(
    ("first", "after", "then"),
    [
        ("31.01.2026 10:00", "31.01.2026 10:00", "28.02.2026 10:00"),
        ("31.01.2028 10:00", "31.01.2028 10:00", "29.02.2028 10:00"),
        ("31.01.2026 10:00", "28.02.2026 10:00", "31.03.2026 10:00"),
        ("31.01.2026 10:00", "31.03.2026 10:00", "30.04.2026 10:00"),
        ("15.12.2026 10:00", "15.12.2026 10:00", "15.01.2027 10:00"),
    ],
)
def test_a_short_month_has_its_last_day_and_the_next_has_the_day_again(first, after, then):
    assert following(Rule.MONTHLY, first, after) == then


def test_the_leap_day_is_kept_on_the_28th_until_it_comes_again():
    assert following(Rule.YEARLY, "29.02.2028 10:00") == "28.02.2029 10:00"
    assert following(Rule.YEARLY, "29.02.2028 10:00", "28.02.2031 10:00") == "29.02.2032 10:00"


@pytest.mark.parametrize("day", ["28.03.2026 10:00", "24.10.2026 10:00"])
def test_the_hour_stays_when_the_clock_changes(day):
    first = ms(day, BERLIN)

    assert told(next_run(Rule.DAILY, first, first, BERLIN), BERLIN).endswith(" 10:00")
    assert next_run(Rule.DAILY, first, first, BERLIN) - first != DAY


def test_an_hour_that_the_clock_leaves_out_is_an_hour_later():
    assert following(Rule.DAILY, "28.03.2026 02:30", zone=BERLIN) == "29.03.2026 03:30"
    assert following(Rule.DAILY, "28.03.2026 02:30", "29.03.2026 03:30", BERLIN) == (
        "30.03.2026 02:30"
    )


def test_an_hour_that_comes_twice_is_taken_once():
    first = ms("24.10.2026 02:30", BERLIN)
    second = next_run(Rule.DAILY, first, first, BERLIN)

    assert second - first == DAY
    assert told(next_run(Rule.DAILY, first, second, BERLIN), BERLIN) == "26.10.2026 02:30"


def test_what_was_missed_is_not_made_up_for():
    assert following(Rule.HOURLY, "20.11.2026 10:15", "21.11.2026 03:20") == "21.11.2026 04:15"
    assert following(Rule.DAILY, "01.01.2026 10:00", "20.11.2026 11:00") == "21.11.2026 10:00"


def test_a_run_before_the_first_one_is_none():
    assert following(Rule.DAILY, "20.11.2026 10:00", "01.01.2020 10:00") == "21.11.2026 10:00"


@pytest.mark.parametrize("rule", [r for r in Rule if r > Rule.HOURLY])
def test_the_calendar_ends(rule):
    last = int(datetime(9999, 12, 31, 10, tzinfo=UTC).timestamp() * 1000)

    assert next_run(rule, last, last, UTC) is None


@given(repeats, moments, st.integers(0, 400 * 24 * 60), zones)
def test_the_next_run_is_after_the_last_and_keeps_the_clock(rule, first, minutes, zone):
    after = first + minutes * 60_000
    due = next_run(rule, first, after, zone)

    assert due > after
    local = datetime.fromtimestamp(due / 1000, zone)
    begun = datetime.fromtimestamp(first / 1000, zone)
    exists = local.replace(hour=begun.hour, minute=begun.minute, fold=0)
    back = exists.astimezone(UTC).astimezone(zone)
    if rule is not Rule.HOURLY and back.time() == begun.time():
        assert local.time() == begun.time()
    else:
        assert (due - first) % (HOUR // 2) == 0


@given(st.sampled_from([Rule.DAILY, Rule.WORKDAYS, Rule.WEEKENDS, Rule.WEEKLY]), moments, zones)
def test_no_day_of_the_rule_is_passed_over(rule, first, zone):
    runs = [first]
    for _ in range(5):
        runs.append(next_run(rule, first, runs[-1], zone))
    days = [datetime.fromtimestamp(at / 1000, zone).date() for at in runs]
    fitting = {
        Rule.DAILY: lambda day: True,
        Rule.WORKDAYS: lambda day: day.weekday() < 5,
        Rule.WEEKENDS: lambda day: day.weekday() > 4,
        Rule.WEEKLY: lambda day: day.weekday() == days[0].weekday(),
    }[rule]
    between = [days[0] + timedelta(days=n) for n in range(1, (days[-1] - days[0]).days + 1)]

    assert days[1:] == [day for day in between if fitting(day)]


@given(st.sampled_from([Rule.MONTHLY, Rule.YEARLY]), moments, zones)
def test_every_month_or_year_has_its_run(rule, first, zone):
    runs = [first]
    for _ in range(14):
        runs.append(next_run(rule, first, runs[-1], zone))
    days = [datetime.fromtimestamp(at / 1000, zone).date() for at in runs]
    places = [d.year * 12 + d.month if rule is Rule.MONTHLY else d.year for d in days]

    assert places == list(range(places[0], places[0] + 15))
    assert {d.day for d in days} <= {days[0].day, 28, 29, 30}
