"""A message, what became of it, and what subscribers send us.

The numbers are those of the wire (status.md): the store keeps them as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """The `type` of a message on the wire."""

    SMS = 0
    FLASH = 1
    BINARY = 2
    PUSH = 3
    HLR = 4
    PING = 5
    MMS = 6
    CALL = 7
    MAIL = 8
    VIBER = 10
    SOCIAL = 12
    TELEGRAM = 13
    WHATSAPP = 14
    BOT = 15


# The channel that carries each kind: routes are written for channels.
CHANNEL_OF: dict[Kind, str] = {
    Kind.SMS: "sms",
    Kind.FLASH: "sms",
    Kind.BINARY: "sms",
    Kind.PUSH: "sms",
    Kind.PING: "sms",
    Kind.HLR: "hlr",
    Kind.MMS: "mms",
    Kind.CALL: "call",
    Kind.MAIL: "mail",
    Kind.VIBER: "viber",
    Kind.SOCIAL: "social",
    Kind.TELEGRAM: "telegram",
    Kind.WHATSAPP: "whatsapp",
    Kind.BOT: "bot",
}


class Status(IntEnum):
    """The fate of a message as its client sees it."""

    NOT_FOUND = -3
    STOPPED = -2
    WAITING = -1
    SENT = 0
    DELIVERED = 1
    READ = 2
    EXPIRED = 3
    CLICKED = 4
    UNDELIVERABLE = 20
    BAD_NUMBER = 22
    FORBIDDEN = 23
    NO_FUNDS = 24
    UNREACHABLE = 25

    @property
    def final(self) -> bool:
        return self not in _OPEN

    @property
    def reached(self) -> bool:
        """The subscriber has it."""
        return self in _REACHED


# To look up a member of an enumeration takes a quarter of a microsecond: too much for each report.
_OPEN = frozenset({Status.STOPPED, Status.WAITING, Status.SENT})
_REACHED = frozenset({Status.DELIVERED, Status.READ, Status.CLICKED})


# The service's own words, Russian first: history and status answers use them.
STATUS_NAMES: dict[Status, tuple[str, str]] = {
    Status.NOT_FOUND: ("Сообщение не найдено", "Message not found"),
    Status.STOPPED: ("Остановлено", "Stopped"),
    Status.WAITING: ("Ожидает отправки", "Waiting send"),
    Status.SENT: ("Передано оператору", "Transferred to the operator"),
    Status.DELIVERED: ("Доставлено", "Delivered"),
    Status.READ: ("Прочитано", "Read"),
    Status.EXPIRED: ("Просрочено", "Expired"),
    Status.CLICKED: ("Нажата ссылка", "Click on link"),
    Status.UNDELIVERABLE: ("Невозможно доставить", "Impossible to deliver"),
    Status.BAD_NUMBER: ("Неверный номер", "Wrong number"),
    Status.FORBIDDEN: ("Запрещено", "Forbidden"),
    Status.NO_FUNDS: ("Недостаточно средств", "Insufficient funds"),
    Status.UNREACHABLE: ("Недоступный номер", "Unavailable number"),
}


class Flag:
    """Bits of a message's `flags`.  The lower sixteen are those of the wire (status.md, `flag`)."""

    TYPE = 0xF
    WIRE = 0xFFFF
    SECOND_PURSE = 1 << 5  # it is paid from the payer's electronic balance
    RECEIPT_WANTED = 1 << 16  # over SMPP, when the message has ended
    PROGRESS_WANTED = 1 << 17  # and when it has been sent
    MASS = 1 << 18  # of a mailing: its news gives way to that of single messages
    SECRET = 1 << 19  # its text is for the recipient alone: no history shows it
    CHAIN = 1 << 20  # it may try another way when one fails: see domain.chain


class Err:
    """Why a message was not delivered (status.md, `err`); only those the centre itself gives."""

    NONE = 0
    UNKNOWN_SUBSCRIBER = 1
    OFFLINE = 6
    NO_SERVICE = 11
    HANDSET = 12
    BLOCKED = 13
    VIRTUAL = 200
    QUEUE_FULL = 220
    NO_TEMPLATE = 238
    INCOMPLETE = 241
    NO_STATUS = 245
    HOURS = 246
    DAILY_LIMIT = 247
    NO_ROUTE = 248
    BAD_FORMAT = 249
    NUMBER_BARRED = 250
    NUMBER_LIMIT = 251
    NUMBER_FORBIDDEN = 252
    SPAM = 253
    UNREGISTERED_SENDER = 254
    REJECTED = 255


# A part's number (from 1) and the carrier's id for it.
Refs = tuple[tuple[int, str], ...]


class Outgoing(msgspec.Struct, frozen=True):
    """All that a channel needs to know of one message.

    `options` is open-ended and per kind: `data` (hex), `pid`, `dcs` for binary.
    `taken` are the numbers of parts that the carrier already has (a retry sends the others).
    `expires_at` is in ms since the epoch; None leaves it to the carrier.
    """

    client_id: int
    id: int
    kind: Kind
    phone: str
    sender: str
    text: str
    parts: int
    options: dict[str, object]
    expires_at: int | None
    urgent: bool
    attempt: int
    taken: frozenset[int] = frozenset()


class Report(msgspec.Struct, frozen=True):
    """What became of one part of a message, in our words.

    `ref` is the carrier's id of the part, `phone` guards against a carrier that reuses ids, `at` is
    the carrier's own time in ms since the epoch (0: it gave none), `raw` what it literally said.
    `hlr` is what a look-up found, by the names of `look_up.NAMES`.
    """

    ref: str
    phone: str
    status: Status
    err: int = 0
    at: int = 0
    raw: str = ""
    hlr: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One short message from a subscriber (MO), or one segment of a longer one.

    `text` is decoded; `reference`, `total` and `index` (from 1) come from its UDH or sar_* TLVs,
    with `total` 1 for a message in one piece.
    """

    phone: str
    to: str
    text: str
    reference: int = 0
    total: int = 1
    index: int = 1
    sent_at: int = 0
