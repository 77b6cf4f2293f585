"""A door with real history and tasks behind it, over a real store."""

import dataclasses

from tests.doors.http.standins import Centre
from tests.fakes.history import NOON

from vestnik.domain.numbering import Numbering, Row
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.server import Door
from vestnik.services.history.listing import History
from vestnik.services.history.task_files import files_of
from vestnik.services.history.tasks import Tasks
from vestnik.workers.tasks import Exports, Settings

PLAN = Numbering(
    [
        Row("7916", "7916", "Россия", "МТС", "г.Москва", "25001"),
        Row("7920", "7920", "Россия", "МегаФон", "", "25002"),
    ]
)
MINUTE = 60_000


@dataclasses.dataclass
class Directory:
    clients: dict
    numbering: Numbering = PLAN


class Archive(Centre):
    """A centre that remembers; alex is its client 1, and it is noon."""

    def over(self, store, url, data):
        directory = Directory(self.clients.clients)
        files = files_of(store, data)
        self.store, self.rung = store, []
        services = dataclasses.replace(
            self.services,
            history=History(store, lambda: directory),
            tasks=Tasks(store, files, lambda: self.rung.append(1)),
        )
        self.exports = Exports(
            store, files, lambda: directory, Settings(url, data), ring=lambda: None
        )
        self.door = Door(ENDPOINTS, services, clock=lambda: self.now)
        self.now = NOON
        return self

    async def get(self, query, **more):
        return await self._asked("get", query, **more)

    async def downloads(self, query, **more):
        return await self._asked("downloads", query, **more)

    async def _asked(self, name, query, charset="utf-8"):
        answer = await self.ask(f"/sys/{name}.php?login=alex&psw=123&charset={charset}&{query}")
        return answer.body.decode(charset)

    async def a_minute_later(self):
        self.now += MINUTE
