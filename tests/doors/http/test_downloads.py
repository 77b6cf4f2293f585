import codecs
import csv
import io
import json

import openpyxl
import pytest
from tests.fakes.archive import Archive
from tests.fakes.history import NOON, message, put

from vestnik.domain.client import Client, Limits
from vestnik.store import tasks as table
from vestnik.store.tasks import Claim, File

pytestmark = pytest.mark.anyio

ADD = "add=1&start=01.06.2025&end=30.06.2025"
LIST = "get_list=1"
STARTED = NOON + 60_000


@pytest.fixture
async def archive(store, store_url, tmp_path):
    made = Archive(limits=Limits(identical_per_minute=0, identical_s=0))
    made = made.over(store, store_url, tmp_path)
    yield made
    await made.exports.close()


async def listed(archive, query=LIST):
    return json.loads(await archive.downloads(f"{query}&fmt=3"))


async def run_tasks(archive):
    """Let the worker make what waits; its clock is the store's own."""
    await archive.exports.run_once()
    await archive.exports.settled()


async def done(archive, task_id, started=STARTED):
    """A task with a file that nobody has made, for lists."""
    await archive.store.write(table.claim, 1, task_id, 0, started, started + 1, 7)
    file = File(f"{task_id}_20250615120100.csv", 0, 0, 0, "")
    await archive.store.write(table.finish, Claim(1, task_id, 0, 1), file, started)


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "OK, ID - 1"),
        (1, "1"),
        (2, "<result>\n<id>1</id>\n</result>"),
        (3, '{\n"id": 1\n}'),
    ],
)
async def test_an_order_is_answered_with_its_id(archive, fmt, expected):
    assert await archive.downloads(f"{ADD}&fmt={fmt}") == expected
    assert len(archive.rung) == 1


async def test_a_list_in_four_formats(archive):
    await archive.downloads(ADD)
    archive.now += 3_600_000
    await archive.downloads("add=1&start=01.06.2025&name=june&time=%2B10")
    await done(archive, 1)

    assert await archive.downloads(LIST) == (
        "id = 1, name = messages_01.06.2025_30.06.2025, status = 2, "
        "created = 15.06.2025 12:00:00, time = 15.06.2025 12:01:00, file = 1_20250615120100.csv\n"
        "id = 2, name = june, status = 0, "
        "created = 15.06.2025 13:00:00, time = 15.06.2025 13:10:00, file = "
    )
    assert await archive.downloads(f"{LIST}&fmt=1") == (
        "1,messages_01.06.2025_30.06.2025,2,15.06.2025 12:00:00,15.06.2025 12:01:00,"
        "1_20250615120100.csv\n"
        "2,june,0,15.06.2025 13:00:00,15.06.2025 13:10:00,"
    )
    assert await archive.downloads(f"{LIST}&fmt=2&cnt=1") == (
        "<downloads>\n<download><id>2</id><name>june</name><status>0</status>"
        "<created>15.06.2025 13:00:00</created><time>15.06.2025 13:10:00</time><file></file>"
        "</download>\n</downloads>"
    )
    assert await archive.downloads(f"{LIST}&fmt=3&cnt=1") == (
        '[{\n"id": 2,\n"name": "june",\n"status": 0,\n"created": "15.06.2025 13:00:00",\n'
        '"time": "15.06.2025 13:10:00",\n"file": ""\n}]'
    )


@pytest.mark.parametrize(
    ("fmt", "expected"), [(0, ""), (1, ""), (2, "<downloads></downloads>"), (3, "[]")]
)
async def test_no_tasks_are_an_empty_list(archive, fmt, expected):
    assert await archive.downloads(f"{LIST}&fmt={fmt}") == expected


async def test_a_default_name_ends_today(archive):
    await archive.downloads("add=1&start=01.06.2025")

    assert (await listed(archive))[0]["name"] == "messages_01.06.2025_15.06.2025"


