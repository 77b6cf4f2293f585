"""`vestnik rate`: what messages cost."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vestnik.commands.place import (
    DATA,
    Config,
    Data,
    in_store,
    lines_of,
    read_in,
    stop,
    table,
    write_in,
)

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.store.engine import Store

app = typer.Typer(help="Rates: what messages cost.", no_args_is_help=True)


@app.command()
def load(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV; see docs/rates.md.", show_default=False)
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Replace each tariff that the file is about by its prices."""
    from vestnik.services.money import rates

    lines = lines_of(file)

    async def work(store: "Store", _: "Settings") -> str:
        try:
            prices = list(rates.read_csv(lines))
        except csv.Error as wrong:
            stop(f"{file} is not a CSV file: {wrong}")
        tariffs = await store.write(rates.load, prices)
        return f"{len(prices)} prices of {tariffs} tariffs loaded"

    typer.echo(in_store(data, config, work))


@app.command("list")
def list_(data: Data = DATA, config: Config = None) -> None:
    """Show all prices."""
    from vestnik.domain.money import money
    from vestnik.services.money import rates

    table(
        ("CLIENT", "CHANNEL", "PREFIX", "OPERATOR", "PRICE"),
        [
            (
                login or "*",
                rate.channel,
                rate.prefix or "*",
                rate.operator or "*",
                money(rate.price),
            )
            for login, rate in read_in(data, config, rates.everything)
        ],
    )


@app.command()
def remove(
    client: Annotated[str, typer.Option(help="Login; none: the tariff of everybody.")] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Remove a whole tariff."""
    from vestnik.services.money import rates

    write_in(data, config, rates.remove, client)
    typer.echo(f"the tariff of {client or 'everybody'} removed")
