"""Fall-back chains: a message whose way fails takes its next one, under the same id.

The steps to come lie in the message's options.  It holds the price of its dearest step and is
charged when it is delivered, by the step that reached the person (data-model.md, 5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec.structs import replace

from vestnik.domain.chain import Chain, Step
from vestnik.domain.message import CHANNEL_OF, Flag, Kind
from vestnik.services.centre.directory import Directory
from vestnik.services.messages.draft import Recipient
from vestnik.store import chains
from vestnik.store.engine import Transaction
from vestnik.store.mailings import State

OPTION = "chain"
GOES_ON = (State.WAITING, State.RUNNING, State.FINISHED)  # mailings whose messages try another way


@dataclass(slots=True)
class Way:
    """A message's chain, and the other options of the message."""

    chain: Chain
    options: dict[str, object]


class Traveller(Protocol):
    """A message on record, as far as its chain is concerned."""

    client_id: int
    id: int
    flags: int
    way: Way | None


class Routed(Protocol):
    """Where a message goes, and as whose."""

    @property
    def client_id(self) -> int: ...
    @property
    def phone(self) -> str: ...
    @property
    def mccmnc(self) -> str: ...
    @property
    def way(self) -> Way | None: ...


def written(options: dict[str, object], chain: Chain) -> str:
    """The options of a message that has a chain, as they are stored."""
    return msgspec.json.encode(options | {OPTION: chain}).decode()


def chained(ways: Sequence[Recipient], minutes: int, options: dict[str, object]) -> Recipient:
    """One message of several ways, each composed by itself; the first is tried first."""
    first, *later = ways
    steps = tuple(
        Step(int(way.kind), way.text, way.sender, way.parts, way.price, minutes) for way in later
    )
    dearest = max(ways, key=lambda way: way.price)
    return replace(
        first,
        price=dearest.price,
        shares=dearest.shares,
        options=written(options, Chain(first.price, steps)),
    )


async def load(tx: Transaction, messages: Iterable[Traveller]) -> None:
    """Give each message of a chain its `way`: no step more if its mailing was switched off."""
    of = {(m.client_id, m.id): m for m in messages if m.flags & Flag.CHAIN}
    if not of:
        return
    for client, message, stored, mailing, state in await chains.options(tx, list(of)):
        options = msgspec.json.decode(stored, type=dict[str, object])
        chain = msgspec.convert(options.pop(OPTION, {"price": 0}), Chain)
        if mailing is not None and state not in GOES_ON:
            chain = chain.stopped()
        of[client, message].way = Way(chain, options)


def following(message: Routed, directory: Directory) -> tuple[int, Step, int] | None:
    """The next step that some carrier takes: its number, itself, the carrier."""
    if message.way is None:
        return None
    for number, step in enumerate(message.way.chain.steps):
        plan = directory.routes.plan(
            CHANNEL_OF[Kind(step.kind)],
            message.client_id,
            step.sender,
            message.phone,
            message.mccmnc,
        )
        if plan:
            return number, step, plan[0]
    return None
