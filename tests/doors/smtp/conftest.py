"""The SMTP door over a real centre, on the loop that `serve` runs on."""

import asyncio
import contextlib
import smtplib
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa
from tests.migrated import new_store

from vestnik import config
from vestnik.domain.money import parse_money
from vestnik.doorkeeper import Doors
from vestnik.doors.smtp.server import SmtpDoor, SmtpSettings
from vestnik.main import Centre
from vestnik.services.clients import clients
from vestnik.services.clients.access import hash_password
from vestnik.services.incoming.mailboxes import Mailboxes
from vestnik.store import schema
from vestnik.store.statement import Statement

_messages, _texts = schema.messages.c, schema.texts.c
_ROWS = Statement(
    sa.select(
        _messages.phone,
        sa.func.coalesce(_messages.text, _texts.text),
        _messages.sender,
        _messages.type,
    )
    .select_from(
        schema.messages.outerjoin(
            schema.texts,
            (_texts.client_id == _messages.client_id) & (_texts.id == _messages.text_id),
        )
    )
    .order_by(_messages.id)
)
_OPTIONS = Statement(sa.select(_messages.options))

FAR_S = 45.0


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio", {"use_uvloop": True}


def letter(command, headers="Content-Type: text/plain; charset=utf-8", charset="utf-8"):
    """A letter as the official libraries write it."""
    return f"{headers}\r\n\r\n".encode("ascii") + command.encode(charset) + b"\r\n"


@dataclass
class Post:
    """A centre with an SMTP door, and mail programs that speak to it."""

    centre: Centre
    door: SmtpDoor
    port: int
    key: str

    async def told(self, octets, sender="shop@client.example", to="send@centre.example"):
        """The reply to a letter: its code and its line."""
        return await asyncio.to_thread(self._told, octets, sender, to)

    def _told(self, octets, sender, to):
        mailer = smtplib.SMTP("127.0.0.1", self.port, timeout=FAR_S)
        try:
            mailer.ehlo()
            for code, line in (mailer.mail(sender), mailer.rcpt(to)):
                if code != 250:
                    return code, line.decode()
            code, line = mailer.data(octets)
            return code, line.decode()
        finally:
            mailer.close()

    async def rows(self):
        """Phone, text, sender and type of what is on record, in order."""

        async def read(tx):
            return await tx.all(_ROWS)

        return [tuple(row) for row in await self.centre.store.read(read)]

    async def options(self):
        """What the only message holds for its channel."""

        async def read(tx):
            return await tx.all(_OPTIONS)

        [(options,)] = await self.centre.store.read(read)
        return options

    async def limit(self, **limits):
        """Change limits of the account."""
        store = self.centre.store
        changes = {name: str(value) for name, value in limits.items()}
        await store.write(clients.change, "alex", changes, self.centre.road.ids, store.now())
        await self.centre.current.refresh()


@contextlib.asynccontextmanager
async def posting(folder, wrong_requests=0, **settings):
    """A centre with one account: alex, whose password is 123, with 100.00."""
    new_store(folder)
    found = config.load(folder, None, {"VESTNIK_ACCESS__WRONG_REQUESTS": str(wrong_requests)})
    centre = Centre(found, folder)
    await centre.start(Doors(http="off"))
    try:
        now = centre.store.now()
        alex = clients.New("alex", hash_password("123"), balance=parse_money("100"))
        await centre.store.write(clients.add, alex, centre.road.ids, now)
        key = await centre.store.write(clients.add_key, "alex", "", now)
        await centre.current.refresh()
        services = centre.assembly.services
        mailboxes = Mailboxes(centre.current.current)
        found = replace(SmtpSettings(), **settings)
        door = SmtpDoor(services.access, services.sending, mailboxes, found)
        port = await door.start()
        try:
            yield Post(centre, door, port, key)
        finally:
            await door.stop()
    finally:
        await centre.stop()


@pytest.fixture
async def post(tmp_path):
    async with posting(tmp_path) as found:
        yield found
