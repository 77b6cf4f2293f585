"""A letter is taken: who wrote it, what it asks for, and what is said of it."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from vestnik.domain.client import Client
from vestnik.domain.refusals import Duplicate, Refusal
from vestnik.doors.smtp.codes import CODES, line_of
from vestnik.doors.smtp.command import order_of, read_command
from vestnik.doors.smtp.forwarding import forwarded
from vestnik.doors.smtp.letter import Letter, read_letter
from vestnik.services.clients.access import Access
from vestnik.services.clients.access_limits import Recent
from vestnik.services.messages.draft import Accepted, Order

COUNTED_AS_WRONG = (1, 2)  # errors that lead to error 4 when they come often (conventions.md)
BIG_LETTER = 4 * 1024  # taking a bigger one apart in the loop would make everybody wait
REMEMBERED = 100_000  # letters of the last minute


class Sending(Protocol):
    """Sends an order; returns once it is durable."""

    async def send(self, order: Order) -> Accepted: ...


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a letter: `line` is that of send.php with fmt=0.

    `by_letter`: its writer has shown who he is and may be told by a letter; `refusal` None means
    that it was taken, and `test` that it only was a test.
    """

    line: str
    refusal: Refusal | None = None
    by_letter: bool = False
    test: bool = False


class Taking:
    """Takes letters; one object serves every connection."""

    def __init__(self, access: Access, sending: Sending) -> None:
        self._access, self._sending = access, sending
        self._seen: Recent[tuple[int, bytes], tuple[str, int]] = Recent(REMEMBERED)

    async def take(self, octets: bytes, address: str, now_ms: int) -> Told:
        """Send what the letter asks for; returns once that is durable.

        Raises StoreUnavailable: nothing was promised.
        """
        letter: Letter | None = None
        client: Client | None = None
        try:
            self._access.admit(address, now_ms)
            letter = await _read(octets)
            command = read_command(letter.text)
            client = await self._access.authenticate(
                command.login, command.psw, "", address, now_ms
            )
            order = order_of(command, letter, client, address, now_ms)
            accepted = await self._send(order, letter)
        except Refusal as refusal:
            if CODES[type(refusal)].number in COUNTED_AS_WRONG:
                self._access.wrong(address, now_ms)
            answerable = client is not None and letter is not None and not letter.automatic
            return Told(line_of(refusal), refusal, by_letter=answerable)
        line = f"OK - {accepted.count} SMS, ID - {accepted.wire_id}"
        return Told(line, by_letter=not letter.automatic, test=command.test)

    async def forward(self, octets: bytes, client: Client, address: str, now_ms: int) -> Told:
        """Send an account what somebody wrote to its name; returns once that is durable.

        What is wrong with the account is no business of who wrote.  Raises StoreUnavailable.
        """
        try:
            self._access.admit(address, now_ms)
            letter = await _read(octets, whole=True)
            await self._send(forwarded(letter, client, address, now_ms), letter)
        except Refusal as refusal:
            return Told("The letter cannot be delivered.", refusal)
        return Told("OK")

    async def _send(self, order: Order, letter: Letter) -> Accepted:
        with self._access.entered(order.client, "send", order.client.limits.simultaneous):
            self._refuse_identical(order, letter.message_id)
            return await self._sending.send(order)

    def _refuse_identical(self, order: Order, message_id: str) -> None:
        """Another letter that asks for the same within a minute is error 9.

        The store sees to letters without a Message-ID; those with one it knows by that, so that a
        mail server may hand one over again.
        """
        limit_ms = order.client.limits.identical_s * 1000
        key = (order.client.id, order.params_digest)
        known = self._seen.get(key)
        if known is not None and known[0] != message_id and order.now_ms - known[1] < limit_ms:
            raise Duplicate
        self._seen.put(key, (message_id, order.now_ms))


async def _read(octets: bytes, *, whole: bool = False) -> Letter:
    if len(octets) > BIG_LETTER:
        return await asyncio.to_thread(read_letter, octets, whole=whole)
    return read_letter(octets, whole=whole)
