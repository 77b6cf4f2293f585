"""Carriers and routes: what the operator's commands do with them.

Each function is one transaction, raises Refusals in plain words, and raises the directory's
version.  A channel's own settings are judged by the function that the caller passes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vestnik.domain.message import CHANNEL_OF
from vestnik.domain.number import parse
from vestnik.domain.numbering import Network
from vestnik.domain.refusals import BadNumber, BadParameters, NotFound, NotPossible
from vestnik.domain.route import Carrier, Route
from vestnik.services.centre.directory import Directory
from vestnik.services.clients.clients import named as client_named
from vestnik.store import carriers, settings
from vestnik.store.engine import Transaction

# A channel's settings from what an operator wrote; raises ValueError in plain words.
Judge = Callable[[dict[str, Any]], object]

CHANNELS = tuple(dict.fromkeys(CHANNEL_OF.values()))  # what routes are written for
CHOICES: dict[str, tuple[str, ...]] = {
    "on_unknown": ("hold", "resend"),
    "receipt_parts": ("all", "first", "last"),
    "enabled": ("0", "1"),
}

_name = re.compile(r"[a-zA-Z0-9_.-]{1,50}").fullmatch
_digits = re.compile(r"[0-9]{1,15}").fullmatch
_operator = re.compile(r"[0-9]{5,6}").fullmatch


@dataclass(frozen=True, slots=True)
class NewRoute:
    """A route as an operator writes it: carrier and client by name."""

    carrier: str
    channel: str = "sms"
    prefix: str = ""
    operator: str = ""
    client: str = ""
    sender: str = ""
    priority: int = 0
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a message to a phone goes where it goes.

    `carriers` are tried in order; `routes` are all that fit; `price` is of one part in micro-units.
    """

    phone: str
    network: Network
    routes: tuple[Route, ...]
    carriers: tuple[Carrier, ...]
    price: int


async def add(
    tx: Transaction, name: str, channel: str, written: Mapping[str, str], judge: Judge
) -> Carrier:
    """Make a carrier; `written` are the channel's settings and those in CHOICES."""
    if not _name(name):
        raise BadParameters(f"'{name}' cannot be a name: it has letters, digits, '_', '-', '.'")
    if any(carrier.name == name for carrier in await carriers.all_carriers(tx)):
        raise BadParameters(f"there is a carrier '{name}' already")
    carrier = Carrier(await settings.take_id(tx, "carrier"), name, channel, {})
    carrier = _changed(carrier, written, judge)
    await carriers.add_carrier(tx, carrier)
    await settings.raise_version(tx)
    return carrier


async def change(
    tx: Transaction, name: str, written: Mapping[str, str], judges: Mapping[str, Judge]
) -> Carrier:
    """Change a carrier's settings, all or none; an empty value brings a default back."""
    carrier = await named(tx, name)
    carrier = _changed(carrier, written, judges[carrier.channel])
    await carriers.change_carrier(tx, carrier)
    await settings.raise_version(tx)
    return carrier


async def named(tx: Transaction, name: str) -> Carrier:
    """The carrier of a name; raises NotFound."""
    for carrier in await carriers.all_carriers(tx):
        if carrier.name == name:
            return carrier
    raise NotFound(f"there is no carrier '{name}'; 'vestnik carrier list' shows all")


async def everything(tx: Transaction) -> tuple[list[Carrier], list[Route]]:
    return await carriers.all_carriers(tx), await carriers.all_routes(tx)


async def remove(tx: Transaction, name: str) -> None:
    """Remove a carrier that no route leads to and no message is waiting for."""
    carrier = await named(tx, name)
    routes = [r.id for r in await carriers.all_routes(tx) if r.carrier_id == carrier.id]
    if routes:
        listed = ", ".join(map(str, routes))
        raise NotPossible(f"routes lead to '{name}': remove them first ({listed})")
    if await carriers.has_queued(tx, carrier.id):
        raise NotPossible(
            f"messages wait for '{name}' or for its reports: switch it off with"
            f" 'vestnik carrier set {name} enabled=0' and remove it when they have ended"
        )
    await carriers.remove_carrier(tx, carrier.id)
    await settings.raise_version(tx)


async def add_route(tx: Transaction, new: NewRoute) -> Route:
    carrier = await named(tx, new.carrier)
    client = await client_named(tx, new.client) if new.client else None
    if new.channel not in CHANNELS:
        raise BadParameters(f"there is no channel '{new.channel}'; there are {', '.join(CHANNELS)}")
    if new.prefix and not _digits(new.prefix):
        raise BadParameters(f"a prefix is the first digits of a number, not '{new.prefix}'")
    if new.operator and not _operator(new.operator):
        raise BadParameters(f"an operator is its MCC and MNC, such as 25001, not '{new.operator}'")
    if new.weight < 1:
        raise BadParameters("a weight is 1 or more")
    route = Route(
        id=await settings.take_id(tx, "route"),
        carrier_id=carrier.id,
        channel=new.channel,
        prefix=new.prefix,
        operator=new.operator,
        client_id=client.id if client else None,
        sender=new.sender,
        priority=new.priority,
        weight=new.weight,
    )
    await carriers.add_route(tx, route)
    await settings.raise_version(tx)
    return route


async def remove_route(tx: Transaction, route_id: int) -> None:
    if not await carriers.remove_route(tx, route_id):
        raise NotFound(f"there is no route {route_id}; 'vestnik route list' shows all")
    await settings.raise_version(tx)


def trace(directory: Directory, phone: str, channel: str, login: str, sender: str) -> Trace:
    """Follow a message of this channel through the routes; an empty login is nobody's.

    Raises BadNumber, BadParameters or NotFound.
    """
    if channel not in CHANNELS:
        raise BadParameters(f"there is no channel '{channel}'; there are {', '.join(CHANNELS)}")
    number = parse(phone)
    if number is None:
        raise BadNumber(f"'{phone}' is not a phone number")
    client_id = directory.by_login.get(login.lower(), 0)
    if login and not client_id:
        raise NotFound(f"there is no client '{login}'; 'vestnik client list' shows all")
    network = directory.numbering.find(number)
    asked = (channel, client_id, sender, number, network.mccmnc)
    tariff = directory.payers[client_id][0].tariff_id if client_id else 0
    return Trace(
        phone=number,
        network=network,
        routes=directory.routes.fitting(*asked),
        carriers=tuple(directory.carriers[step] for step in directory.routes.plan(*asked)),
        price=directory.rates.price(tariff, channel, number, network.mccmnc),
    )


def _changed(carrier: Carrier, written: Mapping[str, str], judge: Judge) -> Carrier:
    """The carrier with these settings; raises BadParameters."""
    own = {name: value for name, value in written.items() if name in CHOICES}
    for name, value in own.items():
        if value not in CHOICES[name]:
            raise BadParameters(f"{name} is {' or '.join(CHOICES[name])}, not '{value}'")
    kept = {**carrier.settings, **{n: v for n, v in written.items() if n not in CHOICES}}
    kept = {name: value for name, value in kept.items() if value != ""}
    try:
        judge(kept)
    except ValueError as wrong:
        raise BadParameters(str(wrong)) from wrong
    return replace(
        carrier,
        settings=kept,
        on_unknown=own.get("on_unknown", carrier.on_unknown),
        receipt_parts=own.get("receipt_parts", carrier.receipt_parts),
        enabled=own.get("enabled", str(int(carrier.enabled))) == "1",
    )
