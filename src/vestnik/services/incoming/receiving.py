"""Messages from subscribers: joined, given to whom the number belongs, stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from vestnik.domain.client import Client, Limits
from vestnik.domain.message import Incoming
from vestnik.domain.number import parse
from vestnik.services.centre.directory import Directory
from vestnik.services.incoming import commands
from vestnik.services.messages.settlement import Setting
from vestnik.services.news import COMMAND, FORWARD, HTTP, SMPP, incoming_row
from vestnik.store import counters, incoming, news, segments
from vestnik.store.engine import Transaction, Values

NOBODY = 0  # numbers that no client owns
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Came:
    """A message, or a segment of one, and the carrier it came by."""

    carrier_id: int
    message: Incoming


async def take(tx: Transaction, came: list[Came], setting: Setting) -> None:
    """Store what came.  Segments are kept until their message is whole."""
    directory, now = setting.directory, setting.now
    whole: list[tuple[int, Incoming]] = []
    for one in came:
        joined = await _join(tx, one, now)
        if joined is not None:
            whole.append((one.carrier_id, joined))
    owners = [_owner(directory, message.to) for _, message in whole]
    wanted = [(owner, owners.count(owner)) for owner in sorted(set(owners))]
    numbers = {
        owner: iter(taken)
        for owner, taken in (await counters.reserve(tx, counters.INCOMING, wanted)).items()
    }
    made = [
        (
            owner,
            next(numbers[owner]),
            parse(message.phone) or message.phone,
            parse(message.to) or message.to,
            message.text,
            message.sent_at or now,
            now,
            carrier_id,
        )
        for owner, (carrier_id, message) in zip(owners, whole, strict=True)
    ]
    await incoming.put(tx, made)
    await news.put(tx, [row for one in made for row in _news_rows(one, setting)])


def _transports(limits: Limits) -> Iterator[str]:
    """Where a message goes besides the list of incoming ones: over SMPP where its owner says so,
    else by HTTP; and on as messages of its owner."""
    if limits.smpp_incoming:
        yield SMPP
    elif limits.callback_url and limits.callback_incoming:
        yield HTTP
    if limits.incoming_to_phone or limits.incoming_to_email or limits.auto_answer:
        yield FORWARD


def _commander(owner: int, phone: str, text: str, directory: Directory) -> Client | None:
    """The account whose command a message is.

    What comes to an account's own number is that account's alone; what comes to a number that
    nobody owns may be a command of anybody.
    """
    if commands.read(text) is None:
        return None
    clients = directory.clients
    able = clients.values() if owner == NOBODY else filter(None, [clients.get(owner)])
    return commands.commander(able, phone)


def _news_rows(made: Values, setting: Setting) -> list[Values]:
    owner, number, phone, to, text, sent_at, received_at, _ = made
    client = setting.directory.clients.get(owner)
    commander = _commander(owner, phone, text, setting.directory)
    if commander is not None:
        said = {"id": number, "phone": phone, "text": text}
        return [incoming_row(COMMAND, setting.new_id(), setting.now, commander.id, said)]
    if client is None:
        return []
    said = {
        "id": number,
        "phone": phone,
        "to": to,
        "text": text,
        "received_at": received_at,
        "sent_at": sent_at,
    }
    return [
        incoming_row(transport, setting.new_id(), setting.now, owner, said)
        for transport in _transports(client.limits)
    ]


async def _join(tx: Transaction, one: Came, now: int) -> Incoming | None:
    """The whole message once its last segment is here; until then None."""
    message = one.message
    if message.total <= 1:
        return message
    key = (one.carrier_id, message.phone, message.to, message.reference)
    await segments.put(tx, *key, message.index, message.total, message.text, message.sent_at, now)
    found = await segments.of_series(tx, *key, now - DAY_MS)
    if len(found) < message.total:
        return None
    await segments.drop_series(tx, *key)
    text = "".join(row[1] for row in found)
    return Incoming(message.phone, message.to, text, sent_at=found[0][2])


def _owner(directory: Directory, to: str) -> int:
    return directory.numbers.get(parse(to) or to, NOBODY)
