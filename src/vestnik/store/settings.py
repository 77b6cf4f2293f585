"""What the whole centre shares: a name and a value each, and the version of the directory."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from vestnik.store import counters, schema
from vestnik.store.engine import Transaction
from vestnik.store.statement import Statement

settings = schema.settings

VERSION = "version"  # grows with every change of what the directory holds
NUMBERING_VERSION = "numbering_version"  # what VERSION was when the numbering last changed
PORTED = "ported"  # which blocks of ported numbers are the present ones, as JSON
KEY_SECRET = "key_secret"  # hexadecimal; API keys are hashed with it

_EVERYTHING = Statement(sa.select(settings.c.name, settings.c.value))
_ONE = Statement(sa.select(settings.c.value).where(settings.c.name == sa.bindparam("which")))
_given = insert(settings).values(name=sa.bindparam("name"), value=sa.bindparam("value"))
_PUT = Statement(
    _given.on_conflict_do_update(index_elements=["name"], set_={"value": _given.excluded.value})
)
_first = insert(settings).values(name=VERSION, value="1")
_RAISE = Statement(
    _first.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "value": sa.cast(
                sa.cast(settings.c.value, sa.BigInteger) + sa.literal_column("1"), sa.Text
            )
        },
    ).returning(settings.c.value)
)

CENTRE = 0  # the counters' client whose numbers are the centre's own


async def everything(tx: Transaction) -> dict[str, str]:
    return {row[0]: row[1] for row in await tx.all(_EVERYTHING)}


async def version(tx: Transaction) -> int:
    """The version of the directory; 0 before anything was written."""
    row = await tx.one(_ONE, which=VERSION)
    return int(row[0]) if row else 0


async def value(tx: Transaction, name: str) -> str:
    """One of them; empty if it was never set."""
    row = await tx.one(_ONE, which=name)
    return row[0] if row else ""


async def put(tx: Transaction, name: str, value: str) -> None:
    await tx.run(_PUT, name=name, value=value)


async def raise_version(tx: Transaction) -> int:
    """Tell every process that the directory has changed; returns the new version."""
    row = await tx.one(_RAISE)
    assert row is not None
    return int(row[0])


async def take_id(tx: Transaction, kind: str) -> int:
    """The next number of a kind: client, secret, carrier, route, rate."""
    return (await take_ids(tx, kind, 1))[0]


async def take_ids(tx: Transaction, kind: str, count: int) -> range:
    """The next numbers of a kind."""
    return (await counters.reserve(tx, kind, [(CENTRE, count)]))[CENTRE]
