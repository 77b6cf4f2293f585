"""Orders of mailings that come again: refused, or with their key given the first answer."""

from hashlib import blake2b

import msgspec

from vestnik.domain.client import Client
from vestnik.domain.refusals import BadParameters, Duplicate
from vestnik.services.mailings.orders import NewMailing, Ordered
from vestnik.store import dedup
from vestnik.store.engine import Transaction

DAY_MS = 86_400_000


async def first_answer(tx: Transaction, client: Client, new: NewMailing) -> Ordered | None:
    """What the order was told when it first came with its key; None for one without, or a new one.

    Raises BadParameters where the key stands for another order.
    """
    if not new.key:
        return None
    known = await dedup.standing(tx, client.id, _of_key(new), new.now_ms)
    if known is None:
        return None
    params, answer = known
    if params != new.digest:
        raise BadParameters("this Idempotency-Key was used for a request with other parameters")
    return msgspec.json.decode(answer, type=Ordered)


async def remember(
    tx: Transaction, client: Client, new: NewMailing, ordered: Ordered
) -> Ordered | None:
    """Remember an order in the commit that stores it, whatever becomes of the server.

    One with a key for a day, with its answer: returns the first one if another request has just
    been told it.  One without for the account's `identical_s`: raises Duplicate within them
    (jobs.md, 6).
    """
    if new.key:
        answer = msgspec.json.encode(ordered).decode()
        row = (
            client.id,
            _of_key(new),
            int(dedup.Kind.KEY),
            new.now_ms + DAY_MS,
            new.digest,
            answer,
        )
        if await dedup.claim(tx, [row], new.now_ms):
            return None
        return await first_answer(tx, client, new)
    if not client.limits.identical_s:
        return None
    until = new.now_ms + client.limits.identical_s * 1000
    digest = blake2b(new.digest, digest_size=16, person=b"mailing").digest()
    asked = (client.id, digest, int(dedup.Kind.IDENTICAL), until, b"", "")
    if not await dedup.claim(tx, [asked], new.now_ms):
        raise Duplicate
    return None


def _of_key(new: NewMailing) -> bytes:
    """A key means one thing to each kind of order: send.php has its own."""
    return blake2b(new.key.encode(), digest_size=16, person=b"mailing key").digest()
