"""Plays recorded dialogues against a fresh centre, octet for octet.

A file of `dialogues/` is one conversation.  Each exchange names the page that states its answer;
`{key}` in a request stands for the account's API key.  `like` is a pattern where an answer holds a
moment or a number that is nobody's to promise.  What is answered in JSON is as the description of
the API says, too.
"""

import asyncio
import re
import tomllib
from pathlib import Path

import pytest
from tests.compatibility.centre import running
from tests.described import endpoint_at, misfits

pytestmark = pytest.mark.anyio

DIALOGUES = sorted(Path(__file__).parent.joinpath("dialogues").glob("*.toml"))


def octets(exchange, key):
    """The request as a client writes it."""
    charset = exchange.get("charset", "windows-1251")
    method, target = exchange["request"].replace("{key}", key).split(" ", 1)
    body = exchange.get("body", "").replace("{key}", key).encode(charset)
    lines = [f"{method} {target} HTTP/1.1", "Host: www3.example", "Connection: close"]
    lines += exchange.get("headers", [])
    if "type" in exchange:
        lines.append(f"Content-Type: {exchange['type']}")
    if exchange.get("chunked"):
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(b"1\r\n%c\r\n" % octet for octet in body) + b"0\r\n\r\n"
    elif body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode(charset) + body


async def told(port, request):
    """The headers and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    status, *lines = head.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
async def test_the_centre_answers_as_recorded(path, tmp_path):
    dialogue = tomllib.loads(path.read_text("utf-8"))
    async with running(tmp_path) as (port, key):
        for exchange in dialogue["exchange"]:
            status, headers, body = await told(port, octets(exchange, key))

            where = (exchange["request"], exchange["page"])
            charset = headers["content-type"].partition("charset=")[2]
            assert status == "HTTP/1.1 200 OK", where
            assert headers["content-type"] == exchange.get("content_type", headers["content-type"])
            assert int(headers["content-length"]) == exchange.get("length", len(body)), where
            if "like" in exchange:
                assert re.fullmatch(exchange["like"], body.decode(charset)), (where, body)
            else:
                assert body == exchange["answer"].encode(charset), where
            name = endpoint_at(exchange["request"].split(" ", 1)[1])
            if name and headers["content-type"].startswith("application/json"):
                assert misfits(name, body.decode(charset)) == [], where
