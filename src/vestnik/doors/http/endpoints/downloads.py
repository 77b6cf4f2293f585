"""downloads.php: deferred tasks, which put sent messages into a file."""

import codecs
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from vestnik.domain.refusals import BadParameters
from vestnik.domain.schedule import MOSCOW, format_date
from vestnik.doors.http import codes as tables
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints import paging
from vestnik.doors.http.reply import CODECS, OK, Answer, Download, Listing, Reply, Value
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.exports import FORMATS
from vestnik.services.history.listing import filter_from, period
from vestnik.services.history.tasks import Order, State, Task, Wanted

TASKS_DEFAULT = 100
TASKS_MAX = 1_000

OPERATIONS = ("get_list", "get_file", "add", "cancel", "del")

PARAMETERS = (
    Parameter("get_list", "1 asks for the tasks.", kind="flag"),
    Parameter("get_file", "1 asks for the file of a task.", kind="flag"),
    Parameter("add", "1 orders a task.", kind="flag"),
    Parameter("cancel", "1 cancels a task that waits or runs.", kind="flag"),
    Parameter("del", "1 forgets a task, and removes its file.", kind="flag"),
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
ANSWERS = (
    Shape(
        "The tasks, by growing ids.",
        (
            Member("id", "Id of the task.", kind="number"),
            Member("name", "Its name."),
            Member("status", "0 waits, 1 runs, 2 done, 3 cancelled, 4 failed.", kind="number"),
            Member("created", "When it was ordered.", kind="date"),
            Member("time", "When it is to begin, or began.", kind="date"),
            Member("file", "Name of its file, empty before there is one."),
        ),
        many=True,
        asked={"get_list": "1"},
        example=lambda: Listing([_task(_A_TASK, MOSCOW)], root="downloads"),
    ),
    Shape(
        "The file of a task.",
        files=tuple(format.content_type for format in FORMATS.values()),
        asked={"get_file": "1", "id": "1021"},
    ),
    Shape(
        "A task is ordered.",
        (Member("id", "Its id.", kind="number"),),
        asked={"add": "1", "start": "01.10.2025", "end": "31.10.2025"},
        example=lambda: _added(1021),
    ),
    done("A task is cancelled, or forgotten.", cancel="1", id="1021"),
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

_SENTENCE = (
    "id = {id}, name = {name}, status = {status}, created = {created}, time = {time}, file = {file}"
)
_SHORT = "{id},{name},{status},{created},{time},{file}"


def _rate(call: Call) -> Rate | None:
    """Three identical lists or files a minute, one identical order (downloads.md)."""
    limits = call.client.limits
    match _operation(call):
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
    match _operation(call):
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


def _operation(call: Call) -> str:
    chosen = [name for name in OPERATIONS if call.flag(name)]
    if len(chosen) != 1:
        raise BadParameters(f"downloads.php takes one of {', '.join(f'{o}=1' for o in OPERATIONS)}")
    return chosen[0]


async def _list(call: Call) -> Answer:
    most = paging.count(call, TASKS_DEFAULT, TASKS_MAX)
    found = await call.services.tasks.listed(call.client, paging.after_id(call), most)
    zone = ZoneInfo(call.client.zone)
    return Listing([_task(task, zone) for task in found], root="downloads")


def _task(task: Task, zone: ZoneInfo) -> Reply:
    started = task.status != State.WAITING and task.started_at
    fields: dict[str, Value] = {
        "id": task.id,
        "name": task.name,
        "status": task.status,
        "created": format_date(task.created_at, zone),
        "time": format_date(started or task.start_at, zone),
        "file": task.file,
    }
    return Reply(fields, _SENTENCE, _SHORT, root="download")


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
    return _added(task_id)


def _added(task_id: int) -> Reply:
    return Reply({"id": task_id}, "OK, ID - {id}", "{id}")


def _given_id(call: Call) -> int | None:
    """The parameter `id`, which 0 leaves out; raises BadParameters for what is no number."""
    return call.number("id", 0, 0) or None


def _id(call: Call) -> int:
    given = _given_id(call)
    if given is None:
        raise BadParameters("id says which task is meant")
    return given
