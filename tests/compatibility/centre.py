"""The whole centre with one account, for dialogues: real services, the `virtual` carrier."""

import contextlib

from tests.migrated import new_store

from vestnik import config
from vestnik.domain.money import parse_money
from vestnik.doorkeeper import Doors
from vestnik.main import Centre
from vestnik.services.clients import clients
from vestnik.services.clients.access import hash_password


@contextlib.asynccontextmanager
async def running(folder):
    """The port of a fresh centre, and an API key of alex, who has the password 123, 100.00 and an
    electronic balance of 5.00."""
    new_store(folder)
    settings = config.load(folder, None, {"VESTNIK_ACCESS__WRONG_REQUESTS": "0"})
    centre = Centre(settings, folder)
    await centre.start(Doors(http="127.0.0.1:0"))
    try:
        now = centre.store.now()
        alex = clients.New("alex", hash_password("123"), balance=parse_money("100"))
        await centre.store.write(clients.add, alex, centre.road.ids, now)
        electronic = ("alex", parse_money("5"), "", centre.road.ids, now, 1)
        await centre.store.write(clients.top_up, *electronic)
        key = await centre.store.write(clients.add_key, "alex", "", now)
        await centre.current.refresh()
        yield centre.ports["http"][1], key
    finally:
        await centre.stop()
