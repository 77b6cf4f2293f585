"""From an empty store to a centre that takes messages ("A fresh centre")."""

import secrets

from vestnik.domain.refusals import StoreUnavailable
from vestnik.domain.route import Carrier
from vestnik.services.centre.directory import VIRTUAL
from vestnik.store import carriers, settings
from vestnik.store.engine import Store, Transaction
from vestnik.store.migrations.run import migrate, newest, version

SECRET_OCTETS = 32


async def prepare(store: Store) -> list[str]:
    """Bring an open store to this version and make what a centre needs; returns what was migrated.

    Raises StoreUnavailable.
    """
    applied = await migrate(store)
    if await store.read(settings.version) == 0:
        await store.write(first_run)
    return applied


async def prepare_own(store: Store) -> list[str]:
    """`prepare`, for a store that other nodes may be using: there only an empty one is touched.

    Raises StoreUnavailable when the operator has to migrate first.
    """
    at = await store.read(version)
    if store.name != "sqlite" and at not in ("", newest()):
        raise StoreUnavailable(
            f"the store is of version {at} and this program needs {newest()}: run 'vestnik migrate'"
        )
    return await prepare(store)


async def first_run(tx: Transaction) -> None:
    """Make the key secret and the carrier `virtual`, unless somebody has been here before."""
    if await settings.raise_version(tx) > 1:
        return
    await settings.put(tx, settings.KEY_SECRET, secrets.token_hex(SECRET_OCTETS))
    carrier = Carrier(
        id=await settings.take_id(tx, "carrier"),
        name=VIRTUAL,
        channel=VIRTUAL,
        settings={},
        on_unknown="resend",  # nobody is sent anything twice
    )
    await carriers.add_carrier(tx, carrier)
