"""`vestnik contacts`: whole address books from files and into files."""

import asyncio
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, stop

if TYPE_CHECKING:
    from rich.progress import Progress

    from vestnik.config import Settings
    from vestnik.exports.base import Column
    from vestnik.services.contacts.files import Bad, Source
    from vestnik.services.contacts.saving import Place
    from vestnik.store.engine import Store, Transaction

app = typer.Typer(help="Contacts: address books from and into files.", no_args_is_help=True)

CHARSETS = {"utf-8": "utf-8-sig", "windows-1251": "cp1251"}
SHOWN_MAX = 1_000  # bad rows that are told one by one

# A spreadsheet program takes a text for UTF-8 only if it begins so.
MARK = "\ufeff"

Login = Annotated[
    str, typer.Argument(metavar="LOGIN", help="Login of the client.", show_default=False)
]
Group = Annotated[int, typer.Option("--group", help="Number of a group, as in G7; 0: none.", min=0)]


@app.command("import")
def import_(
    login: Login,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or .xlsx; see docs/commands.md.")
    ],
    group: Group = 0,
    charset: Annotated[str, typer.Option(help="Of a CSV: utf-8 or windows-1251.")] = "utf-8",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Add the contacts of a file, and change those that are there."""
    from vestnik.domain.refusals import BadParameters
    from vestnik.services.contacts import files

    if charset not in CHARSETS:
        stop(f"there is no charset '{charset}'; there are {', '.join(CHARSETS)}")
    try:
        source = files.Source(file, CHARSETS[charset])
    except BadParameters as wrong:
        stop(f"{file}: {wrong}")
    except OSError as failure:
        stop(f"{file} cannot be read: {failure.strerror}")

    async def work(store: "Store", settings: "Settings") -> str:
        place = await store.read(_place, login, int(source.book), settings.centre.language)
        group_id = await files.group_of(store, place, group)
        with _progress() as progress:
            taken, bad = await _take_in(store, place, group_id, source, progress)
        if bad > SHOWN_MAX:
            typer.echo(f"… and {bad - SHOWN_MAX} more", err=True)
        return f"{taken} contacts imported, {bad} rows left out"

    typer.echo(in_store(data, config, work))


async def _take_in(
    store: "Store", place: "Place", group_id: int, source: "Source", progress: "Progress"
) -> tuple[int, int]:
    """Save the rows, a batch a commit; returns how many were taken, and how many not."""
    from vestnik.services.contacts import files

    reading = progress.add_task("importing", total=source.total or None)
    rows, taken, bad = source.rows(), 0, 0
    while batch := list(islice(rows, files.BATCH)):
        left_out = await files.take_in(store, place, group_id, batch)
        _tell(left_out[: max(0, SHOWN_MAX - bad)])
        taken, bad = taken + len(batch) - len(left_out), bad + len(left_out)
        progress.update(reading, completed=source.done, total=source.total or None)
    return taken, bad


def _tell(left_out: "list[Bad]") -> None:
    for row in left_out:
        typer.echo(f"{row.where}: {row.why}", err=True)


@app.command()
def export(
    login: Login,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make: .csv or .xlsx.")],
    group: Group = 0,
    mails: Annotated[bool, typer.Option("--mails", help="E-mail contacts instead.")] = False,
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Write the contacts of a client into a file."""
    from vestnik.exports import FORMATS
    from vestnik.services.contacts import files

    known = {format.extension: format for format in FORMATS.values()}
    format = known.get(file.suffix.lower())
    if format is None:
        stop(f"{file} is not a name that ends in one of {', '.join(known)}")

    async def work(store: "Store", settings: "Settings") -> str:
        place = await store.read(_place, login, int(mails), settings.centre.language)
        group_id = await files.group_of(store, place, group)
        columns = _columns(place.book, mark=format.text)
        partial = file.with_name(file.name + ".partial")
        with _progress() as progress:
            pages = _Pages(store, place, group_id, progress)
            try:
                await asyncio.to_thread(format.write, partial, columns, pages)
                partial.replace(file)
            except OSError as failure:
                stop(f"{file} cannot be written: {failure.strerror}")
            finally:
                partial.unlink(missing_ok=True)
        return f"{pages.rows} contacts exported"

    typer.echo(in_store(data, config, work))


class _Pages:
    """The pages of a file, read by the loop for the thread that writes them."""

    def __init__(self, store: "Store", place: "Place", group_id: int, progress: "Progress") -> None:
        self._store = store
        self._place = place
        self._group_id = group_id
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self.rows = 0

    def __iter__(self) -> Iterator[list[list[str]]]:
        from vestnik.services.contacts import files

        writing = self._progress.add_task("exporting", total=None)
        after = 0
        while True:
            reading = self._store.read(files.page, self._place, self._group_id, after)
            found = asyncio.run_coroutine_threadsafe(reading, self._loop).result()
            if not found:
                return
            yield files.cells(found)
            after = found[-1].contact.id
            self.rows += len(found)
            self._progress.update(writing, completed=self.rows)


async def _place(tx: "Transaction", login: str, book: int, language: str) -> "Place":
    """Whose contacts a login means; raises NotFound."""
    from vestnik.services.clients.clients import named
    from vestnik.services.contacts.books import owner_of
    from vestnik.services.contacts.saving import Place
    from vestnik.store import clients

    client = await named(tx, login)
    everybody = {one.id: one for one in await clients.everybody(tx)}
    return Place(owner_of(client, everybody), book, language)


def _columns(book: int, *, mark: bool) -> "list[Column]":
    """The columns of a file; anybody may have written most of them."""
    from vestnik.exports.base import Column
    from vestnik.services.contacts import files

    names = files.columns(book)
    safe = {"int_id", "phone", "group"}
    columns = [Column(name, free=name not in safe) for name in names]
    return [Column(MARK + names[0]), *columns[1:]] if mark else columns


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), disable=not sys.stderr.isatty())
