"""soap.php: the same services by SOAP, and their description (soap.md).

An operation is a call of the endpoint that is its twin: what counts as wrong, how often it may come
and what the error numbers mean is decided there.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from vestnik.domain.refusals import BadParameters, Refusal
from vestnik.doors.http import asgi
from vestnik.doors.http.asgi import Receive, Scope, Send
from vestnik.doors.http.endpoint import Endpoint
from vestnik.doors.http.endpoints import balance, send, status
from vestnik.doors.http.envelope import (
    CONTENT_TYPES,
    FAULT_STATUSES,
    SOAP_11,
    Envelope,
    Unreadable,
    read_envelope,
    write_answer,
    write_fault,
)
from vestnik.doors.http.parameters import Form
from vestnik.doors.http.reception import Reception
from vestnik.doors.http.reply import Reply

PATH = "/sys/soap.php"
BODY_MAX = 1_000_000  # octets; XML is dear to read
FAULT = 1  # how a fault is counted: as wrong parameters

_HOST = re.compile(rb"[A-Za-z0-9.:_\[\]-]{1,255}")
_CREDENTIALS = ("login", "psw", "apikey")
_STATUS = ("status", "last_date", "err")
_STATUS_FULL = ("send_date", "phone", "cost", "sender_id", "status_name", "message", "sms_cnt")
_STATUS_PLACE = ("operator", "region")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: whose twin it is, what it takes, and what it tells.

    `params` are its parameters besides credentials; with `query` a string of further ones may
    come.  `fixed` are parameters of the twin that the client has no say in.  Success is `error` 0
    where `zero`, else no `error` at all: programs ask for the one or the other (soap.md).
    """

    endpoint: Endpoint
    params: tuple[str, ...]
    wrapper: str
    result: str
    members: tuple[str, ...]
    fixed: Mapping[str, str]
    zero: bool
    query: bool = False


def _send(*, query: bool) -> Operation:
    return Operation(
        send.send,
        ("phones", "mes", "id", "sender", "time"),
        "SendResponse",
        "sendresult",
        ("id", "balance", "cost", "cnt"),
        {"cost": "3"},
        zero=False,
        query=query,
    )


def _cost(*, query: bool) -> Operation:
    return Operation(
        send.send,
        ("phones", "mes", "sender"),
        "CostResponse",
        "costresult",
        ("cost", "cnt"),
        {"cost": "1"},
        zero=False,
        query=query,
    )


def _status(*, query: bool) -> Operation:
    return Operation(
        status.status,
        ("phone", "id", "all"),
        "StatusResponse",
        "statusresult",
        (*_STATUS, *_STATUS_FULL, *_STATUS_PLACE),
        {},
        zero=True,
        query=query,
    )


OPERATIONS: Mapping[str, Operation] = {
    "send_sms": _send(query=False),
    "send_sms2": _send(query=True),
    "get_sms_cost": _cost(query=False),
    "get_sms_cost2": _cost(query=True),
    "get_status": _status(query=False),
    "get_status2": _status(query=True),
    "get_balance": Operation(
        balance.balance, (), "BalanceResponse", "balanceresult", ("balance",), {}, zero=True
    ),
}


