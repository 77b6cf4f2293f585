"""Clients of the centre: accounts, money, passwords, keys, limits.

What the operator's commands do; each function is one transaction, raises Refusals in plain words
and raises the directory's version when it changes what that holds.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

from vestnik.domain.client import LIMIT_NAMES, Client, Limits, limits_from
from vestnik.domain.ids import Ids
from vestnik.domain.money import money, parse_money
from vestnik.domain.refusals import BadParameters, InsufficientFunds, NotFound
from vestnik.services import access
from vestnik.store import clients, ledger, settings
from vestnik.store.clients import KEY, PASSWORD, Secret
from vestnik.store.engine import Transaction
from vestnik.store.ledger import Account, Entry

PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 200
TYPES = range(5)  # users.md 3.1

_login = re.compile(r"[a-z0-9_.-]{3,50}").fullmatch  # users.md, "Rules"
_help_line = re.compile(r"^    (\w+): \w+ = .*?  # (.+)$", re.MULTILINE)

# What `client set` changes besides the limits, with its help.
FIELDS: dict[str, str] = {
    "sender": "default sender name; empty: the centre's",
    "zone": "time zone of the account, such as Europe/Moscow",
    "addresses": "networks it may call from, joined by commas; empty: any",
    "type": "who pays, at whose tariff: 0 to 4 as in users.php; only of a subclient",
    "credit": "how far below zero the balance may go, in whole units of money",
    "admin": "1: an operator of the centre",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting of an account, for people."""

    name: str
    value: str
    usual: str
    help: str


@dataclass(frozen=True, slots=True)
class New:
    """An account to be made; `balance` in micro-units, `currency` of a topmost account."""

    login: str
    password_hash: str
    parent: str = ""
    admin: bool = False
    balance: int = 0
    currency: str = "RUB"
    zone: str = "Europe/Moscow"


def hashed(clear: str) -> str:
    """The stored form of a new password, which takes tens of milliseconds.

    Raises BadParameters for one that is too short or too long.
    """
    if not PASSWORD_LENGTH_MIN <= len(clear) <= PASSWORD_LENGTH_MAX:
        raise BadParameters(
            f"a password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters,"
            f" not {len(clear)}"
        )
    return access.hash_password(clear)


async def add(tx: Transaction, new: New, ids: Ids, now_ms: int) -> Client:
    """Make an account with its password and opening balance."""
    login = new.login.strip().lower()
    if not _login(login):
        raise BadParameters(
            f"'{new.login}' cannot be a login: it has 3 to 50 Latin letters, digits, '_', '-', '.'"
        )
    if new.balance < 0:
        raise BadParameters("an account cannot begin with less than nothing")
    if await clients.by_login(tx, login):
        raise BadParameters(f"there is a client '{login}' already")
    parent = await named(tx, new.parent) if new.parent else None
    client = Client(
        id=await settings.take_id(tx, "client"),
        login=login,
        parent_id=parent.id if parent else None,
        currency=parent.currency if parent else new.currency,
        zone=_zone(parent.zone if parent else new.zone),
        admin=new.admin,
    )
    await clients.add(tx, client, now_ms)
    await _add_secret(tx, client, PASSWORD, new.password_hash, "", now_ms)
    await ledger.open_account(tx, client.id, client.currency)
    if new.balance:
        await _book(tx, client, new.balance, "opening balance", ids, now_ms)
    await settings.raise_version(tx)
    return client


async def named(tx: Transaction, login: str) -> Client:
    """The client of a login; raises NotFound."""
    client = await clients.by_login(tx, login.strip().lower())
    if client is None:
        raise NotFound(f"there is no client '{login}'; 'vestnik client list' shows all")
    return client


async def everybody(tx: Transaction) -> list[tuple[Client, Account]]:
    """Every client with its first purse, in the order they were added."""
    accounts = await clients.accounts(tx)
    return [(client, accounts[client.id]) for client in await clients.everybody(tx)]


async def top_up(
    tx: Transaction, login: str, amount: int, note: str, ids: Ids, now_ms: int
) -> tuple[Client, Account]:
    """Add to a balance, or take from it what can be spent; returns the account afterwards.

    Raises InsufficientFunds when less than `-amount` can be spent.
    """
    client = await named(tx, login)
    if not amount:
        raise BadParameters("an amount of 0 changes nothing")
    account = await _book(tx, client, amount, note, ids, now_ms)
    if amount < 0 and account.available < 0:
        raise InsufficientFunds(
            f"'{client.login}' has {money(account.available - amount)} {account.currency} to spend:"
            f" {money(-amount)} cannot be taken"
        )
    return client, account


async def set_password(tx: Transaction, login: str, password_hash: str, now_ms: int) -> Client:
    """Replace the password; the API keys stay."""
    client = await named(tx, login)
    for old in await clients.secrets_of(tx, client.id, PASSWORD):
        await clients.remove_secret(tx, client.id, PASSWORD, old.id)
    await _add_secret(tx, client, PASSWORD, password_hash, "", now_ms)
    await settings.raise_version(tx)
    return client


async def add_key(tx: Transaction, login: str, note: str, now_ms: int) -> str:
    """Make an API key; only its keyed hash is stored, so it can be shown this once."""
    client = await named(tx, login)
    secret = (await settings.everything(tx))[settings.KEY_SECRET]
    clear, stored = access.new_key(bytes.fromhex(secret))
    await _add_secret(tx, client, KEY, stored.hex(), note, now_ms)
    await settings.raise_version(tx)
    return clear


