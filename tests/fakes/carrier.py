"""A carrier for tests and measurements: an SMSC of our own session, on a loopback port.

In a test: `async with FakeCarrier() as carrier`, then what it should do next (`carrier.next(…)`),
then look at `carrier.submits`.  As a process: `python -m tests.fakes.carrier --port 0`, which
prints its port and serves until it is told to stop.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import signal
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TextIO

from vestnik.net.smpp import Link, LinkLost, NoAnswer, serve
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import receipt as r
from vestnik.wire.smpp import udh
from vestnik.wire.smpp.command_status import ESME_RINVCMDID, ESME_RTHROTTLED
from vestnik.wire.smpp.session import NotAllowed
from vestnik.wire.smpp.states import BINDS, Side
from vestnik.wire.sms import gsm7
from vestnik.wire.sms.segments import Coding, in_series, segments

# Receipts that a link has not answered yet; the others wait.
DELIVER_WINDOW = 500
REPEAT_S = 0.1


@dataclass(frozen=True)
class Refuse:
    """Answer with this command_status."""

    status: int


@dataclass(frozen=True)
class Swallow:
    """Take it and never answer."""


@dataclass(frozen=True)
class Drop:
    """Cut the connection instead of answering."""


@dataclass(frozen=True)
class Raw:
    """Write these octets instead of an answer."""

    octets: bytes


Reaction = Refuse | Swallow | Drop | Raw

GARBAGE = Raw(b"\xff" * 32)
HALF_PDU = Raw(p.encode(p.SubmitSmResp("half"), 1)[:10])
OVERSIZED_PDU = Raw(p.HEADER.pack(1 << 24, p.SubmitSmResp.command_id, 0, 1))


def throttle(times: int) -> list[Reaction]:
    """Say "too fast" that many times."""
    return [Refuse(ESME_RTHROTTLED)] * times


class CarrierLink(Link):
    """The carrier's end of a bind, which can also misbehave."""

    def write_raw(self, octets: bytes) -> None:
        self._flush()
        assert self._transport is not None
        self._transport.write(octets)


