"""What every command shares: which data folder, which settings, and how it says that it cannot."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.store.engine import Store, Work

P = ParamSpec("P")
T = TypeVar("T")

DATA = Path("vestnik-data")

Data = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", help="Folder of the store, the files and vestnik.toml."),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings file, if not vestnik.toml in the folder."
    ),
]


def stop(words: str) -> NoReturn:
    """End the command: one plain sentence on stderr, exit code 1."""
    typer.echo(f"vestnik: {words}", err=True)
    raise typer.Exit(1)


def settings_of(data: Path, config: Path | None) -> "Settings":
    """The settings of this command; ends it when they are wrong."""
    from vestnik.config import SettingsWrong, load

    try:
        return load(data, config, os.environ)
    except SettingsWrong as wrong:
        stop(str(wrong))


def in_store(
    data: Path, config: Path | None, work: "Callable[[Store, Settings], Awaitable[T]]"
) -> T:
    """Run work on the open store, made if it is not there; ends the command on refusals."""
    return plainly(_open_and_run(data, settings_of(data, config), work))


def read_in(
    data: Path, config: Path | None, work: "Work[P, T]", *args: P.args, **kwargs: P.kwargs
) -> T:
    """What a transaction that changes nothing finds in the store; as `in_store`."""
    return in_store(data, config, lambda store, _: store.read(work, *args, **kwargs))


def write_in(
    data: Path, config: Path | None, work: "Work[P, T]", *args: P.args, **kwargs: P.kwargs
) -> T:
    """What a transaction that changes the store returns, once it is committed; as `in_store`."""
    return in_store(data, config, lambda store, _: store.write(work, *args, **kwargs))


async def _open_and_run(
    data: Path, settings: "Settings", work: "Callable[[Store, Settings], Awaitable[T]]"
) -> T:
    from vestnik.services.centre.setup import prepare_own

    store = store_of(data, settings)
    await store.open()
    try:
        await prepare_own(store)
        return await work(store, settings)
    finally:
        await store.close()


def store_of(data: Path, settings: "Settings") -> "Store":
    """The store that the settings name; ends the command when there is no such engine."""
    from vestnik.store import store_at

    try:
        return store_at(settings.store.url, data)
    except ValueError as wrong:
        stop(f"[store] url: {wrong}")


def has_store(data: Path, settings: "Settings") -> bool:
    """A file, or a server's address: whether it can be opened is another question."""
    from vestnik.store import FILE_NAME

    return bool(settings.store.url) or (data / FILE_NAME).exists()


def plainly(work: Awaitable[T]) -> T:
    """Run it; what may go wrong in a sound centre ends the command with a plain sentence."""
    from vestnik.domain.refusals import Refusal, StoreUnavailable
    from vestnik.store.engine import CommitUnknown, DataRefused

    async def run() -> T:
        return await work

    try:
        return asyncio.run(run())
    except (Refusal, StoreUnavailable) as refusal:
        stop(str(refusal))
    except DataRefused as refused:
        stop(f"the store refuses these values: {refused}")
    except CommitUnknown as lost:
        stop(f"the connection was lost and nobody knows whether the change was made: {lost}")


def quiet() -> None:
    """Log nothing: the command itself says how it went."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def lines_of(file: Path) -> list[str]:
    """A text file's lines; ends the command when it cannot be read as UTF-8."""
    try:
        return file.read_text("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as wrong:
        stop(f"{file} is not in UTF-8 (octet {wrong.start}): save it in UTF-8 and try again")
    except OSError as failure:
        stop(f"{file} cannot be read: {failure.strerror}")


def pairs_of(words: Sequence[str], example: str) -> dict[str, str]:
    """NAME=VALUE words as a dictionary; ends the command on anything else."""
    pairs = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            stop(f"'{word}' is not NAME=VALUE, such as {example}")
        pairs[name.replace("-", "_")] = value
    return pairs


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns, two spaces apart."""
    shown = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(header))]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def is_serving(data: Path) -> bool:
    """A process serves this data folder now."""
    import fcntl

    from vestnik.main import LOCK_NAME

    try:
        with (data / LOCK_NAME).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
