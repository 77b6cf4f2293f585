import pytest
from structlog.testing import capture_logs
from tests.doors.http.standins import KEY, NOON, Centre

from vestnik.domain.client import Limits
from vestnik.domain.refusals import NotFound, StoreUnavailable
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Rate, endpoint
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.reply import OK, Download
from vestnik.doors.http.server import DoorSettings, Page
from vestnik.services.clients.access import AccessSettings

pytestmark = pytest.mark.anyio

BALANCE = "/sys/balance.php?login=alex&psw=123"
AUTHORISE = b"ERROR = 2 (authorise error)"


async def test_an_answer_has_its_charset_and_length(centre):
    answer = await centre.ask(BALANCE + "&fmt=3")

    assert answer.status == 200
    assert answer.headers == {
        "content-type": "application/json; charset=windows-1251",
        "content-length": "24",
    }
    assert answer.body == b'{\n"balance": "1871.62"\n}'


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        ("0", "text/plain; charset=koi8-r"),
        ("1", "text/plain; charset=koi8-r"),
        ("2", "text/xml; charset=koi8-r"),
        ("3", "application/json; charset=koi8-r"),
        ("9", "text/plain; charset=koi8-r"),
    ],
)
async def test_the_type_of_an_answer_follows_fmt_and_charset(centre, fmt, expected):
    answer = await centre.ask(f"{BALANCE}&fmt={fmt}&charset=KOI8R")

    assert answer.content_type == expected


async def test_errors_are_answers_too(centre):
    answer = await centre.ask("/sys/balance.php?login=alex&psw=wrong")

    assert (answer.status, answer.body) == (200, AUTHORISE)


@pytest.mark.parametrize(
    "credentials",
    [
        "login=alex&psw=123",
        "login=ALEX&psw=202cb962ac59075b964b07152d234b70",
        f"apikey={KEY}",
        f"login=&psw={KEY}",
        f"login=alex&psw=wrong&apikey={KEY}",
    ],
)
async def test_credentials_have_many_forms(centre, credentials):
    assert await centre.body(f"/sys/balance.php?{credentials}") == b"1871.62"


async def test_parameters_may_stand_in_query_and_body(centre):
    form = "application/x-www-form-urlencoded"

    assert await centre.body("/sys/balance.php?login=alex", b"psw=123", form) == b"1871.62"


async def test_a_multipart_form_is_a_form(centre):
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % pair
        for pair in ((b"login", b"alex"), (b"psw", b"123"))
    )

    answer = await centre.body(
        "/sys/balance.php?fmt=1", body + b"--x--\r\n", "multipart/form-data; boundary=x"
    )

    assert answer == b"1871.62"


@pytest.mark.parametrize("path", ["/rest/balance/", "/rest/balance"])
async def test_the_json_address_answers_json_in_utf_8(centre, path):
    answer = await centre.ask(path, b'{"login": "alex", "psw": 123}', "application/json")

    assert answer.content_type == "application/json; charset=utf-8"
    assert answer.body == b'{\n"balance": "1871.62"\n}'


async def test_the_json_address_obeys_fmt(centre):
    body = b'{"login": "alex", "psw": "123", "fmt": 1, "charset": "cp1251"}'

    answer = await centre.ask("/rest/balance/", body, "application/json")

    assert (answer.content_type, answer.body) == ("text/plain; charset=windows-1251", b"1871.62")


async def test_the_json_address_takes_a_query(centre):
    assert (await centre.body("/rest/balance/?login=alex&psw=123"))[:1] == b"{"


async def test_json_at_the_classic_address_is_read_too(centre):
    body = b'{"login": "alex", "psw": "123"}'

    answer = await centre.ask("/sys/balance.php", body, "application/json")

    assert (answer.content_type, answer.body) == ("text/plain; charset=utf-8", b"1871.62")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", b"the body is not JSON"),
        (b'{"a": {}}', b"a is not a plain value"),
        (b'{"a": "\\u0000"}', b"a has a NUL character"),
    ],
)
async def test_an_unreadable_body_is_error_1_in_the_format_asked(centre, body, expected):
    answer = await centre.body("/rest/balance/?fmt=0", body, "application/json")

    assert answer == b"ERROR = 1 (parameters error: %s)" % expected


async def test_an_unknown_charset_is_error_1(centre):
    answer = await centre.ask(f"{BALANCE}&charset=latin9&fmt=1")

    assert (answer.content_type, answer.body) == ("text/plain; charset=windows-1251", b"0,-1")


async def test_a_body_in_pieces_is_one_body(centre):
    pieces = [
        {"type": "http.request", "body": b"login=al", "more_body": True},
        {"type": "http.request", "body": b"ex&psw=123", "more_body": False},
    ]

    answer = await centre.ask("/sys/balance.php", pieces=pieces)

    assert answer.body == b"1871.62"


