"""send.php: sending, and asking for the price."""

import re
import secrets
from collections.abc import Iterable

from vestnik.domain.lists import ListLine, list_lines
from vestnik.domain.message import Kind
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Rate, endpoint
from vestnik.doors.http.endpoints.message_form import (
    FLAGS,
    in_hex,
    kind_of,
    may_be_empty,
    octets_given,
    options_of,
    sender_of,
)
from vestnik.doors.http.endpoints.send_answer import ANSWERS, accepted_reply, price_reply
from vestnik.doors.http.endpoints.send_parameters import PARAMETERS
from vestnik.doors.http.reply import Reply
from vestnik.services.messages.draft import Order

PRICE_ONLY = 1  # a value of `cost`
CODE, CODE_DIGITS = "code", 4  # of a call that confirms a number

# Those of a single message, behind those that a mailing has too (send.md).
_FLAGS = (*FLAGS, ("whatsapp", Kind.WHATSAPP), ("tg", Kind.TELEGRAM))
_CHANNELS = frozenset({*(name for name, _ in _FLAGS), "bot"})
# What is handed on as it came, if it is given.
_OPTIONS = frozenset(
    {"fileurl", "voice", "param", "subj", "smsreq", "bot", "imgcode", "userip", "pp"}
)
_WHEN = frozenset({"time", "tz", "period", "freq", "valid"})  # under these names in an Order, too
_OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


def _rate(call: Call) -> Rate | None:
    """Identical price requests are limited here, identical sends in the store."""
    if call.text("cost") != "1":
        return None
    return Rate(call.digest(), call.client.limits.cost_per_minute)


@endpoint("/sys/send.php", codes=codes.SEND, rate=_rate, parameters=PARAMETERS, answers=ANSWERS)
async def send(call: Call) -> Reply:
    """Take the messages, or with `cost=1` tell their price (send.md)."""
    cost = call.number("cost", 0, 0, 3)
    phones_too = "op" if call.flag("op") else "err" if call.flag("err") else ""
    order = _order(call, cost)
    if cost == PRICE_ONLY:
        return price_reply(await call.services.sending.price(order), phones_too)
    accepted = await call.services.sending.send(order)
    return accepted_reply(accepted, cost, phones_too)


def _order(call: Call, cost: int) -> Order:
    kind = _kind(call)
    code = _code(call, kind)
    lines = [ListLine(call.text("phones"), " ".join(code))] if code else _lines(call, kind)
    # Field by field: a struct that is called with twenty names takes ten times as long to make.
    order = Order(call.client, kind, lines, call.digest(), call.now_ms)
    order.wire_id, order.sender = _own_id(call), sender_of(call)
    order.translit, order.maxsms = call.number("translit", 0, 0, 2), call.number("maxsms", 0, 0)
    for name, text in call.among(_WHEN).items():
        setattr(order, name, text)
    order.options = _options(call)
    order.idempotency_key, order.address = call.idempotency_key, call.address
    order.cost, order.code = cost, code
    return order


def _code(call: Call, kind: Kind) -> str:
    """The code that a call is to tell: `mes=code` leaves it to the centre (channels.md)."""
    if kind is not Kind.CALL or call.text("mes").strip() != CODE or call.text("list"):
        return ""
    if not call.text("phones"):
        raise BadParameters("phones says who is to be called")
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def _kind(call: Call) -> Kind:
    if not call.among(_CHANNELS):
        return Kind.SMS
    kind = kind_of(call, _FLAGS)
    if kind is not None:
        return kind
    bot = call.text("bot")
    if bot:
        return Kind.WHATSAPP if bot.startswith("wa:") else Kind.BOT
    return Kind.SMS


def _lines(call: Call, kind: Kind) -> Iterable[ListLine]:
    """`list` wins over `phones` and `mes` (send.md); its lines are read as they are asked for."""
    texts = call.text("list")
    if texts:
        lines = list_lines(texts, call.flag("nl"))
        return map(in_hex, lines) if octets_given(call, kind) else lines
    phones, text = call.text("phones"), call.text("mes")
    if not phones:
        raise BadParameters("phones, or list, says who is to get it")
    if not text and not may_be_empty(call, kind):
        raise BadParameters("mes is the text, and it is missing")
    line = ListLine(phones, text)
    return [in_hex(line) if octets_given(call, kind) else line]


def _own_id(call: Call) -> str:
    """The client's own id; 0 and nothing mean that the centre numbers the message."""
    own = call.text("id").strip()
    if own in ("", "0"):
        return ""
    if _OWN_ID.fullmatch(own) is None:
        raise BadParameters("id is up to 40 Latin letters, digits and . - _")
    return own


def _options(call: Call) -> dict[str, object]:
    options = options_of(call, _OPTIONS)
    if call.files:
        options["files"] = call.files
    return options
