"""Long messages in parts: by user data header, by sar_*, and as data (smpp.md, "Text rules")."""

import asyncio
import random

import pytest
from tests.doors.smpp.house import OTHER, PHONE, SOON_S, bind, open_house, submit

from vestnik.domain.message import Kind
from vestnik.wire.smpp import command_status as c
from vestnik.wire.smpp import tlv
from vestnik.wire.sms import gsm7
from vestnik.wire.sms.segments import binary_segments, in_series, segments

pytestmark = pytest.mark.anyio

LATIN = "It was a bright cold day in April, and the clocks were striking thirteen {€}. " * 5
CYRILLIC = "Съешь ещё этих мягких французских булок, да выпей чаю 😀. " * 5


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path, smpp_rate=0) as opened:
        yield opened


@pytest.fixture
async def esme(house):
    return await bind(house)


def by_header(text, reference=7, **fields):
    """The submits of a text whose parts carry a header with an 8-bit reference."""
    pieces = segments(text)
    coding = 0 if gsm7.fits(text) else 8
    return [
        submit(
            in_series(b"\0" + piece.octets, reference, len(pieces), number),
            esm_class=0x40,
            data_coding=coding,
            **fields,
        )
        for number, piece in enumerate(pieces, 1)
    ]


def by_wide_header(text, **fields):
    pieces = segments(text)
    coding = 0 if gsm7.fits(text) else 8
    return [
        submit(
            bytes((6, 8, 4, 1, 2, len(pieces), number)) + piece.octets,
            esm_class=0x40,
            data_coding=coding,
            **fields,
        )
        for number, piece in enumerate(pieces, 1)
    ]


def by_sar(text, **fields):
    pieces = segments(text)
    coding = 0 if gsm7.fits(text) else 8
    return [
        submit(
            piece.octets,
            data_coding=coding,
            tlvs={
                tlv.SAR_MSG_REF_NUM: b"\1\2",
                tlv.SAR_TOTAL_SEGMENTS: bytes((len(pieces),)),
                tlv.SAR_SEGMENT_SEQNUM: bytes((number,)),
            },
            **fields,
        )
        for number, piece in enumerate(pieces, 1)
    ]


async def all_told(esme, pdus):
    frames = await asyncio.gather(*(esme.ask(pdu) for pdu in pdus))
    return [(frame.status, frame.pdu.message_id) for frame in frames]


@pytest.mark.parametrize("text", [LATIN, CYRILLIC], ids=["latin", "cyrillic"])
@pytest.mark.parametrize("cut", [by_header, by_wide_header, by_sar])
async def test_parts_are_one_message_with_one_id_and_one_receipt(house, esme, text, cut):
    pdus = cut(text, registered_delivery=1)
    random.Random(7).shuffle(pdus)

    told = await all_told(esme, pdus)
    [receipt] = await esme.hears(1)

    assert len(pdus) > 1
    assert told == [(0, "1")] * len(pdus)
    assert await house.rows("SELECT text, type, parts, wire_id FROM messages") == [
        (text, int(Kind.SMS), len(pdus), "1")
    ]
    assert receipt.tlvs[tlv.PARTS] == bytes((0, len(pdus)))
    assert receipt.tlvs[tlv.RECEIPTED_MESSAGE_ID] == b"1\0"


async def test_parts_may_come_by_different_binds(house, esme):
    others = [await bind(house) for _ in range(2)]
    pdus = by_header(LATIN)

    frames = [await [esme, *others][n % 3].ask(pdu) for n, pdu in enumerate(pdus)]

    assert {frame.pdu.message_id for frame in frames} == {"1"}
    assert [row[2] for row in await house.messages()] == [LATIN]


async def test_a_message_of_one_part_needs_no_others(house, esme):
    frame = await esme.submit(in_series(b"\0Hello", 7, 1, 1), esm_class=0x40)

    assert frame.status == 0
    assert [row[2] for row in await house.messages()] == ["Hello"]


async def test_latin_text_in_parts_is_text_and_data_in_parts_are_data(house, esme):
    text = "Grüße aus Österreich. " * 12
    octets = text.encode("latin-1")
    latin = [octets[:134], octets[134:]]
    ports = b"\x06\x05\x04\x15\x8a\x00\x00"
    data = bytes(range(200))
    joined = binary_segments(ports + data)
    pdus = [
        submit(in_series(b"\0" + piece, 1, 2, n), esm_class=0x40, data_coding=4)
        for n, piece in enumerate(latin, 1)
    ]
    pdus += [
        submit(in_series(piece, 2, len(joined), n), OTHER, esm_class=0x40, data_coding=4)
        for n, piece in enumerate(joined, 1)
    ]

    await all_told(esme, pdus)

    assert [(row[2], row[3]) for row in await house.messages()] == [
        (text, Kind.SMS),
        ((ports + data).hex(), Kind.BINARY),
    ]


async def test_the_same_long_message_again_is_refused_and_makes_no_double(house, esme):
    first = await all_told(esme, by_header(LATIN, reference=1))
    repeated = await all_told(esme, by_header(LATIN, reference=1))
    again = []
    for pdu in by_header(LATIN, reference=2):
        again += await all_told(esme, [pdu])

    assert repeated == first
    assert again[-1][0] == c.ESME_RSUBMITFAIL
    assert len(await house.messages()) == 1


async def test_what_a_killed_client_repeats_in_parts_makes_no_doubles(house):
    first = await bind(house)
    window = [
        pdu for n in range(12) for pdu in by_header(f"{n}: {LATIN}", n, phone=f"7916000{n:04d}")
    ]
    asked = [first.link.ask(pdu) for pdu in window]
    await asyncio.wait_for(asked[7], SOON_S)
    first.link.abort()
    await asyncio.wait(asked, timeout=SOON_S)
    for future in asked:
        future.exception()
    second = await bind(house)

    told = await all_told(second, window)

    assert {status for status, _ in told} == {0}
    assert sorted(row[2] for row in await house.messages()) == sorted(
        f"{n}: {LATIN}" for n in range(12)
    )


async def test_each_part_is_kept_before_its_answer(house, esme):
    pdus = by_header(LATIN)

    await esme.ask(pdus[0])

    assert await house.rows("SELECT number, total, wire_id, state FROM submit_parts") == [
        (1, len(pdus), "1", 0)
    ]
    assert await house.messages() == []


async def test_a_part_with_no_alphabet_is_refused_at_once(house, esme):
    [pdu, *_] = by_sar(LATIN)

    frame = await esme.ask(submit(pdu.short_message, data_coding=12, tlvs=pdu.tlvs))

    assert frame.status == c.ESME_RSUBMITFAIL
    assert await house.rows("SELECT number FROM submit_parts") == []


async def test_the_last_part_tells_what_is_wrong_with_the_message(house, esme):
    told = []
    for pdu in by_header(LATIN, phone="12"):
        told += await all_told(esme, [pdu])

    assert [status for status, _ in told[:-1]] == [0] * (len(told) - 1)
    assert told[-1][0] == c.ESME_RINVDSTADR


async def test_long_messages_to_one_phone_do_not_mix(house, esme):
    texts = [f"{n}: {CYRILLIC}" for n in range(10)]
    pdus = [pdu for n, text in enumerate(texts) for pdu in by_header(text, n)]
    random.Random(11).shuffle(pdus)

    await all_told(esme, pdus)

    assert sorted(row[2] for row in await house.messages()) == sorted(texts)
    assert {row[0] for row in await house.messages()} == {PHONE}
