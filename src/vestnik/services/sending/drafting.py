"""Recipients → the draft of their order: what makes it the same as another, who pays, how soon."""

import asyncio
from datetime import tzinfo
from hashlib import blake2b

from vestnik.domain import schedule
from vestnik.domain.message import Flag
from vestnik.domain.refusals import MessageForbidden
from vestnik.services.messages.draft import Accepted, Draft, Order, Recipient
from vestnik.services.sending.composing import SLICE, Composer
from vestnik.store import dedup

DAY_S = 86_400

_MASS = int(Flag.MASS)


def drafted(
    maker: Composer,
    recipients: list[Recipient],
    holds: dict[int, int],
    answered: "asyncio.Future[Accepted]",
    zone: tzinfo,
    *,
    total: int = 1,
    own: blake2b | None = None,
) -> Draft:
    """The draft of an order to `total` recipients.

    `zone` is the centre's; `own` has taken in the client's own id and every number, where an id may
    be used but once.  Raises MessageForbidden where the account may not send as much.
    """
    order, terms = maker.order, maker.terms
    flags = order.flags
    digest, kind, remembered_s = _dedup_key(order, own)
    mass = total > SLICE or bool(flags & _MASS)
    if mass:
        flags |= _MASS
        if terms.limits.no_mass:
            raise MessageForbidden("this account may not send mass or advertising messages")
    urgent = total == 1 and not mass
    draft = Draft(
        order.client,
        recipients,
        terms.accounts,
        holds,
        order.wire_id,
        urgent,
        0 if urgent else 1 if total <= SLICE else 2,
        maker.options,
        maker.zone_name,
        maker.window,
        schedule.day_number(order.now_ms, zone),
        order.now_ms,
        order.origin,
        maker.test,
        digest,
        kind,
        remembered_s,
        order.params_digest,
        answered,
    )
    draft.flags, draft.address, draft.code = flags, order.address, order.code
    draft.blocks = terms.blocks
    return draft


def hold(holds: dict[int, int], accounts: tuple[int, ...], recipient: Recipient) -> None:
    """Add what accept takes: from the payer its price, from an ancestor only its loss."""
    holds[accounts[0]] += recipient.price
    if not recipient.shares:
        return
    for account, share in zip(accounts[1:], recipient.shares, strict=False):
        if share > 0:
            holds[account] = holds.get(account, 0) + share


def _dedup_key(order: Order, own: blake2b | None) -> tuple[bytes | None, dedup.Kind, int]:
    """What makes this request the same as another, and for how many seconds."""
    limits = order.client.limits
    if order.idempotency_key:
        digest = blake2b(order.idempotency_key.encode(), digest_size=16, person=b"idempotency")
        return digest.digest(), dedup.Kind.KEY, DAY_S
    if own is not None:
        return own.digest(), dedup.Kind.UNIQUE_ID, DAY_S
    if limits.identical_s:
        return order.params_digest, dedup.Kind.IDENTICAL, limits.identical_s
    return None, dedup.Kind.IDENTICAL, 0
