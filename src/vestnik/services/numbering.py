"""The operator's own numbering plan: a file takes the place of the last one (docs/numbering.md)."""

from collections.abc import Callable, Iterable

from vestnik.domain.numbering import Row
from vestnik.store import numbering, settings
from vestnik.store.engine import Transaction

SLICE_ROWS = 4_096


def unique(rows: Iterable[Row]) -> list[Row]:
    """The rows, the last of each range: that one counts."""
    return list({(row.first, row.last): row for row in rows}.values())


async def load(tx: Transaction, rows: list[Row], told: Callable[[int], None]) -> None:
    """Replace all rows by these, which are unique; `told` hears how many are written."""
    await numbering.clear(tx)
    for start in range(0, len(rows), SLICE_ROWS):
        await numbering.add(tx, rows[start : start + SLICE_ROWS])
        told(min(start + SLICE_ROWS, len(rows)))
    version = await settings.raise_version(tx)
    await settings.put(tx, settings.NUMBERING_VERSION, str(version))
