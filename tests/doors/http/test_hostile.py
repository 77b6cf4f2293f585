"""Every parameter of every endpoint with values that mean harm: the answer keeps its shape.

A centre without workers answers, so that whatever is written, a request has written it.
"""

import itertools
import json
import re
from urllib.parse import quote_from_bytes
from xml.etree import ElementTree as ET

import apsw
import pytest
from tests.described import misfits
from tests.doors.http.standins import asked

from vestnik import config
from vestnik.domain.client import LIMIT_NAMES
from vestnik.domain.money import parse_money
from vestnik.domain.schedule import MOSCOW, day_number
from vestnik.doorkeeper import Doors
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.reply import CODECS
from vestnik.doors.http.server import Door
from vestnik.main import Centre
from vestnik.services.centre import check
from vestnik.services.clients import clients
from vestnik.services.clients.access import hash_password

pytestmark = pytest.mark.anyio

LONG = "9" * 1_000_000
HALF = "\ud800"  # of a character
VALUES = (
    "",
    "Robert'); DROP TABLE messages;--",
    "1 OR 1=1",
    '<script>alert("1")</script>&amp;',
    "]]><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    '=HYPERLINK("http://127.0.0.1/","x")',
    "../../../../etc/passwd",
    "/dev/null",
    "x\r\nX-Injected: 1\r\n\r\nx",
    "{error_code.__class__}{0}%s%n",
    "a\0b",
    HALF,
    LONG,
    "-1",
    "99999999999999999999",
    "1e309",
    "NaN",
    "٣",
    "31.02.2025",
    "00.00.0000",
    ",,;;,|:\n,",
    "Привет, 😀\u202e",
    "[" * 2_000,
)
# How a request is made, in turn: an odd number, so that each value meets each way in each charset.
WAYS = ("query", "form", "multipart", "json", "twice in a form", "as a list", "in query and form")
ERROR_OCTETS_MAX = 2_000  # an explanation does not give a long value back
MULTIPART = "multipart/form-data; boundary=x"
FORM = "application/x-www-form-urlencoded"
ERROR_LINES = (re.compile(r"ERROR = (\d+) \(.*\)(, ID - .+)?"), re.compile(r".*,-(\d+)"))


class Harmed:
    """A centre, its door, a key, and a look from outside at whether its store has changed."""

    def __init__(self, centre, key):
        self.centre, self.key = centre, key
        self.door = Door(ENDPOINTS, centre.assembly.services)
        self._outside = apsw.Connection(str(centre.data / "vestnik.db"))
        self._turn = itertools.count()

    @property
    def version(self):
        """Another number after every commit."""
        return self._outside.pragma("data_version")

    @property
    def folder(self):
        return sorted(path.name for path in self.centre.data.parent.iterdir())

    async def violations(self):
        """The invariants that do not hold."""
        now = self.centre.store.now()
        known = check.Circumstances(now, day_number(now, MOSCOW), {}, serving=False)
        return await self.centre.store.read(check.violations, known)

    async def ask(self, endpoint, params, name, value):
        """One request, made in the next way; its fmt, charset and answer."""
        turn = next(self._turn)
        way, fmt = WAYS[turn % len(WAYS)], turn // 2 % 4
        charset = list(CODECS)[turn % 3]
        whole = {"apikey": self.key, **params, "fmt": str(fmt), "charset": charset}
        request = REQUESTS[way](endpoint, whole, name, value, charset)
        return fmt, "utf-8" if way == "json" else charset, await asked(self.door, *request)


def octets(text, charset):
    """A text as a client writes it; what has no form in the charset is written as UTF-8 is."""
    try:
        return text.encode(CODECS[charset])
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def pairs(given, charset):
    return "&".join(f"{name}={quote_from_bytes(octets(v, charset))}" for name, v in given)


def by_query(endpoint, params, name, value, charset):
    return (f"{endpoint.path}?{pairs({**params, name: value}.items(), charset)}",)


def by_form(endpoint, params, name, value, charset):
    return endpoint.path, pairs({**params, name: value}.items(), charset).encode(), FORM


def by_multipart(endpoint, params, name, value, charset):
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    fields = {**params, name: value}.items()
    body = b"".join(part % (one.encode(), octets(text, charset)) for one, text in fields)
    return endpoint.path, body + b"--x--\r\n", MULTIPART


