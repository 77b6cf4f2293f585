"""A door over a real store and its directory: alex is a main account, boris another."""

import dataclasses
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tests.doors.http.standins import PASSWORD, Centre
from tests.fakes.history import NOON

from vestnik.domain.ids import Ids
from vestnik.domain.money import parse_money
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.server import Door
from vestnik.services.centre import directory, setup
from vestnik.services.clients import clients
from vestnik.services.clients.access import Access, AccessSettings
from vestnik.services.clients.subclients import Subclients
from vestnik.services.history.statistics import Statistics
from vestnik.services.money.billing import Billing
from vestnik.store import ledger

MOSCOW = ZoneInfo("Europe/Moscow")
GOOD = "Good-word-1"  # a password that users.php takes


class Reseller(Centre):
    """A centre of main accounts and subclients; it is noon of 15 June 2025."""

    async def over(self, store):
        await setup.prepare(store)
        self.store, self.ids, self.now = store, Ids(0), NOON
        self.current = directory.Current(store)
        for login in ("alex", "boris"):
            new = clients.New(login, PASSWORD, balance=parse_money("100"))
            await store.write(clients.add, new, self.ids, self.now)
        await self.current.refresh()
        self.start()
        return self

    def start(self):
        """As after a restart: nothing in memory is left."""
        current = self.current.current
        settings = AccessSettings(wrong_requests=0)
        services = dataclasses.replace(
            self.services,
            access=Access(current, settings, self.current.value.key_secret),
            billing=Billing(self.store, current),
            subclients=Subclients(self.store, self.current.refresh, self.ids),
            statistics=Statistics(self.store, current, MOSCOW),
        )
        self.door = Door(ENDPOINTS, services, clock=lambda: self.now)

    async def users(self, query, login="alex", psw="123", headers=()):
        """What users.php answers, in text."""
        target = f"/sys/users.php?login={login}&psw={psw}&charset=utf-8&{query}"
        answer = await self.ask(quote(target, safe="/?&=%,+-.:"), headers=headers)
        assert answer.status == 200, answer.body
        return answer.body.decode()

    async def get(self, query, login="alex", psw="123"):
        target = f"/sys/get.php?login={login}&psw={psw}&charset=utf-8&{query}"
        return (await self.ask(target)).body.decode()

    async def subclient(self, login="shop", main="alex", **changes):
        """A subclient with the usual password, made by its main account's side door."""
        store = self.store
        new = clients.New(login, PASSWORD, parent=main)
        made = await store.write(clients.add, new, self.ids, self.now)
        await self.set(login, **changes)
        return made.id

    async def set(self, login, **changes):
        written = {name: str(value) for name, value in changes.items()}
        await self.store.write(clients.change, login, written, self.ids, self.now)
        await self.current.refresh()

    def client(self, login):
        """An account as the directory has it."""
        value = self.current.value
        return value.clients[value.by_login[login]]

    async def profile(self, login):
        return await self.store.read(clients.profile, self.client(login).id)

    async def money(self, login, purse=0):
        """What stands on an account."""
        found = await self.store.read(ledger.account, self.client(login).id, purse)
        return found.posted
