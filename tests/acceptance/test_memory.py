"""How much memory the centre takes."""

import pytest
from tests.serving import LOGIN, PASSWORD, Centre, until

pytestmark = pytest.mark.anyio

LINES = 100_000
RECIPIENTS = 820_000  # of a body of ten million octets
PEAK_MIB_MAX = 150
PAGES_MIB = 32  # the cache of the embedded store's writer, which a hundred thousand rows fill


async def test_a_list_of_a_hundred_thousand_lines_takes_little_memory(folder):
    centre = Centre(folder)
    await centre.run("client", "set", LOGIN, "rows_per_request=0")
    lines = (f"{79_160_000_000 + number}:Your code is {number}" for number in range(LINES))
    async with centre:
        answer = await centre.ask("send", list="\n".join(lines), time="+1440")
        taken = centre.memory_mib_max
        await until(lambda: made(centre), 120)
        expanded = centre.memory_mib_max

        assert answer["cnt"] == LINES
        assert taken <= PEAK_MIB_MAX
        assert expanded <= PEAK_MIB_MAX + PAGES_MIB
        assert await centre.balance() == "0.00"
        await centre.sound()


async def test_a_mailing_to_as_many_as_a_body_holds_takes_little_memory(folder):
    phones = [f"79{number:09}" for number in range(0, RECIPIENTS * 1_201, 1_201)]
    order = f"login={LOGIN}&psw={PASSWORD}&add=1&name=News&mes=Hello&time=01.01.98 10:00&phones="
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with Centre(folder) as centre:
        body = order.replace(" ", "+") + ",".join(phones)
        answer = await centre.http.post("/sys/jobs.php", content=body, headers=form)
        taken = centre.memory_mib_max

        assert answer.text == "OK, ID - 1"
        assert taken <= PEAK_MIB_MAX
        assert await centre.value("SELECT sum(recipients) FROM mailing_chunks") == RECIPIENTS


async def test_a_body_of_nothing_but_escapes_takes_little_memory(folder):
    async with Centre(folder) as centre:
        refused = await centre.ask("send", phones="79161112233", mes="я" * 1_600_000)

        assert refused["error_code"] == 1
        assert centre.memory_mib_max <= PEAK_MIB_MAX


async def made(centre):
    return await centre.value("SELECT count(*) FROM messages") == LINES
