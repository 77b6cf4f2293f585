"""Keeps one bind of a carrier up: connect, bind, wait until it falls, wait a little, again."""

import asyncio
import random
import ssl

import structlog

from vestnik.channels.smpp_settings import SmppSettings
from vestnik.net import smpp as net
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.command_status import described
from vestnik.wire.smpp.session import Limits, Turned
from vestnik.wire.smpp.states import BINDS, Side

# More deliver_sm than this waiting for our store, and the carrier is told to slow down.
HEARING_MAX = 1000


class BindRefused(Exception):
    """The carrier does not let us in."""


class Bind:
    """One place in the carrier's list of binds, of one kind."""

    def __init__(
        self,
        settings: SmppSettings,
        kind: type[p.BindRequest],
        on_request: net.Heard,
        log: "structlog.typing.FilteringBoundLogger",
    ) -> None:
        self.sends = kind is not p.BindReceiver
        self.problem = "not yet connected"
        self._settings = settings
        self._kind = kind
        self._on_request = on_request
        self._log = log.bind(bind=BINDS[kind].name)
        self._link: net.Link | None = None

    @property
    def link(self) -> net.Link | None:
        """The link, while it is bound."""
        link = self._link
        return link if link is not None and link.bound else None

    async def keep(self) -> None:
        """Keep it up until cancelled."""
        loop = asyncio.get_running_loop()
        pause_s = self._settings.reconnect_min_s
        while True:
            began = loop.time()
            try:
                link = await self._bound()
            except (OSError, BindRefused, net.LinkLost, net.NoAnswer, ValueError) as reason:
                self.problem = _words(reason)
                if self._link is not None:
                    self._link.close(self.problem)
            else:
                self._log.info("bound", peer=link.peer)
                await link.wait_closed()
                self.problem = link.lost_because
            if loop.time() - began > self._settings.reconnect_max_s:
                pause_s = self._settings.reconnect_min_s
            wait_s = pause_s * random.uniform(0.5, 1.0)
            self._log.warning("bind is down", reason=self.problem, retry_s=round(wait_s, 1))
            await asyncio.sleep(wait_s)
            pause_s = min(2 * pause_s, self._settings.reconnect_max_s)

    async def leave(self, timeout_s: float) -> None:
        """Unbind and disconnect."""
        if self._link is not None:
            await self._link.unbind(timeout_s)

    async def _bound(self) -> net.Link:
        settings = self._settings
        link = await net.connect(
            settings.host,
            settings.port,
            self._make_link,
            tls=_tls(settings),
            timeout_s=settings.connect_timeout_s,
        )
        self._link = link
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                answer = await link.ask(self._request())
        except TimeoutError:
            raise BindRefused("no answer to the bind") from None
        if answer.status or isinstance(answer.pdu, p.GenericNack):
            raise BindRefused(f"bind refused: {described(answer.status)}")
        return link

    def _make_link(self) -> net.Link:
        settings = self._settings
        limits = Limits(
            response_s=settings.response_timeout_s,
            enquire_s=settings.enquire_link_s,
            bind_s=0.0,
            owed_max=HEARING_MAX,
        )
        return net.Link(Side.ESME, limits, on_request=self._on_request, on_notice=self._notice)

    def _request(self) -> p.Pdu:
        settings = self._settings
        return self._kind(
            settings.system_id,
            settings.password,
            settings.system_type,
            settings.interface_version,
            0,
            0,
            settings.address_range,
        )

    def _notice(self, link: net.Link, what: net.Odd) -> None:
        if isinstance(what, Turned):
            self._log.warning("odd PDU refused", command=hex(what.command_id), reason=what.reason)
        else:
            kind = type(what.frame.pdu).__name__
            self._log.info("answer that nobody waits for", pdu=kind, sequence=what.frame.sequence)


def _words(reason: Exception) -> str:
    match reason:
        case ConnectionRefusedError():
            return "connection refused"
        case TimeoutError():
            return "no connection in time"
        case _:
            return str(reason) or type(reason).__name__


def _tls(settings: SmppSettings) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    context = ssl.create_default_context(cafile=settings.tls_ca or None)
    if not settings.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
