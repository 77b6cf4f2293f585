"""Alarms: a monitoring system calls ping.php, and people are told (callbacks.md, 2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import structlog

from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import CHANNEL_OF, Kind
from vestnik.domain.number import parse, plausible, split_phones
from vestnik.domain.refusals import BadParameters, Duplicate, NotFound, NotPossible, Refusal
from vestnik.services.clients.clients import named
from vestnik.services.messages.draft import Accepted, Order
from vestnik.store import alarms, counters
from vestnik.store.alarms import Alarm
from vestnik.store.engine import Store, Transaction

log = structlog.get_logger(__name__)

ALARM = "alarm"  # the counter of a client's alarms
# What may be sent to numbers; e-mail goes to addresses.
KINDS: dict[str, Kind] = {
    CHANNEL_OF[kind]: kind for kind in (Kind.SMS, Kind.CALL, Kind.VIBER, Kind.TELEGRAM, Kind.SOCIAL)
}
FAILURE = "{NAME} ({HOST}) has failed. {INFO}"
RECOVERY = "{NAME} ({HOST}) works again. {INFO}"
SUBJECT_MAX = 100


class Sending(Protocol):
    """Sends a request."""

    async def send(self, order: Order) -> Accepted: ...


@dataclass(frozen=True, slots=True)
class Event:
    """What has happened: `digest` tells one request from another."""

    ok: bool
    name: str
    host: str
    info: str
    digest: bytes
    now_ms: int
    address: str = ""


class Alarms:
    """Tells people, in the words of a group and at the cost of its client."""

    def __init__(self, store: Store, sending: Sending) -> None:
        self._store = store
        self._sending = sending

    async def fire(self, client: Client, alarm_id: int, event: Event) -> None:
        """Send the group's text by each of its kinds.

        One that is refused stops none of the others.  Raises NotFound for a group that the client
        does not have, Duplicate if the same was sent within a minute, NotPossible if nothing could
        be sent.
        """
        alarm = await self._store.read(alarms.one, client.id, alarm_id)
        if alarm is None:
            raise NotFound
        refused: list[Refusal] = []
        orders = list(_orders(client, alarm, event))
        for order in orders:
            try:
                await self._sending.send(order)
            except Refusal as refusal:
                refused.append(refusal)
                log.warning("an alarm was refused", alarm=alarm_id, reason=str(refusal))
        if len(refused) < len(orders):
            return
        if any(isinstance(refusal, Duplicate) for refusal in refused):
            raise Duplicate
        raise NotPossible(str(refused[0]))


def _orders(client: Client, alarm: Alarm, event: Event) -> Iterator[Order]:
    """One order for each kind; a text that would be too long is cut, for it must arrive."""
    text = _filled(alarm.recovery if event.ok else alarm.failure, event)
    numbers, addresses = _apart(alarm.recipients)
    most = client.limits.text_max
    if numbers:
        for name in alarm.kinds.split(","):
            short = text[:most] if most else text
            yield _order(client, KINDS[name], ",".join(numbers), short, event)
    if addresses:
        yield _order(client, Kind.MAIL, ",".join(addresses), text, event)


def _order(client: Client, kind: Kind, recipients: str, text: str, event: Event) -> Order:
    options: dict[str, object] = {}
    if kind is Kind.MAIL:
        options["subj"] = " ".join(text.split())[:SUBJECT_MAX]
    return Order(
        client=client,
        kind=kind,
        lines=[ListLine(recipients, text)],
        params_digest=blake2b(b"alarm %d " % kind + event.digest, digest_size=16).digest(),
        now_ms=event.now_ms,
        options=options,
        address=event.address,
    )


def _filled(text: str, event: Event) -> str:
    """The text with what is known in its places; what comes in is not searched for places again."""
    pieces = text.replace("{NAME}", "\0N").replace("{HOST}", "\0H").replace("{INFO}", "\0I")
    given = {"N": event.name, "H": event.host, "I": event.info}
    first, *rest = pieces.split("\0")
    return (first + "".join(given[piece[0]] + piece[1:] for piece in rest)).strip()


def _apart(recipients: str) -> tuple[list[str], list[str]]:
    """Numbers and e-mail addresses."""
    everybody = split_phones(recipients)
    return [r for r in everybody if "@" not in r], [r for r in everybody if "@" in r]


# What the operator's commands do.


async def add(
    tx: Transaction,
    login: str,
    name: str,
    recipients: str,
    kinds: str,
    failure: str = FAILURE,
    recovery: str = RECOVERY,
) -> Alarm:
    """Make a group of a client's; raises NotFound, BadParameters."""
    client = await named(tx, login)
    everybody = split_phones(recipients)
    if not everybody:
        raise BadParameters("an alarm needs recipients: numbers and e-mail addresses")
    for one in everybody:
        msisdn = parse(one)
        if "@" not in one and (msisdn is None or not plausible(msisdn)):
            raise BadParameters(f"'{one}' is neither a phone number nor an e-mail address")
    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    for kind in wanted:
        if kind not in KINDS:
            raise BadParameters(f"'{kind}' cannot carry an alarm; these can: {', '.join(KINDS)}")
    if not wanted:
        raise BadParameters(f"kinds are some of {', '.join(KINDS)}")
    if not failure.strip() or not recovery.strip() or "\0" in failure + recovery + name:
        raise BadParameters("an alarm needs a text for the failure and one for the recovery")
    number = (await counters.reserve(tx, ALARM, [(client.id, 1)]))[client.id][0]
    made = Alarm(client.id, number, name, ",".join(everybody), ",".join(wanted), failure, recovery)
    await alarms.add(tx, made)
    return made


async def everything(tx: Transaction) -> list[Alarm]:
    return await alarms.everything(tx)


async def remove(tx: Transaction, login: str, alarm_id: int) -> None:
    """Forget a group; raises NotFound."""
    client = await named(tx, login)
    if not await alarms.remove(tx, client.id, alarm_id):
        raise NotFound(f"'{client.login}' has no alarm {alarm_id}; 'vestnik alarm list' shows all")
