"""A door with the services of numbers behind it, over a house of tests/building.py."""

import dataclasses
import json

from tests.building import House
from tests.doors.http.standins import Centre

from vestnik.domain.numbering import Numbering, Row
from vestnik.domain.schedule import MOSCOW
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.server import Door
from vestnik.doors.http.short_links import PATH, ShortLinks
from vestnik.services.numbers import numbers

PLAN = Numbering(
    [
        Row("7916", "7916", "Россия", "МТС", "г.Москва, область", "25001", "Europe/Moscow"),
        Row("7920", "7920", "Россия", "МегаФон", "", "25002", "Europe/Moscow"),
        Row("1", "1", "США", "", "", "", "America/New_York"),
        Row("91", "91", "Индия", "", "", "", "Asia/Kolkata"),
    ]
)
MINUTE = 60_000


class Desk(Centre):
    """alex is client 1 of the house; its clock is that of the door."""

    async def over(self, store):
        self.house = House(store)
        await self.house.client(1, limits=dataclasses.asdict(self.limits))
        self.plan = PLAN
        self.numbers = numbers(
            self.house.store, self.directory, self.house.setting, self.sending, MOSCOW
        )
        self.services = dataclasses.replace(self.services, numbers=self.numbers)
        self.door = Door(
            ENDPOINTS,
            self.services,
            clock=lambda: self.house.now,
            below={PATH: ShortLinks(self.numbers.links).page},
        )
        return self

    def directory(self):
        return dataclasses.replace(self.house.directory(), numbering=self.plan)

    async def told(self, name, query, fmt=0, charset="utf-8"):
        """The text of an answer."""
        target = f"/sys/{name}.php?login=alex&psw=123&charset={charset}&fmt={fmt}&{query}"
        return (await self.ask(target)).body.decode(charset)

    async def json(self, name, query):
        return json.loads(await self.told(name, query, fmt=3))

    def a_minute_later(self):
        self.house.later(MINUTE)
