import pytest
from tests.fakes.receiver import Receiver

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
