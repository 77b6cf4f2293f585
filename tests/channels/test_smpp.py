"""The SMPP channel against the fake carrier, both on real sockets."""

import asyncio
import contextlib

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

from vestnik.channels.base import Hears, SendFailed
from vestnik.channels.smpp import SmppChannel
from vestnik.channels.smpp_settings import SmppSettings, settings_from
from vestnik.domain.message import Incoming, Kind, Outgoing, Report, Status
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.states import State

pytestmark = pytest.mark.anyio

SOON_S = 45.0


class Heard:
    """What a channel tells, with a way to wait for it and to fail."""

    def __init__(self):
        self.reports, self.incoming = [], []
        self.failures = 0
        self.changed = asyncio.Event()

    async def _take(self, where, what):
        if self.failures:
            self.failures -= 1
            raise OSError("the store is away")
        where.append(what)
        self.changed.set()

    def hears(self):
        return Hears(
            report=lambda report: self._take(self.reports, report),
            incoming=lambda incoming: self._take(self.incoming, incoming),
        )

    async def until(self, true):
        async with asyncio.timeout(SOON_S):
            while not true():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def carrier():
    async with FakeCarrier() as carrier:
        yield carrier


@contextlib.asynccontextmanager
async def connected(carrier, heard=None, *, binds=1, **settings):
    channel = SmppChannel(
        settings_from(
            {
                "port": carrier.port,
                "system_id": "shop",
                "password": "secret",
                "reconnect_min_s": 0.01,
                "reconnect_max_s": 0.05,
                "throttle_pause_s": 2.5,
                "binds": binds,
            }
            | settings
        )
    )
    await channel.start((heard or Heard()).hears())
    try:
        await ready(channel, binds)
        yield channel
    finally:
        await channel.stop(0.5)


async def ready(channel, binds=1):
    async with asyncio.timeout(SOON_S):
        while not channel.state.startswith(f"bound {binds} ") and not channel.ready:
            await asyncio.sleep(0.005)


def message(text="Hello", kind=Kind.SMS, **changes):
    values = {
        "client_id": 1,
        "id": 123 << 12,
        "kind": kind,
        "phone": "79991234567",
        "sender": "Vestnik",
        "text": text,
        "parts": 1,
        "options": {},
        "expires_at": None,
        "urgent": False,
        "attempt": 1,
    }
    return Outgoing(**(values | changes))


async def failure(channel, outgoing):
    with pytest.raises(SendFailed) as caught:
        await channel.send(outgoing)
    return caught.value


LONG = "Длинное сообщение. " * 10  # 190 characters: three parts


async def test_a_message_is_taken_with_the_carriers_id(carrier):
    async with connected(carrier) as channel:
        taken = await channel.send(message())

    assert taken.refs == ((1, "1"),)
    assert taken.final is None
    [submit] = carrier.submits
    assert (submit.source_addr, submit.destination_addr) == ("Vestnik", "79991234567")
    assert carrier.text_of(submit) == "Hello"


async def test_the_bind_carries_what_the_carrier_gave(carrier):
    async with connected(carrier, system_type="VMA"):
        [bind] = carrier.bind_requests

    assert bind == p.BindTransceiver("shop", "secret", "VMA", 0x34)


async def test_a_long_message_leaves_in_parts_that_belong_together(carrier):
    async with connected(carrier) as channel:
        taken = await channel.send(message(LONG))

    assert [part for part, _ in taken.refs] == [1, 2, 3]
    assert len({ref for _, ref in taken.refs}) == 3
    assert "".join(map(carrier.text_of, carrier.submits)) == LONG


async def test_only_the_missing_parts_are_sent_again(carrier):
    carrier.next(*throttle(1))
    async with connected(carrier) as channel:
        failed = await failure(channel, message(LONG))
        taken = await channel.send(message(LONG, taken=frozenset({2, 3}), attempt=2))

    assert (failed.retry, failed.sure, failed.pause_s) == (True, True, 2.5)
    assert failed.refs == ((2, "1"), (3, "2"))
    assert taken.refs == ((1, "3"),)
    first, again = carrier.submits[0], carrier.submits[3]
    assert first == again


