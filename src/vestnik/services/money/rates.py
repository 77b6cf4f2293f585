"""Tariffs: a file of prices takes the place of those it is about (docs/rates.md)."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vestnik.domain.message import CHANNEL_OF
from vestnik.domain.money import parse_money
from vestnik.domain.rate import Rate
from vestnik.domain.refusals import BadParameters
from vestnik.services.clients.clients import named
from vestnik.store import carriers, clients, settings
from vestnik.store.engine import Transaction

HEADER = ("client", "channel", "prefix", "operator", "price")
CHANNELS = frozenset(CHANNEL_OF.values())
PREFIX_LENGTH_MAX = 15
OPERATOR_LENGTHS = (5, 6)  # MCC and MNC


@dataclass(frozen=True, slots=True)
class Line:
    """One price of a file; an empty login stands for everybody."""

    number: int
    login: str
    channel: str
    prefix: str
    operator: str
    price: int


def read_csv(lines: Iterable[str]) -> Iterator[Line]:
    """The prices of a file; raises BadParameters that names the line and what is wrong with it."""
    reader = csv.reader(lines, delimiter=";")
    header = False
    seen: dict[tuple[str, ...], int] = {}
    for fields in reader:
        values = [field.strip() for field in fields]
        if not any(values) or values[0].startswith("#"):
            continue
        if not header:
            _check_header(reader.line_num, values)
            header = True
            continue
        line = _line(reader.line_num, values)
        what = (line.login, line.channel, line.prefix, line.operator)
        if what in seen:
            raise BadParameters(
                f"line {line.number}: the same client, channel, prefix and operator as line"
                f" {seen[what]}"
            )
        seen[what] = line.number
        yield line
    if not seen:
        raise BadParameters("the file has no prices")


async def load(tx: Transaction, lines: list[Line]) -> int:
    """Replace each tariff that the lines are about, whole; returns how many tariffs those are.

    Raises BadParameters naming the line of a client that does not exist.
    """
    by_login = {client.login: client.id for client in await clients.everybody(tx)}
    owners = {_owner(line, by_login) for line in lines}
    for owner in owners:
        await carriers.remove_tariff(tx, owner)
    made = [
        Rate(_owner(line, by_login), line.channel, line.price, line.prefix, line.operator)
        for line in lines
    ]
    numbers = await settings.take_ids(tx, "rate", len(made))
    await carriers.add_rates(tx, numbers[0], made)
    await settings.raise_version(tx)
    return len(owners)


async def remove(tx: Transaction, login: str) -> None:
    """Remove a client's own tariff; an empty login is the tariff of everybody."""
    owner = (await named(tx, login)).id if login else None
    await carriers.remove_tariff(tx, owner)
    await settings.raise_version(tx)


async def everything(tx: Transaction) -> list[tuple[str, Rate]]:
    """Every price with the login of its tariff."""
    logins = {client.id: client.login for client in await clients.everybody(tx)}
    return [
        (logins[rate.client_id] if rate.client_id is not None else "", rate)
        for rate in await carriers.all_rates(tx)
    ]


def _owner(line: Line, by_login: Mapping[str, int]) -> int | None:
    if not line.login:
        return None
    if line.login not in by_login:
        raise BadParameters(f"line {line.number}: there is no client '{line.login}'")
    return by_login[line.login]


def _check_header(number: int, values: list[str]) -> None:
    names = tuple(value.lower().removeprefix("\ufeff") for value in values)
    if names != HEADER:
        raise BadParameters(f"line {number}: the header is not {';'.join(HEADER)}")


def _line(number: int, values: list[str]) -> Line:
    try:
        return _read(number, values)
    except BadParameters as wrong:
        raise BadParameters(f"line {number}: {wrong}") from None


def _read(number: int, values: list[str]) -> Line:
    if len(values) != len(HEADER):
        raise BadParameters(f"{len(values)} fields instead of {len(HEADER)}")
    login, channel, prefix, operator, price = values
    if channel not in CHANNELS:
        raise BadParameters(
            f"there is no channel '{channel}'; there are {', '.join(sorted(CHANNELS))}"
        )
    if prefix and operator:
        raise BadParameters("a price is for a prefix or for an operator, not for both")
    if prefix and not (_is_digits(prefix) and len(prefix) <= PREFIX_LENGTH_MAX):
        raise BadParameters(f"a prefix is the first digits of a number, not '{prefix}'")
    if operator and not (_is_digits(operator) and len(operator) in OPERATOR_LENGTHS):
        raise BadParameters(f"an operator is its MCC and MNC, such as 25001, not '{operator}'")
    amount = parse_money(price)
    if amount < 0:
        raise BadParameters("a price cannot be negative")
    return Line(number, login.lower(), channel, prefix, operator, amount)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
