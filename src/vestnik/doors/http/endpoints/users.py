"""users.php: subclients, their settings, their money and their statistics."""

from dataclasses import replace

from vestnik.domain.money import money, parse_money
from vestnik.domain.refusals import BadParameters
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import IDEMPOTENCY_KEY, Call, Parameter, Rate, endpoint
from vestnik.doors.http.endpoints import subclient_settings
from vestnik.doors.http.reply import OK, Answer, Listing, Reply, Value
from vestnik.doors.http.shapes import Member, Shape, done
from vestnik.services.clients.subclients import Payment, not_of_a_subclient
from vestnik.services.history.statistics import Asked, Turnover

OPERATIONS = ("add", "chg", "pay", "get_stat", "get_stat_all")
USER_ID_MAX = 2**53

_STATISTICS = ("get_stat", "get_stat_all")
PARAMETERS = (
    Parameter("add", "1 makes a subclient.", kind="flag"),
    Parameter("chg", "1 changes settings of a subclient.", kind="flag"),
    Parameter("pay", "1 moves money to a subclient.", kind="flag"),
    Parameter("get_stat", "1 tells statistics by subclient.", kind="flag"),
    Parameter("get_stat_all", "1 tells them by kind, country and operator too.", kind="flag"),
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
_ROW = (
    Member("id", "Id of the subclient.", kind="number"),
    Member("login", "Its login."),
    Member("cnt", "Messages.", kind="number"),
    Member("credit", "Money spent.", kind="money"),
    Member("debit", "Money paid in.", kind="money"),
    Member("currency", "Code of the currency."),
)
_EXAMPLE = Turnover(501, "shop", 120, 144_000_000, 500_000_000, "RUB", 0, "Russia", "MegaFon")
ANSWERS = (
    Shape(
        "The new subclient.",
        (Member("id", "Id of the subclient.", kind="number"),),
        asked={"add": "1", "user": "shop", "password": "Secret-word-1"},
        example=lambda: _made(501),
    ),
    done("Settings are changed.", chg="1", user="shop", dlim="500"),
    done("Money is moved.", pay="1", user="shop", sum="10"),
    Shape(
        "Statistics by subclient.",
        _ROW,
        many=True,
        asked={"get_stat": "1", "reseller": "1"},
        example=lambda: _listing([_EXAMPLE], detailed=False),
    ),
    Shape(
        "Statistics by subclient, kind, country and operator.",
        (
            *_ROW,
            Member("format", "Kind of message: 0 SMS, 7 call, 8 e-mail and so on.", kind="number"),
            Member("country", "Country of the numbers."),
            Member("operator", "Their operator."),
        ),
        many=True,
        asked={"get_stat_all": "1", "reseller": "1"},
        example=lambda: _listing([_EXAMPLE], detailed=True),
    ),
)

_SENTENCE = (
    "id = {id}, login = {login}, messages = {cnt}, credit = {credit}, debit = {debit}, "
    "currency = {currency}"
)
_SHORT = "{id},{login},{cnt},{credit},{debit},{currency}"
_DETAILS = ", format = {format}, country = {country}, operator = {operator}"
_SHORT_DETAILS = ",{format},{country},{operator}"


def _operation(call: Call) -> str:
    chosen = [name for name in OPERATIONS if call.flag(name)]
    if len(chosen) != 1:
        raise BadParameters(f"users.php takes one of {', '.join(f'{o}=1' for o in OPERATIONS)}")
    return chosen[0]


def _rate(call: Call) -> Rate | None:
    """Requests, identical or not: to add any, to change the same one (users.md, "Rules")."""
    most = call.client.limits.subclient_per_minute
    match _operation(call):
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
    match _operation(call):
        case "add":
            login = _user(call)
            changes = subclient_settings.changes(call, login)
            made = await subclients.add(
                call.client, login, call.text("password"), changes, call.now_ms
            )
            return _made(made)
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
            return _listing(found, detailed=False)
        case "get_stat_all":
            found = await call.services.statistics.detailed(call.client, _asked(call))
            return _listing(found, detailed=True)
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


def _made(client_id: int) -> Reply:
    return Reply({"id": client_id}, "ID = {id}", "{id}")


def _listing(found: list[Turnover], *, detailed: bool) -> Listing:
    return Listing([_record(one, detailed=detailed) for one in found], root="statistic")


def _record(one: Turnover, *, detailed: bool) -> Reply:
    fields: dict[str, Value] = {
        "id": one.client_id,
        "login": one.login,
        "cnt": one.messages,
        "credit": money(one.spent),
        "debit": money(one.received),
        "currency": one.currency,
    }
    if not detailed:
        return Reply(fields, _SENTENCE, _SHORT, root="user")
    fields |= {"format": one.kind, "country": one.country, "operator": one.operator}
    return Reply(fields, _SENTENCE + _DETAILS, _SHORT + _SHORT_DETAILS, root="user")