async def keys(tx: Transaction, login: str) -> list[Secret]:
    client = await named(tx, login)
    return await clients.secrets_of(tx, client.id, KEY)


async def remove_key(tx: Transaction, login: str, key_id: int) -> None:
    client = await named(tx, login)
    if not await clients.remove_secret(tx, client.id, KEY, key_id):
        raise NotFound(f"'{client.login}' has no key {key_id}; 'vestnik client key list' shows all")
    await settings.raise_version(tx)


async def change(
    tx: Transaction, login: str, changes: Mapping[str, str], ids: Ids, now_ms: int
) -> Client:
    """Change limits and fields, all or none; an empty value of a limit brings its default back."""
    client = await named(tx, login)
    limits: dict[str, str | int] = {
        name: getattr(client.limits, name) for name in LIMIT_NAMES if name not in changes
    }
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "credit":
            await _set_credit(tx, client, value, ids, now_ms)
        elif name in FIELDS:
            fields[name] = _field(client, name, value)
        elif name in LIMIT_NAMES:
            limits[name] = value or getattr(Limits(), name)
        else:
            raise BadParameters(
                f"there is no setting '{name}'; 'vestnik client set {client.login}' shows all"
            )
    client = replace(client, limits=limits_from(limits), **fields)
    await clients.change(tx, client)
    await settings.raise_version(tx)
    return client


async def show(tx: Transaction, login: str) -> list[Shown]:
    """Everything that `change` can change, as it is now."""
    client = await named(tx, login)
    account = await ledger.account(tx, client.id)
    assert account is not None, client
    values = {
        "sender": client.sender,
        "zone": client.zone,
        "addresses": ",".join(str(network) for network in client.addresses),
        "type": str(client.type),
        "credit": money(account.credit),
        "admin": str(int(client.admin)),
    }
    usual = {"zone": "Europe/Moscow", "type": "0", "credit": "0.00", "admin": "0"}
    shown = [Shown(name, values[name], usual.get(name, ""), FIELDS[name]) for name in FIELDS]
    for name in LIMIT_NAMES:
        value, default = (str(getattr(limits, name)) for limits in (client.limits, Limits()))
        shown.append(Shown(name, value, default, limit_help()[name]))
    return shown


@cache
def limit_help() -> dict[str, str]:
    """What each limit means: the comment that stands behind it."""
    found = dict(_help_line.findall(inspect.getsource(Limits)))
    assert set(found) == set(LIMIT_NAMES), set(found) ^ set(LIMIT_NAMES)
    return found


async def _add_secret(
    tx: Transaction, client: Client, kind: str, stored: str, note: str, now_ms: int
) -> None:
    number = await settings.take_id(tx, "secret")
    await clients.add_secret(tx, Secret(number, client.id, kind, stored, note, now_ms))


async def _book(
    tx: Transaction, client: Client, amount: int, note: str, ids: Ids, now_ms: int
) -> Account:
    """One entry of money that comes from outside, or goes there."""
    account = (await ledger.lock(tx, [(client.id, 0)]))[client.id, 0]
    kind = "topup" if amount > 0 else "correction"
    await ledger.book(tx, [await _entry(tx, client, kind, amount, note, ids, now_ms)])
    account.posted += amount
    return account


async def _entry(
    tx: Transaction, client: Client, kind: str, amount: int, note: str, ids: Ids, now_ms: int
) -> Entry:
    """An entry of an account that this transaction has locked."""
    last = await clients.last_entry_id(tx, client.id)
    number = ids.take(now_ms)[0]
    while number <= last:  # another command, in the same millisecond
        number = ids.take(now_ms)[0]
    return Entry(
        account_id=client.id,
        purse=0,
        id=number,
        kind=kind,
        posted=amount,
        held=0,
        messages=0,
        ref="",
        note=note,
        at=now_ms,
    )


async def _set_credit(tx: Transaction, client: Client, value: str, ids: Ids, now_ms: int) -> None:
    """It moves no money, but the entry shows since when an account may owe more or less."""
    amount = parse_money(value or "0")
    if amount < 0:
        raise BadParameters("credit cannot be negative")
    await ledger.lock(tx, [(client.id, 0)])
    entry = await _entry(tx, client, "credit", 0, f"credit is {money(amount)}", ids, now_ms)
    await ledger.book(tx, [entry])
    await ledger.set_credit(tx, client.id, amount)


def _field(client: Client, name: str, value: str) -> Any:
    """A field's value in its type; raises BadParameters."""
    if name == "sender":
        return value
    if name == "zone":
        return _zone(value or "Europe/Moscow")
    if name == "addresses":
        return tuple(_network(part.strip()) for part in value.split(",") if part.strip())
    if name == "admin":
        if value not in ("0", "1"):
            raise BadParameters(f"admin is 0 or 1, not '{value}'")
        return value == "1"
    if not value.isdecimal() or int(value) not in TYPES:
        raise BadParameters(f"type is 0 to 4, not '{value}'")
    if int(value) and client.parent_id is None:
        raise BadParameters(f"'{client.login}' is not a subclient: its type is 0")
    return int(value)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, an unlikely path, a folder of zones
        raise BadParameters(f"there is no time zone '{name}'; one is Europe/Moscow") from None
    return name


def _network(text: str) -> Any:
    try:
        return ip_network(text)
    except ValueError:
        raise BadParameters(
            f"'{text}' is not an address or network, such as 192.0.2.7 or 192.0.2.0/24"
        ) from None
