"""Confirming a number by a call: the subscriber calls one of ours, and is recognised (info.md, 5).

Whoever wants to know is told over HTTP, and finds `[CALL]` among the incoming messages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vestnik.domain.client import Client
from vestnik.domain.number import parse, plausible
from vestnik.domain.refusals import BadNumber, NotPossible, TooManyAttempts, TooManyRequests
from vestnik.domain.schedule import day_number
from vestnik.services.messages.settlement import Setting
from vestnik.services.news import HTTP, INCOMING, SMPP, WAITCALL, incoming_row
from vestnik.store import awaited, counters, incoming, news, rented, settings
from vestnik.store.awaited import Awaited
from vestnik.store.engine import Store, Transaction

TEXT = "[CALL]"  # of the incoming message that a call leaves
WAIT_MS = 600_000
NO_CARRIER = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """The number that a subscriber is to call, and all that might have been named."""

    phone: str
    all_phones: Sequence[str]


class WaitCalls:
    """Waits for calls on behalf of clients; `zone` is where days begin."""

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self._store = store
        self._zone = zone

    async def expect(self, client: Client, phone: str, now_ms: int) -> Expected:
        """Wait ten minutes for a call from a phone.

        Raises BadNumber, TooManyAttempts on this number today, NotPossible while the centre has no
        number to call, TooManyRequests when others wait for this caller on every one of them.
        """
        msisdn = parse(phone)
        if msisdn is None or not plausible(msisdn):
            raise BadNumber
        day = day_number(now_ms, self._zone)
        return await self._store.write(_expect, client, msisdn, day, now_ms)

    async def drop_old(self, now_ms: int) -> None:
        """Forget the attempts of earlier days."""
        await self._store.write(awaited.drop_old, day_number(now_ms, self._zone))


async def _expect(tx: Transaction, client: Client, phone: str, day: int, now_ms: int) -> Expected:
    numbers = [number.phone for number in await rented.of_kind(tx, rented.CALL)]
    if not numbers:
        raise NotPossible
    # Its row is locked: two clients cannot be given one number for one caller.
    await settings.take_id(tx, "call")
    others: set[str] = set()
    own: Awaited | None = None
    for one in await awaited.of_caller(tx, phone):
        if one.client_id == client.id:
            own = one
        elif one.until > now_ms:
            others.add(one.to_phone)
    attempts = own.attempts + 1 if own and own.day == day else 1
    most = client.limits.call_attempts
    if most and attempts > most:
        raise TooManyAttempts
    chosen = _chosen(numbers, others, own, phone, now_ms)
    await awaited.put(tx, Awaited(client.id, phone, chosen, now_ms + WAIT_MS, day, attempts))
    return Expected(chosen, numbers)


def _chosen(
    numbers: list[str], others: set[str], own: Awaited | None, phone: str, now_ms: int
) -> str:
    """The number to call: the one that was named before while it is waited at, else one where
    nobody else waits for this caller."""
    if own and own.until > now_ms and own.to_phone in numbers:
        return own.to_phone
    free = [number for number in numbers if number not in others]
    if not free:
        raise TooManyRequests
    return free[int(phone) % len(free)]


async def heard(tx: Transaction, caller: str, to: str, setting: Setting) -> int | None:
    """A call has come in: tell the client that waits for it.

    Both are numbers as a carrier writes them.  Returns the client; None when nobody waits.
    """
    phone, to_phone = parse(caller) or caller, parse(to) or to
    client_id = await awaited.heard(tx, phone, to_phone, setting.now)
    if client_id is None:
        return None
    await awaited.end(tx, client_id, phone)
    numbers = await counters.reserve(tx, counters.INCOMING, [(client_id, 1)])
    number, now = numbers[client_id][0], setting.now
    await incoming.put(tx, [(client_id, number, phone, to_phone, TEXT, now, now, NO_CARRIER)])
    client = setting.directory.clients.get(client_id)
    if client is None:
        return client_id
    said = {
        "id": number,
        "phone": phone,
        "to": to_phone,
        "text": TEXT,
        "received_at": now,
        "sent_at": now,
    }
    made = []
    if client.limits.callback_url:
        made.append(incoming_row(HTTP, setting.new_id(), now, client_id, said, WAITCALL))
    if client.limits.smpp_incoming:
        made.append(incoming_row(SMPP, setting.new_id(), now, client_id, said, INCOMING))
    await news.put(tx, made)
    return client_id