async def test_a_list_is_paged_forward_with_the_greatest_id_seen(archive):
    for _ in range(5):
        await archive.downloads(ADD)

    async def ids(query):
        return [task["id"] for task in await listed(archive, f"{LIST}&{query}")]

    assert await ids("") == [1, 2, 3, 4, 5]
    assert await ids("cnt=2") == [4, 5]
    assert await ids("cnt=2&after_id=0") == [1, 2]
    assert await ids("cnt=2&after_id=2") == [3, 4]
    assert await ids("cnt=2&after_id=4") == [5]
    assert await ids("after_id=5") == []
    assert await ids("cnt=-1") == await ids("cnt=x") == await ids("cnt=0") == [1, 2, 3, 4, 5]
    assert (await archive.downloads(f"{LIST}&after_id=x")).startswith("ERROR = 1 ")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "get_list=1&get_file=1&id=1",
        "get_list=0",
        "get_list=2",
        "add=1",
        "add=1&start=1.6.2025",
        "add=1&start=30.06.2025&end=01.06.2025",
        "add=1&start=01.01.2024&end=31.12.2024",
        "add=1&start=01.06.2025&ext=pdf",
        "add=1&start=01.06.2025&status=7",
        "add=1&start=01.06.2025&format=1",
        "add=1&start=01.06.2025&time=soon",
        "add=1&start=01.06.2025&name=a%2Cb",
        "get_file=1",
        "get_file=1&id=one",
        "cancel=1",
        "del=1&id=0",
    ],
)
async def test_what_cannot_be_meant_is_error_1(archive, query):
    assert (await archive.downloads(query)).startswith("ERROR = 1 (parameters error")
    assert (await archive.downloads(f"{query}&fmt=1")) == "0,-1"


async def test_a_file_comes_whole_with_its_name_and_length(archive):
    await put(archive.store, [message(1, text="Привет; 😀")])
    await archive.downloads(ADD)
    await run_tasks(archive)
    [task] = await listed(archive)

    answer = await archive.ask(
        "/sys/downloads.php?login=alex&psw=123&charset=utf-8&get_file=1&id=1"
    )

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{task["file"]}"'
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.body.startswith(codecs.BOM_UTF8 + b"id;int_id;phone;")
    [row] = csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""), delimiter=";")
    assert (row["message"], row["cost"], row["operator"]) == ("Привет; 😀", "1.20", "МТС")


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r"])
async def test_a_file_is_recoded_on_its_way(archive, charset):
    texts = [f"Привет {n} – 😀№\n" for n in range(3_000)]
    await put(archive.store, [message(n, text=text) for n, text in enumerate(texts)])
    await archive.downloads(ADD)
    await run_tasks(archive)

    answer = await archive.ask(
        f"/sys/downloads.php?login=alex&psw=123&charset={charset}&get_file=1&id=1"
    )

    assert answer.headers["content-type"] == f"text/csv; charset={charset}"
    assert int(answer.headers["content-length"]) == len(answer.body)
    rows = csv.DictReader(io.StringIO(answer.body.decode(charset), newline=""), delimiter=";")
    assert [row["message"] for row in rows] == [
        text.encode(charset, "replace").decode(charset) for text in reversed(texts)
    ]


async def test_a_spreadsheet_is_sent_as_it_is(archive):
    await put(archive.store, [message(1, text="=1+1")])
    await archive.downloads(f"{ADD}&ext=xlsx")
    await run_tasks(archive)

    answer = await archive.ask("/sys/downloads.php?login=alex&psw=123&get_file=1&id=1")

    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    assert answer.headers["content-disposition"].endswith('.xlsx"')
    assert int(answer.headers["content-length"]) == len(answer.body)
    _, row = openpyxl.load_workbook(io.BytesIO(answer.body)).active.values
    assert (row[0], row[-1]) == ("1", "=1+1")


async def test_a_file_is_found_by_the_name_of_its_task_or_its_own(archive):
    await archive.downloads(f"{ADD}&name=june")
    await run_tasks(archive)
    [task] = await listed(archive)

    by_id = await archive.downloads("get_file=1&id=1")

    assert by_id.startswith("\ufeffid;int_id")
    assert await archive.downloads("get_file=1&name=june") == by_id
    assert await archive.downloads(f"get_file=1&name={task['file']}") == by_id
    assert await archive.downloads("get_file=1&id=1&name=nothing") == by_id


@pytest.mark.parametrize(
    ("fmt", "missing", "waiting"),
    [
        (0, "ERROR = 3 (task not found)", "ERROR = 5 (file is not ready: the task waits)"),
        (1, "0,-3", "0,-5"),
        (
            2,
            "<result>\n<error>task not found</error>\n<error_code>3</error_code>\n</result>",
            (
                "<result>\n<error>file is not ready: the task waits</error>\n"
                "<error_code>5</error_code>\n</result>"
            ),
        ),
    ],
)
async def test_a_file_that_is_not_there_is_an_ordinary_error(archive, fmt, missing, waiting):
    await archive.downloads(ADD)

    assert await archive.downloads(f"get_file=1&id=7&fmt={fmt}") == missing
    assert await archive.downloads(f"get_file=1&name=july&fmt={fmt}") == missing
    assert await archive.downloads(f"get_file=1&id=1&fmt={fmt}") == waiting


