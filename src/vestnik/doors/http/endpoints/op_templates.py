"""op_templates.php: texts that are registered with mobile operators."""

from vestnik.domain.op_template import KINDS
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.reply import Answer, Listing, Reply, Value
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.senders.templates import Registered

OPERATIONS = ("add", "get")

PARAMETERS = (
    Parameter("add", "1 registers a text.", kind="flag"),
    Parameter("get", "1 asks what became of it.", kind="flag"),
    Parameter("sender", "Sender name the text belongs to, which a new one needs."),
    Parameter(
        "msg",
        "The text: %w stands for a word, %w{1,5} for one to five, %d for digits, %% for a percent"
        " sign.",
    ),
    *(
        Parameter(kind, f"1 registers it for {name}.", kind="flag", only=("add",))
        for kind, name in KINDS.items()
    ),
)
_A_TEXT = Registered(1, 101, "Shop", "mts_srv", "Your code is %d", 0)
_ADDED = (
    Member("name", "Operator and kind of texts.", choices=tuple(KINDS.values())),
    Member("id", "Id of the registered text.", kind="number"),
)
ANSWERS = (
    Shape(
        "The text is registered, once for each operator and kind.",
        _ADDED,
        many=True,
        asked={"add": "1", "sender": "Shop", "msg": "Your code is %d", "mts_srv": "1"},
        example=lambda: Listing([_added(_A_TEXT)], root="templates"),
    ),
    Shape(
        "What became of registered texts.",
        (
            *_ADDED,
            Member(
                "status",
                "0 on moderation, 1 approved, 2 rejected.",
                kind="number",
                choices=("0", "1", "2"),
            ),
        ),
        many=True,
        asked={"get": "1", "sender": "Shop"},
        example=lambda: Listing([_found(_A_TEXT)], root="templates"),
    ),
)


def _rate(call: Call) -> Rate:
    """Three identical requests a minute, of whichever kind (templates.md)."""
    return Rate(call.digest(), call.client.limits.identical_per_minute)


@endpoint(
    "/sys/op_templates.php",
    codes=codes.TEMPLATES,
    rate=_rate,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def op_templates(call: Call) -> Answer:
    """One of OPERATIONS (templates.md, 2)."""
    chosen = [name for name in OPERATIONS if call.flag(name)]
    if len(chosen) != 1:
        raise BadParameters("op_templates.php takes one of add=1, get=1")
    service, sender, message = (
        call.services.paperwork.templates,
        call.text("sender"),
        call.text("msg"),
    )
    if chosen[0] == "get":
        found = await service.registered(call.client, sender, message)
        return Listing([_found(one) for one in found], root="templates")
    kinds = [kind for kind in KINDS if call.flag(kind)]
    made = await service.register(call.client, sender, message, kinds, call.now_ms)
    return Listing([_added(one) for one in made], root="templates")


def _added(one: Registered) -> Reply:
    fields: dict[str, Value] = {"name": KINDS[one.kind], "id": one.id}
    return Reply(fields, "{name}, ID - {id}", "{name},{id}", root="template")


def _found(one: Registered) -> Reply:
    fields: dict[str, Value] = {"name": KINDS[one.kind], "id": one.id, "status": one.status}
    return Reply(
        fields, "{name}, ID - {id}, status = {status}", "{name},{id},{status}", root="template"
    )
