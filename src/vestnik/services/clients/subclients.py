"""Subclients: a main account makes them, changes them and gives them money (users.md)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from vestnik.domain.client import Client
from vestnik.domain.exchange import Exchange
from vestnik.domain.ids import Ids
from vestnik.domain.refusals import (
    BadParameters,
    InsufficientFunds,
    NoSubclient,
    NotPossible,
    NotSaved,
    SharedBalance,
    TooManyRequests,
)
from vestnik.services.clients import access, clients, currencies
from vestnik.store import clients as table
from vestnik.store import dedup, ledger
from vestnik.store.engine import DataRefused, Store, Transaction
from vestnik.store.ledger import Entry

MINUTE_MS = 60_000
DAY_MS = 86_400_000
MOVED_MAX = 10**18  # micro-units of one transfer: beyond, balances would not fit their columns

# A password holds three of these (users.md, `password`).
_letters = re.compile(r"[^\W\d_]").search
_digits = re.compile(r"\d").search
_symbols = re.compile(r"[\W_]").search
KINDS_MIN = 3


@dataclass(frozen=True, slots=True)
class Payment:
    """Money for a subclient, in micro-units of the main account's currency; negative takes back.

    `key` is the request's Idempotency-Key: with the same one money moves once a day.
    """

    login: str
    amount: int
    purse: int = 0
    key: str = ""


class Subclients:
    """What main accounts do with their subclients.

    `refresh` makes this process see a change at once.
    """

    def __init__(self, store: Store, refresh: Callable[[], Awaitable[object]], ids: Ids) -> None:
        self._store, self._refresh, self._ids = store, refresh, ids

    async def add(
        self, main: Client, login: str, password: str, changes: Mapping[str, str], now_ms: int
    ) -> int:
        """Make a subclient with these settings, as `clients.apply` names them; returns its id.

        Raises NotPossible for a caller that is a subclient, BadParameters, NotSaved.
        """
        not_of_a_subclient(main)
        check_password(password)
        stored = await asyncio.to_thread(clients.hashed, password)
        new = clients.New(login=login, password_hash=stored, parent=main.login)
        try:
            made = await self._store.write(_add, new, changes, self._ids, now_ms)
        except DataRefused as refused:  # another request has just taken the login
            raise NotSaved from refused
        await self._refresh()
        return made.id

    async def change(
        self,
        main: Client,
        login: str,
        changes: Mapping[str, str],
        now_ms: int,
        *,
        password: str = "",
        current: str = "",
    ) -> None:
        """Change settings of a subclient, its password if a new one is given, all or nothing.

        A `current` password that is given must be right.  Raises NoSubclient, and as `add`.
        """
        not_of_a_subclient(main)
        stored = ""
        if password or current:
            hashes = await self._store.read(_hashes, main, login)
            if current and not await asyncio.to_thread(
                access.verify_password, hashes, current, True
            ):
                raise BadParameters("pswc is not the present password of the subclient")
        if password:
            check_password(password)
            stored = await asyncio.to_thread(clients.hashed, password)
        try:
            await self._store.write(_change, main, login, changes, stored, self._ids, now_ms)
        except DataRefused as refused:
            raise NotSaved from refused
        await self._refresh()

    async def pay(self, main: Client, payment: Payment, now_ms: int) -> None:
        """Move money between the main account and a subclient with a balance of its own.

        Raises NoSubclient, SharedBalance, InsufficientFunds, TooManyRequests beyond
        `subclient_per_minute`, NotPossible for a currency without a known worth.
        """
        not_of_a_subclient(main)
        await self._store.write(_pay, main, payment, self._ids, now_ms)


def check_password(clear: str) -> None:
    """Raise BadParameters for a new password that is too easy (users.md).

    It has 8 characters or more, and three of: letters, digits, letters in both cases, symbols.
    """
    if len(clear) < clients.PASSWORD_LENGTH_MIN:
        raise BadParameters(f"a password has {clients.PASSWORD_LENGTH_MIN} characters or more")
    both = clear != clear.lower() and clear != clear.upper()
    kinds = (_letters(clear), _digits(clear), both, _symbols(clear))
    if sum(map(bool, kinds)) < KINDS_MIN:
        raise BadParameters(
            "a password has three of these: letters, digits, letters in both cases, symbols"
        )


def own(main: Client, found: Client | None) -> Client:
    """A client that this main account may speak of; raises NoSubclient."""
    if found is None or found.parent_id != main.id:
        raise NoSubclient
    return found


def not_of_a_subclient(caller: Client) -> None:
    """Raise NotPossible: subclients have no subclients to manage (users.md, "Rules")."""
    if caller.parent_id is not None:
        raise NotPossible("a subclient cannot manage subclients")


async def _named(tx: Transaction, main: Client, login: str) -> Client:
    return own(main, await table.by_login(tx, login.strip().lower()))


async def _add(
    tx: Transaction, new: clients.New, changes: Mapping[str, str], ids: Ids, now_ms: int
) -> Client:
    made = await clients.add(tx, new, ids, now_ms)
    # Its main account says who may use the SMPP door (users.md, fl[2]).
    return await clients.apply(tx, made, {"smpp": "0", **changes}, ids, now_ms)


async def _change(
    tx: Transaction,
    main: Client,
    login: str,
    changes: Mapping[str, str],
    password_hash: str,
    ids: Ids,
    now_ms: int,
) -> Client:
    client = await _named(tx, main, login)
    if password_hash:
        await clients.set_password(tx, client.login, password_hash, now_ms)
    return await clients.apply(tx, client, changes, ids, now_ms)


async def _hashes(tx: Transaction, main: Client, login: str) -> tuple[str, ...]:
    client = await _named(tx, main, login)
    return tuple(s.hash for s in await table.secrets_of(tx, client.id, table.PASSWORD))


async def _pay(tx: Transaction, main: Client, payment: Payment, ids: Ids, now_ms: int) -> None:
    client = await _named(tx, main, payment.login)
    if not client.pays_itself:
        raise SharedBalance
    if not 0 < abs(payment.amount) < MOVED_MAX:
        raise BadParameters("sum is an amount of money other than 0")
    if payment.key and not await _first_time(tx, main, client, payment, now_ms):
        return
    await _count(tx, main, client, now_ms)
    exchange = await currencies.exchange(tx)
    await transfer(tx, main, client, payment.amount, exchange, ids, now_ms, payment.purse)


async def _first_time(
    tx: Transaction, main: Client, client: Client, payment: Payment, now_ms: int
) -> bool:
    """Remember the key of a payment for a day; False if it has been made."""
    digest = _digest("pay key", payment.key)
    asked = _digest("payment", client.id, payment.amount, payment.purse)
    row = (main.id, digest, int(dedup.Kind.KEY), now_ms + DAY_MS, asked, "")
    if await dedup.claim(tx, [row], now_ms):
        return True
    [known] = await dedup.answers(tx, [(main.id, digest)])
    if bytes(known[2]) != asked:
        raise BadParameters("this Idempotency-Key was used for a request with other parameters")
    return False


async def _count(tx: Transaction, main: Client, client: Client, now_ms: int) -> None:
    """Take one of the transfers that a minute has room for.

    They are in the store, since they guard money: a restart, or another node, gives no new ones.
    """
    most = main.limits.subclient_per_minute
    if not most:
        return
    for place in range(most):
        row = (
            main.id,
            _digest("transfer", client.id, place),
            int(dedup.Kind.TRANSFER),
            now_ms + MINUTE_MS,
            b"",
            "",
        )
        if await dedup.claim(tx, [row], now_ms):
            return
    raise TooManyRequests


def _digest(*what: object) -> bytes:
    return blake2b(repr(what).encode(), digest_size=16, person=b"subclients").digest()


async def transfer(
    tx: Transaction,
    main: Client,
    client: Client,
    amount: int,
    exchange: Exchange,
    ids: Ids,
    now_ms: int,
    purse: int = 0,
) -> None:
    """Move money from a main account to its subclient, or back if `amount` is negative.

    It is in the main account's currency; what is rounded is the receiver's loss.  The main account
    may give what it may spend, its credit included; only what is the subclient's own comes back.
    Raises InsufficientFunds.
    """
    accounts = await ledger.lock(tx, [(main.id, purse), (client.id, purse)])
    giver, taker = accounts[main.id, purse], accounts[client.id, purse]
    given = exchange.convert(amount, giver.currency, taker.currency)  # down: also what comes back
    if abs(given) >= MOVED_MAX:
        raise BadParameters("sum is more than an account can hold")
    if giver.available < amount if amount > 0 else taker.posted - taker.held < -given:
        raise InsufficientFunds
    await ledger.book(
        tx,
        [
            _entry(main, client, -amount, ids, now_ms, purse),
            _entry(client, main, given, ids, now_ms, purse),
        ],
    )


def _entry(account: Client, other: Client, posted: int, ids: Ids, now_ms: int, purse: int) -> Entry:
    words = f"to {other.login}" if posted < 0 else f"from {other.login}"
    return Entry(
        account_id=account.id,
        purse=purse,
        id=ids.take(now_ms)[0],
        kind="transfer",
        posted=posted,
        held=0,
        messages=0,
        ref=str(other.id),
        note=words,
        at=now_ms,
    )
