"""Files of ported numbers: `Phone;mccmnc` lines, with a date behind them or without."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from vestnik.domain.complaints import Complaints

HEADERS = ("phone;mccmnc", "phone;mccmnc;date")
_EPOCH = date(1970, 1, 1).toordinal()
_KNOWN_MAX = 50_000  # different ends of lines: networks and dates

_mccmnc = re.compile(r"(?:\d{5,6})?", re.ASCII).fullmatch
_date = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})", re.ASCII).fullmatch

# A number, its MCC and MNC (empty: it went back) and the day of its move (days since 1970).
Line = tuple[int, str, int | None]


def read(lines: Iterable[bytes], complaints: Complaints) -> Iterator[Line]:
    """What stands in a file.  A header may come first.  Lines that cannot be read are left out and
    told in `complaints`."""
    known: dict[bytes, tuple[str, int | None]] = {}
    number = 0
    for number, line in enumerate(lines, start=1):
        phone, _, rest = line.partition(b";")
        try:
            found = known.get(rest)
            if found is None:
                if number == 1 and _is_header(line):
                    continue
                if not line.strip():
                    continue
                if len(known) >= _KNOWN_MAX:
                    known.clear()
                found = known[rest] = _end(rest)
            if not (phone.isdigit() and 7 <= len(phone) <= 15 and phone[0] != 0x30):
                raise ValueError("the phone is not 7 to 15 digits without a leading 0")
        except ValueError as wrong:
            complaints.complain(number, wrong)
            continue
        yield int(phone), *found
    complaints.lines += number


def day_of(text: str) -> int:
    """The number of a day dd.mm.yyyy; raises ValueError for anything else."""
    match = _date(text)
    if match is None:
        raise ValueError("the date is not dd.mm.yyyy")
    day, month, year = map(int, match.groups())
    try:
        return date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        raise ValueError(f"there is no day {text}") from None


def _is_header(line: bytes) -> bool:
    text = line.removeprefix(b"\xef\xbb\xbf").decode("ascii", "replace")
    return text.strip().lower() in HEADERS


def _end(rest: bytes) -> tuple[str, int | None]:
    """What stands behind the phone."""
    mccmnc, _, day = rest.decode("ascii", "replace").strip().partition(";")
    if not _mccmnc(mccmnc):
        raise ValueError("mccmnc is not 5 or 6 digits")
    return mccmnc, day_of(day) if day else None
