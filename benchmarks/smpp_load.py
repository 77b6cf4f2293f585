"""A load of SMPP submits from a process of its own, on loopback, bounded in number.

The PDUs are made beforehand and only headers of answers are read, so that the client is not what is
measured.  What it is told by deliver_sm is answered and counted.
"""

import asyncio
import json
import struct
import sys
import time
from typing import cast

from vestnik.wire.smpp import pdu as p

HEADER = struct.Struct(">IIII")
BIND_RESP = p.BindTransceiverResp.command_id
SUBMIT_RESP = p.SubmitSmResp.command_id
DELIVER, DELIVER_RESP = p.DeliverSm.command_id, p.DeliverSmResp.command_id
PATIENCE_S = 300.0
ENQUIRE, ENQUIRE_RESP = p.EnquireLink.command_id, p.EnquireLinkResp.command_id
LATER = "000000001000000R"  # in ten minutes: what is measured is accepting


class Esme(asyncio.Protocol):
    """One bind that keeps `window` submits without an answer; `done` once all are answered, and
    `told` deliver_sm have come."""

    def __init__(self, login: str, password: str, submits: list[bytes], window: int, told: int = 0):
        self._bind = p.encode(p.BindTransceiver(login, password, "", 0x34), 1)
        self._submits, self._window, self._told_wanted = submits, window, told
        self._sent_at = [0.0] * len(submits)
        self._next = 0
        self._buffer = b""
        self.seconds: list[float] = []
        self.wrong: list[int] = []
        self.told = 0
        self.began = self.ended = 0.0
        loop = asyncio.get_running_loop()
        self.bound: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every loop derives its transports from the class that describes them.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._bind)

    def begin(self) -> None:
        """Fill the window."""
        self.began = time.perf_counter()
        self._send(self._window)
        self._look()

    def data_received(self, data: bytes) -> None:
        octets = self._buffer + data
        at, end, now = 0, len(octets), time.perf_counter()
        room, answers = 0, []
        while end - at >= 16:
            length, command, status, sequence = HEADER.unpack_from(octets, at)
            if end - at < length:
                break
            at += length
            if command == SUBMIT_RESP:
                room += 1
                self.seconds.append(now - self._sent_at[sequence - 2])
                if status:
                    self.wrong.append(status)
            elif command == DELIVER:
                self.told += 1
                answers.append(HEADER.pack(17, DELIVER_RESP, 0, sequence) + b"\0")
            elif command == ENQUIRE:
                answers.append(HEADER.pack(16, ENQUIRE_RESP, 0, sequence))
            elif command == BIND_RESP:
                self._bound(status)
        self._buffer = octets[at:]
        if answers:
            self._transport.write(b"".join(answers))
        if room:
            self._send(room)
        self._look()

    def _bound(self, status: int) -> None:
        if status:
            self.bound.set_exception(RuntimeError(f"the bind is refused: {status:#x}"))
        else:
            self.bound.set_result(None)

    def _send(self, room: int) -> None:
        first, self._next = self._next, min(self._next + room, len(self._submits))
        if first < self._next:
            self._sent_at[first : self._next] = [time.perf_counter()] * (self._next - first)
            self._transport.write(b"".join(self._submits[first : self._next]))

    def _look(self) -> None:
        answered = len(self.seconds) == len(self._submits)
        if self.began and answered and self.told >= self._told_wanted and not self.done.done():
            self.ended = time.perf_counter()
            self.done.set_result(None)

    def connection_lost(self, failure: Exception | None) -> None:
        for future in (self.bound, self.done):
            if not future.done():
                future.set_exception(failure or ConnectionError("closed by the server"))

    def result(self) -> dict[str, object]:
        """Rates and percentiles."""
        seconds, whole = sorted(self.seconds), self.ended - self.began
        result: dict[str, object] = {
            "seconds": whole,
            "wrong": len(self.wrong),
            "wrong_samples": [hex(status) for status in sorted(set(self.wrong))],
            "told": self.told,
        }
        if seconds:
            result["per_s"] = len(seconds) / whole
            result["p50_ms"] = seconds[len(seconds) // 2] * 1000
            result["p99_ms"] = seconds[len(seconds) * 99 // 100] * 1000
        return result


def submits(first: int, count: int, *, later: bool = True, receipt: bool = False) -> list[bytes]:
    """Encoded submit_sm to so many numbers; the first sequence number is 2, behind the bind's."""
    return [
        p.encode(
            p.SubmitSm(
                source_addr_ton=5,
                source_addr="Vestnik",
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=str(first + n),
                schedule_delivery_time=LATER if later else "",
                registered_delivery=int(receipt),
                short_message=b"Your code is %d" % n,
            ),
            n + 2,
        )
        for n in range(count)
    ]


async def bound(
    port: int, login: str, password: str, octets: list[bytes], window: int, told: int = 0
) -> Esme:
    """A bind that is ready to begin."""
    loop = asyncio.get_running_loop()
    _, esme = await loop.create_connection(
        lambda: Esme(login, password, octets, window, told), "127.0.0.1", port
    )
    await esme.bound
    return esme


async def _run(esme_of: tuple[int, str, str], octets: list[bytes], window: int, told: int) -> Esme:
    esme = await bound(*esme_of, octets, window, told)
    esme.begin()
    async with asyncio.timeout(PATIENCE_S):
        await esme.done
    return esme


def main() -> None:
    """Usage: smpp_load PORT LOGIN PASSWORD WINDOW COUNT FIRST TOLD.

    Submits for later to COUNT numbers from FIRST, then waits until TOLD deliver_sm have come.
    """
    port, login, password, *numbers = sys.argv[1:8]
    window, count, first, told = map(int, numbers)
    octets = submits(first, count)
    import uvloop

    esme = uvloop.run(_run((int(port), login, password), octets, window, told))
    print(json.dumps(esme.result()))


if __name__ == "__main__":
    main()
