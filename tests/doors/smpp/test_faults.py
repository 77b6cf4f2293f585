"""Bad input, bad luck and bad manners: the door answers, or cuts off, and serves the others."""

import asyncio
import gc
import os
import socket
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.doors.smpp.house import (
    LOGIN,
    OTHER,
    PASSWORD,
    SOON_S,
    bind,
    open_house,
    reach,
    submit,
    wire,
)

from vestnik.domain.refusals import StoreUnavailable
from vestnik.net.smpp import LinkLost
from vestnik.wire.smpp import command_status as c
from vestnik.wire.smpp import pdu as p

pytestmark = pytest.mark.anyio

BIND = p.encode(p.BindTransceiver(LOGIN, PASSWORD), 1)


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path, smpp_rate=0) as opened:
        yield opened


async def fine(house):
    """The door serves whoever comes next."""
    esme = await bind(house)
    frame = await esme.submit(os.urandom(8).hex(), OTHER)
    await esme.link.unbind(SOON_S)
    return frame.status in (0, c.ESME_NO_MONEY)


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"\0" * 64,
        b"\xff" * 64,
        struct.pack(">IIII", 15, 4, 0, 1),
        struct.pack(">IIII", 1 << 20, 4, 0, 1),
        struct.pack(">IIII", 0xFFFFFFFF, 4, 0, 1),
    ],
)
@pytest.mark.parametrize("bound", [False, True])
async def test_what_is_no_pdu_ends_the_connection(house, octets, bound):
    async with wire(house) as plain:
        if bound:
            assert (await plain.asks(BIND)).status == 0
        await plain.send(octets)
        frames = await plain.ends()

    assert frames[-1].status == c.ESME_RINVCMDLEN
    assert await fine(house)


async def test_a_pdu_may_come_octet_by_octet(house):
    async with wire(house) as plain:
        assert (await plain.asks(BIND)).status == 0
        await plain.send(*(bytes((octet,)) for octet in p.encode(submit(), 2)))
        frames = await plain.hears(2)

    assert (frames[1].status, type(frames[1].pdu)) == (0, p.SubmitSmResp)


@pytest.mark.parametrize("cut", [17, 20, 40, 50])
async def test_a_body_that_ends_too_soon_is_answered_and_the_next_is_taken(house, cut):
    octets = bytearray(p.encode(submit(), 2)[:cut])
    struct.pack_into(">I", octets, 0, cut)
    async with wire(house) as plain:
        assert (await plain.asks(BIND)).status == 0
        await plain.send(octets + p.encode(submit(b"fine"), 3))
        frames = await plain.hears(3)

    statuses = {frame.sequence: frame.status for frame in frames}
    assert statuses[2] in (c.ESME_RINVCMDLEN, c.ESME_RINVMSGLEN)
    assert statuses[3] == 0


_octet = st.integers(0, 255)
_text = st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=20)
_submits = st.builds(
    p.SubmitSm,
    service_type=st.just(""),
    source_addr_ton=_octet,
    source_addr_npi=_octet,
    source_addr=_text,
    dest_addr_ton=_octet,
    dest_addr_npi=_octet,
    destination_addr=st.one_of(_text, st.just(OTHER)),
    esm_class=_octet,
    protocol_id=_octet,
    priority_flag=_octet,
    schedule_delivery_time=st.one_of(
        st.just(""), st.from_regex(r"[0-9]{12}[0-9RX+-]{4}", fullmatch=True)
    ),
    validity_period=st.one_of(st.just(""), st.from_regex(r"[0-9]{15}[R+-]", fullmatch=True)),
    registered_delivery=_octet,
    replace_if_present_flag=st.integers(0, 1),
    data_coding=_octet,
    sm_default_msg_id=st.integers(0, 1),
    short_message=st.binary(max_size=254),
    tlvs=st.dictionaries(
        st.sampled_from([0x020C, 0x020E, 0x020F, 0x0424, 0x0204, 0x1400]),
        st.binary(max_size=40),
        max_size=4,
    ),
)
_others = st.one_of(
    st.builds(p.QuerySm, message_id=_text, source_addr=_text),
    st.builds(p.CancelSm, message_id=_text, source_addr=_text, destination_addr=_text),
    st.builds(p.ReplaceSm, message_id=_text),
    st.builds(p.DataSm, destination_addr=_text, esm_class=_octet, data_coding=_octet),
    st.just(p.EnquireLink()),
    st.just(p.BindReceiver(LOGIN, PASSWORD)),
    st.just(p.DeliverSmResp("1")),
)


@pytest.fixture(scope="module")
async def fuzzed(tmp_path_factory):
    """One house for many examples."""
    async with open_house(tmp_path_factory.mktemp("fuzzed"), smpp_rate=0) as house:
        yield house