async def test_a_part_refused_for_good_makes_the_message_incomplete(carrier):
    carrier.next(Refuse(0x0B))
    async with connected(carrier) as channel:
        failed = await failure(channel, message(LONG))

    assert (failed.retry, failed.sure) == (False, True)
    assert (failed.status, failed.err) == (Status.UNDELIVERABLE, 241)
    assert [part for part, _ in failed.refs] == [2, 3]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x08, (True, Status.UNDELIVERABLE, 255, 0)),
        (0x0A, (False, Status.FORBIDDEN, 254, 0)),
        (0x0B, (False, Status.BAD_NUMBER, 249, 0)),
        (0x14, (True, Status.UNDELIVERABLE, 220, 2.5)),
        (0x45, (False, Status.UNDELIVERABLE, 255, 0)),
        (0x58, (True, Status.UNDELIVERABLE, 220, 2.5)),
        (0x64, (True, Status.UNDELIVERABLE, 255, 0)),
        (0x0400, (False, Status.UNDELIVERABLE, 255, 0)),
    ],
)
async def test_a_refusal_says_what_to_do_next(carrier, status, expected):
    carrier.next(Refuse(status))
    async with connected(carrier) as channel:
        failed = await failure(channel, message())

    assert (failed.retry, failed.status, failed.err, failed.pause_s) == expected
    assert failed.sure
    assert f"0x{status:02X}" in str(failed)


async def test_a_carriers_own_refusals_are_settings(carrier):
    carrier.next(Refuse(0x0400), Refuse(0x0B))
    errors = {"0x0400": (25, 248, True), "11": (20, 1, False)}
    async with connected(carrier, errors=errors) as channel:
        no_money = await failure(channel, message())
        unknown = await failure(channel, message())

    assert (no_money.retry, no_money.status, no_money.err) == (True, 25, 248)
    assert (unknown.retry, unknown.status, unknown.err) == (False, 20, 1)


async def test_no_answer_leaves_the_fate_unknown(carrier):
    carrier.next(Swallow())
    async with connected(carrier, response_timeout_s=0.5) as channel:
        failed = await failure(channel, message(LONG))

    assert (failed.retry, failed.sure) == (True, False)
    assert [part for part, _ in failed.refs] == [2, 3]


@pytest.mark.parametrize("reaction", [Drop(), GARBAGE, OVERSIZED_PDU])
async def test_a_connection_lost_in_mid_window_is_unknown_and_comes_back(carrier, reaction):
    carrier.next(Swallow(), Swallow(), reaction)
    async with connected(carrier) as channel:
        failures = await asyncio.gather(*(failure(channel, message()) for _ in range(3)))
        await ready(channel)
        taken = await channel.send(message())

    assert [(failed.retry, failed.sure) for failed in failures] == [(True, False)] * 3
    assert taken.refs == ((1, "1"),)
    assert len(carrier.bind_requests) == 2


async def test_half_a_pdu_and_then_nothing_is_no_answer(carrier):
    carrier.next(HALF_PDU)
    async with connected(carrier, response_timeout_s=0.5) as channel:
        failed = await failure(channel, message())

    assert not failed.sure


async def test_before_the_bind_nothing_is_promised():
    channel = SmppChannel(SmppSettings(port=1, reconnect_min_s=30))
    await channel.start(Heard().hears())
    try:
        failed = await failure(channel, message())
        async with asyncio.timeout(SOON_S):
            while "refused" not in channel.state:
                await asyncio.sleep(0.005)

        assert (failed.retry, failed.sure) == (True, True)
        assert not channel.ready
        assert channel.state.startswith("connecting: ")
    finally:
        await channel.stop(0)


async def test_a_refused_bind_is_tried_again(carrier):
    carrier.refuse_binds = [0x0D, 0x0E]
    async with connected(carrier) as channel:
        assert channel.state == "bound 1 of 1"

    assert len(carrier.bind_requests) == 3


