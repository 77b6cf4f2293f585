from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.domain.refusals import BadDate, BadParameters
from vestnik.domain.schedule import (
    MOSCOW,
    day_number,
    due,
    format_date,
    is_date,
    parse_day,
    spread,
    validity,
    window,
    zone_of,
)

BERLIN, KOLKATA, NEW_YORK = map(ZoneInfo, ("Europe/Berlin", "Asia/Kolkata", "America/New_York"))
HOUR = 3_600_000


def ms(text, zone=MOSCOW):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


NOW = ms("2026-03-10T14:30:15.123")


@pytest.mark.parametrize(
    "text", ["", " ", "0", "00", "01767225600", "01.03.26 10:00", "0103261000"]
)
def test_nothing_or_a_moment_in_the_past_is_now(text):
    assert due(text, NOW, MOSCOW) == NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1103260905", "2026-03-11T09:05"),
        ("0104262359", "2026-04-01T23:59"),
        ("11.03.26 09:05", "2026-03-11T09:05"),
        ("11.03.2026 09:05", "2026-03-11T09:05"),
        (" 11.03.26 09:05 ", "2026-03-11T09:05"),
        ("29.02.28 00:00", "2028-02-29T00:00"),
    ],
)
def test_a_date_is_read_in_the_zone(text, expected):
    assert due(text, NOW, MOSCOW) == ms(expected)
    assert due(text, NOW, KOLKATA) == ms(expected, KOLKATA)


def test_a_zero_and_unix_seconds_are_that_moment_in_every_zone():
    assert due("01800000000", NOW, MOSCOW) == due("01800000000", NOW, KOLKATA) == 1_800_000_000_000


@pytest.mark.parametrize(("text", "minutes"), [("+0", 0), ("+5", 5), ("+1440", 1440)])
def test_a_plus_is_minutes_from_now(text, minutes):
    assert due(text, NOW, MOSCOW) == NOW + minutes * 60_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14-15", "2026-03-10T14:30:15.123"),
        ("9-21", "2026-03-10T14:30:15.123"),
        ("0-24", "2026-03-10T14:30:15.123"),
        ("15-21", "2026-03-10T15:00"),
        ("09-14", "2026-03-11T09:00"),
        ("22-6", "2026-03-10T22:00"),
        ("13-6", "2026-03-10T14:30:15.123"),
        ("22-15", "2026-03-10T14:30:15.123"),
    ],
)
def test_a_window_waits_until_it_opens(text, expected):
    assert due(text, NOW, MOSCOW) == ms(expected)


def test_a_window_is_read_in_the_zone():
    # 14:30 in Moscow is 17:00 in Kolkata.
    assert due("9-15", NOW, KOLKATA) == ms("2026-03-11T09:00", KOLKATA)


def test_tomorrows_window_opens_by_the_clock_when_the_clocks_change_tonight():
    evening = ms("2026-03-28T22:00", BERLIN)

    assert due("9-21", evening, BERLIN) == ms("2026-03-29T09:00", BERLIN) == evening + 10 * HOUR


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "1",
        "12345",
        "31.02.26 10:00",
        "3102261000",
        "1013261000",
        "1103262400",
        "1103260960",
    ]
    + ["00.03.26 10:00", "11.03.126 09:05", "1.3.26 9:05", "11.03.26", "11.03.26 09:05:00", "9-9"]
    + ["24-6", "9-25", "9-0", "9-", "-9", "9--21", "+", "+-5", "+1.5", "+99999999", "-5", "1.5"]
    + ["0123456789012", "1800000000000", "١١٠٣٢٦٠٩٠٥", "11.03.0000 09:05", "2026-03-11 09:05"],
)
def test_anything_else_is_a_bad_date(text):
    with pytest.raises(BadDate):
        due(text, NOW, MOSCOW)


@given(st.text(st.sampled_from("0123456789.:-+ "), max_size=18))
def test_whatever_is_understood_is_not_before_now(text):
    try:
        moment = due(text, NOW, MOSCOW)
    except BadDate:
        return

    assert isinstance(moment, int)
    assert moment >= NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1103260905", True), ("11.03.26 09:05", True), ("11.03.2026 09:05", True)]
    + [("0", False), ("9-21", False), ("+5", False), ("01800000000", False), ("", False)],
)
def test_only_full_dates_are_dates(text, expected):
    assert is_date(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("9-21", (9, 21)), ("0-24", (0, 24)), ("22-06", (22, 6)), (" 9-21 ", (9, 21))]
    + [
        ("9-9", None),
        ("24-1", None),
        ("0-0", None),
        ("1-25", None),
        ("0", None),
        ("100-200", None),
    ],
)
def test_a_window_is_two_hours(text, expected):
    assert window(text) == expected


@pytest.mark.parametrize("tz", [None, "", " "])
def test_without_tz_the_accounts_zone_counts(tz):
    assert zone_of(tz, "Asia/Omsk") == ZoneInfo("Asia/Omsk")


