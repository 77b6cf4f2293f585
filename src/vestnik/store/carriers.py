"""Carriers, routes and rates."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger

from vestnik.domain.rate import Rate
from vestnik.domain.route import Carrier, Route
from vestnik.store import schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement, insert_into

carriers, routes, rates, queue = schema.carriers, schema.routes, schema.rates, schema.queue

_CARRIERS = Statement(sa.select(*carriers.c).order_by(carriers.c.id))
_ADD_CARRIER = insert_into(carriers)
_CHANGE_CARRIER = Statement(
    sa.update(carriers)
    .values(
        {
            name: sa.bindparam(name, type_=carriers.c[name].type)
            for name in ("settings", "on_unknown", "receipt_parts", "enabled")
        }
    )
    .where(carriers.c.id == sa.bindparam("carrier"))
)
_REMOVE_CARRIER = Statement(sa.delete(carriers).where(carriers.c.id == sa.bindparam("carrier")))
_QUEUED = Statement(
    sa.select(queue.c.carrier_id)
    .where(queue.c.carrier_id == sa.bindparam("carrier"))
    .limit(sa.literal_column("1"))
)
_ROUTES = Statement(
    sa.select(
        routes.c.id,
        routes.c.carrier_id,
        routes.c.channel,
        routes.c.prefix,
        routes.c.operator,
        routes.c.client_id,
        routes.c.sender,
        routes.c.priority,
        routes.c.weight,
    ).order_by(routes.c.priority.desc(), routes.c.id)
)
_ADD_ROUTE = insert_into(routes)
_REMOVE_ROUTE = Statement(sa.delete(routes).where(routes.c.id == sa.bindparam("route")))
_RATES = Statement(
    sa.select(
        rates.c.client_id, rates.c.channel, rates.c.price, rates.c.prefix, rates.c.operator
    ).order_by(rates.c.id)
)
_ADD_RATES = insert_into(rates)
_REMOVE_TARIFF = Statement(
    sa.delete(rates).where(
        rates.c.client_id.is_not_distinct_from(sa.bindparam("client", type_=BigInteger()))
    )
)


async def all_carriers(tx: Transaction) -> list[Carrier]:
    return [
        Carrier(
            id=row[0],
            name=row[1],
            channel=row[2],
            settings=msgspec.json.decode(row[3], type=dict[str, Any]),
            on_unknown=row[4],
            receipt_parts=row[5],
            enabled=bool(row[6]),
        )
        for row in await tx.all(_CARRIERS)
    ]


async def add_carrier(tx: Transaction, carrier: Carrier) -> None:
    changing = _changing(carrier)
    row = (carrier.id, carrier.name, carrier.channel, *changing.values())
    await tx.many(_ADD_CARRIER, [row])


async def change_carrier(tx: Transaction, carrier: Carrier) -> None:
    """Store a carrier as it is now; name and channel never change."""
    await tx.run(_CHANGE_CARRIER, carrier=carrier.id, **_changing(carrier))


async def remove_carrier(tx: Transaction, carrier_id: int) -> None:
    await tx.run(_REMOVE_CARRIER, carrier=carrier_id)


async def has_queued(tx: Transaction, carrier_id: int) -> bool:
    """Messages wait for this carrier or for its reports."""
    return await tx.one(_QUEUED, carrier=carrier_id) is not None


async def all_routes(tx: Transaction) -> list[Route]:
    """Highest priority first."""
    return [Route(*row) for row in await tx.all(_ROUTES)]


async def add_route(tx: Transaction, route: Route) -> None:
    row = (
        route.id,
        route.channel,
        route.prefix,
        route.operator,
        route.client_id,
        route.sender,
        route.carrier_id,
        route.priority,
        route.weight,
    )
    await tx.many(_ADD_ROUTE, [row])


async def remove_route(tx: Transaction, route_id: int) -> bool:
    """Remove one; False when there is no such route."""
    return await tx.run(_REMOVE_ROUTE, route=route_id) > 0


async def all_rates(tx: Transaction) -> list[Rate]:
    return [Rate(*row) for row in await tx.all(_RATES)]


async def remove_tariff(tx: Transaction, client_id: int | None) -> None:
    """Remove the rates of one owner; None is the tariff of everybody."""
    await tx.run(_REMOVE_TARIFF, client=client_id)


async def add_rates(tx: Transaction, first_id: int, made: Sequence[Rate]) -> None:
    """Add rates with ids from `first_id` on."""
    await tx.many(
        _ADD_RATES,
        [
            (number, rate.client_id, rate.channel, rate.prefix, rate.operator, rate.price)
            for number, rate in enumerate(made, first_id)
        ],
    )


def _changing(carrier: Carrier) -> dict[str, Any]:
    """The columns that may change, in the table's order."""
    return {
        "settings": msgspec.json.encode(carrier.settings).decode(),
        "on_unknown": carrier.on_unknown,
        "receipt_parts": carrier.receipt_parts,
        "enabled": int(carrier.enabled),
    }
