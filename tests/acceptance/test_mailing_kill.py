"""kill -9 while a mailing is made, and while it is stopped: nobody is lost, nobody is doubled."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.serving import Centre, until

pytestmark = pytest.mark.anyio

RECIPIENTS = 20_000
MADE, STOPPED = "SELECT count(*) FROM messages", "SELECT count(*) FROM messages WHERE status = -2"


async def killed_at(centre, counted, *counts):
    """Kill and start again when so many are counted, before all are."""
    for count in counts:

        async def done(count=count):
            return await centre.value(counted) >= count

        await until(done, 120)
        await centre.kill()

        assert await centre.value(counted) < RECIPIENTS, "the kill met nothing that was going on"
        await centre.start()


async def all_are(centre, counted):
    async def done():
        return await centre.value(counted) == RECIPIENTS

    await until(done, 120)


def closed_now():
    """Hours of the day that begin in two hours: nothing leaves meanwhile."""
    opens = datetime.now(UTC) + timedelta(hours=3 + 2)  # by Moscow's clock
    return f"hours={opens.hour}-{(opens.hour + 1) % 24 or 24}"


async def test_a_mailing_survives_being_killed_again_and_again(store):
    folder, url = store
    centre = Centre(folder, url)
    phones = [f"7916{n:07}" for n in range(RECIPIENTS)]
    await centre.run("client", "set", "alex", closed_now())
    await centre.start()
    try:
        ordered = await centre.ask("jobs", add=1, name="News", phones=",".join(phones), mes="Hello")
        await killed_at(centre, MADE, 1_000, 6_000)
        await all_are(centre, MADE)

        rows = await centre.rows("SELECT phone, wire_id, status FROM messages")
        assert sorted(row[0] for row in rows) == phones
        assert {row[1:] for row in rows} == {(str(ordered["id"]), -1)}
        assert await centre.balance() == "80000.00"
        await centre.sound()

        assert await centre.ask("jobs", cancel=1, id=ordered["id"]) == {"result": "OK"}
        await killed_at(centre, STOPPED, 1_000)
        await all_are(centre, STOPPED)

        assert await centre.balance() == "100000.00"
        assert await centre.value("SELECT count(*) FROM queue") == 0
        told = await centre.ask("jobs", get=1, id=ordered["id"])
        assert (told["status"], told["made"], told["failed"]) == (3, RECIPIENTS, 0)
        await centre.sound()
    finally:
        await centre.kill()