class FakeCarrier:
    """The SMSC; attributes may be changed at any time, reactions are used up one a submit.

    `receipts` is the word of every receipt, or empty for none; `receipt_delay_s` and
    `answer_delay_s` hold receipts and answers back; `receipt_first` sends the receipt before the
    answer; `hex_ids` writes ids in answers in hexadecimal (receipts stay decimal);
    `refuse_binds` is the command_status of the next binds' answers, in order.
    """

    def __init__(
        self,
        *,
        receipts: str = "",
        receipt_delay_s: float = 0.0,
        answer_delay_s: float = 0.0,
        receipt_first: bool = False,
        hex_ids: bool = False,
        record: bool = True,
        log: TextIO | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.receipts = receipts
        self.receipt_delay_s = receipt_delay_s
        self.answer_delay_s = answer_delay_s
        self.receipt_first = receipt_first
        self.hex_ids = hex_ids
        self.record = record
        self.refuse_binds: list[int] = []
        self.submits: list[p.SubmitSm] = []  # every one that arrived, whatever the reaction
        self.taken: dict[str, p.SubmitSm] = {}  # by the id as receipts write it
        self.delivered: list[int] = []  # command_status of each answer to our deliver_sm
        self.bind_requests: list[p.BindRequest] = []
        self.links: list[CarrierLink] = []
        self.count = 0
        self.port = 0
        self._log = log
        self._tls = tls
        self._reactions: deque[Reaction] = deque()
        self._ids = itertools.count(1)
        self._receipts: deque[p.DeliverSm] = deque()
        self._delivering = 0
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; `port` says where."""
        self._server = await serve(host, port, self._make_link, tls=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        assert self._server is not None
        self._server.close()
        for link in list(self.links):
            link.abort()
            await link.wait_closed()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self.stop()

    def next(self, *reactions: Reaction) -> None:
        """What to do with the next submits instead of taking them, one each."""
        self._reactions.extend(reactions)

    async def until(self, true: Callable[[], bool], timeout_s: float = 45.0) -> None:
        """Wait for something that this carrier can see; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def deliver(self, pdu: p.DeliverSm | p.DataSm) -> p.Frame:
        """Send a deliver_sm to a bind that receives; its answer."""
        await self.until(lambda: self._receiver() is not None)
        link = self._receiver()
        assert link is not None
        return await link.ask(pdu)

    async def incoming(self, phone: str, to: str, text: str, reference: int = 7) -> list[int]:
        """Send a subscriber's message in as many parts as it takes; the answers' statuses."""
        pieces = segments(text)
        statuses = []
        for index, piece in enumerate(pieces, 1):
            octets, esm_class = piece.octets, 0
            if len(pieces) > 1:
                octets = in_series(b"\0" + octets, reference, len(pieces), index)
                esm_class = udh.ESM_UDHI
            pdu = p.DeliverSm(
                source_addr_ton=1,
                source_addr_npi=1,
                source_addr=phone,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=to,
                esm_class=esm_class,
                data_coding=8 if piece.coding is Coding.UCS2 else 0,
                short_message=octets,
            )
            statuses.append((await self.deliver(pdu)).status)
        return statuses

    def text_of(self, submit: p.SubmitSm) -> str:
        """What a submit says, its header taken away."""
        octets = submit.tlvs.get(0x0424) or submit.short_message
        if submit.esm_class & udh.ESM_UDHI:
            _, octets = udh.split(octets)
        if submit.data_coding & 0x0C == 8:
            return octets.decode("utf-16-be")
        return gsm7.decode(octets) if submit.data_coding & 0x0F == 0 else octets.decode("latin-1")

    # Inside.

    def _make_link(self) -> CarrierLink:
        link = CarrierLink(Side.SMSC, on_request=self._requested, on_lost=self._lost)
        self.links.append(link)
        return link

    def _lost(self, link: Link, reason: str) -> None:
        assert isinstance(link, CarrierLink)
        self.links.remove(link)
        self._changed.set()

    def _requested(self, link: Link, frame: p.Frame) -> None:
        pdu = frame.pdu
        if type(pdu) is p.SubmitSm:
            self._submitted(link, frame, pdu)
        elif isinstance(pdu, p.BindRequest):
            self.bind_requests.append(pdu)
            status = self.refuse_binds.pop(0) if self.refuse_binds else 0
            link.answer(frame, status=status)
            if not status:
                self._pump()
        else:
            link.answer(frame, p.GenericNack(), ESME_RINVCMDID)
        self._changed.set()

    def _submitted(self, link: Link, frame: p.Frame, pdu: p.SubmitSm) -> None:
        self.count += 1
        if self.record:
            self.submits.append(pdu)
        if self._reactions:
            self._react(link, frame, self._reactions.popleft())
            return
        number = next(self._ids)
        ref = str(number)
        if self.record:
            self.taken[ref] = pdu
        if self._log is not None:
            self._log.write(_line(ref, pdu))
        wanted = self.receipts and pdu.registered_delivery & 1
        if wanted and self.receipt_first:
            self._send_receipt(ref, pdu)
        answer = p.SubmitSmResp(f"{number:X}" if self.hex_ids else ref)
        if not self.answer_delay_s:
            link.answer(frame, answer)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self.answer_delay_s, link.answer, frame, answer)
        if wanted and not self.receipt_first:
            self._send_receipt(ref, pdu)

    def _react(self, link: Link, frame: p.Frame, reaction: Reaction) -> None:
        match reaction:
            case Refuse(status):
                link.answer(frame, status=status)
            case Drop():
                link.abort()
            case Raw(octets):
                assert isinstance(link, CarrierLink)
                link.write_raw(octets)
            case Swallow():
                pass

    def _send_receipt(self, ref: str, submit: p.SubmitSm) -> None:
        receipt = _receipt(ref, self.receipts, submit)
        if self.receipt_delay_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self.receipt_delay_s, self._queue, receipt)
        else:
            self._queue(receipt)

    def _queue(self, receipt: p.DeliverSm) -> None:
        self._receipts.append(receipt)
        self._pump()

    def _pump(self) -> None:
        while self._receipts and self._delivering < DELIVER_WINDOW:
            link = self._receiver()
            if link is None:
                return
            receipt = self._receipts.popleft()
            self._delivering += 1
            future = link.ask(receipt)
            future.add_done_callback(lambda done, of=receipt: self._answered(done, of))

    def _answered(self, future: "asyncio.Future[p.Frame]", receipt: p.DeliverSm) -> None:
        """A receipt that was not taken is sent again a little later."""
        self._delivering -= 1
        try:
            status = future.result().status
        except (LinkLost, NoAnswer, NotAllowed):
            status = -1
        if self.record and status >= 0:
            self.delivered.append(status)
        if status:
            asyncio.get_running_loop().call_later(REPEAT_S, self._queue, receipt)
        self._pump()
        self._changed.set()

    def _receiver(self) -> Link | None:
        """A bind that receives, each in turn."""
        receivers = [
            link
            for link in self.links
            if link.bound and link.session.state is not BINDS[p.BindTransmitter]
        ]
        if not receivers:
            return None
        self._turn += 1
        return receivers[self._turn % len(receivers)]


