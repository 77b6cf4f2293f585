"""templates.php: texts that an account keeps."""

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.reply import OK, Answer, Listing, Reply, Value
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.senders.templates import FORMATS, SIGNATURE, New, Template

OPERATIONS = ("add", "chg", "del", "get")
AUTOMATIC = 1  # fl[1] makes a template the automatic signature

_KEEPING = ("add", "chg")
PARAMETERS = (
    Parameter("add", "1 keeps a new template.", kind="flag"),
    Parameter("chg", "1 changes one.", kind="flag"),
    Parameter("del", "1 forgets one.", kind="flag"),
    Parameter("get", "1 lists all.", kind="flag"),
    Parameter("id", "Id of the template.", kind="number", low=0, only=("chg", "del")),
    Parameter("name", "Its name, which a new one needs.", only=_KEEPING),
    Parameter("msg", "Its text, which a new one needs.", only=_KEEPING),
    Parameter(
        "format",
        "Kind of messages it is for; empty for any.",
        choices=tuple(filter(None, FORMATS)),
        only=_KEEPING,
    ),
    Parameter("sender", "Sender name it is for.", only=_KEEPING),
    Parameter(
        "fl[]",
        "fl[1]=1 appends its text to the account's messages of its kind by itself.",
        kind="flag",
        only=_KEEPING,
    ),
)
_A_TEMPLATE = Template(12, "Greeting", "Hello!", "sms", "Shop", 0)
ANSWERS = (
    Shape(
        "A template is kept.",
        (Member("id", "Its id.", kind="number"),),
        asked={"add": "1", "name": "Greeting", "msg": "Hello!", "format": "sms"},
        example=lambda: _added(12),
    ),
    done("A template is changed, or forgotten.", chg="1", id="12", msg="Good morning!"),
    Shape(
        "All templates, oldest first.",
        (
            Member("id", "Id of the template.", kind="number"),
            Member("name", "Its name."),
            Member("message", "Its text."),
            Member("format", "Kind of messages it is for; empty for any."),
            Member("sender", "Sender name it is for."),
            Member("flag", "2 for an automatic signature, else 0.", kind="number"),
        ),
        many=True,
        asked={"get": "1"},
        example=lambda: Listing([_record(_A_TEMPLATE)], root="templates"),
    ),
)
_SENTENCE = (
    "id = {id}, name = {name}, message = {message}, format = {format}, sender = {sender}, "
    "flag = {flag}"
)
_SHORT = "{id},{name},{message},{format},{sender},{flag}"


def _rate(call: Call) -> Rate:
    """Three identical requests a minute, of whichever kind (templates.md)."""
    return Rate(call.digest(), call.client.limits.identical_per_minute)


@endpoint(
    "/sys/templates.php",
    codes=codes.TEMPLATES,
    rate=_rate,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def templates(call: Call) -> Answer:
    """One of OPERATIONS (templates.md, 1)."""
    service = call.services.paperwork.templates
    match _operation(call):
        case "add":
            new = New(
                name=call.text("name"),
                message=call.text("msg"),
                format=call.text("format"),
                sender=call.text("sender").strip(),
                signature=_signature(call) or False,
            )
            return _added(await service.add(call.client, new, call.now_ms))
        case "chg":
            await service.change(call.client, _id(call), _changes(call))
        case "del":
            await service.delete(call.client, _id(call))
        case "get":
            found = await service.listed(call.client)
            return Listing([_record(one) for one in found], root="templates")
    return OK


def _operation(call: Call) -> str:
    chosen = [name for name in OPERATIONS if call.flag(name)]
    if len(chosen) != 1:
        raise BadParameters(f"templates.php takes one of {', '.join(f'{o}=1' for o in OPERATIONS)}")
    return chosen[0]


def _id(call: Call) -> int:
    given = call.number("id", 0, 0, 2**53)
    if not given:
        raise BadParameters("id says which template is meant")
    return given


def _signature(call: Call) -> bool | None:
    """`fl[1]`: None where it says nothing; raises BadParameters."""
    value = call.numbered("fl").get(AUTOMATIC, "")
    if value not in ("", "0", "1"):
        raise BadParameters("fl[1] is 0 or 1")
    return value == "1" if value else None


def _changes(call: Call) -> dict[str, str | int]:
    """What a request changes; an empty format or sender clears it, an empty name or text cannot."""
    changes: dict[str, str | int] = {}
    for parameter, name in (
        ("name", "name"),
        ("msg", "message"),
        ("format", "format"),
        ("sender", "sender"),
    ):
        value = call.given(parameter)
        if value is not None:
            changes[name] = value.strip() if name == "sender" else value
    signature = _signature(call)
    if signature is not None:
        changes["flag"] = SIGNATURE if signature else 0
    if not changes:
        raise BadParameters("nothing is to be changed")
    return changes


def _added(template_id: int) -> Reply:
    return Reply({"id": template_id}, "OK - ID - {id}", "{id}", spread=False)


def _record(template: Template) -> Reply:
    fields: dict[str, Value] = {
        "id": template.id,
        "name": template.name,
        "message": template.message,
        "format": template.format,
        "sender": template.sender,
        "flag": template.flag,
    }
    return Reply(fields, _SENTENCE, _SHORT, root="template")