def by_json(endpoint, params, name, value, charset):
    body = json.dumps({**params, name: value, "charset": "utf-8"}).encode()
    # The fmt of a body that is no JSON would not be known.
    return f"/rest/{endpoint.name}/?fmt={params['fmt']}", body, "application/json"


def by_form_twice(endpoint, params, name, value, charset):
    fields = [*params.items(), (name, "1"), (name, value)]
    return endpoint.path, pairs(fields, charset).encode(), FORM


def by_form_as_a_list(endpoint, params, name, value, charset):
    fields = [*params.items(), (f"{name}[]", value), (f"{name}[]", "1"), (f"{name}[x", value)]
    return endpoint.path, pairs(fields, charset).encode(), FORM


def by_both(endpoint, params, name, value, charset):
    query = pairs([(name, value)], charset)
    return (
        f"{endpoint.path}?{query}",
        pairs([*params.items(), (name, value)], charset).encode(),
        FORM,
    )


REQUESTS = dict(
    zip(
        WAYS,
        (
            by_query,
            by_form,
            by_multipart,
            by_json,
            by_form_twice,
            by_form_as_a_list,
            by_both,
        ),
        strict=True,
    )
)


@pytest.fixture(scope="module")
async def harmed(tmp_path_factory):
    data = tmp_path_factory.mktemp("hostile") / "data"
    settings = config.load(data, None, {"VESTNIK_ACCESS__WRONG_REQUESTS": "0"})
    centre = Centre(settings, data)
    off = Doors(http="off")
    await centre.start(off, roles=frozenset({"doors"}))
    try:
        now = centre.store.now()
        alex = clients.New("alex", hash_password("123"), balance=parse_money("100000"))
        await centre.store.write(clients.add, alex, centre.road.ids, now)
        key = await centre.store.write(clients.add_key, "alex", "", now)
        lifted = {name: "0" for name in LIMIT_NAMES if name.endswith("_per_minute")}
        lifted |= {"identical_s": "0", "flood_count": "1000000"}
        await centre.store.write(clients.change, "alex", lifted, centre.road.ids, now)
        await centre.current.refresh()
        yield Harmed(centre, key)
    finally:
        await centre.stop()


def attacks(endpoint):
    """Each parameter with a request in which it is read: the rest of that is as it should be."""
    bases = [dict(shape.asked) for shape in endpoint.answers if shape.asked] or [{}]
    for parameter in endpoint.parameters:
        if parameter.kind == "header":
            continue
        name = parameter.name.replace("[]", "[1]")
        reading = [base for base in bases if set(parameter.only) & base.keys()]
        for base, value in zip(itertools.cycle(reading or bases), VALUES, strict=False):
            yield base, name, value


def told(endpoint, fmt, charset, answer):
    """The number of the error that an answer tells, 0 if none; fails if it has no right shape."""
    text = answer.body.decode(CODECS[charset])
    if fmt == 3:
        assert misfits(endpoint.name, text) == []
        read = json.loads(text)
        return read.get("error_code", 0) if isinstance(read, dict) else 0
    if fmt == 2:
        found = ET.fromstring(text).findtext("error_code")
        return int(found or 0)
    error = ERROR_LINES[fmt].fullmatch(text)
    return int(error[1]) if error else 0


TYPES = ("text/plain", "text/plain", "text/xml", "application/json")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
async def test_harm_is_answered_as_anything_else_and_mistakes_write_nothing(endpoint, harmed):
    numbers = {code.number for code in endpoint.codes.values()}
    folder = harmed.folder
    for params, name, value in attacks(endpoint):
        before = harmed.version
        fmt, charset, answer = await harmed.ask(endpoint, params, name, value)
        where = (params, name, value[:60], fmt, charset, answer.body[:200])

        assert answer.status == 200, where
        assert "x-injected" not in answer.headers, where
        if "content-disposition" in answer.headers:
            continue
        assert answer.content_type == f"{TYPES[fmt]}; charset={charset}", where
        error = told(endpoint, fmt, charset, answer)
        assert error in numbers | {0}, where
        assert error != 1 or harmed.version == before, where
        assert error != 1 or len(answer.body) < ERROR_OCTETS_MAX, where

    assert harmed.folder == folder
    assert await harmed.violations() == []
