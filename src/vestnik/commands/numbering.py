"""`vestnik numbering`: which network a number belongs to."""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, lines_of, stop

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.store.engine import Store

app = typer.Typer(help="The numbering plan: networks of numbers.", no_args_is_help=True)


@app.command()
def load(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV; see docs/numbering.md.", show_default=False)
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Put the file's rows over the built-in plan, in place of those loaded before."""
    from rich.console import Console
    from rich.progress import Progress

    from vestnik.domain.numbering import read_csv
    from vestnik.services import numbering

    lines = lines_of(file)

    async def work(store: "Store", _: "Settings") -> str:
        try:
            rows = numbering.unique(read_csv(lines))
        except (ValueError, csv.Error) as wrong:
            stop(f"{file}: {wrong}")
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
            writing = progress.add_task("writing", total=len(rows))
            await store.write(
                numbering.load, rows, lambda done: progress.update(writing, completed=done)
            )
        return f"{len(rows)} ranges loaded"

    typer.echo(in_store(data, config, work))
