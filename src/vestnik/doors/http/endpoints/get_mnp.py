"""get_mnp.php: hands out the ported numbers, or what changed on a day."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC

from vestnik.domain.refusals import BadDate, BadParameters
from vestnik.domain.schedule import day_number, parse_day
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints.operations import identical
from vestnik.doors.http.reply import Download
from vestnik.doors.http.shapes import Member, Shape

SLICE = 1_000  # changes that are written at one time

PARAMETERS = (
    Parameter("date", "Only what changed on this day; without it the whole list.", kind="date"),
)
ANSWERS = (
    Shape("All ported numbers.", files=("text/csv",)),
    Shape(
        "The numbers that moved on a day.",
        (
            Member("phone", "The number.", kind="digits"),
            Member("mccmnc", "Codes of its network; empty if it went back.", kind="digits"),
        ),
        many=True,
        asked={"date": "15.06.2025"},
    ),
)


@endpoint(
    "/sys/get_mnp.php", codes=codes.MNP, rate=identical, parameters=PARAMETERS, answers=ANSWERS
)
async def get_mnp(call: Call) -> Download:
    """CSV of everything, JSON of a day, whatever `fmt` says (info.md, 6)."""
    ported = call.services.numbers.ported
    date = call.text("date").strip()
    if not date:
        length, pieces = await ported.everything()
        return Download("mnp.csv", f"text/csv; charset={call.charset}", length, pieces)
    changes = _written(await ported.changes(_day(date)))
    length = sum(map(len, changes))
    content_type = f"application/json; charset={call.charset}"
    return Download(f"mnp_{date}.json", content_type, length, _pieces(changes))


def _day(text: str) -> int:
    """Days since 1970."""
    try:
        return day_number(parse_day(text, UTC)[0], UTC)
    except BadDate:
        raise BadParameters("date is dd.mm.yyyy") from None


def _written(changes: Sequence[tuple[int, str]]) -> list[bytes]:
    """A JSON array, in pieces."""
    if not changes:
        return [b"[]"]
    pieces = [b"[{\n"]
    for start in range(0, len(changes), SLICE):
        inside = "\n},\n{\n".join(
            f'"phone": "{phone}",\n"mccmnc": "{mccmnc}"'
            for phone, mccmnc in changes[start : start + SLICE]
        )
        pieces += [inside.encode(), b"\n},\n{\n"]
    pieces[-1] = b"\n}]"
    return pieces


async def _pieces(changes: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in changes:
        yield piece
