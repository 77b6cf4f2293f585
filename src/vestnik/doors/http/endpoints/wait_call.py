"""wait_call.php: waits for a call that confirms a number."""

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints.operations import identical
from vestnik.doors.http.reply import Reply, Texts
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.incoming.wait_calls import Expected

PARAMETERS = (
    Parameter("phone", "The subscriber's number, from which the call will come.", required=True),
)
ANSWERS = (
    Shape(
        "The number to call within ten minutes.",
        (
            Member("phone", "The number to call.", kind="digits"),
            Member("all_phones", "Every number that may be named.", kind="texts"),
        ),
        asked={"phone": "79990000001"},
        example=lambda: _told(Expected("74950000001", ["74950000001", "74950000002"])),
    ),
)


@endpoint(
    "/sys/wait_call.php",
    codes=codes.WAIT_CALL,
    rate=identical,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def wait_call(call: Call) -> Reply:
    """The number that the subscriber is to call (info.md, 5)."""
    phone = call.text("phone").strip()
    if not phone:
        raise BadParameters("phone says whose call is waited for")
    return _told(await call.services.numbers.wait_calls.expect(call.client, phone, call.now_ms))


def _told(expected: Expected) -> Reply:
    everything = ";".join(expected.all_phones)  # digits all
    return Reply(
        {"phone": expected.phone},
        f"phone = {{phone}}, all_phones = {everything}",
        f"{{phone}},{everything}",
        rows=Texts("all_phones", "phone", expected.all_phones),
    )