async def test_filters_and_names_of_an_order_reach_the_file(archive):
    await put(
        archive.store,
        [
            message(1, status=-1),
            message(2, status=20),
            message(3, status=20, sender="OTHER"),
            message(4, status=20, phone="79160000002"),
            message(5, status=20, type=8, phone="anna@example.org"),
        ],
    )
    await archive.downloads(f"{ADD}&status=20,-1&sender=SHOP&phone=89160000001")
    await archive.downloads(f"{ADD}&email=anna@example.org&format=8")
    await run_tasks(archive)
    await run_tasks(archive)

    async def ids(task_id):
        text = await archive.downloads(f"get_file=1&id={task_id}")
        return [line.partition(";")[0] for line in text.splitlines()[1:]]

    assert await ids(1) == ["2", "1"]
    assert await ids(2) == ["5"]


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "OK"), (1, "OK"), (2, "<result>OK</result>"), (3, '{\n"result": "OK"\n}')],
)
async def test_a_task_is_cancelled_then_deleted(archive, fmt, expected):
    await archive.downloads(ADD)

    assert await archive.downloads(f"cancel=1&id=1&fmt={fmt}") == expected
    assert (await listed(archive))[0]["status"] == 3
    assert await archive.downloads("cancel=1&id=1") == "ERROR = 5 (the task has ended already)"
    assert await archive.downloads(f"del=1&id=1&fmt={fmt}") == expected
    assert await listed(archive) == []
    assert await archive.downloads("del=1&id=1") == "ERROR = 3 (task not found)"


async def test_a_deleted_task_has_no_file(archive):
    await archive.downloads(ADD)
    await run_tasks(archive)

    await archive.downloads("del=1&id=1")

    assert await archive.downloads("get_file=1&id=1") == "ERROR = 3 (task not found)"


async def test_what_runs_is_cancelled_before_it_is_deleted(archive):
    await archive.downloads(ADD)
    await archive.store.write(table.claim, 1, 1, 0, STARTED, STARTED + 1, 7)

    assert (await archive.downloads("del=1&id=1")).startswith("ERROR = 5 ")
    assert await archive.downloads("cancel=1&id=1") == "OK"
    assert await archive.downloads("del=1&id=1") == "OK"


async def test_the_eleventh_unfinished_task_is_error_5(archive):
    for _ in range(10):
        await archive.downloads(ADD)

    assert await archive.downloads(ADD) == "ERROR = 5 (10 tasks wait or run already)"


async def test_nobody_sees_the_tasks_of_others(archive):
    await archive.downloads(ADD)
    archive.clients.clients[1] = Client(9, "alex", limits=archive.limits)

    assert await listed(archive) == []
    for query in ("get_file=1&id=1", "cancel=1&id=1", "del=1&id=1"):
        assert await archive.downloads(query) == "ERROR = 3 (task not found)"


async def test_the_fourth_identical_request_in_a_minute_is_error_9(store, store_url, tmp_path):
    archive = Archive().over(store, store_url, tmp_path)
    refused = "ERROR = 9 (duplicate request, wait a minute)"

    for query in (LIST, "get_file=1&id=1"):
        answers = [await archive.downloads(f"{query}&fmt={fmt}") for fmt in (0, 1, 3)]
        assert not any("-9" in answer or "9 (" in answer for answer in answers)
        assert await archive.downloads(query) == refused
    assert await archive.downloads(f"{LIST}&cnt=5") == ""
    assert await archive.downloads("get_file=1&id=2") != refused
    await archive.a_minute_later()
    assert await archive.downloads(LIST) == ""


async def test_the_second_identical_order_in_a_minute_is_error_9(store, store_url, tmp_path):
    archive = Archive().over(store, store_url, tmp_path)

    assert await archive.downloads(ADD) == "OK, ID - 1"
    assert await archive.downloads(ADD) == "ERROR = 9 (duplicate request, wait a minute)"
    assert await archive.downloads(f"{ADD}&status=1") == "OK, ID - 2"
    await archive.a_minute_later()
    assert await archive.downloads(ADD) == "OK, ID - 3"
