"""status.php: what became of messages, what look-ups found, and deletion."""

from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo

from vestnik.domain.message import STATUS_NAMES, Kind, Status
from vestnik.domain.refusals import BadParameters
from vestnik.domain.schedule import MOSCOW, zone_of
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import OK, Answer, Listing, Reply, wire_id
from vestnik.doors.http.services import Found, Pair
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.messages import status as service

PARAMETERS = (
    Parameter("phone", "Numbers or addresses, by commas.", required=True),
    Parameter("id", "Ids of the messages, by commas, in the order of phone.", required=True),
    Parameter(
        "all",
        "1 tells the whole message, 2 its country, operator and region too.",
        kind="number",
        low=0,
        high=2,
    ),
    Parameter("del", "1 deletes the messages.", kind="flag"),
    Parameter("bot", "1 for a message sent through a bot.", kind="flag"),
)
# The result of a look-up, in the order of the wire.
_LOOKUP = {
    "imsi": "the IMSI",
    "msc": "number of the service centre",
    "mcc": "country code",
    "mnc": "network code",
    "cn": "country of registration",
    "net": "operator of registration",
    "rcn": "roaming country",
    "rnet": "roaming operator",
}


def _of_lookup(name: str) -> Callable[[Found], str | None]:
    return lambda found: (found.hlr or {}).get(name, "") if found.kind == Kind.HLR else None


_STATUS = Field[Found](
    "status",
    lambda one: one.status,
    "What became of it; -3 is a message that is not on record.",
    "number",
    "Status = {status}",
)
_BRIEF: tuple[Field[Found], ...] = (
    Field(
        "last_date",
        lambda one: one.changed_at,
        "When the status changed.",
        "date",
        "check_time = {last_date}",
        short=False,
    ),
    Field("last_timestamp", lambda one: one.changed_at, "The same moment.", "moment", told=""),
    Field(
        "flag",
        lambda one: one.flag,
        "Kind of message and of its payment, in bits.",
        "number",
        told="",
        short=False,
    ),
    Field("err", lambda one: one.err, "Why it was not delivered, 0 if nothing is wrong.", "number"),
    *(
        Field(
            name,
            _of_lookup(name),
            f"Of a look-up: {meaning}.",
            told="IMSI = {imsi}" if name == "imsi" else None,
            optional=True,
        )
        for name, meaning in _LOOKUP.items()
    ),
)
_WHOLE: tuple[Field[Found], ...] = (
    Field("send_date", lambda one: one.sent_at, "When it was sent.", "date", short=False),
    Field("send_timestamp", lambda one: one.sent_at, "The same moment.", "moment", told=""),
    Field("phone", lambda one: one.phone, "The number, or the address of an e-mail."),
    Field("country", lambda one: one.country, "With all=2: country of the number.", optional=True),
    Field("operator", lambda one: one.operator, "With all=2: its operator.", optional=True),
    Field("region", lambda one: one.region, "With all=2: its region.", optional=True),
    Field("cost", lambda one: one.cost, "Its price.", "money"),
    # Official libraries know a look-up by this word in the sender's place (status.md).
    Field(
        "sender_id",
        lambda one: "HLR" if one.kind == Kind.HLR else one.sender,
        "Its sender; HLR for a look-up.",
    ),
    Field("status_name", lambda one: STATUS_NAMES[Status(one.status)][0], "The status in words."),
    Field("message", lambda one: one.text, "Its text."),
    Field("comment", lambda one: one.comment, "A note."),
    Field(
        "type",
        lambda one: one.kind,
        "Kind of message: 0 SMS, 7 call, 8 e-mail and so on.",
        "number",
    ),
    Field(
        "mccmnc",
        lambda one: one.mccmnc,
        "With all=2: country and network code.",
        "digits",
        told="",
        short=False,
        optional=True,
    ),
    Field(
        "sms_cnt",
        lambda one: one.parts,
        "With all=2: parts, or seconds of a call.",
        "number",
        told="",
        short=False,
        optional=True,
    ),
    Field(
        "operator_orig",
        lambda one: one.operator_orig or None,
        "With all=2: operator before porting, if known.",
        told="",
        short=False,
        optional=True,
    ),
)
# By the parameter `all`; what only 2 tells is what may be missing.
_RECORDS = (
    Record("sms", _STATUS, *_BRIEF),
    Record("sms", _STATUS, *_BRIEF, *(field for field in _WHOLE if not field.optional)),
    Record("sms", _STATUS, *_BRIEF, *_WHOLE),
)
_A_FOUND: service.Found = service.Found(
    id=4023111,
    wire_id="1234",
    phone="79990000001",
    kind=Kind.SMS,
    flag=0,
    sender="SHOP",
    text="Your parcel is here",
    comment="",
    parts=1,
    mccmnc="25002",
    status=Status.DELIVERED,
    err=0,
    changed_at=1_495_823_972_000,
    sent_at=1_495_823_967_000,
    cost=1_200_000,
    country="Russia",
    operator="MegaFon",
    region="Moscow",
)
ANSWERS = (
    _RECORDS[0].one("One message.", _A_FOUND, phone="79990000001", id="1234"),
    _RECORDS[2].one("One message, whole.", _A_FOUND, phone="79990000001", id="1234", all="2"),
    Shape(
        "No such message.",
        (_STATUS.member,),
        asked={"phone": "79990000002", "id": "138"},
        example=lambda: _record(None, 0, MOSCOW),
    ),
    Shape(
        "Several messages: phone or id holds a comma.",
        (
            _STATUS.member,
            *(
                replace(field.member, optional=True)
                for field in (*_BRIEF, *_WHOLE)
                if field.name != "phone"
            ),
            Member("id", "The id as it was asked.", kind="id"),
            Member("phone", "The number as it was asked."),
        ),
        many=True,
        asked={"phone": "79990000001,79990000002", "id": "1234,138"},
        example=lambda: Listing(
            [
                _listed(_record(_A_FOUND, 0, MOSCOW), ("1234", "79990000001"), 0),
                _listed(_record(None, 0, MOSCOW), ("138", "79990000002"), 0),
            ]
        ),
    ),
    done("The messages are deleted.", phone="79990000001", id="1234", **{"del": "1"}),
)


