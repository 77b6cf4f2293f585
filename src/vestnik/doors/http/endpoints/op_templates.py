"""op_templates.php: texts that are registered with mobile operators."""

from vestnik.domain.op_template import KINDS
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints.operations import Operations, identical
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import Answer
from vestnik.services.senders.templates import Registered

OPERATIONS = Operations(
    "op_templates.php",
    {"add": "1 registers a text.", "get": "1 asks what became of it."},
)

PARAMETERS = (
    *OPERATIONS.parameters,
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
_NAMED: tuple[Field[Registered], ...] = (
    Field(
        "name",
        lambda one: KINDS[one.kind],
        "Operator and kind of texts.",
        told="{name}",
        choices=tuple(KINDS.values()),
    ),
    Field("id", lambda one: one.id, "Id of the registered text.", "number", told="ID - {id}"),
)
_ADDED = Record("template", *_NAMED, listed="templates")
_FOUND = Record(
    "template",
    *_NAMED,
    Field(
        "status",
        lambda one: one.status,
        "0 on moderation, 1 approved, 2 rejected.",
        "number",
        choices=("0", "1", "2"),
    ),
    listed="templates",
)
ANSWERS = (
    _ADDED.many(
        "The text is registered, once for each operator and kind.",
        _A_TEXT,
        add="1",
        sender="Shop",
        msg="Your code is %d",
        mts_srv="1",
    ),
    _FOUND.many("What became of registered texts.", _A_TEXT, get="1", sender="Shop"),
)


@endpoint(
    "/sys/op_templates.php",
    codes=codes.TEMPLATES,
    rate=identical,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def op_templates(call: Call) -> Answer:
    """One of OPERATIONS (templates.md, 2)."""
    operation = OPERATIONS.only(call)
    service, sender, message = (
        call.services.paperwork.templates,
        call.text("sender"),
        call.text("msg"),
    )
    if operation == "get":
        return _FOUND.listing(await service.registered(call.client, sender, message))
    kinds = [kind for kind in KINDS if call.flag(kind)]
    made = await service.register(call.client, sender, message, kinds, call.now_ms)
    return _ADDED.listing(made)
