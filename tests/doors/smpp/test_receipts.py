"""What clients hear: receipts, answers of look-ups, incoming messages (smpp.md, "Statuses")."""

import asyncio
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from tests.doors.smpp.house import LOGIN, OTHER, PHONE, SOON_S, bind, open_house, submit

from vestnik.domain import look_up
from vestnik.domain.message import Incoming, Kind
from vestnik.services.incoming.receiving import Came
from vestnik.services.news import SMPP, Outboxes
from vestnik.store import news
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import receipt as r
from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.command_status import ESME_RX_T_APPN
from vestnik.wire.sms import gsm7

pytestmark = pytest.mark.anyio

UNDELIVERABLE, EXPIRED, REFUSED = "79160009901", "79160009902", "79160009904"
OWN = "79160000001"
RECEIPT = {"registered_delivery": 1}


@pytest.fixture
async def house(tmp_path, store_url):
    async with open_house(tmp_path, store_url, smpp_rate=0) as opened:
        yield opened


async def waiting(house):
    """How much news is in the store."""
    [(count,)] = await house.rows("SELECT count(*) FROM news")
    return count


async def nothing_waits(house):
    async with asyncio.timeout(SOON_S):
        while await waiting(house):
            await asyncio.sleep(0.01)


async def some_wait(house, count=1):
    async with asyncio.timeout(SOON_S):
        while await waiting(house) < count:
            await asyncio.sleep(0.01)


async def test_a_delivered_message_is_told_with_text_and_tlvs(house):
    esme = await bind(house)
    frame = await esme.submit(b"Hello", registered_delivery=1)

    [receipt] = await esme.hears(1)

    assert (receipt.source_addr, receipt.destination_addr) == (PHONE, "Shop")
    assert (receipt.source_addr_ton, receipt.source_addr_npi) == (1, 1)
    assert (receipt.dest_addr_ton, receipt.dest_addr_npi) == (5, 0)
    assert receipt.esm_class == 0x04
    assert re.fullmatch(
        rb"id:1 sub:001 dlvrd:001 submit date:\d{10} done date:\d{10} stat:DELIVRD err:000 text:",
        receipt.short_message,
    )
    assert receipt.tlvs == {
        tlv.RECEIPTED_MESSAGE_ID: b"1\0",
        tlv.MESSAGE_STATE: b"\x02",
        tlv.NETWORK_ERROR_CODE: b"\x03\0\0",
        tlv.COST: b"1.0000\0",
        tlv.FLAGS: b"\0\0",
        tlv.PARTS: b"\0\x01",
        tlv.NETWORK: b"25001\0",
    }
    assert frame.pdu.message_id == "1"
    await nothing_waits(house)


async def test_an_account_may_do_without_the_tlvs_that_are_our_own(house):
    await house.limit(smpp_own_tlvs=0)
    esme = await bind(house)
    await esme.submit(b"Hello", registered_delivery=1)

    [receipt] = await esme.hears(1)

    assert receipt.tlvs.keys() == {
        tlv.RECEIPTED_MESSAGE_ID,
        tlv.MESSAGE_STATE,
        tlv.NETWORK_ERROR_CODE,
    }


@pytest.mark.parametrize(
    ("phone", "stat", "err", "state"),
    [
        (UNDELIVERABLE, "UNDELIV", "001", 5),
        (EXPIRED, "EXPIRED", "006", 3),
        (REFUSED, "UNDELIV", "255", 5),
    ],
)
async def test_every_end_has_its_word_and_its_number(house, phone, stat, err, state):
    esme = await bind(house)
    await esme.submit(phone=phone, **RECEIPT)

    [pdu] = await esme.hears(1)
    told = r.parse_text(pdu.short_message.decode())

    assert (told.stat, told.err, told.dlvrd) == (stat, err, "000")
    assert pdu.tlvs[tlv.MESSAGE_STATE] == bytes([state])
    assert pdu.tlvs[tlv.NETWORK_ERROR_CODE] == b"\x03" + int(err).to_bytes(2, "big")


