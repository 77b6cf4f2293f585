"""tinyurls.php: tells how often a short link was followed."""

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints.operations import identical
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import Reply
from vestnik.services.messages.links import Clicks

PARAMETERS = (
    Parameter("get", "1 asks for the clicks.", kind="flag", required=True),
    Parameter("id", "Id of the short link; it decides if both are given.", kind="number", low=0),
    Parameter("link", "The address that short links lead to."),
)
_CLICKS = Record[Clicks](
    "link",
    Field("id", lambda clicks: clicks.id, "Id of the short link, of several the newest.", "number"),
    Field("cnt", lambda clicks: clicks.all, "All clicks.", "number"),
    Field("cnt_mon", lambda clicks: clicks.month, "Clicks of this month.", "number"),
    Field("cnt_day", lambda clicks: clicks.today, "Clicks of today.", "number"),
    Field("cnt_yes", lambda clicks: clicks.yesterday, "Clicks of yesterday.", "number"),
)
ANSWERS = (_CLICKS.one("The clicks.", Clicks(15, 120, 30, 3, 5), get="1", id="15"),)


@endpoint(
    "/sys/tinyurls.php", codes=codes.LINKS, rate=identical, parameters=PARAMETERS, answers=ANSWERS
)
async def tinyurls(call: Call) -> Reply:
    """Of one short link, or of all that lead to an address (info.md, 3)."""
    if not call.flag("get"):
        raise BadParameters("tinyurls.php takes get=1")
    link_id, link = call.number("id", 0, 0), call.text("link").strip()
    if not link_id and not link:
        raise BadParameters("id or link says which short link is meant")
    found = await call.services.numbers.links.clicks(call.client, link_id, link, call.now_ms)
    return _CLICKS.reply(found)
