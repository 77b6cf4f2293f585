"""What all messages of an account have in common: worked out once, not for each message."""

from datetime import tzinfo

from vestnik.domain import number, schedule
from vestnik.domain.client import Client
from vestnik.domain.rate import Payer

VALIDITY_MINUTES = 24 * 60


class Terms:
    """The terms of one account, under one state of the directory.

    `chain` are those who pay, nearest first, `accounts` their ids; `alone`: one account pays, in
    the currency of its tariff.  `minutes` is how long a message is tried, `hours` (of the day) when
    it may leave.  `prefixes` are the numbers that may be sent to, None for any; `sender` is the
    name shown when none is asked for.  `shown` remembers for names that were asked for, of letters
    or not, what may be shown.  `signs`: its messages may have a signature.
    `blocks`: it has a black list.
    """

    __slots__ = (
        "accounts",
        "alone",
        "blocks",
        "chain",
        "client",
        "hours",
        "limits",
        "minutes",
        "prefixes",
        "sender",
        "shown",
        "signs",
        "zone",
    )

    def __init__(
        self,
        client: Client,
        chain: tuple[Payer, ...],
        default_sender: str,
        *,
        signs: bool,
        blocks: bool,
    ) -> None:
        self.client, self.limits = client, client.limits
        self.chain = chain
        self.accounts = tuple(payer.account_id for payer in chain)
        first = chain[0]
        self.alone = len(chain) == 1 and first.currency == first.tariff_currency
        self.zone: tzinfo = schedule.zone_of(None, client.zone)
        self.hours = schedule.window(client.limits.hours) if client.limits.hours else None
        most = client.limits.valid_max
        self.minutes = min(VALIDITY_MINUTES, most) if most else VALIDITY_MINUTES
        self.prefixes = number.prefixes(client.limits.prefixes)
        self.sender = client.sender or default_sender
        self.shown: dict[tuple[str, bool], str | None] = {}
        self.signs, self.blocks = signs, blocks
