"""Commands that the holder of an account writes by SMS (sms-commands.md).

A message is a command when its first word names one and its sender is a phone that the operator has
entered for the account.  Where the account has a code word it must follow the name.  What is
executed, and what is answered, goes by the id of the message: after a crash the same message does
nothing twice.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Protocol

from vestnik.domain import number
from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.domain.money import money
from vestnik.domain.refusals import (
    BadDate,
    BadNumber,
    BadParameters,
    Duplicate,
    InsufficientFunds,
    MessageForbidden,
    NotFound,
    Refusal,
    TooManyRequests,
    Undeliverable,
)
from vestnik.domain.schedule import format_date, zone_of
from vestnik.services.messages.by_id import Fate
from vestnik.services.messages.draft import Accepted, Order
from vestnik.services.news import News
from vestnik.store import dedup
from vestnik.store.engine import Store, Transaction

HOUR_MS = 3_600_000
BALANCE, SEND, STATUS, STOP = "BALANCE", "SEND", "STATUS", "STOP"
NAMES = frozenset({BALANCE, SEND, STATUS, STOP})

# The numbers and words of send.php; its own words stand behind those of error 1.
ERRORS: dict[type[Refusal], tuple[int, str]] = {
    BadParameters: (1, "parameters error"),
    InsufficientFunds: (3, "no money"),
    NotFound: (3, "record not found"),
    BadDate: (5, "invalid date"),
    MessageForbidden: (6, "message is denied"),
    BadNumber: (7, "invalid number"),
    Undeliverable: (8, "can't to deliver"),
    Duplicate: (9, "duplicate request, wait a minute"),
    TooManyRequests: (9, "duplicate request, wait a minute"),
}


class Standing(Protocol):
    """What an account may spend, in micro-units of its currency."""

    @property
    def available(self) -> int: ...

    @property
    def currency(self) -> str: ...


class Balances(Protocol):
    """Money of clients."""

    async def statement(self, client: Client) -> Standing: ...


class Messages(Protocol):
    """Messages by their id alone."""

    async def look(self, client: Client, wire_id: str, sender: str) -> Fate: ...


class Mailings(Protocol):
    """Mailings by their id; of letters where `mail` says so."""

    async def cancel(self, client: Client, wire_id: str, *, mail: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """What was written: `rest` is all behind the name."""

    name: str
    rest: str


def read(text: str) -> Command | None:
    """The command that a text is; None for any other text."""
    name, *rest = text.split(maxsplit=1)[:2] or [""]
    return Command(name.upper(), rest[0].strip() if rest else "") if name.upper() in NAMES else None


def commander(clients: Iterable[Client], phone: str) -> Client | None:
    """The account that may command from this phone; the oldest of several."""
    sender = number.parse(phone) or phone
    for client in clients:
        phones = client.limits.command_phones
        if phones and sender in (number.parse(p) or p.strip() for p in phones.split(",")):
            return client
    return None


class SmsCommands:
    """Executes commands and answers them."""

    def __init__(
        self,
        store: Store,
        balances: Balances,
        messages: Messages,
        mailings: Mailings,
        send: Callable[[Order], Awaitable[Accepted]],
    ) -> None:
        self._store = store
        self._balances, self._messages, self._mailings = balances, messages, mailings
        self._send = send

    async def execute(self, news: News, client: Client) -> None:
        """Do what a message says, once, and answer it as an ordinary SMS of the account.

        Without the account's code word, and beyond its commands an hour, nothing is done and
        nothing is said.  Raises a Refusal where the answer cannot be sent, StoreUnavailable.
        """
        command = read(news.payload["text"])
        if command is None:
            return
        most = client.limits.commands_per_hour
        now = self._store.now()
        if most and not await self._store.write(_admit, client.id, news.id, most, now):
            return
        command = _opened(command, client.limits.command_word)
        if command is None:
            return
        answer = await self._answer(news, client, command, now)
        await self._send(_order(news, client, news.payload["phone"], answer, "answer", now))

    async def _answer(self, news: News, client: Client, command: Command, now: int) -> str:
        try:
            match command.name:
                case "BALANCE":
                    statement = await self._balances.statement(client)
                    return f"{money(statement.available)} {statement.currency}"
                case "SEND":
                    return await self._sent(news, client, command, now)
                case "STATUS":
                    return await self._status(client, _id(command))
                case _:
                    return await self._stopped(client, _id(command))
        except Refusal as refusal:
            return _line_of(refusal)

    async def _sent(self, news: News, client: Client, command: Command, now: int) -> str:
        phones, _, text = command.rest.partition(" ")
        if not text.strip():
            raise BadParameters("SEND phones text")
        order = _order(news, client, phones, text.strip(), "send", now)
        accepted = await self._send(order)
        return f"OK, ID - {accepted.wire_id}"

    async def _status(self, client: Client, wire_id: str) -> str:
        try:
            fate = await self._messages.look(client, wire_id, "")
        except NotFound:
            return "Status = -3"
        date = format_date(fate.changed_at, zone_of(None, client.zone))
        return f"Status = {int(fate.status)}, check_time = {date}, err = {fate.err}"

    async def _stopped(self, client: Client, wire_id: str) -> str:
        try:
            await self._mailings.cancel(client, wire_id, mail=False)
        except NotFound:
            await self._mailings.cancel(client, wire_id, mail=True)
        return "OK"


async def _admit(tx: Transaction, client_id: int, command_id: int, most: int, now: int) -> bool:
    """Let a command in, if fewer than `most` were within the last hour.

    Each takes one of so many places for an hour; a command that is taken up again has its place.
    """
    token = command_id.to_bytes(8, "big")
    places = [(client_id, _place(n)) for n in range(most)]
    known = {
        bytes(digest): bytes(by or b"") for _, digest, by, _ in await dedup.answers(tx, places)
    }
    if token in known.values():
        return True
    identical, until = int(dedup.Kind.IDENTICAL), now + HOUR_MS
    # The free ones first: those that are known may have run out, or not.
    for _, digest in sorted(places, key=lambda place: place[1] in known):
        if await dedup.claim(tx, [(client_id, digest, identical, until, token, "")], now):
            return True
    return False


def _place(n: int) -> bytes:
    return blake2b(b"%d" % n, digest_size=16, person=b"sms command").digest()


def _opened(command: Command, code_word: str) -> Command | None:
    """The command without the code word; None where it lacks it."""
    if not code_word:
        return command
    word, *rest = command.rest.split(maxsplit=1) or [""]
    if not compare_digest(word.encode(), code_word.encode()):
        return None
    return Command(command.name, rest[0] if rest else "")


def _id(command: Command) -> str:
    if not command.rest or len(command.rest.split()) > 1:
        raise BadParameters(f"{command.name} id")
    return command.rest


def _order(news: News, client: Client, to: str, text: str, step: str, now: int) -> Order:
    """A message with a key of its own, whatever it says: the balance may be another next time."""
    named = f"{news.id} {step}"
    return Order(
        client=client,
        kind=Kind.SMS,
        lines=[ListLine(to, text)],
        params_digest=blake2b(named.encode(), digest_size=16, person=b"sms command").digest(),
        now_ms=now,
        idempotency_key=f"\0command {named}",  # no client can write such a key
        origin="command",
    )


def _line_of(refusal: Refusal) -> str:
    code, words = ERRORS[type(refusal)]
    own = str(refusal)
    if type(refusal) in (BadParameters, NotFound) and own != str(type(refusal)()):
        words = own
    line = f"ERROR = {code} ({words})"
    return line if refusal.message_id is None else f"{line}, ID - {refusal.message_id}"
