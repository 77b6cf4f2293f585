"""info.php: tells the operators of numbers."""

from msgspec.structs import replace

from vestnik.domain.numbering import Network
from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints.operations import identical
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import Answer, Reply
from vestnik.doors.http.shapes import Shape
from vestnik.services.centre.numbering import Place, place_of

PHONES_MAX = 1_000

PARAMETERS = (
    Parameter("get_operator", "1 asks for the operator.", kind="flag", required=True),
    Parameter("phone", "Numbers, by commas; with a comma the answer is a list.", required=True),
)
_A_PLACE: Place = Place(
    "79990000001",
    Network("Россия", "МегаФон", "г.Москва и Московская область", "250", "02", "Europe/Moscow"),
    "3",
)
_NETWORK: tuple[Field[Place], ...] = (
    Field("country", lambda place: place.network.country, "Country of the number."),
    Field("operator", lambda place: place.network.operator, "Operator that has the number now."),
    Field("region", lambda place: place.network.region, "Region that it was issued in.", last=True),
    Field("mcc", lambda place: place.network.mcc, "Country code of its network.", "digits"),
    Field("mnc", lambda place: place.network.mnc, "Network code.", "digits"),
    Field("tz", lambda place: place.hours, "Time zone of the region, in hours from GMT."),
)
_ONE = Record("info", *_NETWORK)
_OF_LIST = Record(
    "info",
    Field("phone", lambda place: place.phone, "The number, as it was asked if it is none."),
    *_NETWORK,
    listed="list",
)
ANSWERS = (
    Shape(
        "The operator of one number.",
        _ONE.members,
        asked={"get_operator": "1", "phone": "79990000001"},
        example=lambda: _one(_A_PLACE),
    ),
    _OF_LIST.many(
        "The operators of several numbers; what is not known is empty.",
        _A_PLACE,
        get_operator="1",
        phone="79990000001,",
    ),
)


@endpoint("/sys/info.php", codes=codes.INFO, rate=identical, parameters=PARAMETERS, answers=ANSWERS)
async def info(call: Call) -> Answer:
    """One record for one number, a list as soon as `phone` holds a comma (info.md, 2)."""
    if not call.flag("get_operator"):
        raise BadParameters("info.php takes get_operator=1")
    most = call.client.limits.operators_per_minute
    call.services.access.count(call.client, "info of any", b"", most, call.now_ms)
    asked = call.text("phone")
    phones = [phone for piece in asked.split(",") if (phone := piece.strip())]
    if not phones:
        raise BadParameters("phone says whose operator is asked for")
    if len(phones) > PHONES_MAX:
        raise BadParameters(f"phone: at most {PHONES_MAX} numbers may be asked for at one time")
    plan = call.services.numbers.plan()
    found = [place_of(plan, phone, call.now_ms) for phone in phones]
    if not any(place.known for place in found):
        raise NotFound
    if "," in asked:
        return _OF_LIST.listing(found)
    return _one(found[0])


def _one(place: Place) -> Reply:
    # A known number is digits: it can stand in the sentence as it is.
    reply = _ONE.reply(place)
    return replace(reply, sentence=f"phone = {place.phone}, {reply.sentence}")