def _receipt(ref: str, stat: str, submit: p.SubmitSm) -> p.DeliverSm:
    now = f"{datetime.now(UTC):%y%m%d%H%M}"
    done = stat == "DELIVRD"
    receipt = r.Receipt(
        id=ref,
        stat=stat,
        err="000" if done else "001",
        dlvrd="001" if done else "000",
        submit_date=now,
        done_date=now,
    )
    return p.DeliverSm(
        source_addr_ton=submit.dest_addr_ton,
        source_addr_npi=submit.dest_addr_npi,
        source_addr=submit.destination_addr,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        destination_addr=submit.source_addr,
        esm_class=r.ESM_RECEIPT,
        short_message=r.write_text(receipt),
        tlvs=r.write_tlvs(receipt),
    )


def _line(ref: str, pdu: p.SubmitSm) -> str:
    submit = {
        "id": ref,
        "to": pdu.destination_addr,
        "from": pdu.source_addr,
        "esm_class": pdu.esm_class,
        "data_coding": pdu.data_coding,
        "message": pdu.short_message.hex(),
    }
    return json.dumps(submit) + "\n"


FLUSH_S = 0.1
_STATS = {"delivered": "DELIVRD", "undelivered": "UNDELIV", "expired": "EXPIRED", "none": ""}


async def _run(options: argparse.Namespace, log: TextIO | None) -> None:
    carrier = FakeCarrier(
        receipts=_STATS[options.receipts],
        receipt_delay_s=options.delay_ms / 1000,
        answer_delay_s=options.answer_ms / 1000,
        hex_ids=options.hex,
        record=False,
        log=log,
    )
    await carrier.start(options.host, options.port)
    print(carrier.port, flush=True)
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    while not told.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), FLUSH_S)
        if log is not None:
            log.flush()
    await carrier.stop()
    print(f"submits {carrier.count}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--receipts", choices=sorted(_STATS), default="none")
    parser.add_argument("--delay-ms", type=float, default=0, help="before each receipt")
    parser.add_argument("--answer-ms", type=float, default=0, help="before each answer")
    parser.add_argument("--hex", action="store_true", help="ids of answers in hexadecimal")
    parser.add_argument("--log", default="", help="file for a JSON line a submit")
    options = parser.parse_args()
    with contextlib.ExitStack() as open_things:
        runner = open_things.enter_context(asyncio.Runner(loop_factory=_loop_factory()))
        log = open_things.enter_context(Path(options.log).open("a")) if options.log else None
        runner.run(_run(options, log))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: a carrier that measures others must not be the slow one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
