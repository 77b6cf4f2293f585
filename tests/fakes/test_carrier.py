"""The fake carrier's own promises: what other tests build on."""

import asyncio
import json
import signal
import subprocess
import sys

import pytest
from tests.fakes.carrier import (
    GARBAGE,
    HALF_PDU,
    OVERSIZED_PDU,
    Drop,
    FakeCarrier,
    Refuse,
    Swallow,
    throttle,
)

from vestnik.net.smpp import Link, LinkLost, NoAnswer, connect
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import receipt as r
from vestnik.wire.smpp.session import Limits
from vestnik.wire.smpp.states import Side

pytestmark = pytest.mark.anyio

HELLO = p.SubmitSm(
    source_addr="Vestnik",
    destination_addr="79991234567",
    registered_delivery=1,
    short_message=b"Hello",
)


class Client:
    """An ESME that answers everything and remembers it."""

    def __init__(self, port, status=0):
        self.port, self.status = port, status
        self.heard = []
        self.changed = asyncio.Event()

    def _hear(self, link, frame):
        self.heard.append(frame.pdu)
        link.answer(frame, status=self.status)
        self.changed.set()

    async def bind(self, kind=p.BindTransceiver):
        limits = Limits(response_s=0.3)
        self.link = await connect(
            "127.0.0.1", self.port, lambda: Link(Side.ESME, limits, on_request=self._hear)
        )
        return await self.link.ask(kind("shop", "secret"))

    async def until(self, count):
        async with asyncio.timeout(45):
            while len(self.heard) < count:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def carrier():
    async with FakeCarrier() as carrier:
        yield carrier


@pytest.fixture
async def client(carrier):
    client = Client(carrier.port)
    await client.bind()
    return client


async def test_submits_are_taken_and_numbered(carrier, client):
    frames = [await client.link.ask(HELLO) for _ in range(2)]

    assert [frame.pdu.message_id for frame in frames] == ["1", "2"]
    assert carrier.submits == [HELLO, HELLO]
    assert carrier.taken == {"1": HELLO, "2": HELLO}


async def test_reactions_are_used_up_one_a_submit(carrier, client):
    carrier.next(*throttle(2), Refuse(0x0B))
    statuses = [(await client.link.ask(HELLO)).status for _ in range(4)]

    assert statuses == [0x58, 0x58, 0x0B, 0]
    assert len(carrier.taken) == 1


async def test_a_swallowed_submit_is_never_answered(carrier, client):
    carrier.next(Swallow())

    with pytest.raises(NoAnswer):
        await client.link.ask(HELLO)


@pytest.mark.parametrize("reaction", [Drop(), GARBAGE, OVERSIZED_PDU])
async def test_misbehaviour_ends_the_connection(carrier, client, reaction):
    carrier.next(reaction)

    with pytest.raises(LinkLost):
        await client.link.ask(HELLO)


async def test_half_a_pdu_leaves_the_other_side_waiting(carrier, client):
    carrier.next(HALF_PDU)

    with pytest.raises(NoAnswer):
        await client.link.ask(HELLO)


async def test_receipts_come_when_they_are_asked_for(carrier, client):
    carrier.receipts = "DELIVRD"
    await client.link.ask(p.SubmitSm(destination_addr="79991234567"))
    await client.link.ask(HELLO)
    await client.until(1)

    [receipt] = client.heard
    assert r.parse_text(receipt.short_message.decode()).id == "2"
    assert (receipt.source_addr, receipt.destination_addr) == ("79991234567", "Vestnik")


async def test_a_receipt_that_is_not_taken_is_repeated(carrier, client):
    carrier.receipts, client.status = "DELIVRD", 0x64
    await client.link.ask(HELLO)
    await client.until(1)
    client.status = 0
    await client.until(2)

    assert client.heard[0] == client.heard[1]


async def test_a_receipt_waits_for_somebody_who_receives(carrier):
    carrier.receipts = "DELIVRD"
    sender, receiver = Client(carrier.port), Client(carrier.port)
    await sender.bind(p.BindTransmitter)
    await sender.link.ask(HELLO)
    await receiver.bind(p.BindReceiver)
    await receiver.until(1)

    assert sender.heard == []


async def test_a_bind_can_be_refused(carrier):
    carrier.refuse_binds = [0x0E]
    client = Client(carrier.port)

    assert (await client.bind()).status == 0x0E
    assert not client.link.bound


async def test_what_it_does_not_know_gets_a_nack(carrier, client):
    frame = await client.link.ask(p.QuerySm("1"))

    assert (frame.pdu, frame.status) == (p.GenericNack(), 0x03)


@pytest.fixture
def process(tmp_path):
    command = [sys.executable, "-m", "tests.fakes.carrier", "--port", "0"]
    options = ["--receipts", "delivered", "--hex", "--log", str(tmp_path / "submits.jsonl")]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        process.kill()


async def test_it_runs_as_a_process(process, tmp_path):
    client = Client(int(process.stdout.readline()))
    await client.bind()
    frames = await asyncio.gather(*(client.link.ask(HELLO) for _ in range(12)))
    await client.until(12)
    await client.link.unbind(5)
    process.send_signal(signal.SIGTERM)

    assert process.stdout.read() == "submits 12\n"
    assert frames[-1].pdu.message_id == "C"
    lines = [json.loads(line) for line in (tmp_path / "submits.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [str(number) for number in range(1, 13)]
    assert lines[0]["message"] == b"Hello".hex()
