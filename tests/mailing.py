"""A house that sends mailings: what a client orders, and the worker that makes their messages."""

from types import SimpleNamespace

from tests.building import NOW, House

from vestnik.domain.contact import Book, Given
from vestnik.domain.lists import ListLine, list_lines
from vestnik.domain.message import Kind
from vestnik.domain.schedule import MOSCOW
from vestnik.services.contacts.books import Contacts, Entry
from vestnik.services.mailings.jobs import Jobs, NewMailing
from vestnik.services.mailings.runs import Runs
from vestnik.store import mailing_runs, mailings, schema
from vestnik.store.mailings import State
from vestnik.workers.mailings import Mailings

__all__ = ["NOW", "Press", "State"]


class _Dispatchers:
    """Nobody sends; it is remembered who was told to look."""

    def __init__(self):
        self.looked = []

    def get(self, carrier_id):
        return SimpleNamespace(look=lambda: self.looked.append(carrier_id))


class Press(House):
    """A house with mailings."""

    def __init__(self, store):
        super().__init__(store)
        self.rung = 0
        self.dispatchers = _Dispatchers()
        self.runs = Runs(self.store, self.setting, self.ids, MOSCOW)
        self.worker = Mailings(self.store, self.ids, self.setting, self.dispatchers, self.runs)
        self.jobs = Jobs(self.store, self.directory, self.ids, self.ring)
        self.contacts = Contacts(self.store, lambda: self.clients, self._nothing)
        self._orders = 0

    async def _nothing(self):
        pass

    def ring(self):
        self.rung += 1

    def new(self, phones="", text="Hello", listed=None, **fields):
        """An order of a mailing; `listed` are the lines of a list."""
        self._orders += 1
        given = {
            "name": "News",
            "kind": Kind.SMS,
            "now_ms": self.now,
            "digest": self._orders.to_bytes(16),
        }
        if listed is not None:
            lines = {"lines": list_lines(listed), "listed": True}
        else:
            lines = {"lines": [ListLine(phones, text)], "text": text}
        return NewMailing(**(given | lines | fields))

    async def ordered(self, phones="", text="Hello", client=1, **fields):
        """The id of a mailing that is ordered."""
        new = self.new(phones, text, **fields)
        return (await self.jobs.add(self.clients[client], new)).wire_id

    async def group(self, num, *members, client=1, book=Book.PHONES):
        """A group of contacts, each a number, or a number and what is known of who has it."""
        owner = self.clients[client]
        group_id = await self.contacts.add_group(owner, book, f"group {num}", num)
        for member in members:
            phone, known = (member, {}) if isinstance(member, str) else member
            entry = Entry((phone,), Given(name="", **known), (group_id,))
            await self.contacts.add(owner, book, entry)
        return group_id

    async def mailing(self, wire_id, client=1, mail=False):
        return await self.store.read(mailings.find, client, wire_id, mail=mail)

    async def progress(self, wire_id, client=1):
        """Of each run: made, waiting, sent, delivered, failed, cost."""
        mailing = await self.mailing(wire_id, client)
        rows = await self.store.read(mailing_runs.of_mailing, client, mailing.id)
        return [tuple(row[2:]) for row in rows]

    async def work(self, rounds=50):
        """Have the worker do what there is to do now."""
        for _ in range(rounds):
            if not await self.worker.run_once():
                return
        raise AssertionError("the worker comes to no end")

    async def deliver(self, carrier=1):
        """Everything that is due leaves and is delivered; how many that were."""
        flights = await self.take(carrier)
        for flight in flights:
            for part in range(1, flight.message.parts + 1):
                await self.report(f"ref-{flight.message.phone}-{part}", carrier=carrier)
        return len(flights)

    async def chunks(self):
        return await self.rows(schema.mailing_chunks)
