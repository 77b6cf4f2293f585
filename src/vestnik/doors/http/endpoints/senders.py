"""senders.php: the names that an account shows as senders."""

from zoneinfo import ZoneInfo

from msgspec.structs import replace

from vestnik.domain.client import Client
from vestnik.domain.refusals import BadDate, BadParameters
from vestnik.domain.schedule import parse_day
from vestnik.domain.sender import COMMON, DETAILS, FLAGS, OPERATORS, Kind
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints import paging
from vestnik.doors.http.endpoints.operations import Operations
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import OK, Answer, Listing, Marks, Reply
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.senders.names import Listed, Sender, Wish, document

OPERATIONS = Operations(
    "senders.php",
    {
        "get": "1 lists the names.",
        "add": "1 adds a name.",
        "chg": "1 changes a name's comment, registrations or documents.",
        "send_code": "1 sends a code to a digital name.",
        "check_code": "1 confirms a digital name by its code.",
        "del": "1 forgets a name.",
    },
)
SENDERS_MAX = 1_000  # of one answer
ID_MAX = 2**53

_KEEPING = ("add", "chg")
_NAMED = ("add", "chg", "send_code", "check_code", "del")
_MAIL = ("add", "chg", "del")
_DETAILS = tuple(dict.fromkeys(name for wanted in DETAILS.values() for name in wanted))

PARAMETERS = (
    *OPERATIONS.parameters,
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
_A_SENDER = Sender(1, 77, "Shop", 0, 1, "for the site", "", {}, (), "", 0, 0)
_NAME: tuple[Field[Sender], ...] = (
    Field("sender", lambda sender: sender.name, "The name.", told="name = {sender}"),
    Field("id", lambda sender: sender.id, "Its id.", "number"),
)
# Mail addresses are marked where names of all kinds are told in full.
_MORE: tuple[Field[Sender], ...] = (
    Field(
        "status",
        lambda sender: int(sender.status),
        "Where it stands: 0 waits, 1 approved, 2 refused, 3 needs documents.",
        "number",
        optional=True,
    ),
    Field("cmt", lambda sender: sender.cmt, "Its comment.", optional=True),
    Field(
        "mail",
        lambda sender: 1 if sender.kind == Kind.MAIL else None,
        "1 of a mail address.",
        "number",
        optional=True,
    ),
    Field(
        "name",
        lambda sender: sender.owner if sender.kind == Kind.MAIL else None,
        "Whose mail address it is.",
        told="owner = {name}",
        optional=True,
    ),
)
_ALONE = Record("sender", _NAME[0], listed="senders", text="sender")
_BRIEF = Record("sender", *_NAME, text="sender")
_WHOLE = Record("sender", *_NAME, *_MORE, text="sender")
ANSWERS = (
    Shape(
        "The approved names, oldest first; with all=1 and operators=1 more of each.",
        (
            *_WHOLE.members,
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
    _BRIEF.one("A name is added.", _A_SENDER, add="1", sender="Shop", cmt="for the site"),
    done("A code is sent.", send_code="1", sender="79990000001"),
    done("A digital name is confirmed.", check_code="1", sender="79990000001", code="123456"),
    done("A name is changed, or forgotten.", chg="1", sender="Shop", mts_step="1"),
)
# The older entry, `get.php?get_senders=1`, tells no ids.
NAMES_ALONE = _ALONE.many("The approved sender names.", _A_SENDER, get_senders="1")


def _rate(call: Call) -> Rate | None:
    """Three identical requests for the list, five to create any name, a minute (senders.md)."""
    limits = call.client.limits
    match OPERATIONS.only(call):
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
    match OPERATIONS.only(call):
        case "get":
            return await _list(call, whose)
        case "add":
            mail = call.flag("mail")
            added = await services.senders.add(whose, name, _wish(call), call.now_ms, mail=mail)
            return _BRIEF.reply(added)
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
    return _ALONE.listing(one.sender for one in found)


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


def _record(one: Listed, *, everything: bool, operators: bool) -> Reply:
    reply = (_WHOLE if everything else _BRIEF).reply(one.sender)
    if not operators:
        return reply
    return replace(
        reply,
        sentence=f"{reply.sentence}, operators = {{operators}}",
        short=f"{reply.short},{{operators}}",
        marks=Marks("operators", {place: int(one.operators.get(place, 0)) for place in OPERATORS}),
    )
