"""What the HTTP door asks of the services, as small as it can be said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vestnik.domain.client import Client
from vestnik.services.clients.access import Access
from vestnik.services.clients.subclients import Subclients
from vestnik.services.contacts.books import Contacts
from vestnik.services.history.listing import History
from vestnik.services.history.statistics import Statistics
from vestnik.services.history.tasks import Tasks
from vestnik.services.mailings.jobs import Jobs
from vestnik.services.messages.draft import Accepted, Order
from vestnik.services.numbers import Numbers
from vestnik.services.paperwork import Paperwork

Pair = tuple[str, str]  # the wire id of a message and its phone


class Statement(Protocol):
    """What a client may spend, in micro-units; `credit` is how far below zero it may go."""

    @property
    def available(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def credit(self) -> int: ...


class Billing(Protocol):
    """The money of a client."""

    async def statement(self, client: Client) -> Statement: ...


class Sending(Protocol):
    """Sends a request, or only prices it; both raise the refusals of codes.SEND."""

    async def send(self, order: Order) -> Accepted: ...
    async def price(self, order: Order) -> Accepted: ...


class Found(Protocol):
    """A message on record (status.md): times in ms since the epoch, cost in micro-units.

    `hlr` holds the answer of a look-up under the names of the wire, None before there is one.
    """

    @property
    def status(self) -> int: ...
    @property
    def err(self) -> int: ...
    @property
    def changed_at(self) -> int: ...
    @property
    def sent_at(self) -> int: ...
    @property
    def flag(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def phone(self) -> str: ...
    @property
    def cost(self) -> int: ...
    @property
    def sender(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def comment(self) -> str: ...
    @property
    def country(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def operator_orig(self) -> str: ...
    @property
    def mccmnc(self) -> str: ...
    @property
    def parts(self) -> int: ...
    @property
    def wire_id(self) -> str: ...
    @property
    def hlr(self) -> Mapping[str, str] | None: ...


class Statuses(Protocol):
    """The messages of a client."""

    async def look(
        self, client: Client, pairs: Sequence[Pair], full: int
    ) -> Sequence[Found | None]:
        """What is known of each pair, in their order; `full` as the parameter `all`."""
        ...

    async def delete(self, client: Client, pairs: Sequence[Pair]) -> None:
        """Raises NotPossible if there is no such message or it cannot be deleted."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything an endpoint may ask; `main` fills it in."""

    access: Access
    sending: Sending
    billing: Billing
    status: Statuses
    history: History
    tasks: Tasks
    jobs: Jobs
    contacts: Contacts
    subclients: Subclients
    statistics: Statistics
    paperwork: Paperwork
    numbers: Numbers
