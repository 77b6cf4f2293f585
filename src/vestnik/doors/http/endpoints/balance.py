"""balance.php: what the client may still spend."""

from vestnik.domain.money import money
from vestnik.doors.http import codes
from vestnik.doors.http.endpoint import Call, Rate, endpoint
from vestnik.doors.http.reply import Reply, Value


def _rate(call: Call) -> Rate:
    """Every balance request counts, whatever its parameters (balance.md)."""
    return Rate(b"", call.client.limits.balance_per_minute)


@endpoint("/sys/balance.php", codes=codes.BALANCE, rate=_rate)
async def balance(call: Call) -> Reply:
    """The balance, with `cur=1` its currency too; JSON also tells a credit if there is one."""
    with_currency = call.flag("cur")
    statement = await call.services.billing.statement(call.client)
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