async def test_the_window_is_kept_over_all_binds(carrier):
    carrier.next(*[Swallow()] * 5)
    async with connected(carrier, window=5, binds=2, response_timeout_s=2) as channel:
        sends = [asyncio.create_task(failure(channel, message())) for _ in range(5)]
        sixth = asyncio.create_task(channel.send(message()))
        await carrier.until(lambda: len(carrier.submits) == 5)
        for _ in carrier.links:  # whatever was written before this has been read after it
            await carrier.deliver(p.DeliverSm(esm_class=4))
        full, outstanding = len(carrier.submits), [link.session.owed for link in carrier.links]
        await asyncio.gather(*sends)
        await sixth

    assert full == 5
    assert sorted(outstanding) == [2, 3]
    assert len(carrier.submits) == 6


async def test_a_pair_of_binds_sends_by_one_and_hears_by_the_other(carrier):
    heard, carrier.receipts = Heard(), "DELIVRD"
    async with connected(carrier, heard, bind="transmitter_receiver") as channel:
        states = {link.session.state for link in carrier.links}
        await channel.send(message())
        await heard.until(lambda: heard.reports)

    assert states <= {State.BOUND_TX, State.BOUND_RX}
    assert heard.reports[0].status is Status.DELIVERED


async def test_a_receipt_becomes_a_report_and_is_answered_after_it(carrier):
    heard, carrier.receipts = Heard(), "DELIVRD"
    async with connected(carrier, heard) as channel:
        taken = await channel.send(message())
        await carrier.until(lambda: carrier.delivered)

    [report] = heard.reports
    assert (report.ref, report.phone, report.status, report.err) == (
        taken.refs[0][1],
        "79991234567",
        Status.DELIVERED,
        0,
    )
    assert report.raw.startswith("id:1 sub:001 dlvrd:001 submit date:")
    assert carrier.delivered == [0]


async def test_a_receipt_that_cannot_be_stored_is_asked_for_again(carrier):
    heard, carrier.receipts = Heard(), "UNDELIV"
    heard.failures = 1
    async with connected(carrier, heard) as channel:
        await channel.send(message())
        await carrier.until(lambda: len(carrier.delivered) == 2)

    assert carrier.delivered == [0x64, 0]
    assert [report.status for report in heard.reports] == [Status.UNDELIVERABLE]


async def test_a_receipt_may_come_before_the_answer(carrier):
    heard, carrier.receipts, carrier.receipt_first = Heard(), "DELIVRD", True
    carrier.answer_delay_s = 0.5
    async with connected(carrier, heard) as channel:
        sending = asyncio.create_task(channel.send(message()))
        await heard.until(lambda: heard.reports)

        assert not sending.done()
        taken = await sending
    assert heard.reports[0].ref == taken.refs[0][1]


async def test_ids_in_hexadecimal_match_receipts_in_decimal(carrier):
    heard, carrier.receipts, carrier.hex_ids = Heard(), "DELIVRD", True
    forms = {"response_ids": "hexadecimal", "receipt_ids": "decimal"}
    async with connected(carrier, heard, **forms) as channel:
        takens = [await channel.send(message()) for _ in range(12)]
        await heard.until(lambda: len(heard.reports) == 12)

    assert [t.refs[0][1] for t in takens] == [report.ref for report in heard.reports]


async def test_a_carrier_without_receipts_ends_a_message_at_once(carrier):
    async with connected(carrier, receipts="none") as channel:
        taken = await channel.send(message())

    assert taken.final is Status.DELIVERED
    assert carrier.submits[0].registered_delivery == 0


async def test_an_incoming_message_is_heard_part_by_part(carrier):
    heard = Heard()
    async with connected(carrier, heard):
        statuses = await carrier.incoming("79991234567", "1234", LONG, reference=9)

    assert statuses == [0, 0, 0]
    assert "".join(part.text for part in heard.incoming) == LONG
    assert heard.incoming[1] == Incoming(
        "79991234567", "1234", heard.incoming[1].text, reference=9, total=3, index=2
    )


