"""receive_phones.php: rents numbers for incoming messages."""

from vestnik.domain.money import money
from vestnik.domain.number import parse
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.reply import OK, Answer, Listing, Reply
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.incoming.rented import RENT, Number

OPERATIONS = ("get", "buy", "chg")

PARAMETERS = (
    Parameter("get", "1 asks for the numbers that may be rented.", kind="flag"),
    Parameter("buy", "1 rents a number for the rest of the month.", kind="flag"),
    Parameter("chg", "1 says whether the rent goes on.", kind="flag"),
    Parameter("phone", "The number.", only=("buy", "chg")),
    Parameter(
        "noprolong",
        "1: the rent ends with the month; 0: it is renewed.",
        kind="flag",
        only=("buy", "chg"),
    ),
)
ANSWERS = (
    Shape(
        "Numbers that may be rented.",
        (
            Member("phone", "The number.", kind="digits"),
            Member("cost", "What a month of it costs.", kind="money"),
            Member("country", "Its country."),
        ),
        many=True,
        asked={"get": "1"},
        example=lambda: Listing([_free(_A_NUMBER)], root="phones"),
    ),
    done("The number is rented, or its renewal changed.", buy="1", phone="79990000777"),
)
_A_NUMBER: Number = Number("79990000777", RENT, 300_000_000, "Россия")


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
    chosen = [name for name in OPERATIONS if call.flag(name)]
    rented = call.services.numbers.rented
    match chosen:
        case ["get"]:
            return Listing([_free(number) for number in await rented.free()], root="phones")
        case ["buy"]:
            phone, noprolong = _phone(call), call.flag("noprolong")
            await rented.buy(call.client, phone, noprolong=noprolong, now_ms=call.now_ms)
        case ["chg"]:
            if call.given("noprolong") is None:
                raise BadParameters("noprolong says whether the rent ends with the month")
            await rented.change(call.client, _phone(call), noprolong=call.flag("noprolong"))
        case _:
            raise BadParameters("receive_phones.php takes one of get=1, buy=1, chg=1")
    return OK


def _phone(call: Call) -> str:
    phone = parse(call.text("phone"))
    if phone is None:
        raise BadParameters("phone says which number is meant")
    return phone


def _free(number: Number) -> Reply:
    return Reply(
        {"phone": number.phone, "cost": money(number.cost), "country": number.country},
        "phone = {phone}, cost = {cost}, country = {country}",
        "{phone},{cost},{country}",
        root="phone",
    )
