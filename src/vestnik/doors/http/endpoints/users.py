"""users.php: subclients, their settings, their money and their statistics."""

from dataclasses import replace

from vestnik.domain.money import parse_money
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import IDEMPOTENCY_KEY, Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints import subclient_settings
from vestnik.doors.http.endpoints.operations import Operations
from vestnik.doors.http.records import Field, Record
from vestnik.doors.http.reply import OK, Answer
from vestnik.doors.http.shapes import done
from vestnik.services.clients.subclients import Payment, not_of_a_subclient
from vestnik.services.history.statistics import Asked, Turnover

OPERATIONS = Operations(
    "users.php",
    {
        "add": "1 makes a subclient.",
        "chg": "1 changes settings of a subclient.",
        "pay": "1 moves money to a subclient.",
        "get_stat": "1 tells statistics by subclient.",
        "get_stat_all": "1 tells them by kind, country and operator too.",
    },
)
USER_ID_MAX = 2**53

_STATISTICS = ("get_stat", "get_stat_all")
PARAMETERS = (
    *OPERATIONS.parameters,
    Parameter("user", "Login of the subclient."),
    Parameter("user_id", "Id of the subclient, in the place of its login.", only=_STATISTICS),
    Parameter("password", "New password.", only=subclient_settings.CHANGING),
    Parameter("pswc", "Its present password; checked if it is sent.", only=("chg",)),
    Parameter("new_login", "New login.", only=("chg",)),
    Parameter("sum", "Amount in your currency; negative takes back.", "decimal", only=("pay",)),
    Parameter(
        "balance2",
        "1: the electronic balance.",
        kind="flag",
        only=("pay", *_STATISTICS),
    ),
    Parameter("start", "First day.", kind="date", only=_STATISTICS),
    Parameter("end", "Last day, inclusive.", kind="date", only=_STATISTICS),
    Parameter("reseller", "1: those with a balance of their own.", "flag", only=_STATISTICS),
    Parameter("hide_deleted", "1: without deleted ones.", kind="flag", only=_STATISTICS),
    Parameter("mycur", "1: money in your currency.", kind="flag", only=_STATISTICS),
    Parameter("mycurr", "Another spelling of mycur.", kind="flag", only=_STATISTICS),
    *subclient_settings.PARAMETERS,
    replace(IDEMPOTENCY_KEY, only=("pay",)),
)
_ROW: tuple[Field[Turnover], ...] = (
    Field("id", lambda one: one.client_id, "Id of the subclient.", "number"),
    Field("login", lambda one: one.login, "Its login."),
    Field("cnt", lambda one: one.messages, "Messages.", "number", told="messages = {cnt}"),
    Field("credit", lambda one: one.spent, "Money spent.", "money"),
    Field("debit", lambda one: one.received, "Money paid in.", "money"),
    Field("currency", lambda one: one.currency, "Code of the currency."),
)
_SUMS = Record("user", *_ROW, listed="statistic")
_DETAILED = Record(
    "user",
    *_ROW,
    Field(
        "format",
        lambda one: one.kind,
        "Kind of message: 0 SMS, 7 call, 8 e-mail and so on.",
        "number",
    ),
    Field("country", lambda one: one.country, "Country of the numbers."),
    Field("operator", lambda one: one.operator, "Their operator."),
    listed="statistic",
)
_MADE = Record[int](
    "result",
    Field("id", lambda client_id: client_id, "Id of the subclient.", "number", told="ID = {id}"),
)
_EXAMPLE = Turnover(501, "shop", 120, 144_000_000, 500_000_000, "RUB", 0, "Russia", "MegaFon")
ANSWERS = (
    _MADE.one("The new subclient.", 501, add="1", user="shop", password="Secret-word-1"),
    done("Settings are changed.", chg="1", user="shop", dlim="500"),
    done("Money is moved.", pay="1", user="shop", sum="10"),
    _SUMS.many("Statistics by subclient.", _EXAMPLE, get_stat="1", reseller="1"),
    _DETAILED.many(
        "Statistics by subclient, kind, country and operator.",
        _EXAMPLE,
        get_stat_all="1",
        reseller="1",
    ),
)


def _rate(call: Call) -> Rate | None:
    """Requests, identical or not: to add any, to change the same one (users.md, "Rules")."""
    most = call.client.limits.subclient_per_minute
    match OPERATIONS.only(call):
        case "add":
            return Rate(b"add", most)
        case "chg" | "pay":
            return Rate(b"chg " + call.text("user").strip().lower().encode(), most)
    return None


@endpoint("/sys/users.php", codes=codes.USERS, rate=_rate, parameters=PARAMETERS, answers=ANSWERS)
async def users(call: Call) -> Answer:
    """One of OPERATIONS (users.md)."""
    not_of_a_subclient(call.client)
    subclients = call.services.subclients
    match OPERATIONS.only(call):
        case "add":
            login = _user(call)
            changes = subclient_settings.changes(call, login)
            made = await subclients.add(
                call.client, login, call.text("password"), changes, call.now_ms
            )
            return _MADE.reply(made)
        case "chg":
            await _change(call)
        case "pay":
            payment = Payment(
                _user(call),
                parse_money(call.text("sum")),
                int(call.flag("balance2")),
                call.idempotency_key,
            )
            await subclients.pay(call.client, payment, call.now_ms)
        case "get_stat":
            found = await call.services.statistics.of_subclients(call.client, _asked(call))
            return _SUMS.listing(found)
        case "get_stat_all":
            found = await call.services.statistics.detailed(call.client, _asked(call))
            return _DETAILED.listing(found)
    return OK


def _user(call: Call) -> str:
    login = call.text("user").strip().lower()
    if not login:
        raise BadParameters("user says which subclient is meant")
    return login


async def _change(call: Call) -> None:
    login, new_login = _user(call), call.text("new_login").strip()
    changes = subclient_settings.changes(call, new_login.lower() or login)
    if new_login:
        changes["login"] = new_login
    await call.services.subclients.change(
        call.client,
        login,
        changes,
        call.now_ms,
        password=call.text("password"),
        current=call.text("pswc"),
    )


def _asked(call: Call) -> Asked:
    statistics = call.services.statistics
    call.flag("hide_deleted")  # nobody is ever deleted here, so there is nothing to hide
    return Asked(
        days=statistics.days(call.text("start"), call.text("end"), call.now_ms, month=True),
        user=call.text("user"),
        user_id=call.number("user_id", 0, 0, USER_ID_MAX),
        shared=not call.flag("reseller"),
        purse=int(call.flag("balance2")),
        own_currency=not (call.flag("mycur") or call.flag("mycurr")),
    )