async def test_odd_pdus_do_not_end_the_bind(carrier):
    heard = Heard()
    async with connected(carrier, heard) as channel:
        [link] = carrier.links
        short = p.encode(p.DeliverSm(short_message=b"Hello"), 900)[16:-2]
        link.write_raw(p.HEADER.pack(16 + len(short), 5, 0, 900) + short)
        link.write_raw(p.HEADER.pack(16, 0x21, 0, 901))
        answers = [
            await carrier.deliver(p.DeliverSm(esm_class=4, short_message=b"\xff\xfe nonsense")),
            await carrier.deliver(p.DeliverSm(esm_class=0x40, short_message=b"\x7f")),
            await carrier.deliver(p.DataSm(source_addr="79991234567")),
        ]
        taken = await channel.send(message())

    assert [answer.status for answer in answers] == [0, 0, 0]
    assert taken.refs == ((1, "1"),)
    assert len(carrier.bind_requests) == 1
    assert [incoming.text for incoming in heard.incoming] == ["", ""]


async def test_data_sm_is_heard_like_deliver_sm(carrier):
    heard = Heard()
    async with connected(carrier, heard):
        pdu = p.DataSm(
            source_addr="79991234567",
            destination_addr="1234",
            data_coding=8,
            tlvs={tlv.MESSAGE_PAYLOAD: "Да".encode("utf-16-be")},
        )
        answer = await carrier.deliver(pdu)

    assert answer == p.Frame(p.DataSmResp(), answer.sequence)
    assert heard.incoming == [Incoming("79991234567", "1234", "Да")]


async def test_messages_keep_to_the_rate(carrier):
    loop = asyncio.get_running_loop()
    async with connected(carrier, rate=50) as channel:
        began = loop.time()
        await asyncio.gather(*(channel.send(message()) for _ in range(11)))
        took_s = loop.time() - began

    assert took_s >= 0.2  # ten intervals of 20 ms


@pytest.mark.parametrize(("rate", "expected"), [(0, 100), (100, 100), (2, 10), (0.01, 1)])
async def test_a_slow_rate_narrows_the_window(rate, expected):
    assert SmppChannel(SmppSettings(rate=rate)).window == expected


async def test_stopping_finishes_the_window_and_unbinds(carrier):
    carrier.answer_delay_s = 0.1
    async with connected(carrier) as channel:
        sending = asyncio.create_task(channel.send(message()))
        await carrier.until(lambda: carrier.count == 1)
        stopping = asyncio.create_task(channel.stop(5))
        await asyncio.sleep(0)
        late = await failure(channel, message())
        await stopping

        assert (late.retry, late.sure) == (True, True)
        assert (await sending).refs == ((1, "1"),)
    assert carrier.links == []
    assert carrier.count == 1


async def test_stopping_waits_no_longer_than_the_grace(carrier):
    carrier.next(Swallow())
    async with connected(carrier) as channel:
        sending = asyncio.create_task(failure(channel, message()))
        await carrier.until(lambda: carrier.count == 1)
        await channel.stop(0.1)
        failed = await sending

    assert not failed.sure


async def test_a_cancelled_send_frees_its_place(carrier):
    carrier.next(Swallow())
    async with connected(carrier, window=1) as channel:
        sending = asyncio.create_task(channel.send(message()))
        await carrier.until(lambda: carrier.count == 1)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

        assert (await channel.send(message())).refs == ((1, "1"),)


async def test_a_report_is_what_the_contract_says(carrier):
    heard = Heard()
    async with connected(carrier, heard, receipt_zone="Europe/Moscow"):
        await carrier.deliver(
            p.DeliverSm(
                source_addr="79991234567",
                esm_class=4,
                short_message=b"id:7 submit date:2303171647 done date:2303171648 stat:EXPIRED"
                b" err:abc text:secret",
            )
        )

    assert heard.reports == [
        Report(
            ref="7",
            phone="79991234567",
            status=Status.EXPIRED,
            err=6,
            at=1679060880000,
            raw="id:7 submit date:2303171647 done date:2303171648 stat:EXPIRED err:abc",
        )
    ]
