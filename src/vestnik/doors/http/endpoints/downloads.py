"""downloads.php: deferred tasks, which put sent messages into a file."""

import codecs
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from vestnik.domain.refusals import BadParameters
from vestnik.domain.schedule import format_date
from vestnik.doors.http import codes as tables
from vestnik.doors.http.endpoint import Call, Rate, endpoint
from vestnik.doors.http.endpoints import paging
from vestnik.doors.http.reply import CODECS, OK, Answer, Download, Listing, Reply, Value
from vestnik.exports import FORMATS
from vestnik.services.history import filter_from, period
from vestnik.services.tasks import Order, State, Task, Wanted

TASKS_DEFAULT = 100
TASKS_MAX = 1_000

OPERATIONS = ("get_list", "get_file", "add", "cancel", "del")

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


@endpoint("/sys/downloads.php", codes=tables.TASKS, rate=_rate)
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
    return Reply({"id": task_id}, "OK, ID - {id}", "{id}")


def _given_id(call: Call) -> int | None:
    """The parameter `id`, which 0 leaves out; raises BadParameters for what is no number."""
    return call.number("id", 0, 0) or None


def _id(call: Call) -> int:
    given = _given_id(call)
    if given is None:
        raise BadParameters("id says which task is meant")
    return given
