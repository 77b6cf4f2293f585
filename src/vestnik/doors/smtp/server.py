"""The SMTP door: connections, what they may do, and how they end."""

import asyncio
import logging
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from vestnik.domain.refusals import StoreUnavailable, Undeliverable
from vestnik.doors.smtp.codes import CODES, LATER, plain
from vestnik.doors.smtp.replies import Replies
from vestnik.doors.smtp.taking import Sending, Taking, Told
from vestnik.services.clients.access import Access
from vestnik.services.incoming.mailboxes import Mailboxes

log = structlog.get_logger(__name__)

MAILBOX = "send"  # who takes commands, behind any domain of the centre
COMMAND_MAX = 1_000  # octets
OVERRUN = 4  # so many times the size of a letter may come before the connection is cut

BUSY = f"{LATER} The centre cannot take letters at the moment; please try again."
BROKEN = f"{LATER} The centre made a mistake while it worked on this letter, and has noted it."
CLOSING = "421 The centre is shutting down; please try again in a moment."
CROWDED = "421 There are too many connections; please try again in a moment."
TOO_LONG = "552 The letter is too long."


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where the door stands and what it bears.

    Without `domains` any domain behind `send@` is right.  `relay` is the host and port that takes
    letters about refusals; without it they are told in the dialogue alone.
    """

    host: str = "127.0.0.1"
    port: int = 0
    domains: tuple[str, ...] = ()
    name: str = "localhost"  # how the door calls itself
    letter_max: int = 100 * 1024  # octets (smtp.md)
    idle_s_max: int = 60  # for each command, and for a letter to arrive and to be stored
    connections_max: int = 500
    connections_per_address: int = 50
    certificate: Path | None = None
    certificate_key: Path | None = None
    relay: tuple[str, int] | None = None
    drain_s: int = 30


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unobserved(name: str, error: int, seconds: float) -> None:
    """Nobody counts letters."""


class SmtpDoor:
    """The door: `start` opens it, `stop` finishes the letters that are being taken.

    `mailboxes` knows the accounts that get letters under names of their own.
    `observe` is told of each letter "smtp", its error number and seconds; `clock` gives ms since
    the epoch.
    """

    def __init__(
        self,
        access: Access,
        sending: Sending,
        mailboxes: Mailboxes,
        settings: SmtpSettings,
        *,
        clock: Callable[[], int] = _now_ms,
        observe: Callable[[str, int, float], None] = _unobserved,
    ) -> None:
        self.settings = settings
        self._mailboxes = mailboxes
        self.taking = Taking(access, sending)
        self.replies = Replies(settings.relay) if settings.relay is not None else None
        self.clock, self.observe = clock, observe
        self.closing = False
        self._connections: set[_Connection] = set()
        self._addresses: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()
        self._replying: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Open the door; returns the bound port.

        Raises OSError if the address is taken, or the certificate cannot be read.
        """
        # The library logs each line of a dialogue, and the lines of a letter hold passwords.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        settings, tls = self.settings, _tls_context(self.settings)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, tls), settings.host, settings.port
        )
        if self.replies is not None:
            self._replying = asyncio.create_task(self.replies.run())
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Accept nothing more, finish the letters that are being taken (for `drain_s`), close."""
        self.closing = True
        self._server.close()
        for connection in list(self._connections):
            connection.dismiss()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain_s):
                await self._empty.wait()
        for connection in list(self._connections):
            log.warning("a letter was still arriving when the door was closed")
            connection.cut()
        if self.replies is not None and self._replying is not None:
            await self.replies.finish(self.settings.drain_s)
            self._replying.cancel()

    def enter(self, connection: "_Connection", address: str) -> bool:
        """One more connection; False if there are too many."""
        settings = self.settings
        if self.closing or len(self._connections) >= settings.connections_max:
            return False
        if self._addresses[address] >= settings.connections_per_address:
            return False
        self._connections.add(connection)
        self._addresses[address] += 1
        self._empty.clear()
        return True

    def leave(self, connection: "_Connection", address: str) -> None:
        """The connection is gone; may be said twice."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        if not self._connections:
            self._empty.set()

    def takes_for(self, name: str) -> bool:
        """There is such a recipient: the one of commands, or an account."""
        return name.lower() == MAILBOX or self._mailboxes.of(name) is not None

    async def answer(self, envelope: Envelope, address: str) -> str:
        """Take a letter; the reply to it."""
        assert isinstance(envelope.content, bytes)
        began, now_ms = time.perf_counter(), self.clock()
        try:
            told = await self._take(envelope.content, envelope.rcpt_tos[0], address, now_ms)
        except StoreUnavailable:
            return BUSY
        refusal = told.refusal
        self.observe(
            "smtp", CODES[type(refusal)].number if refusal else 0, time.perf_counter() - began
        )
        written = self._write_back(told, envelope, now_ms)
        if refusal is None or written:
            return f"250 {plain(told.line)}"
        return f"{CODES[type(refusal)].reply} {plain(told.line)}"

    async def _take(self, octets: bytes, recipient: str, address: str, now_ms: int) -> Told:
        name = recipient.rpartition("@")[0]
        if name.lower() == MAILBOX:
            return await self.taking.take(octets, address, now_ms)
        client = self._mailboxes.of(name)
        if client is None:  # it has given its name up since
            return Told("The letter cannot be delivered.", Undeliverable())
        return await self.taking.forward(octets, client, address, now_ms)

    def _write_back(self, told: Told, envelope: Envelope, now_ms: int) -> bool:
        """Tell a refusal, or what a test found, by a letter; False if that cannot be.

        What only is to be tried again stays in the dialogue.
        """
        refusal = told.refusal
        if self.replies is None or not told.by_letter or not (refusal or told.test):
            return False
        if refusal is not None and CODES[type(refusal)].reply == LATER:
            return False
        return self.replies.offer(
            envelope.mail_from or "",
            envelope.rcpt_tos[0],
            "ERROR" if refusal is not None else "OK",
            told.line,
            now_ms,
        )


