"""What clients say of their mailings, and what they are told of them (jobs.md)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vestnik.domain.lists import ListLine
from vestnik.domain.message import Kind
from vestnik.store.mailings import Mailing


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with every message."""

    field: str
    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class NewMailing:
    """A mailing as it is ordered; its words are those of send.md.

    `lines` say who gets what, `text` is what all get ("" when the lines have texts of their own:
    `listed`), `template` the stored text that is sent in its place.  `rptn` None: repeats without
    end.  `digest` tells identical orders, `key` is the request's Idempotency-Key ("": none),
    `priced` asks for the price.  `mes2` goes by SMS to whom the channel does not reach; with
    `repeat` what was not delivered is sent once more, from `sender2`.
    """

    name: str
    kind: Kind
    lines: Iterable[ListLine]
    now_ms: int
    digest: bytes
    key: str = ""
    text: str = ""
    listed: bool = False
    template: int | None = None
    sender: str | None = None
    translit: int = 0
    time: str = ""
    tz: str = ""
    rpt: int = 0
    rptn: int | None = None
    period: str = ""
    freq: str = ""
    valid: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    files: Sequence[Attached] = ()
    mail: bool = False
    priced: bool = False
    mes2: str = ""
    sender2: str | None = None
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Ordered:
    """A mailing that was taken: its id, and its price in micro-units if it was asked."""

    wire_id: str
    cost: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of the messages of a mailing's runs; `cost` in micro-units."""

    made: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A mailing and all there is to say of it.

    `phones` are the recipients as they were given, "" for a list, whose lines are then `text`.
    """

    mailing: Mailing
    phones: str
    text: str
    sender: str | None
    progress: Progress
