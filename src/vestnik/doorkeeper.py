"""Opens the doors that settings and the command line ask for, and closes them again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vestnik import config
from vestnik.domain.client import Client
from vestnik.doors.http import manual, short_links
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.listener import Listener, ListenerSettings
from vestnik.doors.http.private import PrivateDoor
from vestnik.doors.http.server import Door, DoorSettings, Pages
from vestnik.doors.http.services import Services as HttpServices
from vestnik.doors.http.short_links import ShortLinks
from vestnik.doors.smpp.listeners import SmppSettings
from vestnik.doors.smpp.server import SmppDoor
from vestnik.doors.smpp.services import Services as SmppServices
from vestnik.doors.smtp.server import SmtpDoor, SmtpSettings
from vestnik.monitoring import Monitoring
from vestnik.services.incoming.mailboxes import Mailboxes
from vestnik.services.messages.by_id import ById
from vestnik.services.news import Outboxes
from vestnik.services.sending.parts import PartsIn
from vestnik.services.sending.requests import Sending

OFF = "off"


class DoorClosed(OSError):
    """A door cannot be opened where it should be: the words name both."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where each door stands, as host:port or off; None leaves it to the settings."""

    http: str | None = None
    smtp: str | None = OFF
    smpp: str | None = OFF
    smpps: str | None = OFF


@dataclass(frozen=True, slots=True)
class Inside:
    """What the doors lead to."""

    http: HttpServices
    sending: Sending
    parts: PartsIn
    by_id: ById
    outboxes: Outboxes
    mailboxes: Mailboxes
    client: Callable[[int], Client | None]
    monitoring: Monitoring


class Doorkeeper:
    """The open doors of one process; `ports` says where they are."""

    def __init__(self, settings: config.Settings, inside: Inside) -> None:
        self._settings = settings
        self._inside = inside
        self.ports: dict[str, tuple[str, int]] = {}
        self._http: Listener | None = None
        self._private: Listener | None = None
        self._smtp: SmtpDoor | None = None
        self._smpp: SmppDoor | None = None

    async def open(self, doors: Doors) -> None:
        """Raises DoorClosed for a port that is taken, SettingsWrong for what is no address."""
        settings = self._settings
        http = config.address(_chosen(doors.http, settings.http.listen), "[http] listen")
        smtp = config.address(_chosen(doors.smtp, settings.smtp.listen), "[smtp] listen")
        smpp = config.address(_chosen(doors.smpp, settings.smpp.listen), "[smpp] listen")
        smpps = config.address(_chosen(doors.smpps, settings.smpp.tls_listen), "[smpp] tls_listen")
        if http is not None:
            with _named("HTTP", http):
                await self._open_http(http)
        if smtp is not None:
            with _named("SMTP", smtp):
                await self._open_smtp(smtp)
        if smpp is not None or smpps is not None:
            with _named("SMPP", smpp, smpps):
                await self._open_smpp(smpp, smpps)

    async def open_private(self) -> None:
        """The operator's own door, if settings ask for it.  Raises DoorClosed, SettingsWrong."""
        address = config.private_address(self._settings)
        if address is None:
            return
        door = PrivateDoor(self._inside.http, self._inside.monitoring.pages())
        listener = Listener(door, ListenerSettings(host=address[0], port=address[1]))
        with _named("private", address):
            self.ports["private"] = (address[0], await listener.start())
        self._private = listener

    async def close(self, grace_s: float) -> None:
        """Accept nothing more, finish what is asked."""
        if self._smpp is not None:
            await self._smpp.stop(grace_s)
        if self._smtp is not None:
            await self._smtp.stop()
        if self._http is not None:
            await self._http.stop()
        if self._private is not None:
            await self._private.stop()

    async def _open_http(self, address: tuple[str, int]) -> None:
        given = self._settings.http
        door = Door(
            ENDPOINTS,
            self._inside.http,
            settings=DoorSettings(body_max=given.body_max),
            pages=self._pages(),
            below={short_links.PATH: ShortLinks(self._inside.http.numbers.links).page},
            observe=self._inside.monitoring.observe,
        )
        listener = Listener(
            door,
            ListenerSettings(
                host=address[0],
                port=address[1],
                proxies=tuple(_members(given.proxies)),
                certificate=_path(given.tls_cert),
                certificate_key=_path(given.tls_key),
            ),
        )
        self.ports["http"] = (address[0], await listener.start())
        self._http = listener

    def _pages(self) -> Pages:
        """What the HTTP door has besides the API."""
        monitoring = self._inside.monitoring
        private = config.private_address(self._settings) is not None
        own = monitoring.public_pages() if private else monitoring.pages()
        return {**own, **(manual.pages() if self._settings.http.docs else {})}

    async def _open_smtp(self, address: tuple[str, int]) -> None:
        given = self._settings.smtp
        door = SmtpDoor(
            self._inside.http.access,
            self._inside.sending,
            mailboxes=self._inside.mailboxes,
            settings=SmtpSettings(
                host=address[0],
                port=address[1],
                domains=tuple(_members(given.domains)),
                name=given.name,
                certificate=_path(given.tls_cert),
                certificate_key=_path(given.tls_key),
                relay=config.address(given.relay, "[smtp] relay"),
            ),
            observe=self._inside.monitoring.observe,
        )
        self.ports["smtp"] = (address[0], await door.start())
        self._smtp = door

    async def _open_smpp(self, plain: tuple[str, int] | None, tls: tuple[str, int] | None) -> None:
        given, inside = self._settings.smpp, self._inside
        services = SmppServices(
            access=inside.http.access,
            sending=inside.sending,
            parts=inside.parts,
            by_id=inside.by_id,
            outboxes=inside.outboxes,
            client=inside.client,
        )
        door = SmppDoor(
            services,
            SmppSettings(
                listen=plain,
                tls_listen=tls,
                certificate=_path(given.tls_cert),
                certificate_key=_path(given.tls_key),
                system_id=given.system_id,
            ),
            observe=self._inside.monitoring.observe,
        )
        self.ports |= await door.start()
        self._smpp = door


@contextmanager
def _named(door: str, *addresses: tuple[str, int] | None) -> Iterator[None]:
    """Say which door it was that could not be opened."""
    try:
        yield
    except OSError as failure:
        places = " or ".join(f"{place[0]}:{place[1]}" for place in addresses if place)
        words = f"the {door} door cannot be opened at {places}: {failure.strerror or failure}"
        raise DoorClosed(words) from failure


def _chosen(asked: str | None, configured: str) -> str:
    return configured if asked is None else asked


def _members(joined: str) -> list[str]:
    return [member.strip() for member in joined.split(",") if member.strip()]


def _path(text: str) -> Path | None:
    return Path(text) if text else None