async def test_flags_and_parts_are_those_of_the_message(house):
    esme = await bind(house)
    await esme.submit("Привет! ".encode("utf-16-be") * 15, data_coding=0x18, **RECEIPT)

    [pdu] = await esme.hears(1)

    assert pdu.tlvs[tlv.FLAGS] == b"\0\x01"
    assert pdu.tlvs[tlv.PARTS] == b"\0\x02"
    assert pdu.tlvs[tlv.COST] == b"2.0000\0"


async def test_dates_are_in_the_zone_of_the_account(house):
    await house.limit(zone="Asia/Tokyo")
    esme = await bind(house)
    await esme.submit(**RECEIPT)
    [pdu] = await esme.hears(1)
    [(changed_at,)] = await house.rows("SELECT changed_at FROM messages")

    told = r.parse_text(pdu.short_message.decode()).done_date

    assert told == f"{datetime.fromtimestamp(changed_at / 1000, ZoneInfo('Asia/Tokyo')):%y%m%d%H%M}"


async def test_progress_is_told_to_those_who_asked_for_it(house):
    esme = await bind(house)
    await esme.submit(registered_delivery=0x11)

    pdus = await esme.hears(2)

    assert [(pdu.esm_class, pdu.tlvs[tlv.MESSAGE_STATE]) for pdu in pdus] == [
        (0x20, b"\x06"),
        (0x04, b"\x02"),
    ]


async def test_without_registered_delivery_nothing_comes(house):
    esme = await bind(house)
    await esme.submit(b"no receipt")
    await esme.submit(b"receipt", OTHER, registered_delivery=1)

    [pdu] = await esme.hears(1)

    assert pdu.source_addr == OTHER
    await nothing_waits(house)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        (
            "HLR",
            {
                "imsi": "250019161234567",
                "msc": "79160000099",
                "mcc": "250",
                "mnc": "01",
                "cn": "Россия",
                "net": "МТС",
            },
        ),
        ("PING", {}),
    ],
)
async def test_a_look_up_is_answered_in_its_own_words(house, word, found):
    esme = await bind(house)
    await esme.submit(gsm7.encode(f"__{word}__"), **RECEIPT)

    [pdu] = await esme.hears(1)

    line = f"id:1 stat:DELIVRD err:000 {look_up.written(found)}"
    assert pdu.short_message == line.encode()
    assert pdu.tlvs[tlv.FLAGS] == bytes((0, Kind[word]))


async def test_receipts_wait_while_the_client_is_away(house):
    transmitter = await bind(house, kind=p.BindTransmitter)
    ids = [
        (await transmitter.submit(phone=f"7916000{n:04d}", **RECEIPT)).pdu.message_id
        for n in range(7)
    ]
    await some_wait(house, 7)

    receiver = await bind(house, kind=p.BindReceiver)
    pdus = await receiver.hears(7)

    assert sorted(r.parse_text(pdu.short_message.decode()).id for pdu in pdus) == sorted(ids)
    assert transmitter.heard == []
    await nothing_waits(house)


async def test_no_more_are_on_their_way_than_the_window_allows(house):
    transmitter = await bind(house, kind=p.BindTransmitter)
    for n in range(9):
        await transmitter.submit(phone=f"7916000{n:04d}", **RECEIPT)
    await some_wait(house, 9)
    receiver = await bind(house, kind=p.BindReceiver)
    receiver.silent = True
    await receiver.hears(5)
    await asyncio.sleep(0.2)  # what must not come has had its time

    assert len(receiver.heard) == 5
    assert await waiting(house) == 9


async def test_the_window_is_a_limit_of_the_account(house):
    await house.limit(receipt_window=2)
    transmitter = await bind(house, kind=p.BindTransmitter)
    for n in range(5):
        await transmitter.submit(phone=f"7916000{n:04d}", **RECEIPT)
    await some_wait(house, 5)
    receivers = [await bind(house, kind=p.BindReceiver) for _ in range(2)]
    for receiver in receivers:
        receiver.silent = True
    async with asyncio.timeout(SOON_S):
        while sum(len(receiver.heard) for receiver in receivers) < 2:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)  # what must not come has had its time

    assert [len(receiver.heard) for receiver in receivers] == [1, 1]


async def test_what_was_not_answered_is_told_again_on_the_next_bind(house):
    first = await bind(house)
    first.silent = True
    await first.submit(**RECEIPT)
    [lost] = await first.hears(1)
    first.link.abort()
    second = await bind(house)

    [again] = await second.hears(1)

    assert again == lost
    await nothing_waits(house)


