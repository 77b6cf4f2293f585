"""What send.php says of a request it took or priced (send.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vestnik.domain.money import money
from vestnik.doors.http.reply import Reply, Rows, Value, wire_id
from vestnik.doors.http.shapes import Member, Shape
from vestnik.services.messages.draft import Accepted, Fate

WITH_PRICE, WITH_BALANCE = 2, 3

_CNT = Member("cnt", "Parts over all recipients that were taken.", kind="number")
_COST = Member("cost", "The price of all of them.", kind="money")
_PHONES = Member(
    "phones",
    "With op=1 all recipients, with err=1 those that were refused.",
    kind="list",
    optional=True,
    members=(
        Member("phone", "The number."),
        Member("mccmnc", "Country and network code.", kind="digits", optional=True),
        Member("cost", "The price of this one.", kind="money", optional=True),
        Member("status", "Its status if it was refused.", kind="digits"),
        Member("error", "Why it was refused.", kind="digits"),
    ),
)
ANSWERS = (
    Shape(
        "The messages are taken.",
        (
            Member("id", "Id of the messages.", kind="id"),
            _CNT,
            replace(_COST, optional=True),
            Member("balance", "What is left, with cost=3.", kind="money", optional=True),
            Member("code", "The code that the call tells, with mes=code.", optional=True),
            _PHONES,
        ),
        asked={"phones": "79990000001", "mes": "Hello", "cost": "3"},
        example=lambda: accepted_reply(_EXAMPLE, 3, ""),
    ),
    Shape(
        "The price, with cost=1.",
        (_COST, _CNT, _PHONES),
        asked={"phones": "79990000001,123", "mes": "Hello", "cost": "1", "op": "1"},
        example=lambda: price_reply(_EXAMPLE, "op"),
    ),
)
_EXAMPLE: Accepted = Accepted(
    "1234",
    1,
    1_400_000,
    100_500_000,
    [Fate("79990000001", "25001", 1_400_000, None, 0), Fate("123", "", 0, 22, 249)],
)


def accepted_reply(accepted: Accepted, cost: int, phones: str) -> Reply:
    """The answer to a send; `phones` is "op" for all recipients, "err" for the refused, or ""."""
    fields: dict[str, Value] = {"id": wire_id(accepted.wire_id), "cnt": accepted.count}
    sentence, short = "OK - {cnt} SMS, ID - {id}", "{id},{cnt}"
    if cost >= WITH_PRICE:
        fields["cost"] = price(accepted.cost)
        sentence, short = sentence + ", COST - {cost}", short + ",{cost}"
    if cost == WITH_BALANCE and accepted.balance is not None:
        fields["balance"] = money(accepted.balance)
        sentence, short = sentence + ", BALANCE - {balance}", short + ",{balance}"
    if accepted.code:
        fields["code"] = accepted.code
        sentence, short = sentence + ", CODE - {code}", short + ",{code}"
    rows = _rows(accepted.recipients, phones, priced=not accepted.test)
    return Reply(fields, sentence, short, rows=rows)


def price_reply(priced: Accepted, phones: str) -> Reply:
    """The answer to `cost=1`: in fmt=1 the price comes first, in XML the count."""
    fields: dict[str, Value] = {"cost": price(priced.cost), "cnt": priced.count}
    return Reply(
        fields,
        "{cost} ({cnt} SMS)",
        "{cost},{cnt}",
        elements=("cnt", "cost"),
        rows=_rows(priced.recipients, phones, priced=True),
    )


def price(micro: int) -> str:
    """What costs nothing costs "0" (send.md, the example of op=1)."""
    return money(micro) if micro else "0"


def _rows(recipients: Sequence[Fate], phones: str, *, priced: bool) -> Rows | None:
    if not phones:
        return None
    if phones == "op":
        records = [_full(recipient, priced=priced) for recipient in recipients]
        price_label, price_value = (", cost = {cost}", "{cost}") if priced else ("", "")
        return Rows(
            "phones",
            "phone",
            records,
            f"{{phone}}, mccmnc = {{mccmnc}}{price_label}, status = {{status}}, error = {{error}}",
            f"{{phone}},{{mccmnc}},{price_value},{{status}},{{error}}",
        )
    refused = [recipient for recipient in recipients if recipient.status is not None]
    if not refused:
        return None
    return Rows(
        "phones",
        "phone",
        [{"phone": recipient.phone, **_fate(recipient)} for recipient in refused],
        "{phone}, status = {status}, error = {error}",
        "{phone},{status},{error}",
    )


def _full(recipient: Fate, *, priced: bool) -> Mapping[str, str]:
    """In test mode the price of a recipient is not told (recorded.md)."""
    cost = {"cost": price(recipient.cost)} if priced else {}
    return {
        "phone": recipient.phone,
        "mccmnc": recipient.mccmnc,
        **cost,
        **_fate(recipient),
    }


def _fate(recipient: Fate) -> Mapping[str, str]:
    if recipient.status is None:
        return {"status": "", "error": ""}
    return {"status": str(recipient.status), "error": str(recipient.err)}
