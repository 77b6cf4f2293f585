"""Services that remember what they were asked and answer what a test put in."""

import asyncio
from dataclasses import dataclass, field

from vestnik.domain.client import Client, Limits
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.server import Door
from vestnik.doors.http.services import Services
from vestnik.services.clients.access import Access, AccessSettings, hash_password, key_hash
from vestnik.services.messages.draft import Accepted, Fate

SECRET = b"a secret of this test only"
PASSWORD = hash_password("123")
KEY = "a-key-of-alex"
NOON = 1_800_000_000_000


@dataclass
class Clients:
    """A directory of clients."""

    clients: dict
    by_login: dict
    secrets: dict
    keys: dict


def clients(limits=None, **settings):
    alex = Client(1, "alex", limits=limits or Limits(), **settings)
    return Clients(
        clients={1: alex},
        by_login={"alex": 1},
        secrets={1: (PASSWORD,)},
        keys={key_hash(SECRET, KEY): 1},
    )


@dataclass
class Statement:
    available: int = 1_871_620_000
    currency: str = "RUB"
    credit: int = 0


class Billing:
    def __init__(self):
        self.answer = Statement()

    async def statement(self, client):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Sending:
    def __init__(self):
        self.orders = []
        self.lines = []
        self.answer = Accepted("33", 1, 1_400_000, 100_500_000, [FINE])

    async def send(self, order):
        self.orders.append(order)
        self.lines = list(order.lines)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    price = send


FINE = Fate("79990000001", "25001", 1_400_000, None, 0)
REFUSED = Fate("79990000002", "", 0, 25, 248)


@dataclass
class Found:
    status: int = 1
    err: int = 0
    changed_at: int = 1_495_823_972_000
    sent_at: int = 1_495_823_967_000
    flag: int = 0
    kind: int = 0
    phone: str = "79990000001"
    cost: int = 1_200_000
    sender: str = "SHOP"
    text: str = "test"
    comment: str = ""
    country: str = "Россия"
    operator: str = "МегаФон"
    region: str = "г.Москва"
    operator_orig: str = ""
    mccmnc: str = "25002"
    parts: int = 1
    wire_id: str = "1"
    hlr: dict | None = None


class Statuses:
    def __init__(self):
        self.found = {}
        self.asked = []
        self.deleted = []
        self.refusal = None

    async def look(self, client, pairs, full):
        self.asked.append((pairs, full))
        return [self.found.get(pair) for pair in pairs]

    async def delete(self, client, pairs):
        if self.refusal:
            raise self.refusal
        self.deleted.append(pairs)


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def content_type(self):
        return self.headers["content-type"]


@dataclass
class Centre:
    """A door with stand-ins behind it, and a client that talks to it without a socket."""

    limits: Limits = field(default_factory=Limits)
    settings: AccessSettings = field(default_factory=lambda: AccessSettings(wrong_requests=0))
    door_options: dict = field(default_factory=dict)

    def __post_init__(self):
        self.now = NOON
        self.sending, self.billing, self.status = Sending(), Billing(), Statuses()
        self.clients = clients(self.limits)
        self.access = Access(lambda: self.clients, self.settings, SECRET)
        self.services = Services(
            self.access,
            self.sending,
            self.billing,
            self.status,
            history=None,
            tasks=None,
            jobs=None,
            contacts=None,
            subclients=None,
            statistics=None,
            numbers=None,
            paperwork=None,
        )
        endpoints = self.door_options.pop("endpoints", ENDPOINTS)
        self.door = Door(endpoints, self.services, clock=lambda: self.now, **self.door_options)

    async def ask(self, target, body=None, content_type="", method="", headers=(), pieces=None):
        return await asked(self.door, target, body, content_type, method, headers, pieces)

    async def body(self, target, body=None, content_type=""):
        return (await self.ask(target, body, content_type)).body


async def asked(door, target, body=None, content_type="", method="", headers=(), pieces=None):
    """What a door answers to a request, without a socket between."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method or ("GET" if body is None and pieces is None else "POST"),
        "path": path,
        "query_string": query.encode("latin-1"),
        "headers": [(b"content-type", content_type.encode()), *headers],
        "client": ("203.0.113.7", 4711),
    }
    incoming = list(pieces) if pieces is not None else [_last(body or b"")]
    sent = []

    async def receive():
        if not incoming:  # the client is silent
            await asyncio.Event().wait()
        return incoming.pop(0)

    async def send(message):
        sent.append(message)

    await door(scope, receive, send)
    if not sent:
        return None
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    octets = b"".join(message["body"] for message in sent[1:])
    return Answer(sent[0]["status"], headers, octets)


def _last(octets):
    return {"type": "http.request", "body": octets, "more_body": False}
