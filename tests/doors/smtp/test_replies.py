import asyncio
from email import message_from_bytes

import pytest
from aiosmtpd.smtp import SMTP
from tests.doors.smtp.conftest import FAR_S, letter, posting

from vestnik.doors.smtp.replies import PER_DAY, Replies

pytestmark = pytest.mark.anyio

MINUTE = 60_000
WRONG = letter("alex:123:::0,0,:12:Hi")


class Relay:
    """A mail server that keeps what it is given."""

    def __init__(self):
        self.letters = []
        self.got = asyncio.Event()
        self.answer = "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append(envelope)
        self.got.set()
        return self.answer

    async def delivered(self):
        async with asyncio.timeout(FAR_S):
            await self.got.wait()
        self.got.clear()


@pytest.fixture
async def relay():
    keeps, loop = Relay(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeps, hostname="relay.example", loop=loop), "127.0.0.1", 0
    )
    keeps.port = server.sockets[0].getsockname()[1]
    yield keeps
    server.close()


@pytest.fixture
async def post(tmp_path, relay):
    async with posting(tmp_path, relay=("127.0.0.1", relay.port)) as found:
        yield found


async def test_a_refusal_is_told_by_a_letter_when_there_is_a_relay(post, relay):
    told = await post.told(WRONG)
    await relay.delivered()

    [envelope] = relay.letters
    written = message_from_bytes(envelope.content)
    assert told == (250, "ERROR = 7 (invalid number), ID - 1")
    assert (envelope.mail_from, envelope.rcpt_tos) == ("<>", ["shop@client.example"])
    assert written["Subject"] == "ERROR"
    assert written["From"] == "<send@centre.example>"
    assert written["Auto-Submitted"] == "auto-replied"
    assert written.get_payload().strip() == "ERROR = 7 (invalid number), ID - 1"


async def test_a_test_is_told_by_a_letter(post, relay):
    await post.told(letter("alex:123:::0,0,,1:79161234567:Hi"))
    await relay.delivered()

    written = message_from_bytes(relay.letters[0].content)
    assert (written["Subject"], written.get_payload().strip()) == ("OK", "OK - 1 SMS, ID - 1")


@pytest.mark.parametrize(
    ("octets", "sender"),
    [
        (letter("alex:124:::0,0,:12:Hi"), "shop@client.example"),  # who wrote is not known
        (letter("nonsense"), "shop@client.example"),
        (WRONG, ""),
        (b"Auto-Submitted: auto-replied\r\n" + WRONG, "shop@client.example"),
    ],
)
async def test_who_is_not_written_to_is_told_in_the_dialogue(post, relay, octets, sender):
    code, _ = await post.told(octets, sender=sender)
    await post.door.replies.finish(1.0)

    assert (code, relay.letters) == (554, [])


async def test_nobody_is_written_to_twice_in_a_minute(post, relay):
    codes = [(await post.told(letter(f"alex:123:::0,0,:12:{n}")))[0] for n in range(2)]

    assert codes == [250, 554]


async def test_success_is_not_told_by_a_letter(post, relay):
    await post.told(letter("alex:123:::0,0,:79161234567:Hi"))
    await post.door.replies.finish(1.0)

    assert relay.letters == []


async def test_a_relay_that_refuses_harms_nobody(post, relay):
    relay.answer = "554 no"
    await post.told(WRONG)
    await relay.delivered()
    relay.answer = "250 OK"

    await post.told(letter("alex:123:::0,0,:12:Ho"), sender="other@client.example")
    await relay.delivered()

    assert len(relay.letters) == 2


def test_nobody_is_written_to_more_than_ten_times_a_day():
    replies = Replies(("127.0.0.1", 1))

    offered = [
        replies.offer("a@b.example", "send@c.example", "ERROR", "x", n * MINUTE)
        for n in range(PER_DAY + 1)
    ]

    assert offered == [True] * PER_DAY + [False]


@pytest.mark.parametrize("address", ["<>", "bob", "a@b\r\nRCPT", "a b@c.example", '"a@b"@c'])
def test_only_plain_addresses_are_written_to(address):
    assert not Replies(("127.0.0.1", 1)).offer(address, "send@c.example", "ERROR", "x", 0)


def test_there_is_no_endless_line_of_letters():
    replies = Replies(("127.0.0.1", 1))

    offered = [
        replies.offer(f"a{n}@b.example", "send@c.example", "ERROR", "x", 0) for n in range(101)
    ]

    assert offered == [True] * 100 + [False]
