"""tinyurls.php: tells how often a short link was followed."""

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.reply import Reply
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.messages.links import Clicks

PARAMETERS = (
    Parameter("get", "1 asks for the clicks.", kind="flag", required=True),
    Parameter("id", "Id of the short link; it decides if both are given.", kind="number", low=0),
    Parameter("link", "The address that short links lead to."),
)
ANSWERS = (
    Shape(
        "The clicks.",
        (
            Member("id", "Id of the short link, of several the newest.", kind="number"),
            Member("cnt", "All clicks.", kind="number"),
            Member("cnt_mon", "Clicks of this month.", kind="number"),
            Member("cnt_day", "Clicks of today.", kind="number"),
            Member("cnt_yes", "Clicks of yesterday.", kind="number"),
        ),
        asked={"get": "1", "id": "15"},
        example=lambda: _told(Clicks(15, 120, 30, 3, 5)),
    ),
)
_NAMES = ("id", "cnt", "cnt_mon", "cnt_day", "cnt_yes")


def _rate(call: Call) -> Rate:
    return Rate(call.digest(), call.client.limits.identical_per_minute)


@endpoint(
    "/sys/tinyurls.php", codes=codes.LINKS, rate=_rate, parameters=PARAMETERS, answers=ANSWERS
)
async def tinyurls(call: Call) -> Reply:
    """Of one short link, or of all that lead to an address (info.md, 3)."""
    if not call.flag("get"):
        raise BadParameters("tinyurls.php takes get=1")
    link_id, link = call.number("id", 0, 0), call.text("link").strip()
    if not link_id and not link:
        raise BadParameters("id or link says which short link is meant")
    return _told(await call.services.numbers.links.clicks(call.client, link_id, link, call.now_ms))


def _told(clicks: Clicks) -> Reply:
    values = (clicks.id, clicks.all, clicks.month, clicks.today, clicks.yesterday)
    return Reply(
        dict(zip(_NAMES, values, strict=True)),
        ", ".join(f"{name} = {{{name}}}" for name in _NAMES),
        ",".join(f"{{{name}}}" for name in _NAMES),
        root="link",
    )
