"""Everything that is wrong with a request, over a real socket: plain words, nobody is harmed."""

import asyncio
import shutil
from urllib.parse import quote_from_bytes, urlencode

import pytest
from tests.serving import LOGIN, PASSWORD, Centre, until

from vestnik.doors.http.endpoints import ENDPOINTS

pytestmark = pytest.mark.anyio

PHONE = "79161112233"
ANSWER_S_MAX = 60
ACCOUNT = urlencode({"login": LOGIN, "psw": PASSWORD}).encode()


@pytest.fixture(scope="module")
async def centre(furnished, tmp_path_factory):
    """One for all: wrong requests block nobody here."""
    folder = shutil.copytree(furnished, tmp_path_factory.mktemp("bad") / "data")
    async with Centre(folder, ACCESS__WRONG_REQUESTS="0") as serving_one:
        yield serving_one


@pytest.fixture(autouse=True)
async def goes_on(centre):
    """Whatever a test did, the next client is served as ever, and no message was made of it."""
    before = await centre.value("SELECT count(*) FROM messages WHERE phone <> '79160000000'")
    yield
    answer = await centre.ask("send", phones="79160000000", mes="Still there?")
    after = await centre.value("SELECT count(*) FROM messages WHERE phone <> '79160000000'")

    assert answer["cnt"] == 1
    assert after == before


async def talk(centre, *pieces, half_close=False):
    """Write octets as they are; everything that comes back until the server closes."""
    async with asyncio.timeout(ANSWER_S_MAX):
        reader, writer = await asyncio.open_connection("127.0.0.1", centre.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if half_close:
                writer.write_eof()
            return await reader.read()
        finally:
            writer.close()


def post(body, *headers, path=b"/sys/send.php"):
    """A request whose connection ends with its answer."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    return head + form + length + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


def status_and_body(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def form(**given):
    usual = {b"phones": PHONE.encode(), b"mes": b"Hello", b"fmt": b"1"}
    wanted = usual | {name.encode(): value for name, value in given.items()}
    pairs = (name + b"=" + quote_from_bytes(value).encode() for name, value in wanted.items())
    return ACCOUNT + b"&" + b"&".join(pairs)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"charset": b"ebcdic"}, 1),
        ({"charset": b"utf-8", "mes": b"\xff\xfe"}, 1),
        ({"charset": b"utf-8", "mes": "Привет".encode("cp1251")}, 1),
        ({"mes": b"a\0b"}, 1),
        ({"phones": b"7916\0001112233"}, 1),
        ({"charset": b"utf-8", "mes": b"\xed\xa0\xbd"}, 1),  # half a surrogate pair
        ({"mes": b""}, 1),
        ({"mes": b" \n "}, 1),
        ({"phones": b""}, 1),
        ({"phones": b",;,"}, 1),
        ({"list": b"no colon here"}, 1),
        ({"time": b"32.13.99 25:61"}, 5),
        ({"time": b"3113992561"}, 5),
        ({"time": b"tomorrow"}, 5),
        ({"time": b"+"}, 5),
        ({"time": b"099999999999999999"}, 5),
        ({"valid": b"25"}, 1),
        ({"tz": b"east"}, 1),
        ({"cost": b"4"}, 1),
        ({"translit": b"yes"}, 1),
        ({"maxsms": b"-1"}, 1),
        ({"id": "номер".encode("cp1251")}, 1),
        ({"id": b"x" * 41}, 1),
        ({"mes": b"x" * 1001}, 1),
        ({"psw": b"wrong"}, 2),
        ({"login": b"nobody"}, 2),
        ({"login": b"", "psw": b""}, 2),
    ],
    ids=repr,
)
async def test_a_wrong_parameter_is_an_error_with_its_number(centre, given, error):
    answer = await talk(centre, post(form(**given)))

    assert status_and_body(answer) == (200, b"0,-%d" % error)


@pytest.mark.parametrize("fmt", [b"7", b"-1", b"x", b""])
async def test_an_unknown_format_is_plain_text(centre, fmt):
    answer = await talk(centre, post(form(fmt=fmt, mes=b"", charset=b"utf-8")))
    status, body = status_and_body(answer)

    assert status == 200
    assert body.startswith(b"ERROR = 1 (parameters error")


async def test_an_unknown_address_says_what_there_is(centre):
    answer = await centre.http.get("/sys/sendd.php")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == (
        "There is nothing at this address. The API is at /sys/<name>.php and /rest/<name>/,"
        f" where <name> is one of: {', '.join(sorted(e.name for e in ENDPOINTS))}."
        " The manual is at /docs.\n"
    )


async def test_ten_megabytes_of_text_are_refused(centre):
    answer = await talk(centre, post(form(mes=b"x" * 10_000_001)))

    assert status_and_body(answer) == (
        200,
        b"ERROR = 1 (parameters error: the body is longer than 10000000 octets)",
    )


async def test_a_little_less_is_read_and_refused_for_its_length(centre):
    answer = await talk(centre, post(form(mes=b"x" * 9_999_000)))

    assert status_and_body(answer) == (200, b"0,-1")


async def test_a_hundred_thousand_phones_are_too_many(centre):
    phones = b",".join(b"%d" % (79_161_000_000 + number) for number in range(100_000))
    answer = await talk(centre, post(form(phones=phones, fmt=b"3", charset=b"utf-8")))
    status, body = status_and_body(answer)

    assert status == 200
    assert b"more than 10000 recipients in one request" in body


async def test_a_client_that_goes_away_in_the_middle_is_forgotten(centre):
    whole = post(form())

    assert await talk(centre, whole[:-5], half_close=True) == b""


async def test_a_head_that_is_no_http_is_400(centre):
    answer = await talk(centre, b"\x16\x03\x01\x02\x00 this is not HTTP\r\n\r\n")

    assert status_and_body(answer)[0] == 400


async def test_a_chunked_body_is_read_in_its_pieces(centre):
    body = form(mes=b"")
    head = (
        b"POST /sys/send.php HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunks = [
        b"%x\r\n%s\r\n" % (len(body[at:][:7]), body[at:][:7]) for at in range(0, len(body), 7)
    ]
    answer = await talk(centre, head, *chunks, b"0\r\n\r\n")

    assert status_and_body(answer) == (200, b"0,-1")


async def test_a_multipart_form_without_its_end_is_an_error(centre):
    body = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\nalex'
    head = (
        b"POST /sys/send.php?fmt=1 HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    answer = await talk(centre, head, body)

    assert status_and_body(answer) == (200, b"0,-1")


async def test_an_address_that_is_wrong_too_often_is_shut_out(furnished, tmp_path):
    folder = shutil.copytree(furnished, tmp_path / "data")
    async with Centre(folder, ACCESS__BLOCK_S="4") as strict:
        for _ in range(10):
            await strict.post("send", mes="to nobody")
        blocked = await strict.ask("balance")

        assert blocked == {"error": "IP is blocked", "error_code": 4}

        await until(lambda: admitted(strict))


async def admitted(centre):
    return "balance" in await centre.ask("balance")
