"""ping.php: an outside system raises an alarm."""

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.reply import OK, Reply
from vestnik.doors.http.shapes import done
from vestnik.services.alarms import Event

PARAMETERS = (
    Parameter("id", "Id of the alarm group.", kind="number", low=1, required=True),
    Parameter("name", "Name of the rule or server: stands for {NAME} in the text."),
    Parameter("host", "Address of the server: stands for {HOST}."),
    Parameter("info", "What else is known: stands for {INFO}."),
    Parameter("ok", "0: something has failed; 1: it works again.", kind="flag"),
)
ANSWERS = (done("The alarm is raised.", id="3", name="db1", host="192.0.2.7"),)


@endpoint("/sys/ping.php", codes=codes.PING, parameters=PARAMETERS, answers=ANSWERS)
async def ping(call: Call) -> Reply:
    """OK once the messages of the group are accepted (callbacks.md, 2)."""
    alarm_id = call.number("id", 0, 0)
    if not alarm_id:
        raise BadParameters("id says which alarm group is meant")
    event = Event(
        ok=call.flag("ok"),
        name=call.text("name"),
        host=call.text("host"),
        info=call.text("info"),
        digest=call.digest(),
        now_ms=call.now_ms,
        address=call.address,
    )
    await call.services.numbers.alarms.fire(call.client, alarm_id, event)
    return OK
