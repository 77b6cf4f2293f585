"""Links on real sockets: what is written, what is lost, what waits."""

import asyncio
import shutil
import ssl
import subprocess
from collections import Counter

import pytest

from vestnik.net.smpp import PDUS_A_TURN, Link, LinkLost, NoAnswer, connect, serve
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.session import Limits, NotAllowed, Turned
from vestnik.wire.smpp.states import Side, State

pytestmark = pytest.mark.anyio

HELLO = p.SubmitSm(destination_addr="79991234567", short_message=b"Hello")
BIG = p.SubmitSm(tlvs={tlv.MESSAGE_PAYLOAD: b"x" * 60_000})


def answer_all(link, frame):
    link.answer(frame)


def swallow_submits(link, frame):
    if not isinstance(frame.pdu, p.SubmitSm):
        link.answer(frame)


class Server:
    """An SMSC whose reaction is one function."""

    def __init__(self, on_request=answer_all, tls=None, limits=None):
        self.on_request, self.tls, self.limits = on_request, tls, limits
        self.links, self.notices, self.lost = [], [], []

    def make_link(self):
        link = Link(
            Side.SMSC,
            self.limits,
            on_request=lambda link, frame: self.on_request(link, frame),  # noqa: PLW0108 - set later
            on_notice=lambda link, what: self.notices.append(what),
            on_lost=lambda link, reason: self.lost.append(reason),
        )
        self.links.append(link)
        return link

    async def __aenter__(self):
        self.server = await serve("127.0.0.1", 0, self.make_link, tls=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *problem):
        self.server.close()
        for link in self.links:
            link.abort()
            await link.wait_closed()
        await self.server.wait_closed()


def esme(on_request=answer_all, limits=None):
    return lambda: Link(Side.ESME, limits, on_request=on_request)


async def bound(server, **options):
    link = await connect("127.0.0.1", server.port, esme(**options))
    await link.ask(p.BindTransceiver("shop", "secret"))
    return link


async def lost(future):
    with pytest.raises(LinkLost) as caught:
        await future
    return caught.value.written


async def test_a_request_gets_its_answer():
    async with Server(lambda link, frame: link.answer(frame, p.SubmitSmResp("77"))) as server:
        link = await connect("127.0.0.1", server.port, esme())
        server.on_request = lambda link, frame: link.answer(frame)
        await link.ask(p.BindTransceiver("shop"))
        server.on_request = lambda link, frame: link.answer(frame, p.SubmitSmResp("77"))
        frame = await link.ask(HELLO)
        await link.unbind(5)

    assert frame.pdu == p.SubmitSmResp("77")
    assert link.session.state is State.CLOSED
    assert server.lost == ["unbound by the peer"]


async def test_both_sides_may_ask():
    heard = []

    def hear(link, frame):
        heard.append(frame.pdu)
        link.answer(frame)

    async with Server() as server:
        await bound(server, on_request=hear)
        frame = await server.links[0].ask(p.DeliverSm(short_message=b"Yes"))

    assert heard == [p.DeliverSm(short_message=b"Yes")]
    assert frame.pdu == p.DeliverSmResp()


async def test_what_is_asked_in_one_turn_leaves_in_one_write():
    arrivals = []
    async with Server() as server:
        link = await bound(server)
        [smsc] = server.links
        receive = smsc.session.receive
        smsc.session.receive = lambda data, *how: arrivals.append(len(data)) or receive(data, *how)
        await asyncio.gather(*(link.ask(HELLO) for _ in range(20)))

    assert arrivals == [20 * len(p.encode(HELLO, 1))]


async def test_a_lost_connection_fails_what_was_written_as_uncertain():
    async with Server(swallow_submits) as server:
        link = await bound(server)
        futures = [link.ask(HELLO) for _ in range(3)]
        while server.links[0].session.owed < 3:
            await asyncio.sleep(0.001)
        server.links[0].abort()

        assert [await lost(future) for future in futures] == [True] * 3
        assert await lost(link.ask(HELLO)) is False


async def test_what_never_left_is_known_not_to_have_left():
    async with Server(swallow_submits) as server:
        link = await bound(server)
        future = link.ask(HELLO)
        link.abort()  # in the same turn, so nothing is written

        assert await lost(future) is False


async def test_nothing_more_is_written_while_the_peer_does_not_read():
    async with Server() as server:
        link = await bound(server)
        [smsc] = server.links
        smsc._transport.pause_reading()
        written = []
        while not link._paused:
            written.append(link.ask(BIG))
            await asyncio.sleep(0)
        waiting = [link.ask(BIG) for _ in range(5)]
        await asyncio.sleep(0)

        assert len(link._unwritten) == 5
        smsc._transport.resume_reading()
        frames = await asyncio.gather(*written, *waiting)
        assert all(isinstance(frame.pdu, p.SubmitSmResp) for frame in frames)


