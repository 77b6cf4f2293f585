"""Clients of the centre: accounts, money, passwords, keys, limits.

What the operator's commands do; each function is one transaction, raises Refusals in plain words
and raises the directory's version when it changes what that holds.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from vestnik.domain.client import LIMIT_NAMES, Client, Limits, limits_from
from vestnik.domain.ids import Ids
from vestnik.domain.money import money, parse_money
from vestnik.domain.profile import PROFILE_NAMES, Profile, profile_from
from vestnik.domain.refusals import BadParameters, InsufficientFunds, NotFound, NotPossible
from vestnik.services.clients import access, currencies
from vestnik.services.clients import fields as client_fields
from vestnik.services.clients.fields import FIELDS
from vestnik.store import clients, ledger, settings
from vestnik.store.clients import KEY, PASSWORD, Secret
from vestnik.store.engine import Transaction
from vestnik.store.ledger import Account, Entry

PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 200

PURSES = (0, 1)  # the balance, the electronic balance

_help_line = re.compile(r"^    (\w+): \w+ = .*?  # (.+)$", re.MULTILINE)


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
    login = await _free_login(tx, new.login)
    if new.balance < 0:
        raise BadParameters("an account cannot begin with less than nothing")
    parent = await named(tx, new.parent) if new.parent else None
    client = Client(
        id=await settings.take_id(tx, "client"),
        login=login,
        parent_id=parent.id if parent else None,
        currency=parent.currency if parent else new.currency,
        zone=client_fields.zone(parent.zone if parent else new.zone),
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
    tx: Transaction, login: str, amount: int, note: str, ids: Ids, now_ms: int, purse: int = 0
) -> tuple[Client, Account]:
    """Add to a balance, or take from it what can be spent; returns the account afterwards.

    Purse 1 is the electronic balance: see services/messages/purses.py.

    Raises InsufficientFunds when less than `-amount` can be spent.
    """
    client = await named(tx, login)
    if not amount:
        raise BadParameters("an amount of 0 changes nothing")
    account = await _book(tx, client, amount, note, ids, now_ms, purse)
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
    """`apply` to the client of a login; raises NotFound too."""
    return await apply(tx, await named(tx, login), changes, ids, now_ms)


async def apply(
    tx: Transaction, client: Client, changes: Mapping[str, str], ids: Ids, now_ms: int
) -> Client:
    """Change limits, profile and fields, all or none; an empty value brings the default back.

    Returns the client as it is now.  Raises BadParameters, NotPossible.
    """
    limits: dict[str, str | int] = {
        name: getattr(client.limits, name) for name in LIMIT_NAMES if name not in changes
    }
    told: dict[str, str] = {}
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "credit":
            await _set_credit(tx, client, value, ids, now_ms)
        elif name == "login":
            fields[name] = await _rename(tx, client, value)
        elif name == "currency":
            fields[name] = await _set_currency(tx, client, client_fields.currency(value))
        elif name in FIELDS:
            fields[name] = client_fields.value(client, name, value)
        elif name in LIMIT_NAMES:
            limits[name] = value or getattr(Limits(), name)
        elif name in PROFILE_NAMES:
            told[name] = value
        else:
            raise BadParameters(
                f"there is no setting '{name}'; 'vestnik client set {client.login}' shows all"
            )
    client = replace(client, limits=limits_from(limits), **fields)
    await clients.change(tx, client)
    if told:
        await _tell(tx, client, told)
    await settings.raise_version(tx)
    return client


async def profile(tx: Transaction, client_id: int) -> Profile:
    """What an account tells of itself."""
    return await clients.profile(tx, client_id)


async def show(tx: Transaction, login: str) -> list[Shown]:
    """Everything that `change` can change, as it is now."""
    client = await named(tx, login)
    account = await ledger.account(tx, client.id)
    assert account is not None, client
    values = {
        "login": client.login,
        "sender": client.sender,
        "zone": client.zone,
        "addresses": ",".join(str(network) for network in client.addresses),
        "type": str(client.type),
        "credit": money(account.credit),
        "currency": client.currency,
        "admin": str(int(client.admin)),
    }
    usual = {"zone": "Europe/Moscow", "type": "0", "credit": "0.00", "admin": "0"}
    shown = [Shown(name, values[name], usual.get(name, ""), FIELDS[name]) for name in FIELDS]
    for name in LIMIT_NAMES:
        value, default = (str(getattr(limits, name)) for limits in (client.limits, Limits()))
        shown.append(Shown(name, value, default, limit_help()[name]))
    told = await clients.profile(tx, client.id)
    for name in PROFILE_NAMES:
        value, default = (str(getattr(of, name)) for of in (told, Profile()))
        shown.append(Shown(name, value, default, profile_help()[name]))
    return shown


@cache
def limit_help() -> dict[str, str]:
    """What each limit means: the comment that stands behind it."""
    return _help(Limits, LIMIT_NAMES)


@cache
def profile_help() -> dict[str, str]:
    """What each value of a profile means."""
    return _help(Profile, PROFILE_NAMES)


def _help(of: type, names: tuple[str, ...]) -> dict[str, str]:
    found = dict(_help_line.findall(inspect.getsource(of)))
    assert set(found) == set(names), set(found) ^ set(names)
    return found


async def _free_login(tx: Transaction, asked: str) -> str:
    """A login as it is stored; raises BadParameters for one that cannot be, or is taken."""
    login = client_fields.login(asked)
    if await clients.by_login(tx, login):
        raise BadParameters(f"there is a client '{login}' already")
    return login


async def _rename(tx: Transaction, client: Client, asked: str) -> str:
    if asked.strip().lower() == client.login:
        return client.login
    login = await _free_login(tx, asked)
    await clients.rename(tx, client.id, login)
    return login


async def _set_currency(tx: Transaction, client: Client, code: str) -> str:
    """Money and what it was spent for are told in one currency for ever."""
    if code == client.currency:
        return code
    if any([await clients.last_entry_id(tx, client.id, purse) for purse in PURSES]):
        raise NotPossible(f"'{client.login}' has had money in {client.currency} already")
    exchange = await currencies.exchange(tx)
    for other in await clients.everybody(tx):
        if client.parent_id == other.id or other.parent_id == client.id:
            exchange.convert(0, other.currency, code)  # both must be known
    await clients.set_currency(tx, client.id, code)
    return code


async def _tell(tx: Transaction, client: Client, told: Mapping[str, str]) -> None:
    known = await clients.profile(tx, client.id)
    kept = {name: getattr(known, name) for name in PROFILE_NAMES if name not in told}
    await clients.set_profile(tx, client.id, profile_from({**kept, **told}))


async def _add_secret(
    tx: Transaction, client: Client, kind: str, stored: str, note: str, now_ms: int
) -> None:
    number = await settings.take_id(tx, "secret")
    await clients.add_secret(tx, Secret(number, client.id, kind, stored, note, now_ms))


async def _book(
    tx: Transaction,
    client: Client,
    amount: int,
    note: str,
    ids: Ids,
    now_ms: int,
    purse: int = 0,
) -> Account:
    """One entry of money that comes from outside, or goes there."""
    account = (await ledger.lock(tx, [(client.id, purse)]))[client.id, purse]
    kind = "topup" if amount > 0 else "correction"
    await ledger.book(tx, [await _entry(tx, client, kind, amount, note, ids, now_ms, purse)])
    account.posted += amount
    return account


async def _entry(
    tx: Transaction,
    client: Client,
    kind: str,
    amount: int,
    note: str,
    ids: Ids,
    now_ms: int,
    purse: int = 0,
) -> Entry:
    """An entry of an account that this transaction has locked."""
    last = await clients.last_entry_id(tx, client.id, purse)
    number = ids.take(now_ms)[0]
    while number <= last:  # another command, in the same millisecond
        number = ids.take(now_ms)[0]
    return Entry(
        account_id=client.id,
        purse=purse,
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
