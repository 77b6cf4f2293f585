"""Our door against Kannel, whose words the reference service's own examples are written in."""

import shutil

import pytest
from tests.doors.smpp import kannel
from tests.doors.smpp.house import PHONE, open_house

from vestnik.domain.message import Incoming
from vestnik.services.incoming.receiving import Came

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("bearerbox") is None, reason="there is no Kannel here"),
]

OWN = "79160000001"
LATIN = "It was a bright cold day in April, and the clocks {€} were striking thirteen. " * 4
CYRILLIC = "Съешь ещё этих мягких французских булок. " * 5
TEXTS = {
    "79161000001": "Hello, world @ 5$",
    "79161000002": "Привет",
    "79161000003": LATIN,
    "79161000004": CYRILLIC,
}


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path, numbers=OWN, smpp_incoming=1) as opened:
        yield opened


@pytest.mark.parametrize(
    "binds", [kannel.TRANSCEIVER, kannel.PAIR], ids=["transceiver", "pair of binds"]
)
async def test_kannel_sends_any_text_and_is_told_of_each(house, tmp_path, binds):
    async with kannel.running(tmp_path, house.port, binds) as client:
        for phone, text in TEXTS.items():
            coding = "0" if text.replace("€", "").isascii() else "2"
            assert "Accepted" in await client.send(phone, text, coding=coding)
        ends = [await client.ended(phone) for phone in TEXTS]

    assert [kind for kind, _ in ends] == [kannel.DELIVERED] * len(TEXTS)
    assert all("stat:DELIVRD err:000" in words for _, words in ends)
    assert {row[0]: row[2] for row in await house.messages()} == TEXTS


async def test_kannel_is_told_why_a_message_is_refused(house, tmp_path):
    async with kannel.running(tmp_path, house.port, kannel.TRANSCEIVER) as client:
        await client.send("123", "Hello")
        kind, words = await client.ended("123")

    assert kind == kannel.REFUSED
    assert "0x0000000b" in words


async def test_kannel_hears_incoming_messages(house, tmp_path):
    async with kannel.running(tmp_path, house.port, kannel.TRANSCEIVER) as client:
        for id, text in enumerate(("Hello", "Привет"), 1):
            await house.centre.road.receiver.put(Came(id, Incoming(PHONE, OWN, text)))
        come = await client.incoming(2)

    assert {(told["from"], told["to"]) for told in come} == {(f"+{PHONE}", f"+{OWN}")}
    assert [told["text"] for told in come] == ["Hello", "Привет"]
