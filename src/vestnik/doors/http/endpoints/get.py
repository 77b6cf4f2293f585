"""get.php: what was sent, and what subscribers have sent."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from vestnik.domain import number
from vestnik.domain.refusals import BadParameters, NotFound
from vestnik.domain.schedule import MOSCOW
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints import paging, senders
from vestnik.doors.http.endpoints.operations import Operations, identical
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import Answer, Listing, Reply
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

OPERATIONS = Operations(
    "get.php",
    {
        "get_messages": "1 asks for the history of sent messages.",
        "get_answers": "1 asks for incoming messages.",
        "get_stat": "1 asks for statistics of sent messages.",
        "get_price": "1 asks for the prices.",
        "get_senders": "1 asks for the approved sender names.",
        "get_mega_accounts": "1 asks for accounts at an operator; none.",
    },
)
PARAMETERS = (
    *OPERATIONS.parameters,
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

_SENT: tuple[Field[Sent], ...] = (
    Field(
        "status",
        lambda one: one.status,
        "What became of it, see status.",
        "number",
        "Status = {status}",
    ),
    Field(
        "last_date",
        lambda one: one.changed_at,
        "When the status changed.",
        "date",
        "check_time = {last_date}",
        short=False,
    ),
    Field("last_timestamp", lambda one: one.changed_at, "The same moment.", "moment", told=""),
    Field("err", lambda one: one.err, "Why it was not delivered, 0 if nothing is wrong.", "number"),
    Field("send_date", lambda one: one.sent_at, "When it was sent.", "date", short=False),
    Field("send_timestamp", lambda one: one.sent_at, "The same moment.", "moment", told=""),
    Field("phone", lambda one: one.phone, "The number, or the address of an e-mail."),
    Field("cost", lambda one: one.cost, "What was paid.", "money"),
    Field("sender_id", lambda one: one.sender, "Its sender."),
    Field("status_name", lambda one: one.status_name, "The status in words."),
    Field("message", lambda one: one.text, "Its text."),
    Field(
        "type",
        lambda one: one.kind,
        "Kind of message: 0 SMS, 7 call, 8 e-mail and so on.",
        "number",
    ),
    Field("country", lambda one: one.country, "Country of the number.", after="phone"),
    Field("operator", lambda one: one.operator, "Its operator.", after="country"),
    Field("region", lambda one: one.region, "Its region.", after="operator"),
    Field("id", lambda one: one.wire_id, "Id of the request it came with.", "id", "ID = {id}"),
    Field("int_id", lambda one: one.id, "The centre's own number of it.", "number"),
    Field("sms_cnt", lambda one: one.parts, "Parts.", "number"),
    Field("format", lambda one: one.format, "8 for e-mail, else 0.", "number"),
    Field("crc", lambda one: one.checksum, "A checksum.", "number"),
    Field("mccmnc", lambda one: one.mccmnc, "Country and network code.", "digits", after="phone"),
)
_WITH_ERR = Record("item", *_SENT)
_WITHOUT_ERR = Record("item", *(replace(f, told="") if f.name == "err" else f for f in _SENT))
_RECEIVED = Record[Received](
    "item",
    Field("id", lambda one: one.id, "Id of the message.", "number"),
    Field("received", lambda one: one.received_at, "When the centre got it.", "date"),
    Field("phone", lambda one: one.phone, "Who sent it."),
    Field("message", lambda one: one.text, "Its text.", last=True),
    Field("to_phone", lambda one: one.to_phone, "The number it was sent to."),
    Field("sent", lambda one: one.sent_at, "When it was sent.", "date"),
    listed="list",
)
_TURNOVER = Record[Turnover](
    "item",
    Field("login", lambda one: one.login, "Login of the account."),
    Field("cnt", lambda one: one.messages, "Messages.", "number"),
    Field("credit", lambda one: one.spent, "Money spent.", "money"),
    Field("debit", lambda one: one.received, "Money paid in.", "money"),
    Field("currency", lambda one: one.currency, "Code of the currency."),
    listed="list",
)


def _price_of(name: str) -> Callable[[Zone], int]:
    return lambda zone: zone.prices[name]


_ZONE = Record[Zone](
    "item",
    Field("zone", lambda zone: zone.number, "Number of the zone.", "number"),
    Field("name", lambda zone: zone.name, "Its operator, or its place.", last=True),
    *(Field(name, _price_of(name), words, "money") for name, words in _PRICES.items()),
)
ANSWERS = (
    Shape(
        "The history, newest first.",
        _WITH_ERR.members,
        many=True,
        asked={"get_messages": "1", "start": "26.05.2017", "cnt": "1"},
        example=lambda: Listing([_sent(_A_SENT, MOSCOW)], root="list"),
    ),
    _RECEIVED.many("Incoming messages, newest first.", _A_RECEIVED, get_answers="1", hour="24"),
    _TURNOVER.many(
        "Statistics of the account.",
        _A_TURNOVER,
        get_stat="1",
        start="01.05.2017",
        end="31.05.2017",
    ),
    Shape(
        "What a message of each kind costs, zone by zone.",
        (
            Member("currency", "Code of the currency."),
            Member("zones", "The zones.", kind="list", members=_ZONE.members),
        ),
        asked={"get_price": "1"},
        example=lambda: _zones([_A_ZONE], "RUB"),
    ),
    senders.NAMES_ALONE,
)

_hours = re.compile(r"\d{1,6}(?:\.\d{1,9})?|\.\d{1,9}", re.ASCII).fullmatch


@endpoint(
    "/sys/get.php", codes=codes.HISTORY, rate=identical, parameters=PARAMETERS, answers=ANSWERS
)
async def get(call: Call) -> Answer:
    """One of OPERATIONS (get.md)."""
    return await _HANDLERS[OPERATIONS.only(call)](call)


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
    """The sentence names an error where there is one (get.md)."""
    return (_WITH_ERR if message.err else _WITHOUT_ERR).reply(message, zone)


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
    return _RECEIVED.listing(found, zone)


def _hour(text: str) -> float | None:
    if not text:
        return None
    if not _hours(text):
        raise BadParameters("hour is not a number of hours")
    return float(text)


async def _stat(call: Call) -> Answer:
    """An account has one currency, so `mycur` changes nothing."""
    statistics = call.services.statistics
    call.flag("mycur")
    days = statistics.days(call.text("start"), call.text("end"), call.now_ms)
    return _TURNOVER.listing(
        [await statistics.of_client(call.client, days, int(call.flag("balance2")))]
    )


async def _price(call: Call) -> Answer:
    found = call.services.numbers.prices.zones(call.client)
    return _zones(found, call.client.currency)


def _zones(found: Sequence[Zone], currency: str) -> Listing:
    return Listing([_ZONE.reply(zone) for zone in found], "zones", {"currency": currency})


async def _mega_accounts(call: Call) -> Answer:
    """No operator keeps accounts here: there are never any (get.md, 4)."""
    call.text("account")
    raise NotFound("no such accounts")


_HANDLERS: Mapping[str, Callable[[Call], Awaitable[Answer]]] = {
    "get_messages": _messages,
    "get_answers": _answers,
    "get_stat": _stat,
    "get_price": _price,
    "get_senders": senders.names_alone,
    "get_mega_accounts": _mega_accounts,
}
