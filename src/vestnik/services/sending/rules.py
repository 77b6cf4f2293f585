"""What an account may send, and to whom: the rules that stop one recipient, not the request."""

from collections.abc import Callable
from typing import Protocol

from vestnik.domain import number
from vestnik.domain.client import Client
from vestnik.domain.message import Err, Kind, Status
from vestnik.services.centre import names
from vestnik.services.centre.directory import Directory
from vestnik.services.sending.flood import Floods

_MAIL, _SOCIAL = Kind.MAIL, Kind.SOCIAL
FINE = (0, 0)

# A status and its err (status.md).
_REPEATED = _FLOOD = (int(Status.FORBIDDEN), int(Err.NUMBER_LIMIT))
_UNREGISTERED = (int(Status.FORBIDDEN), int(Err.UNREGISTERED_SENDER))
_BARRED = (int(Status.FORBIDDEN), int(Err.NUMBER_BARRED))
_UNKNOWN_TEXT = (int(Status.FORBIDDEN), int(Err.NO_TEMPLATE))


class Said(Protocol):
    """A text as it will leave."""

    @property
    def kind(self) -> Kind: ...
    @property
    def text(self) -> str: ...


class Rules:
    """The rules of one request; each recipient is judged once, in order.

    `floods` None: what was sent before does not count, as in a request for the price.
    """

    def __init__(
        self, client: Client, directory: Directory, floods: Floods | None, now_ms: int
    ) -> None:
        self._client, self._directory, self._floods = client, directory, floods
        self._limits, self._now = client.limits, now_ms
        self._open = _prefix_rules(client.limits.prefixes)
        self._senders: dict[tuple[str, bool], str | None] = {}
        self._seen: set[int] = set()

    def shown(self, sender: str, kind: Kind) -> str | None:
        """The sender that a message shows when this one was asked for; None if it may show none.

        A name that the account may not use gives way to its reserve name (users.md, `sender2`).
        """
        if not sender:
            return sender
        letter = kind is _MAIL and "@" in sender
        asked = (sender, letter)
        if asked not in self._senders:
            fine = letter or number.valid_sender(sender)
            self._senders[asked] = (
                names.sender_for(self._directory, self._client, sender) if fine else None
            )
        return self._senders[asked]

    def judge(
        self,
        phone: str,
        said: Said,
        sender: str | None,
        mccmnc: str,
        *,
        named: bool,
        instead: bool = False,
    ) -> tuple[int, int]:
        """The rule that stops this recipient, as its status and err, or FINE.

        `sender` is of `shown`; `named` says that `phone` is no number but a name or an address.
        `instead`: this is another way of a message that was judged already, and is no message more.
        """
        pair = hash((phone, said.kind, said.text))
        if pair in self._seen:
            return _REPEATED
        self._seen.add(pair)
        if sender is None:
            return _UNREGISTERED
        if self._open is not None and not named and not self._open(phone):
            return _BARRED
        if self._directory.registration and not self._permitted(said, sender, mccmnc):
            return _UNKNOWN_TEXT
        if instead or self._floods is None or not self._limits.flood_count:
            return FINE
        flooded = self._floods.flooded(self._client.id, phone, self._limits, self._now)
        return _FLOOD if flooded else FINE

    def _permitted(self, said: Said, sender: str, mccmnc: str) -> bool:
        """The operator lets the text through under this name (templates.md, 2)."""
        place = names.SOCIAL if said.kind is _SOCIAL else mccmnc
        return names.permits(self._directory, self._client.id, sender, place, said.text)


def _prefix_rules(rules: str) -> Callable[[str], bool] | None:
    """Phone codes that may be sent to; a longer one with a minus forbids (users.md, `fmts`).

    Where no code is named that may be, those that none forbids may.
    """
    codes = [rule.strip() for rule in rules.split(",") if rule.strip()] if rules else []
    if not codes:
        return None
    open_ = all(code.startswith("-") for code in codes)

    def allowed(phone: str) -> bool:
        best, verdict = -1, open_
        for code in codes:
            digits = code.lstrip("-")
            if phone.startswith(digits) and len(digits) > best:
                best, verdict = len(digits), not code.startswith("-")
        return verdict

    return allowed