async def test_half_a_request_does_nothing_and_gets_nothing(centre):
    pieces = [
        {"type": "http.request", "body": b"phones=79990000001&mes=a", "more_body": True},
        {"type": "http.disconnect"},
    ]

    assert await centre.ask("/sys/send.php?login=alex&psw=123", pieces=pieces) is None
    assert centre.sending.orders == []


async def test_a_body_that_says_it_is_too_long_is_not_read():
    centre = Centre(door_options={"settings": DoorSettings(body_max=10)})
    headers = [(b"content-length", b"11")]
    pieces = [{"type": "http.disconnect"}]  # the client hears the answer and goes

    answer = await centre.ask("/sys/balance.php?fmt=1", headers=headers, pieces=pieces)

    assert answer.body == b"0,-1"
    assert answer.headers["connection"] == "close"


async def test_a_body_that_grows_too_long_is_not_read_whole():
    centre = Centre(door_options={"settings": DoorSettings(body_max=10)})
    pieces = [{"type": "http.request", "body": b"x" * 6, "more_body": True} for _ in range(9)]
    unread = pieces[2:] + [{"type": "http.disconnect"}]

    answer = await centre.ask("/sys/balance.php", pieces=[*pieces[:2], *unread])

    assert answer.body == b"ERROR = 1 (parameters error: the body is longer than 10 octets)"


async def test_a_long_body_is_taken_apart_elsewhere(centre):
    body = b"login=alex&psw=123&filler=" + b"%20" * 50_000

    assert await centre.body("/sys/balance.php", body) == b"1871.62"


@pytest.mark.parametrize("start", ["//sys", "/sys/", "///sys//"])
async def test_a_slash_too_many_makes_no_difference(centre, start):
    assert await centre.body(f"{start}/balance.php?login=alex&psw=123") == b"1871.62"


async def test_an_unknown_address_tells_what_there_is(centre):
    answer = await centre.ask("/sys/nothing.php")

    assert answer.status == 404
    assert b", ".join(sorted(e.name.encode() for e in ENDPOINTS)) in answer.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused(centre, method):
    answer = await centre.ask(BALANCE, method=method)

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_head_is_answered_like_get(centre):
    answer = await centre.ask(BALANCE, method="HEAD")

    assert (answer.status, answer.headers["content-length"]) == (200, "7")


async def test_a_store_that_is_away_is_503_in_plain_words(centre):
    centre.billing.answer = StoreUnavailable("disk full")

    answer = await centre.ask(BALANCE + "&fmt=3")

    assert (answer.status, answer.content_type) == (503, "text/plain; charset=utf-8")
    assert b"try again" in answer.body


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), NotFound("no number in this table")])
async def test_a_mistake_of_ours_is_500_and_logged_without_secrets(centre, fault):
    centre.billing.answer = fault

    with capture_logs() as logs:
        answer = await centre.ask(BALANCE)

    assert (answer.status, answer.content_type) == (500, "text/plain; charset=utf-8")
    assert [entry["path"] for entry in logs] == ["/sys/balance.php"]
    assert "123" not in str(logs[0]["path"]) + logs[0]["event"]


async def test_other_pages_are_answered_by_those_who_know():
    async def health():
        return Page(200, "text/plain; charset=utf-8", b"fine")

    centre = Centre(door_options={"pages": {"/healthz": health}})

    answer = await centre.ask("/healthz")
    wrong = await centre.ask("/healthz", b"x")

    assert (answer.status, answer.body) == (200, b"fine")
    assert wrong.status == 405


@pytest.fixture
def paged():
    async def page():
        return Page(200, "text/html", b"long", ((b"x-more", b"1"),), b'W/"7"', b"short")

    return Centre(door_options={"pages": {"/docs": page}})


async def test_a_page_has_headers_of_its_own(paged):
    answer = await paged.ask("/docs")

    assert (answer.status, answer.body, answer.headers["x-more"]) == (200, b"long", "1")


@pytest.mark.parametrize("known", [b'W/"7"', b'"7"', b'"6", W/"7"'])
async def test_who_has_a_page_already_does_not_get_it_again(paged, known):
    answer = await paged.ask("/docs", headers=[(b"if-none-match", known)])

    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", 'W/"7"')


async def test_who_has_another_page_gets_this_one(paged):
    answer = await paged.ask("/docs", headers=[(b"if-none-match", b'W/"8"')])

    assert (answer.status, answer.body) == (200, b"long")


async def test_a_page_is_packed_for_those_who_take_it_so(paged):
    answer = await paged.ask("/docs", headers=[(b"accept-encoding", b"gzip, br")])

    assert (answer.headers["content-encoding"], answer.body) == ("gzip", b"short")
    assert answer.headers["vary"] == "accept-encoding"


