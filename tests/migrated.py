"""A new embedded store, migrated already: to copy one takes no time, to make one takes some."""

import asyncio
import functools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vestnik.store import FILE_NAME, store_at
from vestnik.store.migrations.run import migrate


def new_store(folder: Path) -> None:
    """Put one into the folder, which is made where it is missing; one that is there is left."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE_NAME
    if not file.exists():
        file.write_bytes(_octets())


@functools.cache
def _octets() -> bytes:
    with ThreadPoolExecutor(1) as elsewhere:  # a loop may be running here
        return elsewhere.submit(_made).result()


def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_migrated(Path(folder)))
        return (Path(folder) / FILE_NAME).read_bytes()


async def _migrated(folder: Path) -> None:
    made = store_at("", folder)
    await made.open()
    await migrate(made)
    await made.close()
