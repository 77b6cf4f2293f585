"""Our door against clients that other people wrote: smpplib and the npm package smpp."""

import asyncio
import json
import re
import time

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm
from tests.carriers.conftest import npm_carrier_folder  # noqa: F401 - a fixture
from tests.doors.smpp.house import LOGIN, OTHER, PASSWORD, PHONE, SOON_S, open_house

from vestnik.domain.message import Incoming
from vestnik.services.incoming.receiving import Came

pytestmark = pytest.mark.anyio

OWN = "79160000001"
LATIN = "It was a bright cold day in April, and the clocks {€} were striking thirteen. " * 4
TEXTS = {
    "latin": "Hello, world @ 5$",
    "cyrillic": "Привет",
    "emoji": "Готово 😀",
    "latin long": LATIN,
    "cyrillic long": "Съешь ещё этих мягких французских булок. " * 5,
}


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path, smpp_rate=0, numbers=OWN, smpp_incoming=1) as opened:
        yield opened


async def texts(house):
    return [row[2] for row in await house.messages()]


class Smpplib:
    """A client of smpplib in a thread of its own; it keeps ids and what it hears."""

    def __init__(self, port, kind):
        self.client = smpplib.client.Client(
            "127.0.0.1", port, timeout=SOON_S, allow_unknown_opt_params=True
        )
        self.ids, self.heard, self.states = [], [], []
        self.client.set_message_sent_handler(lambda pdu: self.ids.append(pdu.message_id))
        self.client.set_message_received_handler(self.hear)
        self.client.set_query_resp_handler(lambda pdu: self.states.append(pdu.message_state))
        self.client.connect()
        getattr(self.client, f"bind_{kind}")(system_id=LOGIN, password=PASSWORD)

    def hear(self, pdu):
        self.heard.append(pdu)  # and take it: the answer has status 0

    def listen_until(self, true):
        deadline = time.monotonic() + SOON_S
        while not true(self):
            assert time.monotonic() < deadline
            self.client.read_once()

    def send(self, text, phone=PHONE, **fields):
        parts, coding, esm_class = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                source_addr="Shop",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                destination_addr=phone,
                short_message=part,
                data_coding=coding,
                esm_class=esm_class,
                registered_delivery=True,
                **fields,
            )
        return len(parts)

    def leave(self):
        self.client.unbind()
        self.client.disconnect()


async def with_smpplib(house, kind, story):
    """Tell a story in a thread; what it returns."""

    def told():
        client = Smpplib(house.port, kind)
        try:
            return story(client)
        finally:
            client.leave()

    return await asyncio.to_thread(told)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_smpplib_sends_any_text_and_matches_its_receipt(house, text):
    def story(client):
        count = client.send(text)
        client.listen_until(lambda c: len(c.ids) == count and c.heard)
        return client

    client = await with_smpplib(house, "transceiver", story)

    assert await texts(house) == [text]
    assert {number.decode() for number in client.ids} == {"1"}
    [receipt] = client.heard
    assert receipt.receipted_message_id == b"1"
    assert b"id:1 " in receipt.short_message
    assert b" stat:DELIVRD err:000 " in receipt.short_message
    assert receipt.message_state == smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED


async def test_smpplib_sends_by_one_bind_and_hears_by_another(house):
    def send(client):
        client.send("Hello")
        client.listen_until(lambda c: c.ids)

    def hear(client):
        client.listen_until(lambda c: c.heard)
        return client.heard

    await with_smpplib(house, "transmitter", send)
    [receipt] = await with_smpplib(house, "receiver", hear)

    assert receipt.source_addr == PHONE.encode()


async def test_smpplib_asks_what_became_of_a_message(house):
    def story(client):
        client.send("Hello")
        client.listen_until(lambda c: c.heard)
        client.client.query_message(
            message_id="1", source_addr_ton=5, source_addr_npi=1, source_addr="Shop"
        )
        client.listen_until(lambda c: c.states)
        return client.states

    assert await with_smpplib(house, "transceiver", story) == [2]


