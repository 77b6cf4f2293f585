"""A door over a real store with sender names, templates and papers behind it; it remembers the
orders that codes are sent by."""

import dataclasses
from urllib.parse import quote

from tests.doors.http.standins import FINE
from tests.fakes.reseller import MOSCOW, Reseller

from vestnik.services.centre import directory
from vestnik.services.messages.draft import Accepted
from vestnik.services.paperwork import Paperwork


class Desk(Reseller):
    """A reseller's centre; with `registration` the operator approves names and texts."""

    async def over(self, store, *, registration=False, language="ru"):
        await super().over(store)
        self.current = directory.Current(store, registration=registration)
        await self.current.refresh()
        self.orders, self.refusal = [], None
        self.paperwork = Paperwork(
            store,
            self.current,
            self.send,
            registration=registration,
            language=language,
            zone=MOSCOW,
        )
        self.services = dataclasses.replace(self.services, paperwork=self.paperwork)
        self.start()
        return self

    async def send(self, order):
        """Take a code to its number, or refuse as the test says."""
        self.orders.append(order)
        if self.refusal is not None:
            raise self.refusal
        return Accepted("1", 1, 0, None, [FINE])

    def texts(self):
        """What was sent, number by number."""
        return [(line.phones, line.text) for order in self.orders for line in order.lines]

    def code(self):
        """The code of the last message."""
        return self.texts()[-1][1].rsplit(maxsplit=1)[-1]

    async def say(self, name, query, login="alex", charset="utf-8", **more):
        """What an address answers, in text."""
        target = f"/sys/{name}.php?login={login}&psw=123&charset={charset}&{query}"
        target = quote(target, safe="/?&=%,+-.:", encoding=charset)
        answer = await self.ask(target, **more)
        assert answer.status == 200, answer.body
        return answer.body.decode(charset)
