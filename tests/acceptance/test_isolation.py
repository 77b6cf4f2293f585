"""Two accounts, every address, any id of the other's: never a row of the other's.

Each address has a case: what alex makes there, what boris tries with alex's ids, and what alex
looks at, which must be the same before and after.  An address without a case fails.
"""

import asyncio
import json
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

import pytest
from tests.fakes.history import put_incoming

from vestnik import config
from vestnik.domain.money import parse_money
from vestnik.doorkeeper import Doors
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.main import Centre
from vestnik.services import alarms
from vestnik.services.clients import clients
from vestnik.services.clients.access import hash_password
from vestnik.services.incoming import rented
from vestnik.services.messages import links

pytestmark = pytest.mark.anyio

SECRET = hash_password("123")
CALLERS = ThreadPoolExecutor(4)
PHONE, OTHER = "79161110099", "79162220088"
MINE = "alexonly"  # stands in every name and text of alex's
LINK = f"https://{MINE}.example/page"
RENTED = "79990000777"
COUNTED = (
    "identical_s identical_per_minute balance_per_minute status_per_minute status_mass_per_minute"
    " cost_per_minute subclient_per_minute"
)
LIFTED = dict.fromkeys(COUNTED.split(), "0")
TODAY = f"{date.today():%d.%m.%Y}"


@dataclass
class Case:
    """Requests as parameters by name; `{0}` stands for the id that alex's first request was
    answered, `{1}` for the second's, and so on.  With `refused` all that boris tries is an error,
    where an answer does not show whose it is."""

    makes: list = field(default_factory=list)
    tries: list = field(default_factory=list)
    looks: list = field(default_factory=list)
    refused: bool = False


def address_book(kind, address):
    made = {kind: address, "name": MINE, "cmt": MINE}
    return Case(
        makes=[{"add": 1, **made}, {"add_group": 1, "name": MINE, "num": 7}],
        tries=[
            {"get": 1},
            {"get": 1, "search": MINE[:4]},
            {"get": 1, "grp": "{1}"},
            {"get": 1, "after_id": 0},
            {"get_group": 1},
            {"chg": 1, kind: address, "name": "stolen"},
            {"chg_group": 1, "grp": "{1}", "name": "stolen"},
            {"move_group": 1, kind: address, "grp": "{1}"},
            {"del": 1, kind: address},
            {"del_group": 1, "grp": "{1}"},
            {"del_black": 1, kind: address},
        ],
        looks=[{"get": 1}, {"get_group": 1}],
    )