async def test_smpplib_hears_incoming_messages(house):
    await house.centre.road.receiver.put(Came(1, Incoming(OTHER, OWN, "Привет")))

    def story(client):
        client.listen_until(lambda c: c.heard)
        return client.heard

    [pdu] = await with_smpplib(house, "receiver", story)

    assert pdu.short_message.decode("utf-16-be") == "Привет"
    assert (pdu.source_addr, pdu.destination_addr) == (OTHER.encode(), OWN.encode())


async def test_smpplib_is_told_that_its_password_is_wrong(house):
    def story():
        client = smpplib.client.Client("127.0.0.1", house.port, allow_unknown_opt_params=True)
        client.connect()
        try:
            client.bind_transceiver(system_id=LOGIN, password="wrong")
        finally:
            client.disconnect()

    with pytest.raises(smpplib.exceptions.PDUError, match="Bind Failed") as caught:
        await asyncio.to_thread(story)
    assert caught.value.args[1] == smpplib.consts.SMPP_ESME_RBINDFAIL


class Npm:
    """A running client of the npm package, and the lines it has said."""

    def __init__(self, process):
        self.process, self.said = process, []

    def send(self, *submits):
        for fields in submits:
            given = {"source_addr": "Shop", "destination_addr": PHONE, "registered_delivery": 1}
            self.process.stdin.write(json.dumps(given | fields).encode() + b"\n")

    async def says(self, name, count):
        """So many lines with this member."""
        async with asyncio.timeout(SOON_S):
            while len(self.all(name)) < count:
                line = await self.process.stdout.readline()
                assert line, "it has gone"
                self.said.append(json.loads(line))
        return self.all(name)

    def all(self, name):
        return [line for line in self.said if name in line]


@pytest.fixture
async def npm(house, npm_carrier_folder, request):  # noqa: F811 - it is that fixture
    kind = getattr(request, "param", "transceiver")
    script = request.path.parent / "npm" / "client.js"
    process = await asyncio.create_subprocess_exec(
        "node",
        script,
        str(house.port),
        kind,
        LOGIN,
        PASSWORD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"NODE_PATH": str(npm_carrier_folder / "node_modules"), "PATH": "/usr/bin:/bin"},
    )
    client = Npm(process)
    try:
        assert await client.says("bound", 1) == [{"bound": 0}]
        yield client
    finally:
        process.kill()
        await process.wait()
        process._transport.close()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_the_npm_client_sends_any_text_and_matches_its_receipt(house, npm, text):
    long = len(text) > 70
    npm.send({"message_payload" if long else "short_message": text})

    [answer] = await npm.says("id", 1)
    [receipt] = await npm.says("from", 1)

    assert await texts(house) == [text]
    assert (answer["status"], answer["id"]) == (0, "1")
    assert (receipt["receipt"], receipt["from"], receipt["state"]) == ("1", PHONE, 2)
    assert re.match("id:1 sub:001 dlvrd:001 submit date:.* stat:DELIVRD err:000", receipt["text"])


async def test_the_npm_client_loses_and_doubles_nothing(house, npm):
    await house.limit(receipt_window=50)
    phones = [f"7916{n:07d}" for n in range(90)]
    npm.send(*({"short_message": f"Number {p}", "destination_addr": p} for p in phones))

    answers = await npm.says("id", len(phones))
    receipts = await npm.says("from", len(phones))

    assert {answer["status"] for answer in answers} == {0}
    assert {a["phone"]: a["id"] for a in answers} == {r["from"]: r["receipt"] for r in receipts}
    assert sorted(await texts(house)) == sorted(f"Number {phone}" for phone in phones)


@pytest.mark.parametrize("npm", ["receiver"], indirect=True)
async def test_the_npm_client_hears_incoming_messages(house, npm):
    for text in ("Hello", "Привет", "Привет! " * 40):
        await house.centre.road.receiver.put(Came(1, Incoming(OTHER, OWN, text)))
    heard = await npm.says("from", 3)

    assert {line["text"] for line in heard} == {"Hello", "Привет", "Привет! " * 40}
    assert {line["receipt"] for line in heard} == {None}