def _rate(call: Call) -> Rate:
    """One message may be asked for five times a minute, the same list once (conventions.md)."""
    asked, _ = _pairs(call)
    if len(asked) == 1:
        key = "\n".join([*asked[0], call.text("del")])
        return Rate(key.encode(), call.client.limits.status_per_minute)
    return Rate(call.digest(), call.client.limits.status_mass_per_minute)


@endpoint(
    "/sys/status.php",
    codes=codes.STATUS,
    rate=_rate,
    parameters=PARAMETERS,
    answers=ANSWERS,
    simultaneous=lambda limits: limits.status_simultaneous,
)
async def status(call: Call) -> Answer:
    """One record for one message, a list as soon as `phone` or `id` holds a comma (status.md)."""
    asked, many = _pairs(call)
    full = call.number("all", 0, 0, 2)
    call.flag("bot")  # a bot's messages are found like any others, by id and addressee
    if call.flag("del"):
        await call.services.status.delete(call.client, asked)
        return OK
    found = await call.services.status.look(call.client, asked, full)
    zone = zone_of(None, call.client.zone)
    if not many:
        return _record(found[0], full, zone)
    return Listing(
        [
            _listed(_record(one, full, zone), pair, full)
            for one, pair in zip(found, asked, strict=True)
        ]
    )


def _pairs(call: Call) -> tuple[list[Pair], bool]:
    """The messages asked for, as they were written, and whether the answer is a list."""
    phones, ids = call.text("phone"), call.text("id")
    many = "," in phones or "," in ids
    phone_list, id_list = _entries(phones), _entries(ids)
    if not phone_list or not id_list:
        raise BadParameters("phone and id say which message is meant")
    if len(phone_list) < len(id_list):
        raise BadParameters("there are fewer phones than ids")
    id_list += id_list[-1:] * (len(phone_list) - len(id_list))
    return list(zip(id_list, phone_list, strict=True)), many


def _entries(text: str) -> list[str]:
    return [entry for entry in (piece.strip() for piece in text.split(",")) if entry]


def _record(found: Found | None, full: int, zone: tzinfo) -> Reply:
    if found is None:
        return Reply(
            {"status": int(Status.NOT_FOUND)}, "Status = {status}", "{status},,", root="sms"
        )
    return _RECORDS[full].reply(found, zone)


def _listed(record: Reply, pair: Pair, full: int) -> Reply:
    """A record of a list tells whose it is: id and phone as they were asked."""
    id_, phone = pair
    fields = {**record.fields, "id": wire_id(id_)}
    sentence, short = record.sentence + ", id = {id}", record.short + ",{id}"
    if "phone" not in fields:
        fields["phone"] = phone
        sentence += ", phone = {phone}"
        short += "" if full else ",{phone}"
    return Reply(fields, sentence, short, root="sms")
