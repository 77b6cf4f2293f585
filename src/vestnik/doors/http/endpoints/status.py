"""status.php: what became of messages, what look-ups found, and deletion."""

from dataclasses import replace
from datetime import tzinfo

from vestnik.domain.message import STATUS_NAMES, Kind, Status
from vestnik.domain.money import money
from vestnik.domain.refusals import BadParameters
from vestnik.domain.schedule import MOSCOW, format_date, zone_of
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.reply import OK, Answer, Listing, Reply, Value, wire_id
from vestnik.doors.http.services import Found, Pair
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.messages import status as service

# The result of a look-up, in the order of the wire, and its labels in fmt=0.
HLR_NAMES = ("imsi", "msc", "mcc", "mnc", "cn", "net", "rcn", "rnet")

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
_STATUS = Member("status", "What became of it; -3 is a message that is not on record.", "number")
_OF_ALL_FOUND = (
    Member("last_date", "When the status changed.", kind="date"),
    Member("last_timestamp", "The same moment.", kind="moment"),
    Member("flag", "Kind of message and of its payment, in bits.", kind="number"),
    Member("err", "Why it was not delivered, 0 if nothing is wrong.", kind="number"),
)
_OF_LOOKUP = tuple(
    Member(name, f"Of a look-up: {meaning}.", optional=True)
    for name, meaning in (
        ("imsi", "the IMSI"),
        ("msc", "number of the service centre"),
        ("mcc", "country code"),
        ("mnc", "network code"),
        ("cn", "country of registration"),
        ("net", "operator of registration"),
        ("rcn", "roaming country"),
        ("rnet", "roaming operator"),
    )
)
_WHOLE = (
    Member("send_date", "When it was sent.", kind="date"),
    Member("send_timestamp", "The same moment.", kind="moment"),
    Member("phone", "The number, or the address of an e-mail."),
    Member("country", "With all=2: country of the number.", optional=True),
    Member("operator", "With all=2: its operator.", optional=True),
    Member("region", "With all=2: its region.", optional=True),
    Member("cost", "Its price.", kind="money"),
    Member("sender_id", "Its sender; HLR for a look-up."),
    Member("status_name", "The status in words."),
    Member("message", "Its text."),
    Member("comment", "A note."),
    Member("type", "Kind of message: 0 SMS, 7 call, 8 e-mail and so on.", kind="number"),
    Member("mccmnc", "With all=2: country and network code.", kind="digits", optional=True),
    Member("sms_cnt", "With all=2: parts, or seconds of a call.", kind="number", optional=True),
    Member("operator_orig", "With all=2: operator before porting, if known.", optional=True),
)
_LISTED = (*_OF_ALL_FOUND, *_OF_LOOKUP, *(one for one in _WHOLE if one.name != "phone"))
ANSWERS = (
    Shape(
        "One message.",
        (_STATUS, *_OF_ALL_FOUND, *_OF_LOOKUP),
        asked={"phone": "79990000001", "id": "1234"},
        example=lambda: _record(_A_FOUND, 0, MOSCOW),
    ),
    Shape(
        "One message, whole.",
        (_STATUS, *_OF_ALL_FOUND, *_OF_LOOKUP, *_WHOLE),
        asked={"phone": "79990000001", "id": "1234", "all": "2"},
        example=lambda: _record(_A_FOUND, 2, MOSCOW),
    ),
    Shape(
        "No such message.",
        (_STATUS,),
        asked={"phone": "79990000002", "id": "138"},
        example=lambda: _record(None, 0, MOSCOW),
    ),
    Shape(
        "Several messages: phone or id holds a comma.",
        (
            _STATUS,
            *(replace(one, optional=True) for one in _LISTED),
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

_SENTENCE = "Status = {status}, check_time = {last_date}, err = {err}"
_SHORT = "{status},{last_timestamp},{err}"
_HLR_SENTENCE = "".join(
    f", {'IMSI' if name == 'imsi' else name} = {{{name}}}" for name in HLR_NAMES
)
_HLR_SHORT = "".join(f",{{{name}}}" for name in HLR_NAMES)
_FULL_SENTENCE = (
    ", send_date = {{send_date}}, phone = {{phone}}{place}, cost = {{cost}}"
    ", sender_id = {{sender_id}}, status_name = {{status_name}}, message = {{message}}"
    ", comment = {{comment}}, type = {{type}}"
)
_PLACE_SENTENCE = ", country = {country}, operator = {operator}, region = {region}"
_FULL_SHORT = (
    ",{{send_timestamp}},{{phone}}{place},{{cost}},{{sender_id}},{{status_name}},{{message}}"
    ",{{comment}},{{type}}"
)
_PLACE_SHORT = ",{country},{operator},{region}"
# By the parameter `all`: what stands behind the first fields.
_SENTENCES = ("", _FULL_SENTENCE.format(place=""), _FULL_SENTENCE.format(place=_PLACE_SENTENCE))
_SHORTS = ("", _FULL_SHORT.format(place=""), _FULL_SHORT.format(place=_PLACE_SHORT))


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
        fields: dict[str, Value] = {"status": int(Status.NOT_FOUND)}
        return Reply(fields, "Status = {status}", "{status},,", root="sms")
    fields = {
        "status": found.status,
        "last_date": format_date(found.changed_at, zone),
        "last_timestamp": found.changed_at // 1000,
        "flag": found.flag,
        "err": found.err,
    }
    sentence, short = _SENTENCE, _SHORT
    if found.kind == Kind.HLR:
        result = found.hlr or {}
        fields.update((name, result.get(name, "")) for name in HLR_NAMES)
        sentence, short = sentence + _HLR_SENTENCE, short + _HLR_SHORT
    if full:
        fields.update(_message(found, full, zone))
    return Reply(fields, sentence + _SENTENCES[full], short + _SHORTS[full], root="sms")


def _message(found: Found, full: int, zone: tzinfo) -> dict[str, Value]:
    """What `all=1` and `all=2` add."""
    fields: dict[str, Value] = {
        "send_date": format_date(found.sent_at, zone),
        "send_timestamp": found.sent_at // 1000,
        "phone": found.phone,
    }
    if full == 2:
        fields |= {"country": found.country, "operator": found.operator, "region": found.region}
    fields |= {
        "cost": money(found.cost),
        # Official libraries know a look-up by this word in the sender's place (status.md).
        "sender_id": "HLR" if found.kind == Kind.HLR else found.sender,
        "status_name": STATUS_NAMES[Status(found.status)][0],
        "message": found.text,
        "comment": found.comment,
        "type": found.kind,
    }
    if full == 2:
        fields |= {"mccmnc": found.mccmnc, "sms_cnt": found.parts}
        if found.operator_orig:
            fields["operator_orig"] = found.operator_orig
    return fields


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