STANDING = {"id": 77, "phone": PHONE}
SENT = {"send": 1, "phones": PHONE, "mes": MINE, "id": 77, "time": "+600"}
CASES = {
    "send": Case(
        makes=[SENT],
        tries=[
            {"phones": OTHER, "mes": "mine", "id": 77},
            {"phones": "G7", "mes": "mine", "cost": 1},
        ],
        looks=[("status", STANDING)],
    ),
    "status": Case(
        makes=[("send", SENT)],
        tries=[
            STANDING,
            STANDING | {"all": 2},
            {"id": "77,", "phone": f"{PHONE},", "all": 1},
            STANDING | {"del": 1},
        ],
        looks=[STANDING | {"all": 2}],
    ),
    "balance": Case(tries=[{}, {"cur": 1}], looks=[{"cur": 1}]),
    "get": Case(
        makes=[("send", SENT)],
        tries=[
            {"get_messages": 1},
            {"get_messages": 1, "phone": PHONE},
            {"get_messages": 1, "prev_id": 2**53 - 1},
            {"get_answers": 1},
            {"get_answers": 1, "after_id": 0},
            {"get_answers": 1, "to_phone": RENTED},
            {"get_stat": 1},
            {"get_price": 1},
        ],
        looks=[{"get_messages": 1}, {"get_answers": 1, "after_id": 0}, {"get_stat": 1}],
    ),
    "downloads": Case(
        makes=[{"add": 1, "start": TODAY, "name": MINE, "time": "+600"}],
        tries=[
            {"get_list": 1},
            {"get_list": 1, "after_id": 0},
            {"get_file": 1, "id": "{0}"},
            {"get_file": 1, "name": MINE},
            {"cancel": 1, "id": "{0}"},
            {"del": 1, "id": "{0}"},
        ],
        looks=[{"get_list": 1}],
    ),
    "users": Case(
        makes=[{"add": 1, "user": f"sub-{MINE}", "password": "Good-word-1", "reseller": 1}],
        tries=[
            {"chg": 1, "user": f"sub-{MINE}", "dlim": 1, "password": "Other-word-1"},
            {"chg": 1, "user": "alex", "password": "Other-word-1"},
            {"pay": 1, "user": f"sub-{MINE}", "sum": 1},
            {"pay": 1, "user": f"sub-{MINE}", "sum": -1},
            {"get_stat": 1},
            {"get_stat": 1, "reseller": 1},
            {"get_stat": 1, "user_id": "{0}"},
            {"get_stat": 1, "user": f"sub-{MINE}"},
            {"get_stat_all": 1, "user_id": "{0}"},
        ],
        looks=[{"get_stat": 1, "reseller": 1}],
    ),
    "phones": address_book("phone", PHONE),
    "mails": address_book("mail", f"{MINE}@mail.example"),
    "jobs": Case(
        makes=[{"add": 1, "name": MINE, "phones": PHONE, "mes": MINE, "time": "+600"}],
        tries=[
            {"get": 1, "id": "{0}"},
            {"get_all": 1},
            {"cancel": 1, "id": "{0}"},
            {"del": 1, "id": "{0}"},
        ],
        looks=[{"get": 1, "id": "{0}"}],
    ),
    "templates": Case(
        makes=[{"add": 1, "name": MINE, "msg": MINE, "format": "sms"}],
        tries=[
            {"get": 1},
            {"chg": 1, "id": "{0}", "msg": "stolen"},
            {"del": 1, "id": "{0}"},
            ("jobs", {"add": 1, "name": "x", "phones": OTHER, "tpl": "{0}", "cost": 1}),
        ],
        looks=[{"get": 1}],
    ),
    "senders": Case(
        makes=[{"add": 1, "sender": MINE, "cmt": MINE}],
        tries=[
            {"get": 1, "all": 1, "operators": 1},
            {"get": 1, "user": "alex"},
            {"chg": 1, "sender": MINE, "cmt": "stolen"},
            {"chg": 1, "id": 1, "cmt": "stolen"},
            {"del": 1, "sender": MINE},
            {"del": 1, "id": 1},
        ],
        looks=[{"get": 1, "all": 1}],
    ),
    "op_templates": Case(
        makes=[
            ("senders", {"add": 1, "sender": f"{MINE}2"}),
            {"add": 1, "sender": f"{MINE}2", "msg": f"{MINE} %d", "mts_srv": 1},
        ],
        tries=[{"get": 1}, {"get": 1, "sender": f"{MINE}2"[:5]}],
        looks=[{"get": 1, "sender": f"{MINE}2"}],
    ),
    "documents": Case(
        makes=[
            ("users", {"add": 1, "user": f"paper-{MINE}", "password": "Good-word-1"}),
            {"add_account": 1, "user": f"paper-{MINE}", "sum": 10},
        ],
        tries=[
            {"add_account": 1, "user": f"paper-{MINE}", "sum": 1},
            {"get_account": 1, "user": f"paper-{MINE}", "id": "{1}"},
            {"get_account": 1, "user_id": "{0}", "id": "{1}"},
            {"get_act": 1, "user": f"paper-{MINE}", "num": 1},
        ],
        refused=True,
    ),
    "tinyurls": Case(
        tries=[{"get": 1, "id": 1}, {"get": 1, "link": LINK}],
        looks=[{"get": 1, "id": 1}, {"get": 1, "link": LINK}],
        refused=True,
    ),
    "receive_phones": Case(
        makes=[{"buy": 1, "phone": RENTED}],
        tries=[
            {"get": 1},
            {"buy": 1, "phone": RENTED},
            {"chg": 1, "phone": RENTED, "noprolong": 1},
        ],
        looks=[{"get": 1}, ("balance", {})],
    ),
    "ping": Case(tries=[{"id": 1}], looks=[("balance", {})], refused=True),
    # Nothing here belongs to anybody.
    "info": Case(tries=[{"get_operator": 1, "phone": PHONE}]),
    "get_mnp": Case(tries=[{}]),
    "wait_call": Case(makes=[{"phone": PHONE}], tries=[{"phone": OTHER}]),
}


