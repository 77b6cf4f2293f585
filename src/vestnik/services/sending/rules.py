"""What an account may send, and to whom: the rules that stop one recipient, not the request."""

from typing import Protocol

from vestnik.domain import number
from vestnik.domain.message import Err, Kind, Status
from vestnik.services.centre import names
from vestnik.services.centre.directory import Directory
from vestnik.services.centre.terms import Terms
from vestnik.services.sending.flood import Floods

SENDERS_KNOWN = 1_000
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

    __slots__ = ("_client", "_directory", "_floods", "_now", "_open", "_seen", "_shown")

    def __init__(
        self, terms: Terms, directory: Directory, floods: Floods | None, now_ms: int
    ) -> None:
        self._client, self._directory = terms.client, directory
        self._floods = floods if terms.limits.flood_count else None
        self._open, self._now = terms.prefixes, now_ms
        self._shown = terms.shown
        self._seen: set[int] = set()

    def shown(self, sender: str, kind: Kind) -> str | None:
        """The sender that a message shows when this one was asked for; None if it may show none.

        A name that the account may not use gives way to its reserve name (users.md, `sender2`).
        """
        if not sender:
            return sender
        letter = kind is _MAIL and "@" in sender
        asked = (sender, letter)
        shown = self._shown
        if asked not in shown:
            if len(shown) >= SENDERS_KNOWN:  # a list may have one of its own in each line
                shown.clear()
            fine = letter or number.valid_sender(sender)
            shown[asked] = names.sender_for(self._directory, self._client, sender) if fine else None
        return shown[asked]

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
        if instead or self._floods is None:
            return FINE
        client = self._client
        flooded = self._floods.flooded(client.id, phone, client.limits, self._now)
        return _FLOOD if flooded else FINE

    def _permitted(self, said: Said, sender: str, mccmnc: str) -> bool:
        """The operator lets the text through under this name (templates.md, 2)."""
        place = names.SOCIAL if said.kind is _SOCIAL else mccmnc
        return names.permits(self._directory, self._client.id, sender, place, said.text)
