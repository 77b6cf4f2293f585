import asyncio
import contextlib

import pytest
from tests.doors.http.standins import KEY, Centre

from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import endpoint
from vestnik.doors.http.listener import Listener, ListenerSettings
from vestnik.doors.http.reply import OK
from vestnik.doors.http.server import DoorSettings

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def listening(centre, **settings):
    listener = Listener(centre.door, ListenerSettings(**settings))
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


async def exchange(port, request):
    """Everything the door says until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def get(target, *headers):
    lines = [f"GET {target} HTTP/1.1", "Host: www2.example", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_the_door_answers_on_a_port_of_its_own_choice(centre):
    async with listening(centre) as listener:
        said = await exchange(listener.port, get("/sys/balance.php?login=alex&psw=123"))

    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: text/plain; charset=windows-1251" in head
    assert b"content-length: 7" in head
    assert body == b"1871.62"


async def test_a_chunked_body_is_a_body(centre):
    request = (
        b"POST /sys/balance.php HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\na\r\nlogin=alex\r\n8\r\n&psw=123\r\n0\r\n\r\n"
    )

    async with listening(centre) as listener:
        said = await exchange(listener.port, request)

    assert said.endswith(b"\r\n\r\n1871.62")


def raw(charset, text="Привет"):
    """A request as it is written by hand: nothing in its address is escaped."""
    query = f"login=alex&psw=123&phones=79990000001&charset={charset}&mes={text}&fmt=1"
    return get("/sys/send.php?QUERY").replace(b"QUERY", query.encode(charset))


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
async def test_an_address_may_hold_octets_as_they_are(centre, charset):
    async with listening(centre) as listener:
        said = await exchange(listener.port, raw(charset))

    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [line.text for line in centre.sending.orders[0].lines] == ["Привет"]


async def test_octets_as_they_are_may_come_in_pieces(centre):
    request = raw("utf-8", "Привет,мир")
    async with listening(centre) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for at in range(0, len(request), 7):
            writer.write(request[at : at + 7])
            await asyncio.sleep(0.001)  # so that each piece is read by itself, most of the time
        said = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [line.text for line in centre.sending.orders[0].lines] == ["Привет,мир"]


async def test_octets_of_a_body_stay_what_they_are(centre):
    body = "login=alex&psw=123&phones=79990000001&mes=Привет".encode("cp1251")
    head = f"POST /sys/send.php HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    async with listening(centre) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(head.encode() + body)
        await reader.readuntil(b"\r\n\r\nOK - 1 SMS, ID - 33")
        writer.write(raw("utf-8", "Пока"))
        said = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [order.lines[0].text for order in centre.sending.orders] == ["Привет", "Пока"]


async def test_two_requests_share_a_connection(centre):
    kept = get(f"/sys/balance.php?apikey={KEY}").replace(b"close", b"keep-alive")

    async with listening(centre) as listener:
        said = await exchange(listener.port, kept + get(f"/sys/balance.php?apikey={KEY}&cur=1"))

    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert said.endswith(b"1871.62,RUB")


async def test_a_client_that_sends_too_much_still_hears_why():
    centre = Centre(door_options={"settings": DoorSettings(body_max=1_000)})
    request = (
        b"POST /sys/send.php?fmt=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"
        + b"x" * 3_000_000
    )

    async with listening(centre) as listener:
        said = await exchange(listener.port, request)

    assert said.endswith(b"\r\n\r\n0,-1")


async def test_half_a_request_leaves_nothing_behind(centre):
    async with listening(centre) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(
            b"POST /sys/send.php?login=alex&psw=123 HTTP/1.1\r\nHost: x\r\n"
            b"Content-Length: 100\r\n\r\nphones=79990000001&mes=Hello"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    assert centre.sending.orders == []


async def test_stopping_lets_a_running_request_finish():
    running, finish = asyncio.Event(), asyncio.Event()

    @endpoint("/sys/slow.php", codes=codes.TASKS, parameters=())
    async def slow(call):
        running.set()
        await finish.wait()
        return OK

    centre = Centre(door_options={"endpoints": [slow]})
    listener = Listener(centre.door, ListenerSettings())
    port = await listener.start()
    asked = asyncio.create_task(exchange(port, get(f"/sys/slow.php?apikey={KEY}")))
    await running.wait()

    stopping = asyncio.create_task(listener.stop())
    while listener.accepting:
        await asyncio.sleep(0)
    with pytest.raises(OSError):
        await exchange(port, b"")
    finish.set()
    await stopping

    assert (await asked).endswith(b"\r\n\r\nOK")


async def test_an_address_that_is_taken_is_an_error(centre):
    async with listening(centre) as listener:
        with pytest.raises(OSError):
            await Listener(centre.door, ListenerSettings(port=listener.port)).start()


@pytest.mark.parametrize(
    ("proxies", "expected"), [((), "127.0.0.1"), (("127.0.0.1",), "198.51.100.9")]
)
async def test_a_forwarded_address_is_believed_of_known_proxies_only(proxies, expected):
    seen = []

    @endpoint("/sys/who.php", codes=codes.TASKS, parameters=())
    async def who(call):
        seen.append(call.address)
        return OK

    centre = Centre(door_options={"endpoints": [who]})
    asked = get(f"/sys/who.php?apikey={KEY}", "X-Forwarded-For: 198.51.100.9")

    async with listening(centre, proxies=proxies) as listener:
        await exchange(listener.port, asked)

    assert seen == [expected]
