"""Clients and their secrets."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

import msgspec
import sqlalchemy as sa

from vestnik.domain.client import LIMIT_NAMES, Client, Limits, limits_from
from vestnik.domain.profile import PROFILE_NAMES, Profile, profile_from
from vestnik.store import schema
from vestnik.store.engine import Row, Transaction
from vestnik.store.ledger import Account
from vestnik.store.statement import Statement, insert_into

clients, secrets = schema.clients, schema.secrets
entries, on_account = schema.entries, schema.accounts

PASSWORD = "password"
KEY = "key"

LIMITS_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class Secret:
    """A password's argon2 hash, or an API key's keyed hash in hexadecimal."""

    id: int
    client_id: int
    kind: str
    hash: str
    note: str
    created_at: int


_FIELDS = (
    clients.c.id,
    clients.c.login,
    clients.c.parent_id,
    clients.c.type,
    clients.c.currency,
    clients.c.zone,
    clients.c.sender,
    clients.c.admin,
    clients.c.addresses,
    clients.c.limits,
)
_EVERYBODY = Statement(sa.select(*_FIELDS).order_by(clients.c.id))
_BY_LOGIN = Statement(sa.select(*_FIELDS).where(clients.c.login == sa.bindparam("which")))
_BY_ID = Statement(sa.select(*_FIELDS).where(clients.c.id == sa.bindparam("which")))
_ADD = insert_into(clients)
_RENAME = Statement(
    sa.update(clients)
    .values(login=sa.bindparam("name"))
    .where(clients.c.id == sa.bindparam("client"))
)
_PROFILE = Statement(sa.select(clients.c.profile).where(clients.c.id == sa.bindparam("client")))
_SET_PROFILE = Statement(
    sa.update(clients)
    .values(profile=sa.bindparam("text"))
    .where(clients.c.id == sa.bindparam("client"))
)
_CHANGE = Statement(
    sa.update(clients)
    .values(
        {
            name: sa.bindparam(name, type_=clients.c[name].type)
            for name in ("type", "admin", "currency", "zone", "sender", "addresses", "limits")
        }
    )
    .where(clients.c.id == sa.bindparam("client"))
)
_SECRETS = Statement(sa.select(*secrets.c).order_by(secrets.c.id))
_SECRETS_OF = Statement(
    sa.select(*secrets.c)
    .where(secrets.c.client_id == sa.bindparam("client"), secrets.c.kind == sa.bindparam("which"))
    .order_by(secrets.c.id)
)
_ADD_SECRET = insert_into(secrets)
_REMOVE_SECRET = Statement(
    sa.delete(secrets).where(
        secrets.c.client_id == sa.bindparam("client"),
        secrets.c.kind == sa.bindparam("which"),
        secrets.c.id == sa.bindparam("secret"),
    )
)
_ACCOUNTS = Statement(
    sa.select(
        on_account.c.id,
        on_account.c.purse,
        on_account.c.currency,
        on_account.c.posted,
        on_account.c.held,
        on_account.c.credit,
    ).where(on_account.c.purse == sa.bindparam("which"))
)
_SET_CURRENCY = Statement(
    sa.update(on_account)
    .values(currency=sa.bindparam("code"))
    .where(on_account.c.id == sa.bindparam("client"))
)
_LAST_ENTRY = Statement(
    sa.select(sa.func.max(entries.c.id)).where(
        entries.c.account_id == sa.bindparam("account"), entries.c.purse == sa.bindparam("which")
    )
)


async def everybody(tx: Transaction) -> list[Client]:
    return [_client(row) for row in await tx.all(_EVERYBODY)]


async def by_login(tx: Transaction, login: str) -> Client | None:
    """The client of a login, which is stored in lower case."""
    row = await tx.one(_BY_LOGIN, which=login)
    return _client(row) if row else None


async def by_id(tx: Transaction, client_id: int) -> Client | None:
    row = await tx.one(_BY_ID, which=client_id)
    return _client(row) if row else None


async def add(tx: Transaction, client: Client, created_at: int) -> None:
    changing = _changing(client)
    await tx.many(
        _ADD,
        [
            (
                client.id,
                client.login,
                client.parent_id,
                changing["type"],
                changing["admin"],
                changing["currency"],
                changing["zone"],
                changing["sender"],
                changing["addresses"],
                changing["limits"],
                created_at,
                "{}",
            )
        ],
    )


async def change(tx: Transaction, client: Client) -> None:
    """Store a client as it is now; its parent never changes, its login by `rename`."""
    await tx.run(_CHANGE, client=client.id, **_changing(client))


async def rename(tx: Transaction, client_id: int, login: str) -> None:
    await tx.run(_RENAME, client=client_id, name=login)


async def profile(tx: Transaction, client_id: int) -> Profile:
    """What the client tells of itself."""
    row = await tx.one(_PROFILE, client=client_id)
    assert row is not None, client_id
    return profile_from(msgspec.json.decode(row[0], type=dict[str, str | int]))


async def set_profile(tx: Transaction, client_id: int, told: Profile) -> None:
    changed = _changed(told, Profile(), PROFILE_NAMES)
    await tx.run(_SET_PROFILE, client=client_id, text=msgspec.json.encode(changed).decode())


async def all_secrets(tx: Transaction) -> list[Secret]:
    return [Secret(*row) for row in await tx.all(_SECRETS)]


async def secrets_of(tx: Transaction, client_id: int, kind: str) -> list[Secret]:
    return [Secret(*row) for row in await tx.all(_SECRETS_OF, client=client_id, which=kind)]


async def add_secret(tx: Transaction, secret: Secret) -> None:
    row = (secret.id, secret.client_id, secret.kind, secret.hash, secret.note, secret.created_at)
    await tx.many(_ADD_SECRET, [row])


async def remove_secret(tx: Transaction, client_id: int, kind: str, secret_id: int) -> bool:
    """Remove one; False when the client has no such secret."""
    return await tx.run(_REMOVE_SECRET, client=client_id, which=kind, secret=secret_id) > 0


async def accounts(tx: Transaction, purse: int = 0) -> dict[int, Account]:
    """Every client's account of a purse."""
    return {row[0]: Account(*row) for row in await tx.all(_ACCOUNTS, which=purse)}