class Two:
    """A centre with alex, who has things, and boris, who wants to see them."""

    def __init__(self, centre):
        self.centre = centre

    async def ask(self, login, name, parameters):
        """The answer as text."""
        host, port = self.centre.ports["http"]
        given = {"login": login, "psw": "123", "fmt": 3, "charset": "utf-8", **parameters}
        body = urllib.parse.urlencode(given).encode()
        address = f"http://{host}:{port}/sys/{name}.php"

        def post():
            with urllib.request.urlopen(address, body, timeout=60) as answer:
                return answer.read().decode("utf-8", "replace")

        return await asyncio.get_running_loop().run_in_executor(CALLERS, post)


@asynccontextmanager
async def two_accounts(folder):
    centre = Centre(config.load(folder, None, {"VESTNIK_ACCESS__WRONG_REQUESTS": "0"}), folder)
    await centre.start(Doors(http="127.0.0.1:0"))
    try:
        store, now = centre.store, centre.store.now()
        for login in ("alex", "boris"):
            new = clients.New(login, SECRET, balance=parse_money("100"))
            await store.write(clients.add, new, centre.road.ids, now)
            await store.write(clients.change, login, LIFTED, centre.road.ids, now)
        await centre.current.refresh()
        numbering = centre.current.value.numbering
        await store.write(rented.add, RENTED, rented.RENT, "10", numbering)
        await store.write(rented.add, "79990000778", rented.CALL, "0", numbering)
        await store.write(links.write, [links.NewLink(1, 0, "alexcode", LINK)], now)
        await store.write(alarms.add, "alex", MINE, PHONE, "sms", MINE, MINE)
        await put_incoming(store, [(1, 1, PHONE, RENTED, MINE, now, now)])
        yield Two(centre)
    finally:
        await centre.stop()


@pytest.fixture(scope="module")
async def two(tmp_path_factory):
    async with two_accounts(tmp_path_factory.mktemp("isolation")) as made:
        yield made


def named(name, request):
    """The address of a request and its parameters."""
    return request if isinstance(request, tuple) else (name, request)


def filled(parameters, ids):
    return {k: v.format(*ids) if isinstance(v, str) else v for k, v in parameters.items()}


def id_of(answer):
    told = json.loads(answer)
    first = told[0] if isinstance(told, list) else told
    return first.get("id", 0)


def test_every_address_has_a_case():
    assert set(CASES) == {endpoint.name for endpoint in ENDPOINTS}


@pytest.mark.parametrize("name", CASES)
async def test_nobody_sees_or_changes_what_is_anothers(two, name):
    case = CASES[name]
    ids = []
    for request in case.makes:
        address, parameters = named(name, request)
        answer = await two.ask("alex", address, parameters)

        assert "error" not in answer, answer
        ids.append(id_of(answer))

    async def seen():
        looks = [named(name, request) for request in case.looks]
        return [await two.ask("alex", a, filled(p, ids)) for a, p in looks]

    before = await seen()
    assert not any("error" in answer for answer in before), before
    for request in case.tries:
        address, parameters = named(name, request)
        asked = filled(parameters, ids)
        answer = await two.ask("boris", address, asked)

        assert MINE not in answer, (asked, answer)
        assert "error" in answer or not case.refused, (asked, answer)
        assert "%PDF" not in answer, (asked, answer)

    assert await seen() == before
