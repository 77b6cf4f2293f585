"""A small centre behind the real door: it numbers, prices and remembers, and sends nothing."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime

from tests.doors.http.standins import KEY, SECRET, Found, Statement, clients

from vestnik.domain import number
from vestnik.domain.client import Limits
from vestnik.domain.refusals import BadNumber, Duplicate, NotPossible
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.listener import Listener, ListenerSettings
from vestnik.doors.http.server import Door
from vestnik.doors.http.services import Services
from vestnik.services.access import Access, AccessSettings
from vestnik.services.draft import Accepted, Fate
from vestnik.wire.sms import segments

WHOLE = 1_000_000


class Account:
    """One account with 100.00, where each part of a message costs 1.00."""

    def __init__(self):
        self.available = 100 * WHOLE
        self.ids = 0
        self.seen = set()
        self.messages = {}

    async def statement(self, client):
        return Statement(self.available, "RUB", 0)

    async def price(self, order):
        fates = [self._fate(phone, line) for line in order.lines for phone in _phones(line)]
        return Accepted("", _parts(fates), sum(fate.cost for fate in fates), None, fates)

    async def send(self, order):
        if order.params_digest in self.seen:
            raise Duplicate
        self.seen.add(order.params_digest)
        priced = await self.price(order)
        self.ids += not order.wire_id
        wire_id = order.wire_id or str(self.ids)
        if len(priced.recipients) == 1 and priced.recipients[0].status:
            raise BadNumber(message_id=wire_id)
        self.available -= priced.cost
        for fate in priced.recipients:
            self.messages[wire_id, fate.phone] = Found(phone=fate.phone, cost=fate.cost)
        return replace(priced, wire_id=wire_id, balance=self.available)

    def _fate(self, phone, line):
        msisdn = number.parse(phone)
        if msisdn is None or not number.plausible(msisdn):
            return Fate(phone, "", 0, 22, 249)
        return Fate(msisdn, "25001", segments.count(line.text) * WHOLE, None, 0)

    async def look(self, client, pairs, full):
        return [self.messages.get(pair) for pair in pairs]

    async def delete(self, client, pairs):
        for pair in pairs:
            if self.messages.pop(pair, None) is None:
                raise NotPossible


def _phones(line):
    return number.split_phones(line.phones)


def _parts(fates):
    return sum(fate.cost for fate in fates) // WHOLE


@contextlib.asynccontextmanager
async def running(folder):
    """The port of a fresh centre where alex has the password 123, and alex's API key."""
    directory = clients(Limits(status_mass_per_minute=0))
    access = Access(lambda: directory, AccessSettings(wrong_requests=0), SECRET)
    account = Account()
    door = Door(
        ENDPOINTS,
        Services(access=access, sending=account, billing=account, status=account),
        clock=lambda: int(datetime.now(UTC).timestamp() * 1000),
    )
    listener = Listener(door, ListenerSettings())
    yield await listener.start(), KEY
    await listener.stop()
