"""Sender names, templates, invoices and acts: the services that doors ask of them, together."""

from zoneinfo import ZoneInfo

from vestnik.services.centre.directory import Current
from vestnik.services.money.documents import Documents, Habits
from vestnik.services.senders.codes import Send, SenderCodes
from vestnik.services.senders.names import Senders
from vestnik.services.senders.templates import Templates
from vestnik.store.engine import Store


class Paperwork:
    """What accounts call themselves, what they say again and again, and what is printed of it.

    `send` accepts an order like any door's; with `registration` the operator of the centre approves
    names and texts; `language` and `zone` are those of the centre.
    """

    def __init__(
        self,
        store: Store,
        current: Current,
        send: Send,
        *,
        registration: bool,
        language: str,
        zone: ZoneInfo,
    ) -> None:
        refresh = current.refresh
        self.habits = Habits(language, zone)
        self.templates = Templates(store, refresh, registration=registration)
        self.senders = Senders(store, refresh, registration=registration)
        self.codes = SenderCodes(store, current.current, send, refresh, language)
        self.documents = Documents(store, self.habits)