async def test_what_waits_for_a_slow_peer_is_sure_when_it_goes_away():
    async with Server() as server:
        link = await bound(server)
        [smsc] = server.links
        smsc._transport.pause_reading()
        written = []
        while not link._paused:
            written.append(link.ask(BIG))
            await asyncio.sleep(0)
        waiting = link.ask(BIG)
        smsc.abort()

        assert await lost(waiting) is False
        assert await lost(written[0]) is True
        await asyncio.gather(*written, return_exceptions=True)


async def test_an_smsc_stops_reading_while_it_cannot_write():
    async with Server() as server:
        link = await bound(server)
        [smsc] = server.links
        smsc.pause_writing()
        reading = smsc._transport.is_reading()
        future = link.ask(HELLO)
        smsc.resume_writing()

        assert reading is False
        assert (await future).pdu == p.SubmitSmResp()


async def test_a_request_without_an_answer_fails_in_time():
    async with Server(swallow_submits) as server:
        link = await bound(server, limits=Limits(response_s=0.1))

        with pytest.raises(NoAnswer):
            await link.ask(HELLO)
        assert link.bound


async def test_an_answer_that_nobody_waits_for_is_harmless():
    async with Server(swallow_submits) as server:
        link = await bound(server)
        future = link.ask(HELLO)
        future.cancel()
        server.on_request = answer_all
        frame = await link.ask(HELLO)

    assert frame.pdu == p.SubmitSmResp()


async def test_a_peer_that_says_nothing_is_left():
    async with Server(limits=Limits(bind_s=0.1)) as server:
        link = await connect("127.0.0.1", server.port, esme())
        async with asyncio.timeout(45):
            await link.wait_closed()

    assert server.lost == ["no bind within 0.1 s"]


async def test_garbage_closes_the_connection():
    async with Server() as server:
        link = await bound(server)
        link._transport.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(45):
            await link.wait_closed()

    assert server.lost == [f"command_length {int.from_bytes(b'GET ', 'big')}"]


async def test_what_is_refused_by_the_session_is_noticed():
    async with Server() as server:
        link = await connect("127.0.0.1", server.port, esme())
        link._transport.write(p.encode(HELLO, 1))
        frame = await link.ask(p.BindTransceiver("shop"))

    assert frame.status == 0
    [notice] = server.notices
    assert isinstance(notice, Turned)


async def test_a_mistake_of_ours_is_told_at_once():
    async with Server() as server:
        link = await connect("127.0.0.1", server.port, esme())
        with pytest.raises(NotAllowed):
            link.ask(HELLO)
        await link.ask(p.BindTransceiver("shop"))
        with pytest.raises(ValueError):
            link.ask(p.SubmitSm(service_type="too long"))
        frame = await link.ask(HELLO)

    assert frame.pdu == p.SubmitSmResp()


async def test_an_outbind_reaches_the_esme():
    heard = asyncio.get_running_loop().create_future()
    async with Server() as server:
        await connect(
            "127.0.0.1", server.port, esme(lambda link, frame: heard.set_result(frame.pdu))
        )
        while not server.links:
            await asyncio.sleep(0.001)
        server.links[0].tell(p.Outbind("carrier", "secret"))

        assert await heard == p.Outbind("carrier", "secret")


async def test_nobody_at_the_other_end_is_an_os_error():
    async with Server() as server:
        port = server.port
    with pytest.raises(OSError):
        await connect("127.0.0.1", port, esme())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so there is no certificate to test TLS with")
    folder = tmp_path_factory.mktemp("tls")
    key, file = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", file],
        check=True,
        capture_output=True,
    )
    return file, key


async def test_a_link_may_speak_tls(certificate):
    file, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    trusting = ssl.create_default_context(cafile=file)
    async with Server(tls=context) as server:
        with pytest.raises(ssl.SSLError):
            await connect("127.0.0.1", server.port, esme(), tls=ssl.create_default_context())
        link = await connect("127.0.0.1", server.port, esme(), tls=trusting)
        await link.ask(p.BindTransceiver("shop"))
        frame = await link.ask(HELLO)
        await link.unbind(5)

    assert frame.pdu == p.SubmitSmResp()


async def test_a_flood_leaves_others_their_turns():
    turns = []

    def count_turns(link, frame):
        if isinstance(frame.pdu, p.SubmitSm):
            turns.append(loop_turns[0])
        link.answer(frame)

    loop_turns = [0]
    loop = asyncio.get_running_loop()

    def turn():
        loop_turns[0] += 1
        loop.call_soon(turn)

    async with Server(count_turns) as server:
        link = await bound(server)
        loop.call_soon(turn)
        await asyncio.gather(*(link.ask(HELLO) for _ in range(10 * PDUS_A_TURN)))

    assert max(Counter(turns).values()) <= PDUS_A_TURN
    assert len(turns) == 10 * PDUS_A_TURN


async def test_what_a_client_asks_before_its_good_bye_is_heard_in_order():
    heard = []

    def hear(link, frame):
        heard.append(frame.pdu)
        link.answer(frame)

    async with Server(hear) as server:
        link = await bound(server)
        asked = [link.ask(HELLO) for _ in range(3 * PDUS_A_TURN)]
        await link.unbind(5)
        await asyncio.gather(*asked)

    assert heard[1:] == [HELLO] * (3 * PDUS_A_TURN)
