"""templates.php: texts that an account keeps."""

from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints.operations import Operations, identical
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import OK, Answer
from vestnik.doors.http.shapes import done
from vestnik.services.senders.templates import FORMATS, SIGNATURE, New, Template

OPERATIONS = Operations(
    "templates.php",
    {
        "add": "1 keeps a new template.",
        "chg": "1 changes one.",
        "del": "1 forgets one.",
        "get": "1 lists all.",
    },
)
AUTOMATIC = 1  # fl[1] makes a template the automatic signature

_KEEPING = ("add", "chg")
PARAMETERS = (
    *OPERATIONS.parameters,
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
_TEMPLATE = Record[Template](
    "template",
    Field("id", lambda one: one.id, "Id of the template.", "number"),
    Field("name", lambda one: one.name, "Its name."),
    Field("message", lambda one: one.message, "Its text."),
    Field("format", lambda one: one.format, "Kind of messages it is for; empty for any."),
    Field("sender", lambda one: one.sender, "Sender name it is for."),
    Field("flag", lambda one: one.flag, "2 for an automatic signature, else 0.", "number"),
    listed="templates",
)
_ADDED = Record[int](
    "result",
    Field("id", lambda template_id: template_id, "Its id.", "number", told="OK - ID - {id}"),
    spread=False,
)
ANSWERS = (
    _ADDED.one("A template is kept.", 12, add="1", name="Greeting", msg="Hello!", format="sms"),
    done("A template is changed, or forgotten.", chg="1", id="12", msg="Good morning!"),
    _TEMPLATE.many("All templates, oldest first.", _A_TEMPLATE, get="1"),
)


@endpoint(
    "/sys/templates.php",
    codes=codes.TEMPLATES,
    rate=identical,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def templates(call: Call) -> Answer:
    """One of OPERATIONS (templates.md, 1)."""
    service = call.services.paperwork.templates
    match OPERATIONS.only(call):
        case "add":
            new = New(
                name=call.text("name"),
                message=call.text("msg"),
                format=call.text("format"),
                sender=call.text("sender").strip(),
                signature=_signature(call) or False,
            )
            return _ADDED.reply(await service.add(call.client, new, call.now_ms))
        case "chg":
            await service.change(call.client, _id(call), _changes(call))
        case "del":
            await service.delete(call.client, _id(call))
        case "get":
            return _TEMPLATE.listing(await service.listed(call.client))
    return OK


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
