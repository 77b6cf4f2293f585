"""jobs.php: mailings, which are sent when they are due, and again by their rule."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from vestnik.domain.lists import ListLine, list_lines
from vestnik.domain.message import Kind
from vestnik.domain.refusals import BadParameters
from vestnik.domain.schedule import MOSCOW, parse_day
from vestnik.doors.http import codes as tables
from vestnik.doors.http.endpoint import Call, Rate, endpoint
from vestnik.doors.http.endpoints.jobs_parameters import OPERATIONS, PARAMETERS
from vestnik.doors.http.endpoints.message_form import (
    in_hex,
    kind_of,
    may_be_empty,
    octets_given,
    options_of,
    sender_of,
)
from vestnik.doors.http.endpoints.send_answer import price
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import OK, Answer, Listing, Reply, Value, wire_id
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.mailings.jobs import Attached, Mailing, NewMailing, Progress, Shown, State

_OPTIONS = frozenset({"fileurl", "voice", "param", "subj"})  # handed on as they came
_REPEAT = 5  # the number of the `fl` that asks for a repeat of what was not delivered

_AN_EXAMPLE: Shown = Shown(
    Mailing(
        client_id=1,
        id=1,
        wire_id="1234567",
        name="Weekly",
        mail=0,
        state=State.WAITING,
        settings="",
        zone="Europe/Moscow",
        rpt=5,
        rptn=5,
        run=1,
        run_wire_id="1234567",
        first_at=1_795_590_000_000,
        start_at=1_796_194_800_000,
        last_run=1_795_590_000_000,
        total=2,
        made=2,
        cursor=1,
        after=0,
        whole=1,
        leaving=0,
        created_at=1_795_503_600_000,
    ),
    "79990000001,79990000002",
    "Hello",
    "Shop",
    Progress(made=2, sent=2, delivered=2, cost=2_400_000),
)
# In a list all but `rptn` is told; in its fmt 1 the time in seconds.
_LISTED: tuple[Field[Mailing], ...] = (
    Field("id", lambda one: one.wire_id, "Id of the mailing.", "id", told="{id}"),
    Field("name", lambda one: one.name, "Its title.", last=True),
    Field(
        "time",
        lambda one: one.start_at,
        "When its next run is due, or its last one was: dd.mm.yyyy hh:mm.",
        "minute",
    ),
    Field("rpt", lambda one: one.rpt, "Its repeat rule.", "number"),
    Field(
        "rptn",
        lambda one: "" if one.rptn is None else one.rptn,
        "Repeats at most, empty for any number.",
        "digits",
        told="",
        short=False,
    ),
    Field("cnt", lambda one: one.total, "Its recipients.", "number"),
    Field(
        "status",
        lambda one: one.state,
        "0 waits, 1 is being sent, 2 finished, 3 switched off, 4 not started.",
        "number",
    ),
)


def _of_shown(field: Field[Mailing]) -> Field[Shown]:
    return Field(field.name, lambda shown: field.of(shown.mailing), field.meaning, field.kind)


_MAILING = Record("job", *_LISTED)
_SHOWN = Record[Shown](
    "job",
    *map(_of_shown, _LISTED),
    Field("phones", lambda one: one.phones, "Its numbers and groups, by commas; empty for a list."),
    Field("mes", lambda one: one.text, "Its text, or the lines of its list."),
    Field("sender", lambda one: one.sender or "", "The sender that was named."),
    Field("created", lambda one: one.mailing.created_at, "When it was ordered.", "date"),
    Field("last_run", lambda one: one.mailing.last_run or "", "When its last run began.", "date"),
    Field("runs", lambda one: one.mailing.run, "Runs begun.", "number"),
    Field("cost", lambda one: one.progress.cost, "What its messages have cost.", "money"),
    Field("ids", lambda one: one.mailing.run_wire_id, "The id of the messages of its last run."),
    Field("made", lambda one: one.progress.made, "Messages of all its runs.", "number"),
    Field("sent", lambda one: one.progress.sent, "Those that a carrier has taken.", "number"),
    Field("delivered", lambda one: one.progress.delivered, "Those that were delivered.", "number"),
    Field(
        "failed",
        lambda one: one.progress.failed,
        "Those that were refused, expired or not delivered.",
        "number",
    ),
)
ANSWERS = (
    Shape(
        "A mailing is ordered.",
        (
            Member("id", "Its id, and that of the messages of its first run.", kind="id"),
            Member("cost", "The price of one run, if it was asked.", kind="money", optional=True),
        ),
        asked={"add": "1", "name": "News", "phones": "79990000001", "mes": "Hello", "cost": "1"},
        example=lambda: _added("1234567", 2_400_000, 1),
    ),
    done("A mailing is switched off, or removed.", cancel="1", id="1234567"),
    _SHOWN.one("One mailing.", _AN_EXAMPLE, get="1", id="1234567"),
    Shape(
        "The mailings, the newest first.",
        _MAILING.members,
        many=True,
        asked={"get_all": "1"},
        example=lambda: _listing([_AN_EXAMPLE.mailing], MOSCOW),
    ),
)


def _rate(call: Call) -> Rate | None:
    """One identical request a minute (jobs.md, 6); that of an order is kept in the store."""
    if OPERATIONS.first(call) == "add":
        return None
    return Rate(call.digest(), 1 if call.client.limits.identical_s else 0)


@endpoint("/sys/jobs.php", codes=tables.JOBS, rate=_rate, parameters=PARAMETERS, answers=ANSWERS)
async def jobs(call: Call) -> Answer:
    """The first of OPERATIONS that is asked (jobs.md)."""
    service, mail = call.services.jobs, call.flag("mail")
    zone = ZoneInfo(call.client.zone)
    match OPERATIONS.first(call):
        case "add":
            cost = call.number("cost", 0, 0, 3)
            ordered = await service.add(call.client, _new(call, priced=cost > 0))
            return _added(ordered.wire_id, ordered.cost, cost)
        case "del":
            await service.delete(call.client, _id(call), mail=mail)
        case "cancel":
            await service.cancel(call.client, _id(call), mail=mail)
        case "get":
            return _SHOWN.reply(await service.one(call.client, _id(call), mail=mail), zone)
        case _:
            since, until = _day(call, "start", zone), _day(call, "end", zone)
            found = await service.listed(
                call.client, since and since[0], until and until[1], mail=mail
            )
            return _listing(found, zone)
    return OK


def _id(call: Call) -> str:
    given = call.number("id", 0, 0)
    if not given:
        raise BadParameters("id says which mailing is meant")
    return str(given)


def _day(call: Call, name: str, zone: ZoneInfo) -> tuple[int, int] | None:
    given = call.text(name)
    return parse_day(given, zone) if given else None


def _new(call: Call, *, priced: bool) -> NewMailing:
    kind = kind_of(call) or Kind.SMS
    listed = bool(call.text("list"))
    template = None if listed else call.number("tpl", 0, 1) or None
    text = "" if listed or template else _text(call, kind)
    repeats = call.given("rptn")
    return NewMailing(
        name=call.text("name"),
        kind=kind,
        lines=_lines(call, text, kind),
        now_ms=call.now_ms,
        digest=call.digest(),
        key=call.idempotency_key,
        text=text,
        listed=listed,
        template=template,
        sender=sender_of(call),
        translit=call.number("translit", 0, 0, 2),
        time=call.text("time"),
        tz=call.text("tz"),
        rpt=call.number("rpt", 0, 0, 7),
        rptn=call.number("rptn", 0, 0, 1_000_000) if repeats and repeats.strip() else None,
        period=call.text("period"),
        freq=call.text("freq"),
        valid=call.text("valid"),
        options=options_of(call, _OPTIONS),
        files=[Attached(file.field, file.name, file.octets) for file in call.files],
        mail=call.flag("mail"),
        priced=priced,
        mes2=call.text("mes2"),
        sender2=sender_of(call, "sender2"),
        repeat=call.numbered("fl").get(_REPEAT, "0") == "1",
    )


def _lines(call: Call, text: str, kind: Kind) -> Iterable[ListLine]:
    """`list` replaces `phones` and `mes`; its lines are read as they are asked for."""
    texts = call.text("list")
    if texts:
        lines = list_lines(texts)
        return map(in_hex, lines) if octets_given(call, kind) else lines
    phones = call.text("phones")
    if not phones:
        raise BadParameters("phones, or list, says who is to get it")
    return [ListLine(phones, text)]


def _text(call: Call, kind: Kind) -> str:
    text = call.text("mes")
    if not text and not may_be_empty(call, kind):
        raise BadParameters("mes is the text, and it is missing; list or tpl may stand for it")
    return in_hex(ListLine("", text)).text if octets_given(call, kind) else text


def _added(mailing_id: str, cost: int, asked: int) -> Reply:
    fields: dict[str, Value] = {"id": wire_id(mailing_id)}
    if not asked:
        return Reply(fields, "OK, ID - {id}", "{id}")
    fields["cost"] = price(cost)
    return Reply(fields, "OK, ID - {id}, COST - {cost}", "{id},{cost}")


def _listing(found: list[Mailing], zone: ZoneInfo) -> Listing:
    return Listing([_listed(mailing, zone) for mailing in found], root="jobs", ended=True)


def _listed(mailing: Mailing, zone: ZoneInfo) -> Reply:
    reply = _MAILING.reply(mailing, zone)
    return replace(reply, short=reply.short.replace("{time}", str(mailing.start_at // 1000)))
