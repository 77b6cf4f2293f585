"""Our channel against somebody else's SMSC: what it understood, and what we understood of it."""

import asyncio
import time

import pytest

from vestnik.channels.base import Hears
from vestnik.channels.smpp import SmppChannel
from vestnik.channels.smpp_settings import settings_from
from vestnik.domain.message import Kind, Outgoing, Status

pytestmark = pytest.mark.anyio

TEXTS = {
    "latin": "Hello, world @ 5$ [€]",
    "cyrillic": "Привет",
    "emoji": "Готово 😀",
    "latin long": "Hello, world! " * 20,
    "cyrillic long": "Съешь ещё этих мягких французских булок. " * 5,
    "emoji long": "😀" * 70,
}


def message(number, text):
    return Outgoing(
        client_id=1,
        id=number << 12,
        kind=Kind.SMS,
        phone=f"79990000{number:03d}",
        sender="Vestnik",
        text=text,
        parts=1,
        options={},
        expires_at=int(time.time() * 1000) + 3_600_000,
        urgent=False,
        attempt=1,
    )


class Talk:
    """A bound channel that gathers reports."""

    def __init__(self, carrier, **settings):
        self.reports, self.changed = [], asyncio.Event()
        values = {"port": carrier.port, "system_id": "shop", "password": "secret"}
        self.channel = SmppChannel(settings_from(values | settings))

    async def report(self, report):
        self.reports.append(report)
        self.changed.set()

    async def nothing(self, incoming):
        raise AssertionError(incoming)

    async def __aenter__(self):
        await self.channel.start(Hears(self.report, self.nothing))
        async with asyncio.timeout(60):
            while not self.channel.ready:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *problem):
        await self.channel.stop(5)

    async def reported(self, count):
        async with asyncio.timeout(60):
            while len(self.reports) < count:
                self.changed.clear()
                await self.changed.wait()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_a_text_arrives_whole_and_is_reported(npm_carrier, text):
    async with Talk(npm_carrier) as talk:
        taken = await talk.channel.send(message(7, text))
        await talk.reported(len(taken.refs))

    submits = npm_carrier.submits()
    assert "".join(submit["message"] for submit in submits) == text
    assert {submit["to"] for submit in submits} == {"79990000007"}
    assert sorted(ref for _, ref in taken.refs) == sorted(report.ref for report in talk.reports)
    assert {report.status for report in talk.reports} == {Status.DELIVERED}
    assert {report.phone for report in talk.reports} == {"79990000007"}


async def test_parts_name_their_place(npm_carrier):
    async with Talk(npm_carrier) as talk:
        await talk.channel.send(message(7, TEXTS["cyrillic long"]))

    headers = [submit["udh"][0] for submit in npm_carrier.submits()]
    total = len(headers)
    assert total > 1
    assert [header[-4:] for header in headers] == [
        f"{total:02x}{i:02x}" for i in range(1, total + 1)
    ]
    assert len({header[:-4] for header in headers}) == 1


async def test_a_long_text_in_message_payload_is_understood(npm_carrier):
    async with Talk(npm_carrier, long_messages="payload") as talk:
        await talk.channel.send(message(7, TEXTS["cyrillic long"]))

    [submit] = npm_carrier.submits()
    assert submit["payload"] == TEXTS["cyrillic long"]


@pytest.mark.parametrize("npm_carrier", [["--hex"]], indirect=True)
async def test_many_messages_none_lost_none_doubled_ids_matched(npm_carrier):
    settings = {"response_ids": "hexadecimal", "receipt_ids": "decimal", "window": 20, "binds": 2}
    async with Talk(npm_carrier, **settings) as talk:
        takens = await asyncio.gather(
            *(talk.channel.send(message(number, f"Number {number}")) for number in range(300))
        )
        await talk.reported(300)

    submits = npm_carrier.submits()
    assert sorted(submit["message"] for submit in submits) == sorted(
        f"Number {number}" for number in range(300)
    )
    refs = {f"79990000{number:03d}": taken.refs[0][1] for number, taken in enumerate(takens)}
    assert {report.phone: report.ref for report in talk.reports} == refs


async def test_a_wrong_password_is_told(npm_carrier):
    talk = Talk(npm_carrier, password="wrong", reconnect_min_s=30)
    await talk.channel.start(Hears(talk.report, talk.nothing))
    try:
        async with asyncio.timeout(60):
            while "0x0D" not in talk.channel.state:
                await asyncio.sleep(0.01)

        assert talk.channel.state == "connecting: bind refused: 0x0D ESME_RBINDFAIL"
    finally:
        await talk.channel.stop(0)
