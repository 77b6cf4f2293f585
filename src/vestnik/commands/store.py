"""`vestnik migrate` and `vestnik check`: the store's version and its invariants."""

import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from vestnik.commands.place import (
    DATA,
    Config,
    Data,
    has_store,
    in_store,
    is_serving,
    plainly,
    settings_of,
    stop,
    store_of,
)

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.domain.route import Carrier
    from vestnik.store.engine import Store


def migrate(data: Data = DATA, config: Config = None) -> None:
    """Bring the store to this version of the program.  On SQLite serve does it by itself."""
    from vestnik.services.centre.setup import prepare

    settings = settings_of(data, config)
    store = store_of(data, settings)

    async def work() -> list[str]:
        await store.open()
        try:
            return await prepare(store)
        finally:
            await store.close()

    applied = plainly(work())
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("the store is of this version already")


def check(data: Data = DATA, config: Config = None) -> None:
    """Prove the invariants of the store, and say what is wrong."""
    from vestnik.domain.schedule import day_number
    from vestnik.services.centre import carriers
    from vestnik.services.centre import check as invariants
    from vestnik.services.history.task_files import files_of

    if not has_store(data, settings_of(data, config)):
        stop(f"there is no store in {data}; --data names another folder")
    if sys.stderr.isatty():
        typer.echo("reading the whole store: a large one takes minutes", err=True)

    async def work(store: "Store", settings: "Settings") -> list[str]:
        found, _ = await store.read(carriers.everything)
        now = store.now()
        known = invariants.Circumstances(
            now_ms=now,
            today=day_number(now, ZoneInfo(settings.centre.zone)),
            windows={carrier.id: _window(carrier) for carrier in found},
            serving=is_serving(data),
        )
        wrong = await store.read(invariants.violations, known)
        return wrong + await invariants.files(store, files_of(store, data))

    wrong = in_store(data, config, work)
    for sentence in wrong:
        typer.echo(sentence, err=True)
    if wrong:
        stop(f"the store breaks its rules, {len(wrong)} times: keep a copy of it and report this")
    typer.echo("every rule holds")


def _window(carrier: "Carrier") -> int:
    """How many messages may be on their way to a carrier at one time."""
    from vestnik.channels import CHANNELS

    window: int = CHANNELS[carrier.channel].check(dict(carrier.settings)).window
    return window
