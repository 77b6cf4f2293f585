"""get.php: what was sent, and what subscribers have sent."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

from vestnik.domain import number
from vestnik.domain.money import money
from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.domain.schedule import MOSCOW, format_date
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints import paging, senders
from vestnik.doors.http.reply import Answer, Listing, Reply, Value, wire_id
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.history.listing import (
    DAY_MS,
    PERIOD_MS_MAX,
    Received,
    Sent,
    filter_from,
    period,
)
from vestnik.services.history.statistics import Turnover
from vestnik.services.money.prices import Zone

MESSAGES_MAX = 1_000
ANSWERS_MAX = 10_000

PARAMETERS = (
    Parameter("get_messages", "1 asks for the history of sent messages.", kind="flag"),
    Parameter("get_answers", "1 asks for incoming messages.", kind="flag"),
    Parameter("get_stat", "1 asks for statistics of sent messages.", kind="flag"),
    Parameter("get_price", "1 asks for the prices.", kind="flag"),
    Parameter("get_senders", "1 asks for the approved sender names.", kind="flag"),
    Parameter("get_mega_accounts", "1 asks for accounts at an operator; none.", kind="flag"),
    Parameter("account", "One of those accounts.", only=("get_mega_accounts",)),
    Parameter("start", "First day.", kind="date", only=("get_messages", "get_stat")),
    Parameter("end", "Last day, inclusive.", kind="date", only=("get_messages", "get_stat")),
    Parameter("mycur", "1: in the account's currency.", kind="flag", only=("get_stat",)),
    Parameter("balance2", "1: of the electronic balance.", kind="flag", only=("get_stat",)),
    Parameter("phone", "Only messages to these numbers, by commas.", only=("get_messages",)),
    Parameter("email", "Only e-mail to these addresses, by commas.", only=("get_messages",)),
    Parameter("format", "8 for e-mail.", kind="number", choices=("0", "8"), only=("get_messages",)),
    Parameter(
        "prev_id",
        "Only messages before this int_id of an earlier answer.",
        kind="number",
        low=0,
        only=("get_messages",),
    ),
    Parameter("cnt", "How many records the answer may hold.", kind="number"),
    Parameter(
        "hour",
        "Only what came in the last hours, at most 168.",
        kind="decimal",
        only=("get_answers",),
    ),
    Parameter(
        "after_id",
        "Only what came after the message with this id.",
        kind="number",
        low=0,
        only=("get_answers",),
    ),
    Parameter("to_phone", "Only what came to this number of the account.", only=("get_answers",)),
)
# The prices of a zone, in the order of the wire (info.md, 1).
_PRICES = {
    "api": "Of a part of an SMS by the API.",
    "mass": "Of a part of an SMS by the console.",
    "mms": "Of an MMS.",
    "hlr": "Of a look-up.",
    "call": "Of a call.",
    "viber": "Of a Viber message.",
    "soc": "Of a message in a social network.",
    "mail": "Of an e-mail.",
}
ANSWERS = (
    Shape(
        "The history, newest first.",
        (
            Member("status", "What became of it, see status.", kind="number"),
            Member("last_date", "When the status changed.", kind="date"),
            Member("last_timestamp", "The same moment.", kind="moment"),
            Member("err", "Why it was not delivered, 0 if nothing is wrong.", kind="number"),
            Member("send_date", "When it was sent.", kind="date"),
            Member("send_timestamp", "The same moment.", kind="moment"),
            Member("phone", "The number, or the address of an e-mail."),
            Member("cost", "What was paid.", kind="money"),
            Member("sender_id", "Its sender."),
            Member("status_name", "The status in words."),
            Member("message", "Its text."),
            Member("type", "Kind of message: 0 SMS, 7 call, 8 e-mail and so on.", kind="number"),
            Member("country", "Country of the number."),
            Member("operator", "Its operator."),
            Member("region", "Its region."),
            Member("id", "Id of the request it came with.", kind="id"),
            Member("int_id", "The centre's own number of it.", kind="number"),
            Member("sms_cnt", "Parts.", kind="number"),
            Member("format", "8 for e-mail, else 0.", kind="number"),
            Member("crc", "A checksum.", kind="number"),
            Member("mccmnc", "Country and network code.", kind="digits"),
        ),
        many=True,
        asked={"get_messages": "1", "start": "26.05.2017", "cnt": "1"},
        example=lambda: Listing([_sent(_A_SENT, MOSCOW)], root="list"),
    ),
    Shape(
        "Incoming messages, newest first.",
        (
            Member("id", "Id of the message.", kind="number"),
            Member("received", "When the centre got it.", kind="date"),
            Member("phone", "Who sent it."),
            Member("message", "Its text."),
            Member("to_phone", "The number it was sent to."),
            Member("sent", "When it was sent.", kind="date"),
        ),
        many=True,
        asked={"get_answers": "1", "hour": "24"},
        example=lambda: Listing([_received(_A_RECEIVED, MOSCOW)], root="list"),
    ),
    Shape(
        "Statistics of the account.",
        (
            Member("login", "Login of the account."),
            Member("cnt", "Messages.", kind="number"),
            Member("credit", "Money spent.", kind="money"),
            Member("debit", "Money paid in.", kind="money"),
            Member("currency", "Code of the currency."),
        ),
        many=True,
        asked={"get_stat": "1", "start": "01.05.2017", "end": "31.05.2017"},
        example=lambda: Listing([_turnover(_A_TURNOVER)], root="list"),
    ),
    Shape(
        "What a message of each kind costs, zone by zone.",
        (
            Member("currency", "Code of the currency."),
            Member(
                "zones",
                "The zones.",
                kind="list",
                members=(
                    Member("zone", "Number of the zone.", kind="number"),
                    Member("name", "Its operator, or its place."),
                    *(Member(name, words, kind="money") for name, words in _PRICES.items()),
                ),
            ),
        ),
        asked={"get_price": "1"},
        example=lambda: _zones([_A_ZONE], "RUB"),
    ),
    senders.NAMES_ALONE,
)
_A_TURNOVER: Turnover = Turnover(1, "alex", 120, 144_000_000, 500_000_000, "RUB")
_A_ZONE: Zone = Zone(1, "МТС", dict.fromkeys(_PRICES, 3_200_000))
_A_SENT: Sent = Sent(
    id=4023111,
    wire_id="1234",
    phone="79990000001",
    sent_at=1_495_823_967_000,
    changed_at=1_495_823_972_000,
    status=1,
    status_name="Delivered",
    err=0,
    cost=1_200_000,
    parts=1,
    sender="SHOP",
    kind=0,
    format=0,
    mccmnc="25002",
    country="Russia",
    operator="MegaFon",
    region="Moscow",
    text="Your parcel is here",
    checksum=3632233996,
)
_A_RECEIVED: Received = Received(
    48583869, 1_495_824_005_000, "79990000001", "Thanks", "79990000777", 1_495_824_002_000
)

_hours = re.compile(r"\d{1,6}(?:\.\d{1,9})?|\.\d{1,9}", re.ASCII).fullmatch

# fmt=0 has its own names for three fields, and `err` only where there is one (get.md).
_SENTENCE = (
    "Status = {{status}}, check_time = {{last_date}}{err}, send_date = {{send_date}}, "
    "phone = {{phone}}, mccmnc = {{mccmnc}}, country = {{country}}, operator = {{operator}}, "
    "region = {{region}}, cost = {{cost}}, sender_id = {{sender_id}}, "
    "status_name = {{status_name}}, message = {{message}}, type = {{type}}, ID = {{id}}, "
    "int_id = {{int_id}}, sms_cnt = {{sms_cnt}}, format = {{format}}, crc = {{crc}}"
)
_WITHOUT_ERR, _WITH_ERR = _SENTENCE.format(err=""), _SENTENCE.format(err=", err = {err}")
_SHORT = (
    "{status},{last_timestamp},{err},{send_timestamp},{phone},{mccmnc},{country},{operator},"
    "{region},{cost},{sender_id},{status_name},{message},{type},{id},{int_id},{sms_cnt},{format},"
    "{crc}"
)
_ANSWER_SENTENCE = (
    "id = {id}, received = {received}, phone = {phone}, message = {message}, "
    "to_phone = {to_phone}, sent = {sent}"
)
_ANSWER_SHORT = "{id},{received},{phone},{to_phone},{sent},{message}"
_TURNOVER_SENTENCE = (
    "login = {login}, cnt = {cnt}, credit = {credit}, debit = {debit}, currency = {currency}"
)
# A name may hold commas, so it stands last.
_ZONE_SENTENCE = "zone = {zone}, name = {name}" + "".join(f", {p} = {{{p}}}" for p in _PRICES)
_ZONE_SHORT = "{zone}" + "".join(f",{{{p}}}" for p in _PRICES) + ",{name}"
_TURNOVER_SHORT = "{login},{cnt},{credit},{debit},{currency}"


def _rate(call: Call) -> Rate:
    return Rate(call.digest(), call.client.limits.identical_per_minute)


@endpoint("/sys/get.php", codes=codes.HISTORY, rate=_rate, parameters=PARAMETERS, answers=ANSWERS)
async def get(call: Call) -> Answer:
    """One of OPERATIONS (get.md)."""
    chosen = [name for name in OPERATIONS if call.flag(name)]
    if len(chosen) != 1:
        raise BadParameters(f"get.php takes one of {', '.join(f'{o}=1' for o in OPERATIONS)}")
    return await OPERATIONS[chosen[0]](call)


async def _messages(call: Call) -> Answer:
    if call.client.limits.hide_messages:
        raise NotFound
    zone = ZoneInfo(call.client.zone)
    since, until = period(call.text("start"), call.text("end"), zone, call.now_ms)
    if since < call.now_ms - PERIOD_MS_MAX - DAY_MS:
        raise BadParameters("the period begins more than six months ago")
    found = await call.services.history.sent(
        call.client,
        filter_from(call.text("phone"), call.text("email"), call.text("format")),
        since,
        until,
        before_id=call.number("prev_id", 0, 0),
        most=paging.count(call, MESSAGES_MAX, MESSAGES_MAX),
    )
    return Listing([_sent(message, zone) for message in found], root="list")


def _sent(message: Sent, zone: ZoneInfo) -> Reply:
    fields: dict[str, Value] = {
        "status": message.status,
        "last_date": format_date(message.changed_at, zone),
        "last_timestamp": message.changed_at // 1000,
        "err": message.err,
        "send_date": format_date(message.sent_at, zone),
        "send_timestamp": message.sent_at // 1000,
        "phone": message.phone,
        "cost": money(message.cost),
        "sender_id": message.sender,
        "status_name": message.status_name,
        "message": message.text,
        "type": message.kind,
        "country": message.country,
        "operator": message.operator,
        "region": message.region,
        "id": wire_id(message.wire_id),
        "int_id": message.id,
        "sms_cnt": message.parts,
        "format": message.format,
        "crc": message.checksum,
        "mccmnc": message.mccmnc,
    }
    return Reply(fields, _WITH_ERR if message.err else _WITHOUT_ERR, _SHORT, root="item")


async def _answers(call: Call) -> Answer:
    zone = ZoneInfo(call.client.zone)
    to_phone = call.text("to_phone").strip()
    found = await call.services.history.received(
        call.client,
        call.now_ms,
        hours=_hour(call.text("hour").strip()),
        after_id=paging.after_id(call),
        to_phone=number.parse(to_phone) or to_phone,
        most=paging.count(call, ANSWERS_MAX, ANSWERS_MAX),
    )
    return Listing([_received(message, zone) for message in found], root="list")


def _hour(text: str) -> float | None:
    if not text:
        return None
    if not _hours(text):
        raise BadParameters("hour is not a number of hours")
    return float(text)


def _received(message: Received, zone: ZoneInfo) -> Reply:
    fields: dict[str, Value] = {
        "id": message.id,
        "received": format_date(message.received_at, zone),
        "phone": message.phone,
        "message": message.text,
        "to_phone": message.to_phone,
        "sent": format_date(message.sent_at, zone),
    }
    return Reply(fields, _ANSWER_SENTENCE, _ANSWER_SHORT, root="item")


async def _stat(call: Call) -> Answer:
    """An account has one currency, so `mycur` changes nothing."""
    statistics = call.services.statistics
    call.flag("mycur")
    days = statistics.days(call.text("start"), call.text("end"), call.now_ms)
    found = await statistics.of_client(call.client, days, int(call.flag("balance2")))
    return Listing([_turnover(found)], root="list")


def _turnover(found: Turnover) -> Reply:
    fields: dict[str, Value] = {
        "login": found.login,
        "cnt": found.messages,
        "credit": money(found.spent),
        "debit": money(found.received),
        "currency": found.currency,
    }
    return Reply(fields, _TURNOVER_SENTENCE, _TURNOVER_SHORT, root="item")


async def _price(call: Call) -> Answer:
    found = call.services.numbers.prices.zones(call.client)
    return _zones(found, call.client.currency)


def _zones(found: Sequence[Zone], currency: str) -> Listing:
    return Listing([_zone(zone) for zone in found], "zones", {"currency": currency})


def _zone(zone: Zone) -> Reply:
    prices = {name: money(zone.prices[name]) for name in _PRICES}
    fields: dict[str, Value] = {"zone": zone.number, "name": zone.name, **prices}
    return Reply(fields, _ZONE_SENTENCE, _ZONE_SHORT, root="item")


async def _mega_accounts(call: Call) -> Answer:
    """No operator keeps accounts here: there are never any (get.md, 4)."""
    call.text("account")
    raise NotFound("no such accounts")


OPERATIONS: Mapping[str, Callable[[Call], Awaitable[Answer]]] = {
    "get_messages": _messages,
    "get_answers": _answers,
    "get_stat": _stat,
    "get_price": _price,
    "get_senders": senders.names_alone,
    "get_mega_accounts": _mega_accounts,
}
