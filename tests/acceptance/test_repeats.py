"""Requests that come twice: racing, and again after kill -9."""

import asyncio

import pytest
from tests.serving import LOGIN, Centre

pytestmark = pytest.mark.anyio

PHONE = "79161112233"
RACERS = 10
CHUNKS = 20
MANY = ",".join(f"7916{number:07}" for number in range(CHUNKS * 1_000))
FAR = "02.01.98 10:00"
# The last is longer than anything takes: it is killed as soon as somebody was answered.
KILLED_AFTER_S = (0.03, 0.06, 0.1, 0.15, 60)


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


async def ordered(centre, key, name="News"):
    """A mailing far ahead, to enough people that it takes a moment to be stored."""
    answer = await centre.post(
        "jobs", {"Idempotency-Key": key}, add=1, name=name, phones=MANY, mes="Hello", time=FAR
    )
    return answer.json()


async def test_a_mailing_with_a_key_is_ordered_once_whenever_the_server_is_killed(store):
    folder, url = store
    async with Centre(folder, url) as centre:
        for key, wait_s in enumerate(KILLED_AFTER_S):
            asking = [asyncio.ensure_future(ordered(centre, str(key))) for _ in range(3)]
            await asyncio.wait(asking, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            await centre.kill()
            told = await asyncio.gather(*asking, return_exceptions=True)
            await centre.start()
            again = await ordered(centre, str(key))
            other = await ordered(centre, str(key), name="Another")

            assert [a for a in told if isinstance(a, dict) and a != again] == []
            assert other["error_code"] == 1
            assert await centre.value("SELECT count(*) FROM mailings") == key + 1
            assert await centre.value("SELECT count(*) FROM mailing_chunks") == (key + 1) * CHUNKS
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
