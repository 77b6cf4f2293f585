"""`vestnik migrate`, `check` and `doctor`: the store, its invariants, the whole set-up."""

import typer

from vestnik.commands.place import DATA, Config, Data, plainly, settings_of, store_of


def migrate(data: Data = DATA, config: Config = None) -> None:
    """Bring the store to this version; serve does it by itself on SQLite."""
    from vestnik.services.setup import prepare

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
