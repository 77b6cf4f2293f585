"""Ids go on after a clock has stepped back."""

import pytest
from sqlalchemy import LargeBinary, Text
from tests.building import HOUR, NOW, RUB, House

from vestnik.domain.ids import Ids
from vestnik.store import ids, schema
from vestnik.store.queue import Stage
from vestnik.store.statement import insert_into

pytestmark = pytest.mark.anyio

NODE = 3


@pytest.fixture
async def house(store):
    made = House(store)
    await made.client(1, balance=10 * RUB)
    await write(made, schema.clients, id=1)
    return made


async def write(house, table, **given):
    """A row with these values, and with anything where it must have something."""
    row = {c.name: _anything(c) for c in table.c if not c.nullable and not c.server_default} | given
    statement = insert_into(table, *row)

    async def put(tx):
        await tx.many(statement, [tuple(row.values())])

    await house.store.write(put)


def _anything(column):
    if isinstance(column.type, LargeBinary):
        return b"x"
    return "x" if isinstance(column.type, Text) else 1


async def last(house, node=NODE, now=NOW):
    return await house.store.read(ids.last, node, now)


@pytest.mark.parametrize(
    ("table", "column", "given"),
    [
        (schema.entries, "id", {"account_id": 1, "purse": 0}),
        (schema.mailings, "id", {"client_id": 1}),
        (schema.submit_parts, "series", {"client_id": 1}),
        (schema.receipts, "id", {}),
        (schema.news, "id", {"client_id": 1}),
        (schema.outboxes, "owner", {"client_id": 1}),
        (schema.queue, "owner", {"client_id": 1, "stage": int(Stage.SENDING)}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_what_a_node_wrote_before_its_clock_stepped_back_is_not_made_again(
    house, table, column, given
):
    [used] = Ids(NODE).take(NOW + HOUR // 2)
    await write(house, table, **given, **{column: used})

    assert await last(house) == used
    assert await last(house, node=NODE + 1) == 0  # another node never makes those
    assert await last(house, now=NOW + HOUR) == 0  # the clock has passed it


async def test_a_node_goes_on_from_the_last_message_whoever_took_it(house):
    await house.sent()

    [message] = await house.messages()
    assert await last(house, now=NOW + HOUR) == message.id
