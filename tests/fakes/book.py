"""A door with real address books behind it, over a real store."""

import dataclasses
from urllib.parse import quote

from tests.doors.http.standins import SECRET, Centre

from vestnik.domain.client import Client, Limits
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.server import Door
from vestnik.services.clients.access import key_hash
from vestnik.services.contacts.books import Contacts

BOB_KEY = "a-key-of-bob"
MINUTE = 60_000
FREE = Limits(identical_per_minute=0)


class Book(Centre):
    """A centre that has contacts; alex is its client 1, and bob its client 2."""

    def over(self, store, language="ru"):
        self.store, self.changes = store, 0
        self.clients.clients[2] = Client(2, "bob", limits=self.limits)
        self.clients.keys[key_hash(SECRET, BOB_KEY)] = 2

        async def changed():
            self.changes += 1

        self.contacts = Contacts(store, lambda: self.clients.clients, changed, language)
        services = dataclasses.replace(self.services, contacts=self.contacts)
        self.door = Door(ENDPOINTS, services, clock=lambda: self.now)
        return self

    async def phones(self, query, **more):
        return await self._asked("phones", query, **more)

    async def mails(self, query, **more):
        return await self._asked("mails", query, **more)

    async def _asked(self, name, query, charset="utf-8", who="login=alex&psw=123"):
        query = quote(query, safe="=&%+,|", encoding=charset)
        answer = await self.ask(f"/sys/{name}.php?{who}&charset={charset}&{query}")
        return answer.body.decode(charset)