class _Hooks:
    """What the library asks of us in the course of a dialogue."""

    def __init__(self, door: SmtpDoor) -> None:
        self._door = door

    async def handle_EHLO(  # noqa: N802  # the library's word
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        return [line for line in responses if not line[4:].startswith("AUTH")]

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        name, at, domain = address.rpartition("@")
        domains = self._door.settings.domains
        known = self._door.takes_for(name)
        if not at or not known or (domains and domain.lower() not in domains):
            return "550 There is no such recipient, and nothing is passed on."
        if envelope.rcpt_tos:
            return "452 One recipient at a time, please."
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_VRFY(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str
    ) -> str:
        return "252 Send a letter and see."

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(server, _Connection)
        return await self._door.answer(envelope, server.address)

    async def handle_exception(self, error: Exception) -> str:
        if isinstance(error, TLSSetupException):
            log.info("a client could not agree on TLS", reason=str(error.__cause__))
        else:
            log.error("a dialogue failed", exc_info=error)
        return BROKEN


class _Connection(SMTP):
    """One dialogue: the library's, with bounds that it lacks."""

    command_size_limit = COMMAND_MAX

    def __init__(self, door: SmtpDoor, tls: ssl.SSLContext | None) -> None:
        settings = door.settings
        # A line may be as long as a letter: programs write a text of 1,000 characters on one.
        self.line_length_limit = settings.letter_max
        super().__init__(
            _Hooks(door),
            data_size_limit=settings.letter_max,
            hostname=settings.name,
            ident="Vestnik",
            tls_context=tls,
            timeout=settings.idle_s_max,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            loop=asyncio.get_running_loop(),
        )
        # The library's own dictionary is one for all connections, and grows with each greeting.
        self.command_size_limits = defaultdict(lambda: COMMAND_MAX)
        self.address = ""
        self._door = door
        self._entered = False
        self._taking = False  # between DATA and its answer
        self._octets = 0  # of the present letter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._entered:  # or TLS has begun within the same connection
            peer = transport.get_extra_info("peername")
            self.address = peer[0] if peer else ""
            if not self._door.enter(self, self.address):
                _say_and_close(transport, CROWDED)
                return
            self._entered = True
        super().connection_made(transport)
        assert self._handler_coroutine is not None
        self._handler_coroutine.add_done_callback(_forget)

    def data_received(self, data: bytes) -> None:
        if not self._entered:
            return
        if self._taking:
            self._octets += len(data)
            if self._octets > OVERRUN * self._door.settings.letter_max:
                # The library would read on, and keep a line that never ends.
                _say_and_close(self.transport, TOO_LONG)
                return
        super().data_received(data)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self._entered else None

    def connection_lost(self, error: Exception | None) -> None:
        self._door.leave(self, self.address)
        if self._entered:
            super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self._taking, self._octets = True, 0
        try:
            await super().smtp_DATA(arg)
        finally:
            self._taking = False
        if self._door.closing:
            self.dismiss()

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        await self.push("502 There is no AUTH here: login and password stand in the letter.")

    def dismiss(self) -> None:
        """Say good-bye, unless a letter is being taken: then after it."""
        if not self._taking:
            _say_and_close(self.transport, CLOSING)

    def cut(self) -> None:
        """End at once."""
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()


def _say_and_close(transport: asyncio.BaseTransport | None, line: str) -> None:
    if transport is not None:
        # Not every loop derives its transports from the class that describes them.
        cast("asyncio.Transport", transport).write(line.encode() + b"\r\n")
        transport.close()


def _forget(task: "asyncio.Task[None]") -> None:
    """A dialogue ends by its connection being lost, which is nothing to report."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.debug("a dialogue ended", reason=str(error))


def _tls_context(settings: SmtpSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate, settings.certificate_key)
    return context
