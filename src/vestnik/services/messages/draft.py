"""What is asked, and what it becomes before it is committed.

An Order is what a door was told; a Draft is that order checked, cut into recipients, routed and
priced, with ids still to come; Accepted is what the door answers.

They are msgspec's structs because some are made for every message: one of thirty fields costs a
third of a microsecond, a dataclass with slots two, a frozen one six.  That holds for values in the
order of the fields: called with twenty names a struct takes three microseconds as well.
"""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import field

from vestnik.domain.client import Client
from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.store import dedup


class Order(msgspec.Struct):
    """A request to send, in the words of send.md but with no wire form left.

    `sender` None is the account's default, "" or "." none at all.  `time`, `tz`, `period`, `freq`
    and `valid` are as written by the client.  `options` are per kind and open-ended.
    """

    client: Client
    kind: Kind
    lines: Iterable[ListLine]
    params_digest: bytes
    now_ms: int
    wire_id: str = ""
    sender: str | None = None
    translit: int = 0
    time: str = ""
    tz: str = ""
    period: str = ""
    freq: str = ""
    valid: str = ""
    maxsms: int = 0
    options: dict[str, object] = field(default_factory=dict)
    idempotency_key: str = ""
    address: str = ""
    cost: int = 0
    origin: str = "http"
    test: bool = False
    flags: int = 0  # of each message, besides its type: see domain.message.Flag
    code: str = ""  # that the centre made up and the message tells: `mes=code`


class Recipient(msgspec.Struct, gc=False):
    """One message to be: `price` is what its payer pays for it, `shares` what each ancestor of the
    payer loses by it (negative: gains).  `status` above 0 means it is refused already.  `window`
    and `zone` are its own hours, in minutes of the day; None: those of the whole request.
    `options` are its own, as they are stored; empty: those of the whole request.  `links` are short
    ones that it brings with it: code and address.  `flags` are added to those of the request.
    """

    phone: str
    text: str
    comment: str
    sender: str
    kind: Kind
    parts: int
    mccmnc: str
    carrier_id: int
    price: int
    shares: tuple[int, ...]
    status: int
    err: int
    due: int
    expires: int
    id: int = 0
    handed: bool = False
    window: tuple[int, int] | None = None
    zone: str = ""
    links: tuple[tuple[str, str], ...] = ()
    options: str = ""
    flags: int = 0

    @property
    def charged(self) -> bool:
        """Somebody pays for it: its payer, or an ancestor that lets the payer have it for less."""
        return self.price > 0 or any(self.shares)


class Draft(msgspec.Struct):
    """An order checked and priced.

    `accounts` are those that pay, nearest to the client first; `holds` is what accept takes from
    each.  `digest` is the dedup key with its kind and how long it is remembered (None: not at all).
    `address` is the caller's; `blocks` says that the client has a black list.  `purse` is that of
    the first of `accounts` which pays for all of it, known once it has been accepted.
    """

    client: Client
    recipients: list[Recipient]
    accounts: tuple[int, ...]
    holds: dict[int, int]
    wire_id: str
    urgent: bool
    priority: int
    options: str
    zone: str
    window: tuple[int, int] | None
    day: int
    now: int
    origin: str
    test: bool
    digest: bytes | None
    digest_kind: dedup.Kind
    digest_s: int
    params_digest: bytes
    answered: "asyncio.Future[Accepted]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    flags: int = 0
    address: str = ""
    blocks: bool = False
    code: str = ""
    # A request too big for one commit: its recipients are packed (services/messages/bulk.py).
    chunks: list[bytes] = field(default_factory=list)
    packed: int = 0
    packed_parts: int = 0
    packed_cost: int = 0
    mailing_id: int = 0
    purse: int = 0

    @property
    def total(self) -> int:
        """Recipients, refused ones among them."""
        return self.packed + len(self.recipients)

    @property
    def count(self) -> int:
        """Parts over all recipients that are not refused."""
        return self.packed_parts + sum([r.parts for r in self.recipients if r.status <= 1])

    @property
    def cost(self) -> int:
        return self.packed_cost + sum([r.price for r in self.recipients if r.status <= 1])


class Fate(msgspec.Struct, frozen=True, gc=False):
    """What became of one recipient at accept; `status` None when nothing is wrong with it."""

    phone: str
    mccmnc: str
    cost: int
    status: int | None
    err: int


class Accepted(msgspec.Struct, frozen=True):
    """The answer of a send: `balance` is what the payer has left after it, if it was asked."""

    wire_id: str
    count: int
    cost: int
    balance: int | None
    recipients: Sequence[Fate]
    test: bool = False
    code: str = ""