async def test_a_file_is_sent_as_it_is():
    @endpoint("/sys/file.php", codes=codes.TASKS, parameters=())
    async def file(call):
        async def chunks():
            yield b"a;b\r\n"
            yield b"1;2\r\n"

        return Download("1_2.csv", "text/csv; charset=utf-8", 10, chunks())

    centre = Centre(door_options={"endpoints": [file]})

    answer = await centre.ask(f"/sys/file.php?apikey={KEY}")

    assert answer.headers == {
        "content-type": "text/csv; charset=utf-8",
        "content-length": "10",
        "content-disposition": 'attachment; filename="1_2.csv"',
    }
    assert answer.body == b"a;b\r\n1;2\r\n"


async def test_a_file_that_breaks_off_ends_short_of_its_length():
    @endpoint("/sys/file.php", codes=codes.TASKS, parameters=())
    async def file(call):
        async def chunks():
            yield b"a;b"
            raise StoreUnavailable

        return Download("1_2.csv", "text/csv; charset=utf-8", 10, chunks())

    centre = Centre(door_options={"endpoints": [file]})

    with capture_logs() as logs:
        answer = await centre.ask(f"/sys/file.php?apikey={KEY}")

    assert (answer.status, answer.body) == (200, b"a;b")
    assert [entry["file"] for entry in logs] == ["1_2.csv"]


async def test_a_body_that_never_comes_is_not_waited_for():
    centre = Centre(door_options={"settings": DoorSettings(body_s_max=0)})

    answer = await centre.ask(BALANCE, pieces=[], method="POST")

    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_calls_are_told_to_who_counts_them():
    seen = []
    centre = Centre(door_options={"observe": lambda *told: seen.append(told[:2])})

    await centre.ask(BALANCE)
    await centre.ask("/sys/balance.php")

    assert seen == [("balance", 0), ("balance", 2)]


@endpoint(
    "/sys/list.php",
    codes=codes.TASKS,
    parameters=(),
    rate=lambda call: Rate(call.digest(), call.client.limits.identical_per_minute),
)
async def listed(call):
    return OK


async def test_identical_requests_are_counted_within_a_sliding_minute():
    centre = Centre(door_options={"endpoints": [listed]})
    address = f"/sys/list.php?apikey={KEY}"
    for _ in range(3):
        await centre.ask(address)
        centre.now += 10_000

    fourth = await centre.body(address)
    other = await centre.body(address + "&cnt=5")
    centre.now = NOON + 60_000
    later = await centre.body(address)

    assert (fourth, other, later) == (
        b"ERROR = 9 (duplicate request, wait a minute)",
        b"OK",
        b"OK",
    )


async def test_requests_at_one_time_are_limited():
    @endpoint("/sys/slow.php", codes=codes.TASKS, parameters=())
    async def slow(call):
        answers.append(await centre.ask(f"/sys/slow.php?apikey={KEY}") if not answers else None)
        return OK

    answers = []
    centre = Centre(Limits(simultaneous=1), door_options={"endpoints": [slow]})

    await centre.ask(f"/sys/slow.php?apikey={KEY}")

    assert answers[0].body == b"ERROR = 9 (too many concurrent requests)"


async def test_an_address_that_errs_ten_times_is_blocked_for_a_while():
    centre = Centre(settings=AccessSettings())
    for _ in range(5):
        assert await centre.body("/sys/balance.php?login=alex&psw=wrong") == AUTHORISE
        assert (await centre.body(BALANCE + "&cur=x")).startswith(b"ERROR = 1 ")

    blocked = await centre.body(BALANCE + "&fmt=3")
    centre.now += 600_000
    later = await centre.body(BALANCE)

    assert blocked == b'{\n"error": "IP is blocked",\n"error_code": 4\n}'
    assert later == b"1871.62"


async def test_a_page_may_stand_for_all_addresses_below_its_own():
    asked = []

    async def page(rest, method):
        asked.append((rest, method))
        return Page(302, "text/plain", b"", ((b"location", b"https://a.example/"),))

    async def exact():
        return Page(200, "text/plain", b"exact")

    centre = Centre(door_options={"pages": {"/l/exact": exact}, "below": {"/l/": page}})

    answer = await centre.ask("/l/abc/d?x=1")
    await centre.ask("/l/", method="HEAD")

    assert (answer.status, answer.headers["location"]) == (302, "https://a.example/")
    assert asked == [("abc/d", "GET"), ("", "HEAD")]
    assert (await centre.ask("/l/exact")).body == b"exact"
    assert (await centre.ask("/l/abc", b"x")).status == 405
    assert (await centre.ask("/lx")).status == 404
