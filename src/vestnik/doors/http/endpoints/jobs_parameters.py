"""What jobs.php reads (jobs.md)."""

from collections.abc import Iterator
from dataclasses import replace

from vestnik.doors.http.endpoint import IDEMPOTENCY_KEY, Parameter
from vestnik.doors.http.endpoints import send_parameters
from vestnik.doors.http.endpoints.operations import Operations

OPERATIONS = Operations(
    "jobs.php",
    {
        "add": "1 orders a mailing.",
        "del": "1 switches a mailing off and removes it.",
        "cancel": "1 switches a mailing off.",
        "get": "1 asks for one mailing.",
        "get_all": "1 asks for the list of mailings.",
    },
)
_ADD = ("add",)
_OF_SEND = {one.name: replace(one, only=_ADD) for one in send_parameters.PARAMETERS}


def _as_send(*names: str) -> Iterator[Parameter]:
    """Parameters that an order has in common with send.php."""
    return (_OF_SEND[name] for name in names)


# At most one of these applies, the first that is set.
_CHANNELS = (
    Parameter("hlr", "1 looks the numbers up and sends nothing.", kind="flag", only=_ADD),
    Parameter("ping", "1 sends silent messages.", kind="flag", only=_ADD),
    *_as_send("flash"),
    Parameter("push", "1 sends WAP pushes.", kind="flag", only=_ADD),
    *_as_send("bin"),
    Parameter("mms", "1 sends MMS.", kind="flag", only=_ADD),
    Parameter("call", "1 makes voice calls.", kind="flag", only=_ADD),
    *_as_send("viber", "soc"),
)
PARAMETERS = (
    *OPERATIONS.parameters,
    Parameter("mail", "1: of e-mail; needed in every request about such mailings.", kind="flag"),
    Parameter("id", "Id of the mailing.", kind="number", low=0, only=("del", "cancel", "get")),
    Parameter("start", "First day of sending in the list.", kind="date", only=("get_all",)),
    Parameter("end", "Last day of sending, inclusive.", kind="date", only=("get_all",)),
    Parameter("name", "Title of the mailing, 1 to 100 characters.", high=100, only=_ADD),
    Parameter(
        "phones",
        "Who is to get it: numbers or addresses, by commas or semicolons; G7 is the group 7.",
        only=_ADD,
    ),
    *_as_send("mes", "list"),
    Parameter("tpl", "Id of a template whose text is sent.", kind="number", low=1, only=_ADD),
    Parameter(
        "cost", "1 tells the price too; 2 and 3 as well.", kind="number", low=0, high=3, only=_ADD
    ),
    *_as_send("sender"),
    Parameter("sender2", "The sender of the repeat that fl[5] asks for.", only=_ADD),
    Parameter(
        "fl[]", "fl[5]=1 repeats what was not delivered once, from sender2.", kind="flag", only=_ADD
    ),
    *_as_send("time", "tz"),
    Parameter(
        "rpt",
        "Repeats: 0 none, 1 hourly, 2 daily, 3 Monday to Friday, 4 at weekends, 5 weekly,"
        " 6 monthly, 7 yearly.",
        kind="number",
        low=0,
        high=7,
        only=_ADD,
    ),
    Parameter("rptn", "How many repeats; any number if left out.", kind="number", low=0, only=_ADD),
    Parameter("period", "Hours over which a run is spread, 0.1 to 720.", kind="decimal", only=_ADD),
    *_as_send("freq", "valid", "translit", "tinyurl"),
    *_CHANNELS,
    *_as_send("subj"),
    Parameter("voice", "Voice of a call: m, m2, w, w2.", only=_ADD),
    *_as_send("param"),
    Parameter("mes2", "Text of the SMS that is sent where the channel does not reach.", only=_ADD),
    *_as_send("fileurl", "file"),
    replace(IDEMPOTENCY_KEY, only=_ADD),
)
