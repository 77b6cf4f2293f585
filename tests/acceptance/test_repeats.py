"""Requests that come twice: racing, and again after kill -9."""

import asyncio

import pytest
from tests.serving import LOGIN, Centre

pytestmark = pytest.mark.anyio

PHONE = "79161112233"
RACERS = 10


async def keyed(centre, key, text="Once", phone=PHONE):
    answer = await centre.post("send", {"Idempotency-Key": key}, phones=phone, mes=text, cost=3)
    return answer.json()


async def count(centre):
    return await centre.value("SELECT count(*) FROM messages")


async def test_racing_requests_with_one_key_are_one_message(store):
    folder, url = store
    async with Centre(folder, url) as centre:
        answers = await asyncio.gather(*(keyed(centre, "race") for _ in range(RACERS)))
        await centre.kill()
        await centre.start()
        again = await keyed(centre, "race")
        other = await keyed(centre, "race", text="Something else")
        next_one = await keyed(centre, "another race")

        assert answers == [{"id": 1, "cnt": 1, "cost": "1.00", "balance": "99999.00"}] * RACERS
        assert again == answers[0]
        assert other["error_code"] == 1
        assert await count(centre) == 2
        assert next_one["balance"] == "99998.00"
        await centre.sound()


async def test_without_a_key_the_same_request_within_a_minute_is_error_9(folder):
    centre = Centre(folder)
    await centre.run("client", "set", LOGIN, "identical_s=60")
    async with centre:
        racing = (centre.ask("send", phones=PHONE, mes="Once") for _ in range(RACERS))
        answers = await asyncio.gather(*racing)
        await centre.kill()
        await centre.start()
        again = await centre.ask("send", phones=PHONE, mes="Once")
        other = await centre.ask("send", phones=PHONE, mes="Twice")

        assert sorted(str(answer.get("error_code", "taken")) for answer in answers) == (
            ["9"] * (RACERS - 1) + ["taken"]
        )
        assert again == {"error": "duplicate request, wait a minute", "error_code": 9}
        assert other["cnt"] == 1
        assert await count(centre) == 2


async def test_an_account_with_unique_ids_gets_its_first_answer_again(folder):
    centre = Centre(folder)
    await centre.run("client", "set", LOGIN, "unique_ids=1")
    async with centre:
        first = await centre.ask("send", id="order-7", phones=PHONE, mes="Your order is here")
        await centre.kill()
        await centre.start()
        again = await centre.ask("send", id="order-7", phones=PHONE, mes="Your order is here!")

        assert again == first == {"id": "order-7", "cnt": 1}
        assert await count(centre) == 1