_fuzz = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_fuzz
@given(pdus=st.lists(st.one_of(_submits, _others), min_size=1, max_size=8))
async def test_every_request_gets_exactly_one_answer(fuzzed, pdus):
    numbered = list(enumerate(pdus, 2))
    async with wire(fuzzed) as plain:
        assert (await plain.asks(BIND)).status == 0
        for sequence, pdu in numbered:
            await plain.send(p.encode(pdu, sequence))
        await plain.send(p.encode(p.Unbind(), 1))
        frames = [frame for frame in await plain.ends() if frame.pdu.command_id & p.RESPONSE]

    answers = {frame.sequence: frame for frame in frames if frame.sequence > 1}
    expected = {n: p.RESPONSES[type(pdu)] for n, pdu in numbered if type(pdu) in p.RESPONSES}
    assert {n: type(frame.pdu) for n, frame in answers.items()} == expected
    assert len(frames) == len(expected) + 2
    assert {frame.status for frame in frames}.isdisjoint({c.ESME_RSYSERR})


@_fuzz
@given(octets=st.binary(max_size=300), bound=st.booleans())
async def test_no_octets_harm_the_door(fuzzed, octets, bound):
    async with wire(fuzzed) as plain:
        await plain.send((BIND if bound else b"") + octets)
        plain.writer.write_eof()
        await plain.ends()  # what comes back is SMPP, whatever went in


async def test_after_all_that_the_door_serves_and_the_store_is_sound(fuzzed):
    assert await fine(fuzzed)
    assert await fuzzed.violations() == []


async def test_a_flood_whose_answers_nobody_reads_is_not_kept_in_memory(house):
    await house.limit(smpp_window=100)
    loop = asyncio.get_running_loop()
    plain = socket.create_connection(("127.0.0.1", house.port))
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await loop.sock_sendall(plain, BIND)
    while not house.door._binds:
        await asyncio.sleep(0.01)
    [link] = house.door._binds
    theirs = link._transport.get_extra_info("socket")
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # the system keeps megabytes else
    block = b"".join(p.encode(submit(b""), n) for n in range(2, 500))
    sent = 0

    async def flood():
        nonlocal sent
        while True:
            await loop.sock_sendall(plain, block)
            sent += len(block)

    flooding = asyncio.create_task(flood())
    async with asyncio.timeout(2 * SOON_S):
        while not link._paused:  # then the door reads no more, so the client cannot write any more
            await asyncio.sleep(0.01)
    flooding.cancel()

    assert sent < 64 << 20
    assert sum(map(len, link.session._out)) < 1 << 20
    assert link._transport.get_write_buffer_size() < 1 << 20
    assert await fine(house)
    plain.close()


async def test_a_storm_of_binds_keeps_nobody_out(house):
    inside = await bind(house)

    async def storm(n):
        esme = await reach(house)
        try:
            frame = await esme.ask(p.BindTransceiver(LOGIN, PASSWORD))
        except (LinkLost, ConnectionError):
            return False
        await esme.link.unbind(SOON_S)
        return frame.status == 0

    for _ in range(5):
        await asyncio.gather(*(storm(n) for n in range(40)))
    await house.limit(smpp_binds=0)

    assert (await inside.submit()).status == 0
    assert all(await asyncio.gather(*(storm(n) for n in range(40))))
    assert len(house.door._listeners.links) == 1
    assert house.door._listeners._unbound == {}


async def test_a_client_that_guesses_does_not_slow_the_others(house):
    inside = await bind(house)
    guesses = []
    for n in range(6):
        esme = await reach(house)
        guesses.append(asyncio.ensure_future(esme.ask(p.BindTransceiver(LOGIN, f"guess {n}"))))

    frame = await inside.submit()
    before = not guesses[-1].done()
    answers = await asyncio.gather(*guesses)

    assert frame.status == 0
    assert before
    assert {answer.status for answer in answers} == {c.ESME_RBINDFAIL}


async def test_while_the_store_is_away_nothing_is_promised_and_all_is_well_after(house):
    esme = await bind(house)
    store = house.centre.store
    write = store.write

    async def away(*args, **kwargs):
        raise StoreUnavailable("away")

    store.write = away
    refused = [(await esme.submit()).status]
    part = submit(b"\x05\x00\x03\x07\x02\x01Hello", esm_class=0x40)
    refused.append((await esme.ask(part)).status)
    refused.append((await esme.ask(p.CancelSm(message_id="1"))).status)
    store.write = write

    assert refused == [c.ESME_RSYSERR] * 3
    assert (await esme.submit()).status == 0
    assert (await esme.ask(part)).status == 0


async def test_when_the_door_closes_everything_taken_is_answered(tmp_path):
    async with open_house(tmp_path, smpp_rate=0) as house:
        esme = await bind(house)
        asked = [esme.link.ask(submit(f"Number {n}", f"7916{n:07d}")) for n in range(50)]
        await asked[0]
        await house.door.stop(SOON_S)

        frames = await asyncio.gather(*asked, return_exceptions=True)
        taken = [f for f in frames if not isinstance(f, Exception) and f.status == 0]
        assert len(await house.messages()) == len(taken)
        assert all(not isinstance(f, Exception) for f in frames)
        assert await esme.lost == "unbound by the peer"


async def test_nothing_is_left_of_clients_that_have_gone(house):
    for n in range(20):
        esme = await bind(house)
        await esme.submit(f"Number {n}", f"7916000{n:04d}", registered_delivery=1)
        esme.link.abort()
    async with asyncio.timeout(SOON_S):
        door = house.door
        while door._binds or door._listeners.links or door._running or len(door._submits):
            await asyncio.sleep(0.01)
    gc.collect()

    [account] = house.door._accounts
    assert (account.binds, account.owed) == ([], 0)
