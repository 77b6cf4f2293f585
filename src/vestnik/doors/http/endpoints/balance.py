"""balance.php: what the client may still spend."""

from vestnik.domain.money import money
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Parameter, Rate, endpoint
from vestnik.doors.http.reply import Reply, Value
from vestnik.doors.http.services import Statement as HasStatement
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.money.billing import Statement

PARAMETERS = (Parameter("cur", "1 tells the currency too.", kind="flag"),)
ANSWERS = (
    Shape(
        "The balance.",
        (
            Member("balance", "What was paid in, less what was spent and is held.", kind="money"),
            Member("currency", "Its currency, with cur=1.", optional=True),
            Member("credit", "How far below zero it may go.", kind="money", optional=True),
        ),
        asked={"cur": "1"},
        example=lambda: _told(Statement(250_800_000, "RUB", 0), with_currency=True),
    ),
)


def _rate(call: Call) -> Rate:
    """Every balance request counts, whatever its parameters (balance.md)."""
    return Rate(b"", call.client.limits.balance_per_minute)


@endpoint(
    "/sys/balance.php",
    codes=codes.BALANCE,
    rate=_rate,
    parameters=PARAMETERS,
    answers=ANSWERS,
)
async def balance(call: Call) -> Reply:
    """The balance, with `cur=1` its currency too; JSON also tells a credit if there is one."""
    with_currency = call.flag("cur")
    return _told(await call.services.billing.statement(call.client), with_currency=with_currency)


def _told(statement: HasStatement, *, with_currency: bool) -> Reply:
    fields: dict[str, Value] = {"balance": money(statement.available)}
    elements = ["balance"]
    line = "{balance}"
    if with_currency:
        fields["currency"] = statement.currency
        elements.append("currency")
        line = "{balance},{currency}"
    if statement.credit:
        fields["credit"] = money(statement.credit)
    root = "result" if with_currency else None
    return Reply(fields, line, line, root=root, elements=tuple(elements), spread=False)
