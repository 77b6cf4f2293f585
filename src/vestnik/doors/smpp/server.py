"""The SMPP door: binds of our clients; submits come in, receipts and incoming messages go out.

Every request gets its answer; a submit gets it after its commit.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from vestnik.domain.client import Client
from vestnik.domain.number import parse
from vestnik.domain.refusals import BadCredentials, Refusal, StoreUnavailable
from vestnik.doors.smpp import codes, times
from vestnik.doors.smpp.accounts import Accounts, Bind
from vestnik.doors.smpp.codes import Wrong
from vestnik.doors.smpp.listeners import ClientLink, Listeners, SmppSettings
from vestnik.doors.smpp.outbox import Delivery
from vestnik.doors.smpp.services import Services
from vestnik.doors.smpp.taking import Taking
from vestnik.net.smpp import Link, Odd
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp import tlv
from vestnik.wire.smpp.command_status import (
    ESME_RALYBND,
    ESME_RBINDFAIL,
    ESME_RINVMSGID,
    ESME_RREPLACEFAIL,
    ESME_RSYSERR,
    described,
)
from vestnik.wire.smpp.receipt import STATES

log = structlog.get_logger(__name__)

ISO = "ISO"  # the system_type that changes the default alphabet (smpp.md, "Coding")
VERSION_34, VERSION_50 = 0x34, 0x50
SWEEP_S = 1.0
TIDY_S = 300.0  # between two looks for receipts that have waited too long
UNBIND_S = 2.0  # for the good-bye of one client when the door closes
ERROR_MAX = 255  # error_code of query_sm_resp is one octet
MESSAGE_ID_MAX = 64
BIND, QUERY, CANCEL = "smpp bind", "smpp query", "smpp cancel"
WELCOMES = {
    p.BindTransmitter: p.BindTransmitterResp,
    p.BindReceiver: p.BindReceiverResp,
    p.BindTransceiver: p.BindTransceiverResp,
}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unobserved(name: str, error: int, seconds: float) -> None:
    """Nobody counts requests."""


class SmppDoor:
    """The door of one process; `clock` gives ms since the epoch.

    `observe` is told of each request: "smpp" and its kind, the command_status of its answer and
    seconds.
    """

    def __init__(
        self,
        services: Services,
        settings: SmppSettings,
        clock: Callable[[], int] = _now_ms,
        observe: Callable[[str, int, float], None] = _unobserved,
    ) -> None:
        self._services, self._settings, self._clock = services, settings, clock
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._listeners = Listeners(settings, self._make_link)
        self._accounts = Accounts()
        self._binds: dict[Link, Bind] = {}
        self._entering: set[Link] = set()
        self._delivery = Delivery(services.outboxes, self._accounts, services.client, clock)
        self._submits = Taking(services, clock, observe)
        self._running: set[asyncio.Task[None]] = set()  # other requests
        self._workers: list[asyncio.Task[None]] = []
        self._closing = False
        self._tidy_at = 0.0

    async def start(self) -> dict[str, tuple[str, int]]:
        """Open the ports; returns where they are, as "smpp" and "smpps".

        Raises OSError (ssl.SSLError too) for a port or a certificate that cannot be used.
        """
        ports = await self._listeners.open()
        self._workers = [
            asyncio.create_task(self._services.parts.line.run(), name="smpp parts"),
            asyncio.create_task(self._delivery.run(), name="smpp receipts"),
            asyncio.create_task(self._watch(), name="smpp watch"),
        ]
        return ports

    async def stop(self, grace_s: float) -> None:
        """Drain: let nobody in, answer what was asked, say good-bye, leave."""
        self._closing = True
        self._listeners.close()
        for worker in self._workers[1:]:
            worker.cancel()
        await self._submits.finish(grace_s)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace_s)
            for task in late:
                task.cancel()
        links = list(self._listeners.links)
        leaving = [asyncio.create_task(link.unbind(UNBIND_S)) for link in links]
        if leaving:
            await asyncio.wait(leaving, timeout=2 * UNBIND_S)
        for link in links:  # whoever does not let go
            link.abort()
        await asyncio.gather(*leaving)
        await self._delivery.close()
        self._services.parts.line.close()
        await asyncio.gather(*self._workers, return_exceptions=True)

    # Connections.

    def _make_link(self) -> ClientLink:
        return ClientLink(self._listeners, self._requested, self._noticed, self._lost)

    def _lost(self, link: Link, reason: str) -> None:
        bind = self._binds.pop(link, None)
        self._listeners.left(link, bound=bind is not None)
        if bind is not None:
            bind.account.binds.remove(bind)
            log.info(
                "a client's bind ended",
                client=bind.account.client_id,
                address=bind.address,
                reason=reason,
            )

    def _noticed(self, link: Link, odd: Odd) -> None:
        bind = self._binds.get(link)
        log.debug("odd PDU", client=bind.account.client_id if bind else 0, what=repr(odd)[:200])

    def _requested(self, link: Link, frame: p.Frame) -> None:
        pdu = frame.pdu
        kind = type(pdu)
        if kind is p.SubmitSm or kind is p.DataSm:
            self._submits.take(self._binds[link], frame)
        elif isinstance(pdu, p.BindRequest):
            if link in self._entering:
                link.answer(frame, status=ESME_RALYBND)
            else:
                self._entering.add(link)
                self._run(self._enter(link, frame, pdu))
        elif isinstance(pdu, p.QuerySm):
            bind = self._binds[link]
            work = self._query(bind, pdu)
            self._run(self._reply(bind, frame, QUERY, codes.QUERY, work))
        elif isinstance(pdu, p.CancelSm):
            bind = self._binds[link]
            work = self._cancel(bind, pdu)
            self._run(self._reply(bind, frame, CANCEL, codes.CANCEL, work))
        else:
            assert kind is p.ReplaceSm, kind  # the table of states lets nothing else through
            link.answer(frame, status=ESME_RREPLACEFAIL)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    # Binds.

    async def _enter(self, link: Link, frame: p.Frame, pdu: p.BindRequest) -> None:
        began, status = self._loop.time(), 0
        try:
            client = await self._known(link, pdu)
            if link.closing:
                return
            bind = self._accounts.enter(
                client.id,
                link,
                link.peer,
                self._loop.time(),
                iso=pdu.system_type.upper() == ISO,
                most=client.limits.smpp_binds,
            )
        except Refusal as refusal:
            log.info("a bind is refused", address=link.peer, reason=str(refusal))
            status = ESME_RBINDFAIL
            self._shut_out(link, frame, status)
        except Exception:
            log.exception("a bind failed")
            status = ESME_RSYSERR
            self._shut_out(link, frame, status)
        else:
            self._binds[link] = bind
            assert isinstance(link, ClientLink)
            link.widen(client.limits.smpp_window)
            self._listeners.bound(link.peer)
            link.answer(frame, self._welcome(pdu))
            log.info("a client has bound", client=client.id, address=link.peer)
            self._delivery.ring()
        finally:
            self._entering.discard(link)
        self._observe(BIND, status, self._loop.time() - began)

    async def _known(self, link: Link, pdu: p.BindRequest) -> Client:
        """The client that binds; one number for all that is wrong, so that logins cannot be
        probed (smpp.md, "Bind answers")."""
        if self._closing:
            raise StoreUnavailable("the centre is shutting down")
        access, now_ms = self._services.access, self._clock()
        access.admit(link.peer, now_ms)
        try:
            client = await access.authenticate(pdu.system_id, pdu.password, "", link.peer, now_ms)
            if not client.limits.smpp:
                raise BadCredentials("the account may not use the SMPP door")
            return client
        except BadCredentials:
            access.wrong(link.peer, now_ms)
            raise

    def _welcome(self, pdu: p.BindRequest) -> p.Pdu:
        version = VERSION_50 if pdu.interface_version >= VERSION_50 else VERSION_34
        tlvs = {tlv.SC_INTERFACE_VERSION: tlv.uint8(version)}
        return WELCOMES[type(pdu)](self._settings.system_id, tlvs=tlvs)

    def _shut_out(self, link: Link, frame: p.Frame, status: int) -> None:
        link.answer(frame, status=status)
        link.close(f"bind refused: {described(status)}")

    # Questions.

    async def _reply(
        self,
        bind: Bind,
        frame: p.Frame,
        name: str,
        numbers: codes.Numbers,
        work: Coroutine[Any, Any, p.Pdu],
    ) -> None:
        began, response, status = self._loop.time(), None, 0
        try:
            response = await work
        except Refusal as refusal:
            status = codes.status_of(refusal, numbers)
        except StoreUnavailable:
            status = ESME_RSYSERR
        except Exception:
            log.exception("a question failed", client=bind.account.client_id)
            status = ESME_RSYSERR
        bind.link.answer(frame, response, status)
        self._observe(name, status, self._loop.time() - began)

    async def _query(self, bind: Bind, pdu: p.QuerySm) -> p.Pdu:
        client = self._client(bind)
        wire_id = _message_id(pdu.message_id)
        most = client.limits.status_per_minute
        self._services.access.count(client, "query_sm", wire_id.encode(), most, self._clock())
        fate = await self._services.by_id.look(client, wire_id, _sender(pdu.source_addr))
        final = times.written(fate.changed_at, ZoneInfo(client.zone)) if fate.status.final else ""
        state = STATES[codes.STATS[fate.status]]
        return p.QuerySmResp(wire_id, final, state, min(fate.err, ERROR_MAX))

    async def _cancel(self, bind: Bind, pdu: p.CancelSm) -> p.Pdu:
        client = self._client(bind)
        wire_id = _message_id(pdu.message_id)
        phone = parse(pdu.destination_addr) or pdu.destination_addr
        await self._services.by_id.cancel(client, wire_id, _sender(pdu.source_addr), phone)
        return p.CancelSmResp()

    def _client(self, bind: Bind) -> Client:
        client = self._services.client(bind.account.client_id)
        if client is None:
            raise Wrong(ESME_RSYSERR)
        return client

    # What time does.

    async def _watch(self) -> None:
        """Each second: see who may no longer be here, and send parts that wait too long."""
        while True:
            for bind in list(self._binds.values()):
                client = self._services.client(bind.account.client_id)
                if client is None or client.limits.locked or not client.allows(bind.address):
                    bind.link.close("the account may not be bound any more")
            more = await self._sweep()
            await asyncio.sleep(0 if more else SWEEP_S)

    async def _sweep(self) -> bool:
        try:
            if self._loop.time() >= self._tidy_at:
                self._tidy_at = self._loop.time() + TIDY_S
                await self._delivery.tidy()
            return await self._services.parts.sweep(self._submits.compose)
        except StoreUnavailable as reason:
            log.warning("late parts wait: the store is away", reason=str(reason))
        except Exception:
            log.exception("late parts could not be sent")
        return False


def _message_id(text: str) -> str:
    if not text or len(text) > MESSAGE_ID_MAX or not text.isascii() or not text.isprintable():
        raise Wrong(ESME_RINVMSGID)
    return text


def _sender(source_addr: str) -> str:
    return "" if source_addr == "." else source_addr