@pytest.mark.parametrize(
    ("tz", "hours"),
    [
        ("0", 3),
        ("4", 7),
        ("+4", 7),
        ("-1", 2),
        ("-15", -12),
        ("11", 14),
        ("2.5", 5.5),
        ("-3.5", -0.5),
    ],
)
def test_tz_counts_hours_from_moscow(tz, hours):
    zone = zone_of(tz, "Asia/Omsk")

    assert zone.utcoffset(datetime(2026, 7, 1)) == timedelta(hours=hours)


@pytest.mark.parametrize("tz", ["12", "-16", "Moscow", "1:30", "1,5", "++1", "nan", "1e1", "٣"])
def test_a_tz_where_nobody_lives_is_refused(tz):
    with pytest.raises(BadParameters):
        zone_of(tz, "Europe/Moscow")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("1", 60), ("24", 1440), ("00:01", 1), ("24:00", 1440), ("1:30", 90), ("09", 540)],
)
def test_a_lifetime_is_hours_or_hours_and_minutes(text, minutes):
    assert validity(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "0", "25", "00:00", "24:01", "1:60", "1:5", "-1", "1.5", "a", "1:", ":30", "100"]
)
def test_another_lifetime_is_refused(text):
    with pytest.raises(BadParameters):
        validity(text)


def test_a_mailing_leaves_in_equal_portions_over_the_period():
    delays = list(spread("24", "60", 48))

    assert delays == [place // 2 * HOUR for place in range(48)]


def test_portions_fill_the_period_when_recipients_do_not_divide():
    delays = list(spread("3", "60", 10))

    assert [delays.count(hour * HOUR) for hour in range(3)] == [4, 3, 3]


@pytest.mark.parametrize(
    ("period", "freq", "count", "expected"),
    [
        ("24", "60", 3, [0, 8, 16]),
        ("1.5", "60", 4, [0, 0, 1, 1]),
        ("0.5", "60", 2, [0, 0]),
        ("2", "", 2, [0, 1]),
        ("24", "60", 1, [0]),
        ("24", "60", 0, []),
    ],
)
def test_few_recipients_are_spread_too(period, freq, count, expected):
    assert list(spread(period, freq, count)) == [hours * HOUR for hours in expected]


@given(st.floats(0.1, 720), st.integers(1, 1440), st.integers(1, 200))
def test_delays_grow_begin_at_once_and_end_within_the_period(period, freq, count):
    period_text = f"{period:.4f}"

    delays = list(spread(period_text, str(freq), count))

    assert delays == sorted(delays)
    assert delays[0] == 0
    assert delays[-1] < float(period_text) * HOUR
    assert all(delay % (freq * 60_000) == 0 for delay in delays)


@pytest.mark.parametrize(
    ("period", "freq"),
    [
        ("0.09", "60"),
        ("720.1", "60"),
        ("0", "60"),
        ("", "60"),
        ("-1", "60"),
        ("day", "60"),
        ("nan", "1"),
    ]
    + [("24", "0"), ("24", "1441"), ("24", "1.5"), ("24", "-5"), ("1,5", "60")],
)
def test_a_pace_out_of_bounds_is_refused(period, freq):
    with pytest.raises(BadParameters):
        spread(period, freq, 10)


@pytest.mark.parametrize("period", ["0.1", "720", "720.0"])
def test_the_bounds_of_the_pace_are_allowed(period):
    assert next(spread(period, "1440", 1)) == 0


def test_a_moment_is_written_as_clients_read_it():
    # The recorded pair of get.md.
    assert format_date(1_495_823_967_999, MOSCOW) == "26.05.2017 21:39:27"


zones = st.sampled_from(
    [
        MOSCOW,
        UTC,
        BERLIN,
        KOLKATA,
        NEW_YORK,
        ZoneInfo("Asia/Kathmandu"),
        timezone(timedelta(hours=-9.5)),
    ]
)


@given(st.integers(0, 4_102_444_800_000), zones)
def test_dates_and_days_are_those_of_the_calendar(moment, zone):
    local = datetime.fromtimestamp(moment // 1000, zone)

    assert format_date(moment, zone) == local.strftime("%d.%m.%Y %H:%M:%S")
    assert day_number(moment, zone) == (local.date() - datetime(1970, 1, 1).date()).days


def test_a_day_begins_at_midnight_in_the_zone():
    midnight = ms("2026-03-10T00:00")

    assert day_number(midnight, MOSCOW) == day_number(midnight - 1, MOSCOW) + 1


def test_a_named_day_ends_where_the_next_begins():
    start, end = parse_day("10.03.2026", MOSCOW)

    assert (start, end) == (ms("2026-03-10T00:00"), ms("2026-03-11T00:00"))
    assert parse_day("11.03.2026", MOSCOW)[0] == end


@pytest.mark.parametrize(("day", "hours"), [("29.03.2026", 23), ("25.10.2026", 25)])
def test_a_day_when_the_clocks_change_is_shorter_or_longer(day, hours):
    start, end = parse_day(day, BERLIN)

    assert end - start == hours * HOUR


@pytest.mark.parametrize(
    "text", ["", "10.03.26", "1.3.2026", "31.02.2026", "2026-03-10", "10.03.2026 1", "31.12.9999"]
)
def test_a_day_that_is_none_is_a_bad_date(text):
    with pytest.raises(BadDate):
        parse_day(text, MOSCOW)
