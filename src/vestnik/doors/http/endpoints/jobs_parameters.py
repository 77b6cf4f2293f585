"""What jobs.php reads (jobs.md)."""

from dataclasses import replace

from vestnik.doors.http.endpoint import IDEMPOTENCY_KEY, Parameter
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

# At most one of these applies, the first that is set.
_CHANNELS = (
    Parameter("hlr", "1 looks the numbers up and sends nothing.", kind="flag", only=_ADD),
    Parameter("ping", "1 sends silent messages.", kind="flag", only=_ADD),
    Parameter("flash", "1 shows the text at once on the screen.", kind="flag", only=_ADD),
    Parameter("push", "1 sends WAP pushes.", kind="flag", only=_ADD),
    Parameter(
        "bin", "1 sends octets, 2 octets written in hex.", kind="number", low=0, high=2, only=_ADD
    ),
    Parameter("mms", "1 sends MMS.", kind="flag", only=_ADD),
    Parameter("call", "1 makes voice calls.", kind="flag", only=_ADD),
    Parameter("viber", "1 sends by Viber.", kind="flag", only=_ADD),
    Parameter("soc", "1 sends by a social network.", kind="flag", only=_ADD),
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
    Parameter("mes", "The text.", only=_ADD),
    Parameter(
        "list",
        "Instead of phones and mes: lines of phones:text, each with its own text.",
        only=_ADD,
    ),
    Parameter("tpl", "Id of a template whose text is sent.", kind="number", low=1, only=_ADD),
    Parameter(
        "cost", "1 tells the price too; 2 and 3 as well.", kind="number", low=0, high=3, only=_ADD
    ),
    Parameter(
        "sender", "The sender's name or number; a dot switches the usual one off.", only=_ADD
    ),
    Parameter("sender2", "The sender of the repeat that fl[5] asks for.", only=_ADD),
    Parameter(
        "fl[]", "fl[5]=1 repeats what was not delivered once, from sender2.", kind="flag", only=_ADD
    ),
    Parameter(
        "time",
        "When: DDMMYYhhmm, DD.MM.YY hh:mm, h1-h2, 0 and Unix seconds, or +minutes.",
        only=_ADD,
    ),
    Parameter("tz", "Zone of time, in hours from Moscow.", kind="decimal", only=_ADD),
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
    Parameter(
        "freq", "Minutes between the portions of period, 1 to 1440.", kind="decimal", only=_ADD
    ),
    Parameter("valid", "How long delivery is tried: 1 to 24 hours, or hh:mm.", only=_ADD),
    Parameter(
        "translit",
        "1 writes Cyrillic in Latin letters by sound, 2 by look.",
        kind="number",
        low=0,
        high=2,
        only=_ADD,
    ),
    Parameter(
        "tinyurl",
        "1 makes the links of the text short and counts who follows them.",
        kind="flag",
        only=_ADD,
    ),
    *_CHANNELS,
    Parameter("subj", "Subject of an MMS or an e-mail.", only=_ADD),
    Parameter("voice", "Voice of a call: m, m2, w, w2.", only=_ADD),
    Parameter(
        "param", "Of a call: seconds of ringing, of waiting for the next try, tries.", only=_ADD
    ),
    Parameter("mes2", "Text of the SMS that is sent where the channel does not reach.", only=_ADD),
    Parameter("fileurl", "Where a file that is sent along can be fetched.", only=_ADD),
    Parameter(
        "file", "A file that is sent along; its field may have any name.", kind="file", only=_ADD
    ),
    replace(IDEMPOTENCY_KEY, only=_ADD),
)