async def test_a_receipt_that_is_refused_comes_again_after_a_minute(house):
    esme = await bind(house)
    esme.answers[0] = ESME_RX_T_APPN
    await esme.submit(**RECEIPT)
    await esme.hears(1)
    async with asyncio.timeout(SOON_S):
        while await house.rows("SELECT tries FROM news") != [(1,)]:
            await asyncio.sleep(0.01)
    [(next_at, at)] = await house.rows("SELECT next_at, at FROM news")

    assert 60_000 <= next_at - at < 70_000
    await esme.submit(phone=OTHER, **RECEIPT)
    assert len(await esme.hears(2)) == 2


async def test_a_receipt_goes_where_its_message_came_from(house):
    binds = [await bind(house) for _ in range(3)]
    for _ in range(2):
        for n, esme in enumerate(binds):
            text = f"{len(esme.heard)} of {n}".encode()
            await esme.submit(text, f"7916000000{n}", **RECEIPT)
        for n, esme in enumerate(binds):
            heard = await esme.hears(len(esme.heard) or 1)
            assert {pdu.source_addr for pdu in heard} == {f"7916000000{n}"}


async def test_a_transmitter_is_told_of_its_messages_by_the_receiver_beside_it(house):
    others = [await bind(house) for _ in range(2)]
    transmitter = await bind(house, kind=p.BindTransmitter)
    receiver = await bind(house, kind=p.BindReceiver)
    for n in range(6):
        await transmitter.submit(b"Hello", f"7916000000{n}", **RECEIPT)

    assert len(await receiver.hears(6)) == 6
    assert [other.heard for other in others] == [[], []]


async def test_a_program_hears_at_its_own_address_what_it_sent(house):
    receivers = {}
    for address in ("127.0.0.1", "127.0.0.2"):
        receivers[address] = await bind(house, address=address, kind=p.BindReceiver)
    transmitter = await bind(house, address="127.0.0.2", kind=p.BindTransmitter)
    for n in range(6):
        await transmitter.submit(b"Hello", f"7916000000{n}", **RECEIPT)

    assert len(await receivers["127.0.0.2"].hears(6)) == 6
    assert receivers["127.0.0.1"].heard == []


async def test_receipts_of_somebody_else_are_never_heard(house):
    await house.add("other")
    other = await bind(house, "other")
    esme = await bind(house)
    await esme.submit(**RECEIPT)

    await esme.hears(1)

    assert other.heard == []


async def test_urgent_receipts_pass_those_of_mailings(house):
    transmitter = await bind(house, kind=p.BindTransmitter)
    for n in range(30):
        await transmitter.submit(f"Number {n}", f"7916000{n:04d}", **RECEIPT)
    await transmitter.submit(b"urgent", OTHER, priority_flag=3, **RECEIPT)
    await some_wait(house, 31)
    receiver = await bind(house, kind=p.BindReceiver)

    pdus = await receiver.hears(31)

    assert OTHER in [pdu.source_addr for pdu in pdus[:11]]
    assert {pdu.source_addr for pdu in pdus[11:]} == {f"7916000{n:04d}" for n in range(10, 30)}


async def incoming(house, text, phone=PHONE, to=OWN):
    await house.centre.road.receiver.put(Came(1, Incoming(phone, to, text)))


@pytest.mark.parametrize(
    ("text", "coding", "codec"),
    [("Hello @ €", 0, None), ("Привет", 8, "utf-16-be"), ("Привет! " * 40, 8, "utf-16-be")],
)
async def test_incoming_messages_come_to_the_owner_of_the_number(house, text, coding, codec):
    await house.limit(numbers=OWN, smpp_incoming=1)
    esme = await bind(house, kind=p.BindReceiver)
    await incoming(house, text)

    [pdu] = await esme.hears(1)

    octets = pdu.short_message or pdu.tlvs[tlv.MESSAGE_PAYLOAD]
    assert (octets.decode(codec) if codec else gsm7.decode(octets)) == text
    assert (pdu.source_addr, pdu.destination_addr) == (PHONE, OWN)
    assert (pdu.esm_class, pdu.data_coding) == (0, coding)
    await nothing_waits(house)


