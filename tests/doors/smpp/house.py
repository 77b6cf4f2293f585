"""A whole centre in this process with its SMPP door open, and clients that bind to it."""

import asyncio
from contextlib import asynccontextmanager, suppress

import sqlalchemy as sa
from tests.migrated import new_store

from vestnik import config
from vestnik.domain.money import parse_money
from vestnik.doorkeeper import Doors
from vestnik.doors.smpp.listeners import SmppSettings
from vestnik.doors.smpp.server import SmppDoor
from vestnik.doors.smpp.services import Services
from vestnik.main import Centre
from vestnik.net.smpp import Link
from vestnik.services.centre import check
from vestnik.services.clients import clients
from vestnik.services.clients.access import hash_password
from vestnik.services.messages.by_id import ById
from vestnik.services.sending.parts import PartsIn
from vestnik.store.statement import Statement
from vestnik.wire.smpp import pdu as p
from vestnik.wire.smpp.states import Side

LOGIN, PASSWORD = "alex", "secret-1"
SECRET = hash_password(PASSWORD)
PHONE, OTHER = "79161234567", "79161234568"
SOON_S = 45.0
GRACE_S = 5.0


class House:
    """The centre with its door: what a test does to it besides binding."""

    def __init__(self, centre, settings):
        self.centre = centre
        send = centre.assembly.services.sending.send
        self.parts = PartsIn(centre.store, lambda: centre.road.setting().new_id(), send)
        self.services = Services(
            access=centre.assembly.services.access,
            sending=centre.assembly.services.sending,
            parts=self.parts,
            by_id=ById(centre.store, centre.road.setting),
            outboxes=centre.road.outboxes,
            client=self.client,
        )
        self.door = SmppDoor(self.services, settings)
        self.ports = {}

    def client(self, client_id):
        """A client as it is now."""
        return self.centre.current.value.clients.get(client_id)

    @property
    def port(self):
        return self.ports["smpp"][1]

    async def add(self, login, balance="100", **limits):
        """A client with the usual password."""
        store, ids = self.centre.store, self.centre.road.ids
        new = clients.New(login, SECRET, balance=parse_money(balance))
        await store.write(clients.add, new, ids, store.now())
        await self.limit(login, **limits)

    async def limit(self, login=LOGIN, **limits):
        store, ids = self.centre.store, self.centre.road.ids
        written = {name: str(value) for name, value in limits.items()}
        await store.write(clients.change, login, written, ids, store.now())
        await self.centre.current.refresh()

    async def rows(self, sql):
        """What is in the store."""

        async def read(tx):
            return await tx.all(Statement(sa.text(sql)))

        return [tuple(row) for row in await self.centre.store.read(read)]

    async def messages(self):
        """What was accepted: (phone, sender, text, type, status, err)."""
        return await self.rows(
            "SELECT phone, sender, text, type, status, err FROM messages ORDER BY id"
        )

    async def violations(self):
        known = check.Circumstances(
            now_ms=self.centre.store.now(), today=0, windows={}, serving=True
        )
        return await self.centre.store.read(check.violations, known)


@asynccontextmanager
async def open_house(folder, url="", settings=None, **limits):
    """A fresh centre with a client alex who has 100.00, and its door."""
    if not url:
        new_store(folder)
    environment = {"VESTNIK_STORE__URL": url}
    centre = Centre(config.load(folder, None, environment), folder)
    await centre.start(Doors(http="off"))
    house = House(centre, settings or SmppSettings(listen=("127.0.0.1", 0)))
    try:
        await house.add(LOGIN, **limits)
        house.ports = await house.door.start()
        try:
            yield house
        finally:
            await house.door.stop(GRACE_S)
    finally:
        await centre.stop()


class Esme:
    """A client's program: it binds, submits, and keeps what it hears."""

    def __init__(self):
        self.link = Link(Side.ESME, on_request=self._hear, on_lost=self._gone)
        self.heard = []  # every deliver_sm
        self.lost = asyncio.get_running_loop().create_future()
        self.answers = {}  # status to answer a deliver_sm with, by its place
        self.silent = False
        self._changed = asyncio.Event()

    def _hear(self, link, frame):
        self.heard.append(frame.pdu)
        if not self.silent:
            link.answer(frame, status=self.answers.get(len(self.heard) - 1, 0))
        self._changed.set()

    def _gone(self, link, reason):
        if not self.lost.done():
            self.lost.set_result(reason)
        self._changed.set()

    async def submit(self, text=b"Hello", phone=PHONE, **fields):
        """The answer to a submit_sm: a frame."""
        return await self.ask(submit(text, phone, **fields))

    async def ask(self, pdu):
        async with asyncio.timeout(SOON_S):
            return await self.link.ask(pdu)

    async def hears(self, count):
        """Wait for so many deliver_sm."""
        async with asyncio.timeout(SOON_S):
            while len(self.heard) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.heard


def submit(text=b"Hello", phone=PHONE, **fields):
    octets = text.encode("ascii") if isinstance(text, str) else text
    given = {"source_addr": "Shop", "destination_addr": phone, "short_message": octets}
    return p.SubmitSm(**(given | fields))


async def reach(house, port=None, tls=None, address="127.0.0.1"):
    """A client that is connected from an address, and not bound."""
    esme = Esme()
    loop = asyncio.get_running_loop()
    name = "127.0.0.1" if tls else None
    await loop.create_connection(
        lambda: esme.link,
        "127.0.0.1",
        port or house.port,
        ssl=tls,
        server_hostname=name,
        local_addr=(address, 0),
    )
    return esme


async def bind(
    house,
    login=LOGIN,
    password=PASSWORD,
    kind=p.BindTransceiver,
    address="127.0.0.1",
    **fields,
):
    """A bound client; fails when the bind is refused."""
    esme = await reach(house, address=address)
    frame = await esme.ask(kind(login, password, **{"interface_version": 0x34, **fields}))
    assert frame.status == 0, hex(frame.status)
    return esme


class Wire:
    """A connection without a session: what no program of ours would send."""

    def __init__(self, reader, writer):
        self._reader, self.writer = reader, writer
        self.frames = []  # every PDU that came

    async def send(self, *pieces):
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def hears(self, count):
        """The PDUs, once so many have come; fewer if the door hangs up."""
        buffer = bytearray()
        async with asyncio.timeout(SOON_S):
            while len(self.frames) < count:
                piece = await self._reader.read(1)
                if not piece:
                    break
                buffer += piece
                if (frame := p.decode(buffer)) is not None:
                    self.frames.append(frame)
        return self.frames

    async def ends(self):
        """Every PDU until the door hangs up."""
        return await self.hears(1 << 30)

    async def asks(self, octets):
        """The answer to a PDU when nothing else is under way."""
        await self.send(octets)
        return (await self.hears(len(self.frames) + 1))[-1]


@asynccontextmanager
async def wire(house):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
