"""downloads.php: deferred tasks, which put sent messages into a file."""

import codecs
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from vestnik.domain.refusals import BadParameters
from vestnik.domain.schedule import format_date
from vestnik.doors.http import codes as tables
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints import paging
from vestnik.doors.http.endpoints.operations import Operations
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import CODECS, OK, Answer, Download
from vestnik.doors.http.shapes import Shape, done
from vestnik.exports import FORMATS
from vestnik.services.history.listing import filter_from, period
from vestnik.services.history.tasks import Order, State, Task, Wanted

TASKS_DEFAULT = 100
TASKS_MAX = 1_000

OPERATIONS = Operations(
    "downloads.php",
    {
        "get_list": "1 asks for the tasks.",
        "get_file": "1 asks for the file of a task.",
        "add": "1 orders a task.",
        "cancel": "1 cancels a task that waits or runs.",
        "del": "1 forgets a task, and removes its file.",
    },
)
PARAMETERS = (
    *OPERATIONS.parameters,
    Parameter("cnt", "How many tasks the answer may hold.", kind="number", only=("get_list",)),
    Parameter("after_id", "Only tasks after this id.", kind="number", low=0, only=("get_list",)),
    Parameter("id", "Id of the task.", kind="number", low=0, only=("get_file", "cancel", "del")),
    Parameter(
        "name",
        "Name of the task; get_file without id looks it up, or the name of its file.",
        only=("get_file", "add"),
    ),
    Parameter("start", "First day, which an order needs.", kind="date", only=("add",)),
    Parameter("end", "Last day, inclusive; today if left out.", kind="date", only=("add",)),
    Parameter("phone", "Only messages to these numbers, by commas.", only=("add",)),
    Parameter("email", "Only e-mail to these addresses, by commas.", only=("add",)),
    Parameter("format", "8 for e-mail.", kind="number", choices=("0", "8"), only=("add",)),
    Parameter("status", "Only these final statuses, by commas.", only=("add",)),
    Parameter("sender", "Only this sender.", only=("add",)),
    Parameter("time", "When to begin, as in send; at once if left out.", only=("add",)),
    Parameter("ext", "Form of the file.", choices=tuple(FORMATS), only=("add",)),
)
_A_TASK: Task = Task(
    client_id=1,
    id=1021,
    name="messages_01.10.2025_31.10.2025",
    filter="",
    format="csv",
    status=State.DONE,
    created_at=1_761_981_302_000,
    start_at=1_761_981_302_000,
    started_at=1_761_981_360_000,
    ended_at=1_761_981_361_000,
    high_id=0,
    rows_done=0,
    rows_total=0,
    file="1021_20251101101600.csv",
    octets_utf8=0,
    octets_single=0,
    sha256="",
    fence=0,
    tries=1,
    reason="",
)

_TASK = Record[Task](
    "download",
    Field("id", lambda task: task.id, "Id of the task.", "number"),
    Field("name", lambda task: task.name, "Its name."),
    Field(
        "status",
        lambda task: task.status,
        "0 waits, 1 runs, 2 done, 3 cancelled, 4 failed.",
        "number",
    ),
    Field("created", lambda task: task.created_at, "When it was ordered.", "date"),
    Field(
        "time",
        lambda task: (task.status != State.WAITING and task.started_at) or task.start_at,
        "When it is to begin, or began.",
        "date",
    ),
    Field("file", lambda task: task.file, "Name of its file, empty before there is one."),
    listed="downloads",
)
_ADDED = Record[int](
    "result", Field("id", lambda task_id: task_id, "Its id.", "number", told="OK, ID - {id}")
)
ANSWERS = (
    _TASK.many("The tasks, by growing ids.", _A_TASK, get_list="1"),
    Shape(
        "The file of a task.",
        files=tuple(format.content_type for format in FORMATS.values()),
        asked={"get_file": "1", "id": "1021"},
    ),
    _ADDED.one("A task is ordered.", 1021, add="1", start="01.10.2025", end="31.10.2025"),
    done("A task is cancelled, or forgotten.", cancel="1", id="1021"),
)


def _rate(call: Call) -> Rate | None:
    """Three identical lists or files a minute, one identical order (downloads.md)."""
    limits = call.client.limits
    match OPERATIONS.only(call):
        case "get_list" | "get_file":
            return Rate(call.digest(), limits.identical_per_minute)
        case "add":
            return Rate(call.digest(), 1 if limits.identical_s else 0)
    return None


@endpoint(
    "/sys/downloads.php",
    codes=tables.TASKS,
    rate=_rate,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def downloads(call: Call) -> Answer | Download:
    """One of OPERATIONS (downloads.md)."""
    match OPERATIONS.only(call):
        case "get_list":
            return await _list(call)
        case "get_file":
            return await _file(call)
        case "add":
            return await _add(call)
        case "cancel":
            await call.services.tasks.cancel(call.client, _id(call), call.now_ms)
        case "del":
            await call.services.tasks.delete(call.client, _id(call))
    return OK


async def _list(call: Call) -> Answer:
    most = paging.count(call, TASKS_DEFAULT, TASKS_MAX)
    found = await call.services.tasks.listed(call.client, paging.after_id(call), most)
    zone = ZoneInfo(call.client.zone)
    return _TASK.listing(found, zone)


async def _file(call: Call) -> Download:
    given, name = _given_id(call), call.text("name")
    if given is None and not name:
        raise BadParameters("id or name says which task is meant")
    task, octets = await call.services.tasks.file(call.client, given, name)
    format = FORMATS[task.format]
    if not format.text:
        return Download(task.file, format.content_type, task.octets_utf8, octets)
    content_type = f"{format.content_type}; charset={call.charset}"
    if call.charset == "utf-8":
        length = len(codecs.BOM_UTF8) + task.octets_utf8
        return Download(task.file, content_type, length, _marked(octets))
    recoded = _recoded(octets, CODECS[call.charset])
    return Download(task.file, content_type, task.octets_single, recoded)


async def _marked(octets: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield codecs.BOM_UTF8
    async for piece in octets:
        yield piece


async def _recoded(octets: AsyncIterator[bytes], codec: str) -> AsyncIterator[bytes]:
    """Text in another charset; what that lacks becomes `?`, so a character is always an octet."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    async for piece in octets:
        text = decoder.decode(piece)
        if text:
            yield text.encode(codec, "replace")


async def _add(call: Call) -> Answer:
    zone = ZoneInfo(call.client.zone)
    start, end = call.text("start").strip(), call.text("end").strip()
    if not start:
        raise BadParameters("start says on which day the export begins")
    today = format_date(call.now_ms, zone).partition(" ")[0]
    since, until = period(start, end or today, zone, call.now_ms)
    format = call.text("ext", "csv")
    if format not in FORMATS:
        raise BadParameters(f"ext is one of {', '.join(FORMATS)}")
    wanted = filter_from(
        call.text("phone"),
        call.text("email"),
        call.text("format"),
        call.text("status"),
        call.text("sender"),
    )
    order = Order(
        wanted=Wanted(since, until, wanted),
        name=call.text("name") or f"messages_{start}_{end or today}",
        format=format,
        time=call.text("time"),
    )
    task_id = await call.services.tasks.add(call.client, order, call.now_ms)
    return _ADDED.reply(task_id)


def _given_id(call: Call) -> int | None:
    """The parameter `id`, which 0 leaves out; raises BadParameters for what is no number."""
    return call.number("id", 0, 0) or None


def _id(call: Call) -> int:
    given = _given_id(call)
    if given is None:
        raise BadParameters("id says which task is meant")
    return given
