"""`vestnik currency`: what currencies are worth."""

from typing import TYPE_CHECKING, Annotated

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, read_in, table

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.store.engine import Store

app = typer.Typer(help="Currencies: what they are worth.", no_args_is_help=True)


@app.command("set")
def set_(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="Its code, such as USD.", show_default=False)
    ],
    worth: Annotated[
        str,
        typer.Argument(
            metavar="WORTH",
            help="What one unit is worth in the currency of the centre.",
            show_default=False,
        ),
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Tell what one unit of a currency is worth."""
    from vestnik.services.clients import currencies

    async def work(store: "Store", settings: "Settings") -> str:
        centre = settings.centre.currency
        told, amount = await store.write(currencies.tell, code, worth, centre)
        return f"1 {told} is worth {amount} {centre}"

    typer.echo(in_store(data, config, work))


@app.command("list")
def list_(data: Data = DATA, config: Config = None) -> None:
    """Show what each currency is worth."""
    from vestnik.services.clients import currencies

    table(("CODE", "WORTH"), read_in(data, config, currencies.listed))
