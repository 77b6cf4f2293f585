"""senders.php: the names that an account shows as senders."""

from zoneinfo import ZoneInfo

from vestnik.domain.client import Client
from vestnik.domain.refusals import BadDate, BadParameters
from vestnik.domain.schedule import parse_day
from vestnik.domain.sender import COMMON, DETAILS, FLAGS, OPERATORS, Kind
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints import paging
from vestnik.doors.http.reply import OK, Answer, Listing, Marks, Reply, Value
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.senders.names import Listed, Sender, Wish, document

OPERATIONS = ("get", "add", "chg", "send_code", "check_code", "del")
SENDERS_MAX = 1_000  # of one answer
ID_MAX = 2**53

_KEEPING = ("add", "chg")
_NAMED = ("add", "chg", "send_code", "check_code", "del")
_MAIL = ("add", "chg", "del")
_DETAILS = tuple(dict.fromkeys(name for wanted in DETAILS.values() for name in wanted))

PARAMETERS = (
    Parameter("get", "1 lists the names.", kind="flag"),
    Parameter("add", "1 adds a name.", kind="flag"),
    Parameter("chg", "1 changes a name's comment, registrations or documents.", kind="flag"),
    Parameter("send_code", "1 sends a code to a digital name.", kind="flag"),
    Parameter("check_code", "1 confirms a digital name by its code.", kind="flag"),
    Parameter("del", "1 forgets a name.", kind="flag"),
    Parameter("user", "Login of a subclient: its names are meant."),
    Parameter("sender", "The name.", only=_NAMED),
    Parameter("id", "Id of the name, in its place.", "number", low=0, only=("chg", "del")),
    Parameter("all", "1: names that are not approved too.", kind="flag", only=("get",)),
    Parameter("operators", "1: also where each stands with operators.", "flag", only=("get",)),
    Parameter(
        "from_date",
        "Only names whose status at an operator has changed since this day.",
        kind="date",
        only=("get",),
    ),
    Parameter("prev_id", "Only names before this id.", "number", low=0, only=("get",)),
    Parameter("cnt", "How many names the answer may hold.", kind="number", only=("get",)),
    Parameter("cmt", "Comment.", only=_KEEPING),
    Parameter("mail", "1: the name is a mail address.", kind="flag", only=_MAIL),
    Parameter("name", "Whose mail address it is.", only=_KEEPING),
    Parameter("code", "The code that came.", only=("check_code",)),
    Parameter("site_name", "Site named in the text with the code.", only=("send_code",)),
    Parameter("doc_info", "What the files are.", only=_KEEPING),
    Parameter("file", "Documents for operators, 3 MB each at most.", "file", only=_KEEPING),
    *(
        Parameter(flag, f"1 asks for a registration: {operator}, {tariff}.", "flag", only=_KEEPING)
        for flag, (operator, tariff) in FLAGS.items()
    ),
    *(
        Parameter(flag, f"1: a common name may replace it at {operator}.", "flag", only=_KEEPING)
        for flag, operator in COMMON.items()
    ),
    *(
        Parameter(name, "Detail that a registration in a country needs.", only=_KEEPING)
        for name in _DETAILS
    ),
)
_NAME = (
    Member("sender", "The name."),
    Member("id", "Its id.", kind="number"),
)
_A_SENDER = Sender(1, 77, "Shop", 0, 1, "for the site", "", {}, (), "", 0, 0)
_STATUS = "Where it stands: 0 waits, 1 approved, 2 refused, 3 needs documents."
ANSWERS = (
    Shape(
        "The approved names, oldest first; with all=1 and operators=1 more of each.",
        (
            *_NAME,
            Member("status", _STATUS, kind="number", optional=True),
            Member("cmt", "Its comment.", optional=True),
            Member("mail", "1 of a mail address.", kind="number", optional=True),
            Member("name", "Whose mail address it is.", optional=True),
            Member(
                "operators",
                "Where it stands with each operator: 0 not asked, 1 asked, 2 in work, 3 registered,"
                " 4 refused, 5 switched off.",
                kind="record",
                optional=True,
                members=tuple(Member(one, f"At {one}.", kind="number") for one in OPERATORS),
            ),
        ),
        many=True,
        asked={"get": "1", "all": "1", "operators": "1"},
        example=lambda: _listing([Listed(_A_SENDER, {"mts": 3})], everything=True, operators=True),
    ),
    Shape(
        "A name is added.",
        _NAME,
        asked={"add": "1", "sender": "Shop", "cmt": "for the site"},
        example=lambda: _name(_A_SENDER),
    ),
    done("A code is sent.", send_code="1", sender="79990000001"),
    done("A digital name is confirmed.", check_code="1", sender="79990000001", code="123456"),
    done("A name is changed, or forgotten.", chg="1", sender="Shop", mts_step="1"),
)


# The older entry, `get.php?get_senders=1`, tells no ids.
NAMES_ALONE = Shape(
    "The approved sender names.",
    (Member("sender", "The name."),),
    many=True,
    asked={"get_senders": "1"},
    example=lambda: _alone([Listed(_A_SENDER, {})]),
)


