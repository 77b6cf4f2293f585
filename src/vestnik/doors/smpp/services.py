"""What the SMPP door asks of the services, as small as it can be said."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vestnik.domain.client import Client
from vestnik.services.clients.access import Access
from vestnik.services.messages.by_id import ById
from vestnik.services.messages.draft import Accepted, Order
from vestnik.services.news import Outboxes
from vestnik.services.sending.parts import PartsIn


class Sending(Protocol):
    """Sends an order: the future is done once it is durable.  Both the call and the future have the
    refusals of codes.SUBMIT and StoreUnavailable."""

    def begin(self, order: Order) -> "asyncio.Future[Accepted]": ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the door may ask; `main` fills it in.  `client` finds one as it is now."""

    access: Access
    sending: Sending
    parts: PartsIn
    by_id: ById
    outboxes: Outboxes
    client: Callable[[int], Client | None]
