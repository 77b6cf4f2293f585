"""`vestnik document`: invoices and acts."""

from pathlib import Path
from typing import Annotated

import typer

from vestnik.commands.place import DATA, Config, Data, read_in, stop, table

app = typer.Typer(help="Invoices and acts of subclients.", no_args_is_help=True)


@app.command("list")
def list_(
    client: Annotated[str, typer.Option("--client", help="Login of a subclient; empty: all.")] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Show all invoices and acts: their ids, numbers, dates and sums."""
    from vestnik.domain.money import money
    from vestnik.services.money import documents

    table(
        ("ID", "KIND", "NUMBER", "DATE", "FROM", "FOR", "SUM", "CURRENCY"),
        [
            (
                str(one.id),
                one.kind,
                str(one.num),
                "{:04}-{:02}-{:02}".format(*one.paper.day),
                main,
                login,
                money(one.paper.total),
                one.paper.currency,
            )
            for main, login, one in read_in(data, config, documents.everybodys, client)
        ],
    )


@app.command()
def save(
    document: Annotated[
        int, typer.Argument(metavar="ID", help="Number in the list.", show_default=False)
    ],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="PDF file to write.", show_default=False)
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Write an invoice or an act into a PDF file."""
    from vestnik.papers import draw
    from vestnik.services.money import documents

    octets = draw(read_in(data, config, documents.anybodys, document).paper)
    try:
        file.write_bytes(octets)
    except OSError as failure:
        stop(f"{file} cannot be written: {failure.strerror}")
    typer.echo(f"{file} written")