class Soap:
    """The application at PATH; `body_s_max` is the time within which a request must arrive."""

    def __init__(self, reception: Reception, clock: Callable[[], int], body_s_max: float) -> None:
        self._reception, self._clock, self._body_s_max = reception, clock, body_s_max
        self._description = files(__package__).joinpath("soap.wsdl").read_text("utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Answer one request; returns the error number that it told (0: none).

        Raises StoreUnavailable, Gone, TooSlow.
        """
        if scope["method"] == "POST":
            return await self._post(scope, receive, send)
        if scope["query_string"].lower().partition(b"&")[0] not in (b"wsdl", b"wsdl="):
            words = b"Post SOAP envelopes here; what there is to ask stands at ?wsdl."
            await asgi.plain(send, 405, words, (b"allow", b"GET, HEAD, POST"))
            return 0
        description = self._description.replace("{address}", _address(scope))
        await asgi.answer(send, 200, CONTENT_TYPES[SOAP_11], description.encode())
        return 0

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> int:
        try:
            octets = await asgi.read_body(receive, BODY_MAX, self._body_s_max)
            if len(octets) > asgi.BIG_BODY:
                asked = await asyncio.to_thread(read_envelope, octets)
            else:
                asked = read_envelope(octets)
            operation = _operation(asked, scope)
        except asgi.TooBig:
            fault = write_fault(SOAP_11, f"the envelope is longer than {BODY_MAX} octets")
            await asgi.answer_and_linger(send, receive, 500, CONTENT_TYPES[SOAP_11], fault)
            return FAULT
        except Unreadable as reason:
            version = reason.version
            fault = write_fault(version, str(reason))
            await asgi.answer(send, FAULT_STATUSES[version], CONTENT_TYPES[version], fault)
            return FAULT
        error, members = await self._members(operation, asked, scope["client"][0])
        body = write_answer(asked, operation.wrapper, operation.result, members)
        await asgi.answer(send, 200, CONTENT_TYPES[asked.version], body)
        return error

    async def _members(
        self, operation: Operation, asked: Envelope, address: str
    ) -> tuple[int, dict[str, str]]:
        """The error number and the members of the result."""
        now_ms = self._clock()
        try:
            params = _params(operation, asked)
            wanted = _wanted(operation, params)
            reply = await self._reception.answer(operation.endpoint, params, address, now_ms)
        except Refusal as refusal:
            number = self._reception.refused(refusal, operation.endpoint, address, now_ms)
            named = {} if refusal.message_id is None else {"id": refusal.message_id}
            return number, {**named, "error": str(number)}
        assert isinstance(reply, Reply), asked.operation
        members = {name: str(reply.fields[name]) for name in wanted if name in reply.fields}
        if operation.zero:
            members["error"] = "0"
        return 0, members


def _operation(asked: Envelope, scope: Scope) -> Operation:
    """By the name of the element, else by the header SOAPAction; raises Unreadable."""
    headers = dict(scope["headers"])
    action = headers.get(b"soapaction", b"").decode("latin-1").strip(' "')
    for name in (asked.operation, re.split("[/#:]", action)[-1]):
        if name in OPERATIONS:
            return OPERATIONS[name]
    unknown = Unreadable(f"there is no such operation; there are: {', '.join(OPERATIONS)}")
    unknown.version = asked.version
    raise unknown


def _params(operation: Operation, asked: Envelope) -> dict[str, str]:
    """The parameters of the twin; what has an element of its own goes before `query`."""
    params: dict[str, str] = {}
    if operation.query:
        params = Form(asked.params.get("query", "").encode()).decoded("utf-8")
    for name in (*_CREDENTIALS, *operation.params):
        if value := asked.params.get(name, ""):
            params[name] = value
    if params.get("bin") == "1" and any(character > "\xff" for character in params.get("mes", "")):
        raise BadParameters("mes is not binary")
    # Not the same request as one over HTTP with these parameters.
    return {**params, **operation.fixed, "soap": asked.operation}


def _wanted(operation: Operation, params: dict[str, str]) -> tuple[str, ...]:
    """The members that the answer has; those of a status depend on the parameter `all`."""
    if operation.endpoint is not status.status:
        return operation.members
    if "," in params.get("phone", "") + params.get("id", ""):
        raise BadParameters("the status of one message is asked at a time")
    level = params.get("all", "").strip()
    if level == "1":
        params["all"] = "2"  # sms_cnt is told from 1 on here, over HTTP only with 2
        return (*_STATUS, *_STATUS_FULL)
    return operation.members if level == "2" else _STATUS


def _address(scope: Scope) -> str:
    """This address as the caller knows it."""
    host: bytes = dict(scope["headers"]).get(b"host", b"")
    if _HOST.fullmatch(host) is None:
        host = b"localhost"
    return f"{scope.get('scheme', 'http')}://{host.decode()}{PATH}"
