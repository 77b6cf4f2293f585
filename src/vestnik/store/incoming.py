"""What subscribers sent."""

from collections.abc import Sequence

from vestnik.store import schema
from vestnik.store.engine import Transaction, Values
from vestnik.store.statement import insert_into

PUT = insert_into(schema.incoming)


async def put(tx: Transaction, made: Sequence[Values]) -> None:
    """Store whole messages: (client, id, phone, to, text, sent at, received at, carrier)."""
    await tx.many(PUT, made)