def _rate(call: Call) -> Rate | None:
    """Three identical requests for the list, five to create any name, a minute (senders.md)."""
    limits = call.client.limits
    match _operation(call):
        case "get":
            return Rate(call.digest(), limits.identical_per_minute)
        case "add":
            return Rate(b"add", limits.senders_per_minute)
    return None


@endpoint(
    "/sys/senders.php",
    codes=codes.SENDERS,
    rate=_rate,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def senders(call: Call) -> Answer:
    """One of OPERATIONS (senders.md)."""
    services, name = call.services.paperwork, call.text("sender")
    whose = await _whose(call)
    match _operation(call):
        case "get":
            return await _list(call, whose)
        case "add":
            mail = call.flag("mail")
            return _name(
                await services.senders.add(whose, name, _wish(call), call.now_ms, mail=mail)
            )
        case "chg":
            await services.senders.change(
                whose, _id(call), name, _wish(call), call.now_ms, mail=call.flag("mail")
            )
        case "send_code":
            site = call.text("site_name")
            await services.codes.send(call.client, whose, name, site, call.now_ms)
        case "check_code":
            await services.codes.check(whose, name, call.text("code"), call.now_ms)
        case "del":
            await services.senders.delete(whose, _id(call), name, mail=call.flag("mail"))
    return OK


async def names_alone(call: Call) -> Answer:
    """What get.php answers to `get_senders=1` (senders.md, 1)."""
    found = await call.services.paperwork.senders.listed(
        call.client, everything=False, most=SENDERS_MAX
    )
    return _alone(found)


def _alone(found: list[Listed]) -> Listing:
    replies = [
        Reply({"sender": one.sender.name}, "name = {sender}", "{sender}", "sender", text="sender")
        for one in found
    ]
    return Listing(replies, root="senders")


def _operation(call: Call) -> str:
    chosen = [name for name in OPERATIONS if call.flag(name)]
    if len(chosen) != 1:
        raise BadParameters(f"senders.php takes one of {', '.join(f'{o}=1' for o in OPERATIONS)}")
    return chosen[0]


async def _whose(call: Call) -> Client:
    user = call.text("user").strip()
    return await call.services.paperwork.senders.whose(call.client, user) if user else call.client


def _id(call: Call) -> int | None:
    return call.number("id", 0, 0, ID_MAX) or None


def _wish(call: Call) -> Wish:
    return Wish(
        cmt=call.given("cmt"),
        owner=call.given("name"),
        flags=[flag for flag in (*FLAGS, *COMMON) if call.flag(flag)],
        details={name: call.text(name).strip() for name in _DETAILS},
        documents=[document(file.name, file.octets) for file in call.files],
        about=call.text("doc_info"),
    )


async def _list(call: Call, whose: Client) -> Answer:
    everything, operators = call.flag("all"), call.flag("operators")
    found = await call.services.paperwork.senders.listed(
        whose,
        everything=everything,
        before_id=call.number("prev_id", 0, 0, ID_MAX) or None,
        since=_since(call),
        most=paging.count(call, SENDERS_MAX, SENDERS_MAX),
    )
    return _listing(found, everything=everything, operators=operators)


def _since(call: Call) -> int | None:
    text = call.text("from_date").strip()
    if not text:
        return None
    try:
        return parse_day(text, ZoneInfo(call.client.zone))[0]
    except BadDate:
        raise BadParameters("from_date is written dd.mm.yyyy") from None


def _listing(found: list[Listed], *, everything: bool, operators: bool) -> Listing:
    replies = [_record(one, everything=everything, operators=operators) for one in found]
    return Listing(replies, root="senders")


def _name(sender: Sender) -> Reply:
    fields: dict[str, Value] = {"sender": sender.name, "id": sender.id}
    sentence = "name = {sender}, id = {id}"
    return Reply(fields, sentence, "{sender},{id}", root="sender", text="sender")


def _record(one: Listed, *, everything: bool, operators: bool) -> Reply:
    """A name; mail addresses are marked where names of all kinds are told in full."""
    sender = one.sender
    fields: dict[str, Value] = {"sender": sender.name, "id": sender.id}
    sentence, short = "name = {sender}, id = {id}", "{sender},{id}"
    if everything:
        fields |= {"status": int(sender.status), "cmt": sender.cmt}
        sentence, short = (
            f"{sentence}, status = {{status}}, cmt = {{cmt}}",
            f"{short},{{status}},{{cmt}}",
        )
        if sender.kind == Kind.MAIL:
            fields |= {"mail": 1, "name": sender.owner}
            sentence, short = f"{sentence}, mail = 1, owner = {{name}}", f"{short},1,{{name}}"
    marks = None
    if operators:
        marks = Marks("operators", {place: int(one.operators.get(place, 0)) for place in OPERATORS})
        sentence, short = f"{sentence}, operators = {{operators}}", f"{short},{{operators}}"
    return Reply(fields, sentence, short, root="sender", text="sender", marks=marks)
