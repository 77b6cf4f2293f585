"""Links, rents, calls and ported numbers in a whole centre that serves."""

import asyncio
import urllib.error
import urllib.request

import pytest
from tests.serving import Centre, until

from vestnik.services.messages import links
from vestnik.services.messages.links import Made, rows_for
from vestnik.store import store_at

pytestmark = pytest.mark.anyio

SALE = "https://a.example/sale"
OURS, CALLED, SUBSCRIBER = "79990000777", "74950000001", "79160000001"


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def led_to(address):
    """Where an address leads, without going there."""
    try:
        urllib.request.build_opener(_Stays).open(address, timeout=60)
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers["location"]
    raise AssertionError("it leads nowhere")


async def test_what_commands_say_of_numbers_is_followed_while_the_centre_serves(tmp_path):
    async with Centre(tmp_path / "data", ACCESS__WRONG_REQUESTS="0") as centre:
        await centre.run("client", "add", "alex", "--password", "correct horse", "--balance", "100")
        lifted = ("identical_per_minute=0", "rent_per_minute=0", "operators_per_minute=0")
        await centre.run("client", "set", "alex", *lifted)

        moved = tmp_path / "ported.csv"
        moved.write_text(f"Phone;mccmnc\n{SUBSCRIBER};25020\n")
        await centre.run("numbering", "ported", str(moved))

        async def is_followed():
            found = await centre.ask("info", get_operator=1, phone=SUBSCRIBER)
            return found.get("operator") == "Т2"

        await until(is_followed)
        whole = await centre.http.get("/sys/get_mnp.php?login=alex&psw=correct+horse")
        assert whole.text == f"Phone;mccmnc\n{SUBSCRIBER};25020\n"

        await centre.run("number", "add", OURS, "--cost", "0.30")
        await centre.run("number", "add", CALLED, "--calls")
        assert await centre.ask("receive_phones", buy=1, phone=OURS) == {"result": "OK"}
        assert await centre.ask("receive_phones", get=1) == []

        expected = await centre.ask("wait_call", phone=SUBSCRIBER)
        assert expected == {"phone": CALLED, "all_phones": [CALLED]}
        told = await centre.run("number", "call", SUBSCRIBER, CALLED)
        assert told == f"alex is told that {SUBSCRIBER} has called\n"
        [message] = await centre.ask("get", get_answers=1)
        assert (message["phone"], message["message"]) == (SUBSCRIBER, "[CALL]")

        await centre.run("alarm", "add", "alex", "--to", SUBSCRIBER, "--text", "{NAME} fails")
        assert await centre.ask("ping", id=1, name="db1") == {"result": "OK"}
        assert (await centre.ask("ping", id=1, name="db1"))["error_code"] == 9
        [sent] = await centre.ask("get", get_messages=1)
        assert (sent["message"], sent["operator"]) == ("db1 fails", "Т2")
        await centre.sound()


async def test_clicks_are_not_lost_when_the_centre_stops(tmp_path):
    folder = tmp_path / "data"
    async with Centre(folder) as centre:
        await centre.run("client", "add", "alex", "--password", "correct horse")
        store = store_at("", folder)
        await store.open()
        await store.write(links.write, rows_for(1, 0, [Made("aaaaaaaaa", SALE)]), store.now())
        await store.close()

        for _ in range(3):
            assert await asyncio.to_thread(led_to, f"{centre.base}/l/aaaaaaaaa") == (302, SALE)
        assert (await asyncio.to_thread(led_to, f"{centre.base}/l/bbbbbbbbb"))[0] == 404
        assert await centre.stop() == 0

        await centre.start()
        assert (await centre.ask("tinyurls", get=1, link=SALE))["cnt"] == 3
