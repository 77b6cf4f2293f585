"""info.php: tells the operators of numbers."""

from vestnik.domain.numbering import Network
from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.reply import Answer, Listing, Reply, Value
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.centre.numbering import Place, place_of

PHONES_MAX = 1_000

PARAMETERS = (
    Parameter("get_operator", "1 asks for the operator.", kind="flag", required=True),
    Parameter("phone", "Numbers, by commas; with a comma the answer is a list.", required=True),
)
_MEMBERS = (
    Member("country", "Country of the number."),
    Member("operator", "Operator that has the number now."),
    Member("region", "Region that it was issued in."),
    Member("mcc", "Country code of its network.", kind="digits"),
    Member("mnc", "Network code.", kind="digits"),
    Member("tz", "Time zone of the region, in hours from GMT."),
)
_NUMBER = Member("phone", "The number, as it was asked if it is none.")
_A_PLACE: Place = Place(
    "79990000001",
    Network("Россия", "МегаФон", "г.Москва и Московская область", "250", "02", "Europe/Moscow"),
    "3",
)
ANSWERS = (
    Shape(
        "The operator of one number.",
        _MEMBERS,
        asked={"get_operator": "1", "phone": "79990000001"},
        example=lambda: _one(_A_PLACE),
    ),
    Shape(
        "The operators of several numbers; what is not known is empty.",
        (_NUMBER, *_MEMBERS),
        many=True,
        asked={"get_operator": "1", "phone": "79990000001,"},
        example=lambda: Listing([_of_list(_A_PLACE)], root="list"),
    ),
)

_PAIRS = (
    ", country = {country}, operator = {operator}, region = {region}, mcc = {mcc}, mnc = {mnc}, "
    "tz = {tz}"
)
_SHORT = "{country},{operator},{mcc},{mnc},{tz},{region}"


def _rate(call: Call) -> Rate:
    return Rate(call.digest(), call.client.limits.identical_per_minute)


@endpoint("/sys/info.php", codes=codes.INFO, rate=_rate, parameters=PARAMETERS, answers=ANSWERS)
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
        return Listing([_of_list(place) for place in found], root="list")
    return _one(found[0])


def _one(place: Place) -> Reply:
    # A known number is digits: it can stand in the sentence as it is.
    return Reply(_fields(place), f"phone = {place.phone}{_PAIRS}", _SHORT, root="info")


def _of_list(place: Place) -> Reply:
    fields: dict[str, Value] = {"phone": place.phone, **_fields(place)}
    return Reply(fields, "phone = {phone}" + _PAIRS, "{phone}," + _SHORT, root="info")


def _fields(place: Place) -> dict[str, Value]:
    network = place.network
    return {
        "country": network.country,
        "operator": network.operator,
        "region": network.region,
        "mcc": network.mcc,
        "mnc": network.mnc,
        "tz": place.hours,
    }