async def set_currency(tx: Transaction, client_id: int, code: str) -> None:
    """The currency of every purse of an account that never had money."""
    await tx.run(_SET_CURRENCY, client=client_id, code=code)


async def last_entry_id(tx: Transaction, account_id: int, purse: int = 0) -> int:
    """The newest entry of an account; 0 when it has none."""
    row = await tx.one(_LAST_ENTRY, account=account_id, which=purse)
    return row[0] or 0 if row else 0


def _client(row: Row) -> Client:
    (client_id, login, parent_id, kind, currency, zone, sender, admin, addresses, limits) = row
    return Client(
        id=client_id,
        login=login,
        parent_id=parent_id,
        type=kind,
        currency=currency,
        zone=zone,
        sender=sender,
        admin=bool(admin),
        addresses=tuple(ip_network(a) for a in addresses.split(",") if a),
        limits=_limits(limits),
    )


@lru_cache(maxsize=LIMITS_KNOWN)
def _limits(text: str) -> Limits:
    """Most accounts share a few sets of limits."""
    return limits_from(msgspec.json.decode(text, type=dict[str, str | int]))


def _changing(client: Client) -> dict[str, Any]:
    """The columns that may change."""
    return {
        "type": client.type,
        "admin": int(client.admin),
        "currency": client.currency,
        "zone": client.zone,
        "sender": client.sender,
        "addresses": ",".join(str(network) for network in client.addresses),
        "limits": msgspec.json.encode(_changed(client.limits, Limits(), LIMIT_NAMES)).decode(),
    }


def _changed(of: Any, usual: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The values that differ from the usual ones."""
    return {name: getattr(of, name) for name in names if getattr(of, name) != getattr(usual, name)}
