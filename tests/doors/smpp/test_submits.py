"""submit_sm and data_sm: what is taken, as what, and with which answer (smpp.md, "SUBMIT_SM")."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.doors.smpp.house import OTHER, PHONE, SOON_S, bind, open_house, submit

from vestnik.domain.message import Err, Flag, Kind, Status
from vestnik.wire.smpp import command_status as c
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import tlv
from vestnik.wire.sms import gsm7

pytestmark = pytest.mark.anyio

UCS2 = 8
UNDERSCORES = gsm7.encode("__")


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path, smpp_rate=0) as opened:
        yield opened


@pytest.fixture
async def esme(house):
    return await bind(house)


async def said(house, frame):
    """The text and the kind of the one message that was taken."""
    assert frame.status == 0, hex(frame.status)
    [(_, _, text, kind, _, _)] = await house.messages()
    return text, Kind(kind)


async def test_a_submit_is_answered_with_the_id_that_the_other_doors_know(house, esme):
    frame = await esme.submit(b"Hello")

    assert (frame.status, frame.pdu) == (0, p.SubmitSmResp("1"))
    [(wire_id, phone, sender, text, origin)] = await house.rows(
        "SELECT wire_id, phone, sender, text, origin FROM messages"
    )
    assert (wire_id, phone, sender, text, origin) == ("1", PHONE, "Shop", "Hello", "smpp")


@pytest.mark.parametrize(
    ("octets", "coding", "expected"),
    [
        (b"Hello", 0, "Hello"),
        (gsm7.encode("£ @ {€}"), 0, "£ @ {€}"),
        (b"plain_$@", 1, "plain_$@"),
        (gsm7.encode("a@b {€}"), 1, "a@b {€}"),
        (b"ends like C\0", 1, "ends like C"),
        ("Grüße".encode("latin-1"), 3, "Grüße"),
        ("Grüße".encode("latin-1"), 4, "Grüße"),
        ("Привет".encode("iso8859-5"), 6, "Привет"),
        ("Привет 😀".encode("utf-16-be"), 8, "Привет 😀"),
        (b"of class 1", 0x11, "of class 1"),
        ("Привет".encode("utf-16-be"), 0x19, "Привет"),
        (b"of class 1", 0xF1, "of class 1"),
        (b"message waits", 0xC8, "message waits"),
        (b"ends like C\0", 3, "ends like C"),
        (b"\r\nlines\r\n", 0, "\nlines\n"),
    ],
)
async def test_a_text_is_read_by_its_coding(house, esme, octets, coding, expected):
    assert await said(house, await esme.submit(octets, data_coding=coding)) == (expected, Kind.SMS)


async def test_a_client_that_binds_as_iso_has_latin_for_its_default(house):
    esme = await bind(house, system_type="ISO")

    frame = await esme.submit("a_b@c £".encode("latin-1"))

    assert await said(house, frame) == ("a_b@c £", Kind.SMS)


@pytest.mark.parametrize("coding", [0x10, 0xF0])
async def test_class_0_is_a_flash(house, esme, coding):
    assert await said(house, await esme.submit(data_coding=coding)) == ("Hello", Kind.FLASH)


async def test_class_0_in_ucs2_is_a_flash_too(house, esme):
    frame = await esme.submit("Привет".encode("utf-16-be"), data_coding=0x18)

    assert await said(house, frame) == ("Привет", Kind.FLASH)


@pytest.mark.parametrize(
    ("octets", "fields", "expected"),
    [
        (
            b"\x06\x05\x04\x15\x8a\x00\x00data",
            {"esm_class": 0x40, "data_coding": 4},
            "060504158a0000",
        ),
        (b"data", {"data_coding": 0xF5}, "00"),
        (b"data", {"data_coding": 0x16}, "00"),
        (b"data", {"data_coding": 2}, "00"),
        (b"\x01\x02data", {"data_coding": 4}, "000102"),
    ],
)
async def test_eight_bits_that_are_no_text_are_data(house, esme, octets, fields, expected):
    text, kind = await said(house, await esme.submit(octets, **fields))

    assert (text, kind) == (expected + b"data".hex(), Kind.BINARY)


async def test_data_keep_their_coding_and_protocol(house, esme):
    await esme.submit(b"\x01", data_coding=0xF6, protocol_id=0x7F)

    [(options,)] = await house.rows("SELECT options FROM messages")
    assert '"dcs":246' in options
    assert '"pid":127' in options


@pytest.mark.parametrize("kind", [p.SubmitSm, p.DataSm])
async def test_a_long_text_comes_in_the_payload(house, esme, kind):
    text = "Съешь ещё этих мягких французских булок. " * 10
    fields = {"tlvs": {tlv.MESSAGE_PAYLOAD: text.encode("utf-16-be")}, "data_coding": UCS2}

    frame = await esme.ask(kind(source_addr="Shop", destination_addr=PHONE, **fields))

    assert type(frame.pdu) is p.RESPONSES[kind]
    assert await said(house, frame) == (text, Kind.SMS)


async def test_a_payload_of_no_octets_is_none(house, esme):
    frame = await esme.submit(b"Hello", tlvs={tlv.MESSAGE_PAYLOAD: b""})

    assert await said(house, frame) == ("Hello", Kind.SMS)


@pytest.mark.parametrize("esm_class", [0x01, 0x02, 0x03, 0x08, 0x10, 0x80])
async def test_modes_and_acknowledgements_are_sent_like_any_text(house, esme, esm_class):
    frame = await esme.submit(b"Hello", esm_class=esm_class)

    assert await said(house, frame) == ("Hello", Kind.SMS)


async def test_tlvs_of_no_concern_are_ignored(house, esme):
    extra = {tlv.ALERT_ON_MESSAGE_DELIVERY: b"", tlv.LANGUAGE_INDICATOR: b"\1", 0x1500: b"own"}

    assert await said(house, await esme.submit(tlvs=extra)) == ("Hello", Kind.SMS)


@pytest.mark.parametrize("sender", ["", "."])
async def test_no_sender_switches_the_default_off(house, esme, sender):
    await esme.submit(source_addr=sender)

    [(_, shown, *_)] = await house.messages()
    assert shown == ""


@pytest.mark.parametrize("phone", [f"+{PHONE}", "89161234567", "9161234567"])
async def test_a_number_is_read_as_everywhere(house, esme, phone):
    await esme.submit(phone=phone)

    [(found, *_)] = await house.messages()
    assert found == PHONE


async def test_a_comment_is_for_the_history(house, esme):
    await esme.submit(gsm7.encode("Hello\n~~~\nfor us"))

    assert await house.rows("SELECT text, comment, parts FROM messages") == [("Hello", "for us", 1)]


async def test_the_words_of_the_interface_are_known_in_ascii_too(house, esme):
    await esme.submit(b"__PING__")
    await esme.submit(b"Hello\n~~~\nfor us")

    assert await house.rows("SELECT type, text, comment FROM messages ORDER BY id") == [
        (int(Kind.PING), "", ""),
        (int(Kind.SMS), "Hello", "for us"),
    ]


@pytest.mark.parametrize(
    ("word", "rest", "kind", "expected"),
    [
        ("HLR", "", Kind.HLR, ""),
        ("PING", "", Kind.PING, ""),
        ("CALL", "Hello", Kind.CALL, "Hello"),
        ("VIBER", "Hello", Kind.VIBER, "Hello"),
        ("SOC", "Hello", Kind.SOCIAL, "Hello"),
        ("TG", "12345", Kind.TELEGRAM, "12345"),
        ("BOT", "Hello", Kind.BOT, "Hello"),
        ("WA", "Hello", Kind.WHATSAPP, "Hello"),
    ],
)
@pytest.mark.parametrize("wide", [False, True])
async def test_a_prefix_chooses_the_channel(house, esme, word, rest, kind, expected, wide):
    text = f"__{word}__{rest}"
    octets = text.encode("utf-16-be") if wide else gsm7.encode(text)

    frame = await esme.submit(octets, data_coding=UCS2 if wide else 0)

    assert await said(house, frame) == (expected, kind)


async def test_the_first_line_of_a_letter_is_its_subject(house, esme):
    text = "__MAIL__Order 7\nIt is on its way.\nThank you"
    address = "a.rather.long.name@of-some-company.example"

    frame = await esme.submit(gsm7.encode(text), address, source_addr="shop@example.com")

    assert await said(house, frame) == ("It is on its way.\nThank you", Kind.MAIL)
    [(phone, options)] = await house.rows("SELECT phone, options FROM messages")
    assert (phone, '"subj":"Order 7"' in options) == (address, True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"destination_addr": ""}, c.ESME_RINVDSTADR),
        ({"destination_addr": "12"}, c.ESME_RINVDSTADR),
        ({"destination_addr": "7916123456"}, c.ESME_RINVDSTADR),
        ({"destination_addr": f"{PHONE},{OTHER}"}, c.ESME_RINVDSTADR),
        ({"destination_addr": "G5"}, c.ESME_RINVDSTADR),
        ({"destination_addr": "g12"}, c.ESME_RINVDSTADR),
        ({"source_addr": "much too long a name"}, c.ESME_RINVSRCADR),
        ({"source_addr": "Магазин".encode().decode("latin-1")}, c.ESME_RINVSRCADR),
        ({"short_message": b""}, c.ESME_RSUBMITFAIL),
        ({"short_message": b"odd", "data_coding": 8}, c.ESME_RINVMSGLEN),
        ({"short_message": b"\xd8\x00\x00a", "data_coding": 8}, c.ESME_RSUBMITFAIL),
        ({"short_message": b"\x00a\x00\x00\x00b", "data_coding": 8}, c.ESME_RSUBMITFAIL),
        ({"short_message": b"\xff", "data_coding": 1}, c.ESME_RSUBMITFAIL),
        ({"data_coding": 12}, c.ESME_RSUBMITFAIL),
        ({"data_coding": 0x20}, c.ESME_RSUBMITFAIL),
        ({"esm_class": 0x04}, c.ESME_RINVESMCLASS),
        ({"esm_class": 0x40, "short_message": b"\x20short"}, c.ESME_RINVESMCLASS),
        ({"esm_class": 0x40, "short_message": b"\x02\x00\x09text"}, c.ESME_RINVESMCLASS),
        ({"esm_class": 0x40, "short_message": b""}, c.ESME_RINVESMCLASS),
        ({"priority_flag": 5}, c.ESME_RINVPRTFLG),
        ({"replace_if_present_flag": 1}, c.ESME_RINVREPFLAG),
        ({"sm_default_msg_id": 1, "short_message": b""}, c.ESME_RINVDFTMSGID),
        ({"schedule_delivery_time": "tomorrow"}, c.ESME_RINVSCHED),
        ({"schedule_delivery_time": "991332000000000+"}, c.ESME_RINVSCHED),
        ({"schedule_delivery_time": "300101000000049+"}, c.ESME_RINVSCHED),
        ({"validity_period": "000000"}, c.ESME_RINVEXPIRY),
        ({"validity_period": "000000000000000R"}, c.ESME_RINVEXPIRY),
        ({"validity_period": "200101000000000+"}, c.ESME_RINVEXPIRY),
        ({"tlvs": {tlv.MESSAGE_PAYLOAD: b"twice"}}, c.ESME_ROPTPARNOTALLWD),
        (
            {
                "tlvs": {
                    tlv.SAR_MSG_REF_NUM: b"\1",
                    tlv.SAR_TOTAL_SEGMENTS: b"\2",
                    tlv.SAR_SEGMENT_SEQNUM: b"\1",
                }
            },
            c.ESME_RINVPARLEN,
        ),
        (
            {
                "tlvs": {
                    tlv.SAR_MSG_REF_NUM: b"\0\1",
                    tlv.SAR_TOTAL_SEGMENTS: b"\2",
                    tlv.SAR_SEGMENT_SEQNUM: b"\3",
                }
            },
            c.ESME_RINVMSGLEN,
        ),
    ],
)
async def test_what_is_wrong_with_a_submit_is_said_by_its_number(house, esme, fields, expected):
    frame = await esme.ask(submit(**{"phone": PHONE} | _renamed(fields)))

    assert hex(frame.status) == hex(expected)
    assert (await esme.submit(b"the next one is fine", OTHER)).status == 0


def _renamed(fields):
    names = {"destination_addr": "phone", "short_message": "text"}
    return {names.get(name, name): value for name, value in fields.items()}


async def test_no_money_has_a_number_of_the_vendor_range(house):
    await house.add("poor", balance="0")
    esme = await bind(house, "poor")

    frame = await esme.submit()

    assert frame.status == c.ESME_NO_MONEY
    assert (await house.messages())[0][4] == Status.NO_FUNDS


async def test_a_number_without_a_route_cannot_be_delivered_to(house, esme):
    await house.limit(prefixes="44")

    frame = await esme.submit()

    assert frame.status == c.ESME_RSUBMITFAIL
    assert (await house.messages())[0][4:] == (Status.FORBIDDEN, Err.NUMBER_BARRED)


async def test_the_same_request_within_a_minute_is_refused(house, esme):
    frames = [await esme.submit(), await esme.submit(), await esme.submit(phone=OTHER)]

    assert [frame.status for frame in frames] == [0, c.ESME_RSUBMITFAIL, 0]
    assert len(await house.messages()) == 2


async def test_what_a_killed_client_repeats_makes_no_doubles(house):
    first = await bind(house)
    window = [submit(f"Number {n}", f"7916000{n:04d}") for n in range(50)]
    asked = [first.link.ask(pdu) for pdu in window]
    await asyncio.wait_for(asked[0], SOON_S)
    first.link.abort()
    await asyncio.wait(asked, timeout=SOON_S)
    lost = [future for future in asked if future.exception() is not None]
    second = await bind(house)

    frames = await asyncio.gather(*(second.ask(pdu) for pdu in window))

    assert len(await house.messages()) == 50
    assert {frame.status for frame in frames} <= {0, c.ESME_RSUBMITFAIL}
    assert len(lost) < 50


def stamp(moment):
    return f"{moment:%y%m%d%H%M%S}000+"


async def due(house):
    """Seconds from now until the message is sent, and from then until it expires."""
    [(next_at, expires_at)] = await house.rows("SELECT next_at, expires_at FROM queue")
    return round((next_at - house.centre.store.now()) / 1000), (expires_at - next_at) // 1000


@pytest.mark.parametrize("form", ["absolute", "short", "zone", "relative"])
async def test_a_submit_may_be_for_later(house, esme, form):
    at = datetime.now(UTC) + timedelta(hours=1)
    zone = at + timedelta(hours=3)
    text = {
        "absolute": stamp(at),
        "short": f"{at:%y%m%d%H%M}",
        "zone": f"{zone:%y%m%d%H%M%S}012+",
        "relative": "000000010000000R",
    }[form]

    frame = await esme.submit(schedule_delivery_time=text)

    assert frame.status == 0
    seconds, _ = await due(house)
    assert 3600 - (120 if form == "short" else 60) <= seconds <= 3600


@pytest.mark.parametrize(
    ("validity", "expected_s"),
    [
        ("", 24 * 3600),
        ("000000010000000R", 3600),
        ("000000003000000R", 30 * 60),
        ("000000000030000R", 60),
        ("000007000000000R", 24 * 3600),
    ],
)
async def test_validity_counts_from_sending_and_is_a_day_at_most(house, esme, validity, expected_s):
    await esme.submit(schedule_delivery_time="000000010000000R", validity_period=validity)

    _, valid_s = await due(house)
    assert valid_s == expected_s


async def test_an_absolute_validity_is_a_moment(house, esme):
    ends = datetime.now(UTC) + timedelta(hours=3)
    await esme.submit(schedule_delivery_time="000000010000000R", validity_period=stamp(ends))

    _, valid_s = await due(house)
    assert 2 * 3600 - 60 <= valid_s <= 2 * 3600 + 60


@pytest.mark.parametrize(
    ("registered", "expected"),
    [
        (0, 0),
        (1, Flag.RECEIPT_WANTED),
        (2, Flag.RECEIPT_WANTED),
        (0x11, Flag.RECEIPT_WANTED | Flag.PROGRESS_WANTED),
        (0x10, 0),
    ],
)
async def test_a_submit_says_what_it_wants_to_hear(house, esme, registered, expected):
    await esme.submit(registered_delivery=registered)

    [(flags,)] = await house.rows("SELECT flags FROM messages")
    assert flags & ~Flag.WIRE == expected


async def test_too_fast_is_throttled_and_nothing_is_lost(house, esme):
    await house.limit(smpp_rate=5)
    asked = [submit(f"Number {n}", f"7916000{n:04d}") for n in range(60)]

    began = time.monotonic()
    frames = await asyncio.gather(*(esme.ask(pdu) for pdu in asked))
    took_s = time.monotonic() - began

    statuses = [frame.status for frame in frames]
    assert set(statuses) == {0, c.ESME_RTHROTTLED}
    assert 5 <= statuses.count(0) <= 5 * (took_s + 1) + 1
    assert len(await house.messages()) == statuses.count(0)


async def test_the_speed_is_shared_by_all_binds_and_survives_a_new_one(house):
    await house.limit(smpp_rate=5)
    frames = []
    began = time.monotonic()
    for n in range(6):
        esme = await bind(house)
        asked = [submit(f"Number {n}{m}", f"7916000{n}{m:03d}") for m in range(10)]
        frames += await asyncio.gather(*(esme.ask(pdu) for pdu in asked))
    took_s = time.monotonic() - began

    assert [frame.status for frame in frames].count(0) <= 5 * (took_s + 1) + 1


async def test_the_window_is_of_all_binds_together(house):
    await house.limit(smpp_window=5)
    both = [await bind(house), await bind(house)]
    asked = [submit(f"Number {n}", f"7916000{n:04d}") for n in range(40)]

    frames = await asyncio.gather(*(both[n % 2].ask(pdu) for n, pdu in enumerate(asked)))

    statuses = [frame.status for frame in frames]
    assert set(statuses) == {0, c.ESME_RTHROTTLED}
    assert statuses.count(0) >= 5
    assert (await both[0].submit(b"later")).status == 0


async def lanes(house):
    """The text of each message with its priority and whether it counts as one of a mailing."""
    rows = await house.rows(
        "SELECT m.text, q.priority, m.flags FROM messages m JOIN queue q ON q.message_id = m.id"
        " AND q.client_id = m.client_id ORDER BY m.id"
    )
    return [(text, priority, bool(flags & Flag.MASS)) for text, priority, flags in rows]


async def test_many_submits_are_a_mailing_and_urgent_ones_pass_them(house, esme):
    later = {"schedule_delivery_time": "000000010000000R"}
    for n in range(11):
        await esme.submit(f"Number {n}", f"7916000{n:04d}", **later)
    for flag in (1, 2, 3):
        await esme.submit(f"Flag {flag}", priority_flag=flag, **later)

    found = await lanes(house)

    assert {row[1:] for row in found[:10]} == {(0, False)}
    assert found[10:] == [
        ("Number 10", 1, True),
        ("Flag 1", 1, True),
        ("Flag 2", 0, False),
        ("Flag 3", 0, False),
    ]


async def test_a_submit_in_test_mode_is_taken_and_not_sent(house, esme):
    await house.limit(test=1)

    frame = await esme.submit()

    assert frame.status == 0
    assert (await house.messages())[0][4:] == (Status.DELIVERED, Err.VIRTUAL)
