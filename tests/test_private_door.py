"""What strangers find at the public HTTP door, and what the operator finds at the private one."""

import asyncio
import http.client
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from tests.migrated import new_store
from tests.serving import command, free_port

from vestnik import config
from vestnik.doorkeeper import Doors
from vestnik.main import Centre

pytestmark = pytest.mark.anyio

ANY = "127.0.0.1:0"
MANUAL = ("/docs", "/docs/manual.css", "/openapi.json")
OPERATORS = ("/readyz", "/metrics")


@asynccontextmanager
async def serving(folder, roles=frozenset({"doors"}), **environ):
    new_store(folder)
    given = {f"VESTNIK_HTTP__{name.upper()}": value for name, value in environ.items()}
    centre = Centre(config.load(folder, None, given), folder)
    await centre.start(Doors(http=ANY), roles)
    try:
        yield centre
    finally:
        await centre.stop()


async def look(centre, door, *paths, method="GET"):
    """The status of each page at a door."""
    host, port = centre.ports[door]

    def ask(path):
        connection = http.client.HTTPConnection(host, port, timeout=30)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    return [await asyncio.to_thread(ask, path) for path in paths]


async def statuses(centre, door, *paths, method="GET"):
    return [status for status, _ in await look(centre, door, *paths, method=method)]


async def test_everything_stands_at_one_door_until_settings_say_otherwise(tmp_path):
    async with serving(tmp_path) as centre:
        found = await statuses(centre, "http", "/healthz", *OPERATORS, *MANUAL)

    assert found == [200] * 6
    assert set(centre.ports) == {"http"}


async def test_a_private_door_takes_the_operators_pages_from_the_public_one(tmp_path):
    async with serving(tmp_path, private=ANY) as centre:
        public = await statuses(centre, "http", "/healthz", *OPERATORS)
        private = await look(centre, "private", "/healthz", *OPERATORS)
        ready = centre.ready_line

    assert public == [200, 404, 404]
    assert [status for status, _ in private] == [200, 200, 200]
    assert [body for _, body in private[:2]] == [b"ok", b"ready"]
    assert b"vestnik_carrier_up" in private[2][1]
    assert " private=127.0.0.1:" in ready


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_of_the_api_is_at_the_private_door(tmp_path, method):
    asked = ("/sys/send.php", "/rest/send/", "/sys/soap.php", "/l/x", "/docs", "//readyz", "/")
    async with serving(tmp_path, private=ANY) as centre:
        found = await look(centre, "private", *asked, method=method)

    words = b"There is nothing at this address. Here are: /healthz, /metrics, /readyz.\n"
    assert found == [(404, words)] * 7


async def test_a_node_without_doors_has_the_private_one(tmp_path):
    async with serving(tmp_path, frozenset({"dispatch"}), private=ANY) as centre:
        [found] = await look(centre, "private", "/metrics")

    assert set(centre.ports) == {"private"}
    assert b'vestnik_carrier_up{carrier="virtual"} 1.0' in found[1]


async def test_the_manual_can_be_taken_away(tmp_path):
    async with serving(tmp_path, docs="false") as centre:
        found = await statuses(centre, "http", *MANUAL, "/healthz")
        [elsewhere] = await look(centre, "http", "/nowhere")

    assert found == [404, 404, 404, 200]
    assert b"manual" not in elsewhere[1]


async def test_a_private_door_whose_port_is_taken_stops_the_start(tmp_path):
    async with serving(tmp_path / "one", private=ANY) as centre:
        port = centre.ports["private"][1]
        second = Centre(
            config.load(tmp_path, None, {"VESTNIK_HTTP__PRIVATE": f"127.0.0.1:{port}"}), tmp_path
        )

        with pytest.raises(OSError, match="in use"):
            await second.start(Doors(http=ANY))
        await second.abandon()


def test_the_doctor_asks_each_door_for_what_it_has(tmp_path):
    settings = {
        "HTTP__LISTEN": f"127.0.0.1:{free_port()}",
        "HTTP__PRIVATE": f"127.0.0.1:{free_port()}",
    }

    before = command(tmp_path, "doctor", settings=settings)

    assert f"ok    {settings['HTTP__PRIVATE']} is free for the private door" in before

    environ = {f"VESTNIK_{name}": value for name, value in settings.items()}
    serve = [sys.executable, "-m", "vestnik", "serve", "--smtp", "off", "--smpp", "off"]
    with subprocess.Popen(
        [*serve, "--data", str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environ
    ) as process:
        next(line for line in process.stdout if line.startswith("vestnik ready "))
        try:
            during = command(tmp_path, "doctor", settings=settings)
            elsewhere = settings | {"HTTP__PRIVATE": "127.0.0.1:1"}
            wrong = command(tmp_path, "doctor", settings=elsewhere, code=1)
        finally:
            process.terminate()

    public, private = settings["HTTP__LISTEN"], settings["HTTP__PRIVATE"]
    assert f"ok    serve runs and its HTTP door at {public} answers" in during
    assert f"ok    serve runs and its private door at {private} is ready" in during
    assert "bad   serve runs and nothing answers at 127.0.0.1:1" in wrong
