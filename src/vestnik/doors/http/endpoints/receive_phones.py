"""receive_phones.php: rents numbers for incoming messages."""

from vestnik.domain.number import parse
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints.operations import Operations
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import OK, Answer
from vestnik.doors.http.shapes import done
from vestnik.services.incoming.rented import RENT, Number

OPERATIONS = Operations(
    "receive_phones.php",
    {
        "get": "1 asks for the numbers that may be rented.",
        "buy": "1 rents a number for the rest of the month.",
        "chg": "1 says whether the rent goes on.",
    },
)

PARAMETERS = (
    *OPERATIONS.parameters,
    Parameter("phone", "The number.", only=("buy", "chg")),
    Parameter(
        "noprolong",
        "1: the rent ends with the month; 0: it is renewed.",
        kind="flag",
        only=("buy", "chg"),
    ),
)
_FREE = Record[Number](
    "phone",
    Field("phone", lambda number: number.phone, "The number.", "digits"),
    Field("cost", lambda number: number.cost, "What a month of it costs.", "money"),
    Field("country", lambda number: number.country, "Its country."),
    listed="phones",
)
_A_NUMBER = Number("79990000777", RENT, 300_000_000, "Россия")
ANSWERS = (
    _FREE.many("Numbers that may be rented.", _A_NUMBER, get="1"),
    done("The number is rented, or its renewal changed.", buy="1", phone="79990000777"),
)


def _rate(call: Call) -> Rate:
    return Rate(call.digest(), call.client.limits.rent_per_minute)


@endpoint(
    "/sys/receive_phones.php",
    codes=codes.RENT,
    rate=_rate,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def receive_phones(call: Call) -> Answer:
    """One of OPERATIONS (info.md, 4)."""
    rented = call.services.numbers.rented
    match OPERATIONS.only(call):
        case "get":
            return _FREE.listing(await rented.free())
        case "buy":
            phone, noprolong = _phone(call), call.flag("noprolong")
            await rented.buy(call.client, phone, noprolong=noprolong, now_ms=call.now_ms)
        case "chg":
            if call.given("noprolong") is None:
                raise BadParameters("noprolong says whether the rent ends with the month")
            await rented.change(call.client, _phone(call), noprolong=call.flag("noprolong"))
    return OK


def _phone(call: Call) -> str:
    phone = parse(call.text("phone"))
    if phone is None:
        raise BadParameters("phone says which number is meant")
    return phone
