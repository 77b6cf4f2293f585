"""Messages and tasks put straight into a store, as if a centre had been at work."""

from vestnik.domain.ids import first_id
from vestnik.domain.schedule import MOSCOW, day_number
from vestnik.store import schema
from vestnik.store.statement import insert_into

NOON = 1_749_978_000_000  # 15.06.2025 12:00:00 in Moscow
DAY = 86_400_000

COLUMNS = tuple(schema.messages.c.keys())
_PUT = insert_into(schema.messages)
_PUT_TEXTS = insert_into(schema.texts)
_PUT_INCOMING = insert_into(schema.incoming)

_USUAL = dict.fromkeys(COLUMNS, 0) | {
    "client_id": 1,
    "phone": "79160000001",
    "sender": "SHOP",
    "text": "test",
    "text_id": None,
    "comment": "",
    "options": "",
    "parts": 1,
    "mccmnc": "25001",
    "mailing_id": None,
    "origin": "http",
    "status": 1,
    "account_id": 1,
    "price": 1_200_000,
    "cost": 1_200_000,
    "money": 2,
}


def message(number, *, at=NOON, **changed):
    """One message of client 1, accepted at a moment: its id is the number-th of that ms."""
    fields = {
        "id": first_id(at) + number,
        "wire_id": str(number),
        "day": day_number(at, MOSCOW),
        "sent_at": at,
        "changed_at": at + 5_000,
    }
    return {**_USUAL, **fields, **changed}


async def put(store, messages):
    rows = [tuple(one[column] for column in COLUMNS) for one in messages]
    for at in range(0, len(rows), 5_000):
        await store.write(_many, _PUT, rows[at : at + 5_000])


async def put_text(store, number, text, client=1):
    await store.write(_many, _PUT_TEXTS, [(client, number, text)])


async def put_incoming(store, rows):
    """(client, id, phone, to_phone, text, sent_at, received_at) of each."""
    await store.write(_many, _PUT_INCOMING, [(*row, 1) for row in rows])


async def _many(tx, statement, rows):
    await tx.many(statement, rows)
