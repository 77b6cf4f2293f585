"""documents.php: invoices and acts of subclients."""

import asyncio
import re
from collections.abc import AsyncIterator

from vestnik.domain.money import parse_money
from vestnik.domain.paper import ACT, INVOICE, Paper
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, endpoint
from vestnik.doors.http.endpoints.operations import identical
from vestnik.doors.http.reply import JSON, Answer, Download, Reply, Value
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.money.documents import Stored, Subclient

OPERATIONS = ("add_account", "get_account", "get_act")
ID_MAX = 2**53
NUM_MAX = 2**31 - 1
PDF = "application/pdf"

_sum = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII).fullmatch

PARAMETERS = (
    Parameter("add_account", "1 makes an invoice.", kind="flag"),
    Parameter("get_account", "1 fetches an invoice.", kind="flag"),
    Parameter("get_act", "1 fetches an act.", kind="flag"),
    Parameter("user", "Login of the subclient."),
    Parameter("user_id", "Id of the subclient, in the place of its login.", kind="number", low=0),
    Parameter("sum", "Amount in your currency.", "decimal", low=0, only=("add_account",)),
    Parameter("service", "Name of the service on the invoice.", only=("add_account",)),
    Parameter("id", "Id of the document.", "number", low=0, only=("get_account", "get_act")),
    Parameter("num", "Number of the act.", "number", low=0, only=("get_act",)),
)
ANSWERS = (
    Shape(
        "An invoice is made.",
        (Member("id", "Its id.", kind="number"), Member("num", "Its number.", kind="digits")),
        asked={"add_account": "1", "user": "shop", "sum": "1500"},
        example=lambda: _made(9001, 15),
    ),
    Shape("The invoice.", files=(PDF,), asked={"get_account": "1", "user": "shop", "id": "9001"}),
    Shape("The act.", files=(PDF,), asked={"get_act": "1", "user": "shop", "num": "7"}),
)


@endpoint(
    "/sys/documents.php",
    codes=codes.DOCUMENTS,
    rate=identical,
    parameters=PARAMETERS,
    answers=ANSWERS,
    fmt=JSON,  # its page knows no other (documents.md, 3)
)
async def documents(call: Call) -> Answer | Download:
    """The first of OPERATIONS that is asked for (documents.md)."""
    chosen = [name for name in OPERATIONS if call.flag(name)]
    if not chosen:
        asked = ", ".join(f"{operation}=1" for operation in OPERATIONS)
        raise BadParameters(f"documents.php takes one of {asked}")
    of = _subclient(call)
    match chosen[0]:
        case "add_account":
            return await _add(call, of)
        case "get_account":
            return await _file(call, of, INVOICE, "account", None)
    return await _file(call, of, ACT, "act", call.number("num", 0, 0, NUM_MAX) or None)


def _subclient(call: Call) -> Subclient:
    """Whom it is about; an id decides where a login is given too."""
    user_id = call.number("user_id", 0, 0, ID_MAX) or None
    login = call.text("user").strip()
    if user_id is None and not login:
        raise BadParameters("user or user_id says which subclient is meant")
    return Subclient(login, user_id)


async def _add(call: Call, of: Subclient) -> Reply:
    text = call.text("sum").strip()
    amount = parse_money(text) if _sum(text) else 0
    if not amount:
        raise BadParameters("sum is an amount above 0, such as 1500 or 1500.50")
    service = call.text("service")
    stored = await call.services.paperwork.documents.invoice(
        call.client, of, amount, service, call.now_ms
    )
    return _made(stored.id, stored.num)


def _made(paper_id: int, num: int) -> Reply:
    fields: dict[str, Value] = {"id": paper_id, "num": str(num)}
    return Reply(fields, "OK, ID - {id}", "{id}", elements=("id",))


async def _file(call: Call, of: Subclient, kind: str, name: str, num: int | None) -> Download:
    paper_id = call.number("id", 0, 0, ID_MAX) or None
    if paper_id is None and num is None:
        raise BadParameters("id says which document is meant" + (", or num" if kind == ACT else ""))
    stored: Stored = await call.services.paperwork.documents.one(
        call.client, of, kind, paper_id, num
    )
    octets = await asyncio.to_thread(_drawn, stored.paper)
    return Download(f"{name}_{stored.num}.pdf", PDF, len(octets), _whole(octets))


async def _whole(octets: bytes) -> AsyncIterator[bytes]:
    yield octets


def _drawn(paper: Paper) -> bytes:
    # What draws takes sixteen megabytes, and most centres draw nothing for days.
    from vestnik.papers import draw

    return draw(paper)
