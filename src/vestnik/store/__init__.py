"""What is remembered.  One function, one statement.

`ENGINES` maps the scheme of a store's address to the module that speaks to it, loaded when chosen.
"""

from importlib import import_module
from pathlib import Path

from vestnik.store.engine import Store

ENGINES = {
    "sqlite": "vestnik.store.sqlite",
    "postgresql": "vestnik.store.postgres",
}

FILE_NAME = "vestnik.db"


def store_at(url: str, data: Path) -> Store:
    """The store of an address; empty means the embedded one in the data folder.

    Raises ValueError for an address that no engine serves.
    """
    scheme = url.partition("://")[0] if url else "sqlite"
    if scheme not in ENGINES:
        known = ", ".join(sorted(ENGINES))
        raise ValueError(f"no engine for the store '{scheme}://…'; there are: {known}")
    address = url.partition("://")[2] if scheme == "sqlite" and url else ""
    engine = import_module(ENGINES[scheme])
    target = (Path(address) if address else data / FILE_NAME) if scheme == "sqlite" else url
    made: Store = engine.connect(target)
    return made