async def test_incoming_messages_go_round_the_binds(house):
    await house.limit(numbers=OWN, smpp_incoming=1)
    binds = [await bind(house) for _ in range(2)]
    for n in range(4):
        await incoming(house, f"Number {n}")

    for esme in binds:
        await esme.hears(2)


async def test_news_that_cannot_be_written_does_not_stop_the_others(house):
    [(client_id,)] = await house.rows(f"SELECT id FROM clients WHERE login = '{LOGIN}'")
    said = {"id": 1, "phone": PHONE, "to": "номер" * 40, "text": "x"}
    bad = (
        client_id,
        SMPP,
        0,
        1,
        "incoming",
        1,
        msgspec.json.encode(said).decode(),
        0,
        0,
        house.centre.store.now(),
    )
    await house.centre.store.write(news.put, [bad])
    esme = await bind(house)

    await esme.submit(**RECEIPT)
    heard = await esme.hears(2)

    assert [pdu.esm_class for pdu in heard] == [0, 4]


async def test_an_outbox_of_another_node_is_left_alone(house):
    [(client_id,)] = await house.rows(f"SELECT id FROM clients WHERE login = '{LOGIN}'")
    other = Outboxes(house.centre.store, 99, house.centre.notifier)
    assert await other.lease(SMPP, [client_id])
    esme = await bind(house)
    await esme.submit(**RECEIPT)
    await some_wait(house)
    await asyncio.sleep(0.3)  # what must not come has had its time

    assert esme.heard == []
    assert await waiting(house) == 1


async def test_a_door_that_closes_lets_go_of_its_outboxes(house):
    esme = await bind(house)
    await esme.submit(**RECEIPT)
    await esme.hears(1)
    [(client_id,)] = await house.rows(f"SELECT id FROM clients WHERE login = '{LOGIN}'")
    other = Outboxes(house.centre.store, 99, house.centre.notifier)
    assert await other.lease(SMPP, [client_id]) == {}

    await house.door.stop(SOON_S)

    assert list(await other.lease(SMPP, [client_id])) == [client_id]


async def test_a_window_that_is_lifted_lets_thousands_through(house):
    await house.add("rich", balance="2000", receipt_window=0, smpp_rate=0)
    esme = await bind(house, "rich")
    count = 1_500
    asked = [submit(f"Number {n}", f"7916{n:07d}", **RECEIPT) for n in range(count)]
    await asyncio.gather(*(esme.ask(pdu) for pdu in asked))

    pdus = await esme.hears(count)
    await nothing_waits(house)

    assert len({pdu.source_addr for pdu in pdus}) == len(esme.heard) == count


async def written(house, count, at, rank=0, first=1):
    """So much news of alex, as if it had happened then."""
    [(client_id,)] = await house.rows(f"SELECT id FROM clients WHERE login = '{LOGIN}'")
    said = msgspec.json.encode({"id": 1, "phone": PHONE, "to": OWN, "text": "x"}).decode()
    rows = [
        (client_id, SMPP, rank, n, "incoming", n, said, 0, at, at)
        for n in range(first, first + count)
    ]
    await house.centre.store.write(news.put, rows)


async def test_what_nobody_took_within_a_day_is_dropped(house):
    now = house.centre.store.now()
    await written(house, 1_500, now - 86_400_000 - 60_000)
    await written(house, 2, now - 86_400_000 + 60_000, first=5_000)

    await house.door._delivery.tidy()

    assert await house.rows("SELECT id FROM news ORDER BY id") == [(5_000,), (5_001,)]


async def test_beyond_a_million_the_least_urgent_and_oldest_are_dropped(house, monkeypatch):
    monkeypatch.setattr("vestnik.doors.smpp.outbox.KEPT_MOST", 5)
    monkeypatch.setattr("vestnik.doors.smpp.outbox.SLICE", 2)
    now = house.centre.store.now()
    await written(house, 3, now, rank=0)
    await written(house, 9, now, rank=1)

    await house.door._delivery.tidy()

    assert await house.rows("SELECT rank, id FROM news ORDER BY rank, id") == [
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 8),
        (1, 9),
    ]
