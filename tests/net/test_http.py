import asyncio
import re
import shutil
import ssl
import subprocess

import pytest
from tests.fakes.receiver import Receiver

from vestnik.net import http
from vestnik.net.http import Forbidden, HttpClient, Unreachable

pytestmark = pytest.mark.anyio


@pytest.fixture
async def careful():
    client = HttpClient()
    yield client
    await client.close()


@pytest.fixture
async def receiver():
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1:8080/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fd00::1]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://100.64.0.1/",
    ],
)
async def test_private_networks_are_out_of_reach(careful, url):
    with pytest.raises(Forbidden):
        await careful.post_form(url, b"a=1", "utf-8")


@pytest.mark.parametrize("url", ["ftp://example.org/", "file:///etc/passwd", "example.org", ""])
async def test_only_http_is_spoken(careful, url):
    with pytest.raises(Forbidden):
        await careful.post_form(url, b"a=1", "utf-8")


async def test_an_operator_may_allow_private_networks(receiver):
    client = HttpClient(private=True)

    answer = await client.post_form(receiver.url, b"a=1", "utf-8")
    await client.close()

    assert (answer.status, answer.body) == (200, b"OK")
    assert [fields for _, fields, _ in receiver.calls] == [{"a": "1"}]


async def test_a_redirect_is_an_answer_and_not_a_way(receiver):
    receiver.answers = [302]
    client = HttpClient(private=True)

    answer = await client.post_form(receiver.url, b"a=1", "utf-8")
    await client.close()

    assert answer.status == 302
    assert len(receiver.calls) == 1


async def test_nobody_at_the_address_is_unreachable(receiver):
    await receiver.stop()
    client = HttpClient(private=True)

    with pytest.raises(Unreachable):
        await client.post_form(receiver.url, b"a=1", "utf-8")

    await client.close()


class Script:
    """An address that says what the test wrote, one piece for each request it hears."""

    def __init__(self, *answers, then_close=False, tls=None):
        self._answers, self._then_close, self._tls = list(answers), then_close, tls
        self.connections, self.requests = 0, []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://localhost:{port}/told?a=1"
        self.client = HttpClient(private=True)
        return self

    async def __aexit__(self, *problem):
        await self.client.close()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            while self._answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"Content-Length: (\d+)", head)[1])
                self.requests.append(head + await reader.readexactly(length))
                writer.write(self._answers.pop(0))
                await writer.drain()
                if self._then_close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def post(self, body=b"x=1"):
        return await self.client.post_form(self.url, body, "utf-8")


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


async def test_a_request_is_one_that_any_server_takes():
    async with Script(GOOD) as address:
        await address.post(b"mes=%D0%B4")

    [request] = address.requests
    head, _, body = request.partition(b"\r\n\r\n")
    port = address.url.rpartition(":")[2].partition("/")[0]
    assert head.decode().split("\r\n") == [
        "POST /told?a=1 HTTP/1.1",
        f"Host: localhost:{port}",
        "User-Agent: vestnik",
        "Accept: */*",
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
        "Content-Length: 10",
    ]
    assert body == b"mes=%D0%B4"


async def test_calls_to_one_place_share_a_connection():
    async with Script(GOOD, GOOD, GOOD) as address:
        answers = [await address.post() for _ in range(3)]

    assert [answer.body for answer in answers] == [b"OK"] * 3
    assert address.connections == 1


async def test_a_connection_that_the_other_side_has_closed_meanwhile_harms_no_call():
    async with Script(GOOD, GOOD, GOOD, then_close=True) as address:
        answers = [await address.post() for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert address.connections == 3


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, 200, b"OK"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n", 200, b"OK"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK", 200, b"OK"),
        (b"HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 500, b""),
    ],
)
async def test_whatever_form_an_answer_has(answer, status, body):
    async with Script(answer, GOOD) as address:
        found = await address.post()
        next_one = await address.post()

    assert (found.status, found.body) == (status, body)
    assert next_one.body == b"OK"


async def test_an_answer_without_a_length_ends_with_its_connection():
    async with Script(b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts", then_close=True) as address:
        found = await address.post()

    assert found.body == b"as long as it lasts"


async def test_of_a_long_answer_only_the_beginning_is_read():
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000
    async with Script(long, GOOD) as address:
        found = await address.post()
        next_one = await address.post()

    assert (found.status, len(found.body)) == (200, 64 * 1024)
    assert next_one.body == b"OK"


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 600_000,
        b"",
    ],
    ids=["no HTTP", "cut off", "endless head", "endless trailer", "nothing"],
)
async def test_what_is_no_answer_is_unreachable(answer):
    async with Script(answer, then_close=True) as address:
        with pytest.raises(Unreachable):
            await address.post()


async def test_nobody_waits_longer_than_the_deadline(monkeypatch):
    monkeypatch.setattr(http, "DEADLINE_S", 0.05)
    async with Script(b"HTTP/1.1 100 Continue\r\n\r\n", GOOD) as address:
        with pytest.raises(Unreachable, match="did not answer within"):
            await address.post()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-made certificate of localhost, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    name = ("-addext", "subjectAltName=DNS:localhost")
    where = ("-out", str(files[0]), "-keyout", str(files[1]))
    subprocess.run(["openssl", *words.split(), *name, *where], check=True, capture_output=True)
    return files


@pytest.mark.parametrize("known", [True, False])
async def test_over_tls_the_name_is_proved(certificate, known):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with Script(GOOD, tls=context) as address:
        if not known:
            with pytest.raises(Unreachable, match="certificate"):
                await address.post()
            return
        address.client._tls.load_verify_locations(certificate[0])
        found = await address.post()
        address.url = address.url.replace("localhost", "127.0.0.1")
        with pytest.raises(Unreachable, match="certificate"):
            await address.post()

    assert found.body == b"OK"
