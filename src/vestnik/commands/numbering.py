"""`vestnik numbering`: which network a number belongs to."""

import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, lines_of, stop

if TYPE_CHECKING:
    from rich.progress import Progress

    from vestnik.config import Settings
    from vestnik.domain.complaints import Complaints
    from vestnik.domain.numbering import Row
    from vestnik.domain.ported import Gathered
    from vestnik.domain.register import Findings, Operator
    from vestnik.services.centre.ported import Change
    from vestnik.store.engine import Store

app = typer.Typer(help="The numbering plan: networks of numbers.", no_args_is_help=True)

WRONG_SHARE = 10  # a file with more than a tenth of its lines wrong is another kind of file
UNKNOWN_TOLD = 20  # companies and regions that are told by name

Told = Callable[[int], None]
Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE", help="See docs/numbering.md.", show_default=False),
]


@app.command()
def load(
    files: Files,
    operators: Annotated[
        Path | None,
        typer.Option(help="Networks of the companies in a register; see docs/numbering.md."),
    ] = None,
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Put the rows of files over the built-in plan.  They replace those loaded before."""
    from vestnik.domain.register import Findings
    from vestnik.services.centre import numbering

    companies = _operators(operators)
    findings = Findings()

    async def work(store: "Store", _: "Settings") -> str:
        with _progress() as progress:
            rows: list[Row] = []
            for file in files:
                rows += _rows(file, companies, findings, progress)
            rows = numbering.unique(rows)
            _judge(findings)
            told = _bar(progress, "writing", len(rows))
            await numbering.load(store, rows, told)
        return f"{len(rows)} ranges loaded"

    done = in_store(data, config, work)
    _tell(findings)
    for company, count in findings.companies.most_common(UNKNOWN_TOLD):
        typer.echo(
            f"no network is known of {company or 'an empty name'}: {count} numbers", err=True
        )
    _tell_more(len(findings.companies), "companies")
    for region, count in findings.places.most_common(UNKNOWN_TOLD):
        typer.echo(f"no time zone is known of '{region}': {count} ranges", err=True)
    _tell_more(len(findings.places), "regions")
    typer.echo(done)


@app.command()
def ported(
    files: Files,
    changes: Annotated[
        bool, typer.Option("--changes", help="The files say what changed, not all there is.")
    ] = False,
    date: Annotated[
        str, typer.Option(help="Day of the changes, dd.mm.yyyy; today if it is not given.")
    ] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Load numbers that moved to another network.  They replace those loaded before."""
    from vestnik.domain.complaints import Complaints
    from vestnik.domain.ported import Gathered
    from vestnik.domain.ported_file import day_of
    from vestnik.services.centre import ported as service

    if date and not changes:
        stop("--date is the day of --changes")
    try:
        given = day_of(date) if date else None
    except ValueError as wrong:
        stop(f"--date: {wrong}")
    complaints = Complaints()

    async def work(store: "Store", settings: "Settings") -> str:
        today = _today(store, settings)
        with _progress() as progress:
            gathered = None if changes else Gathered()
            recent = _ported(files, gathered, given or today, complaints, progress)
            _judge(complaints)
            if complaints.lines == complaints.wrong_lines:
                stop("no number stands in these files: nothing was loaded")
            if gathered is None:
                numbers = await service.change(store, recent, today)
                return f"{len(recent)} changes made; {numbers} ported numbers"
            told = _bar(progress, "writing", None)
            numbers = await service.load(store, gathered, told)
            await service.record(store, recent, today)
        twice = f"; {gathered.twice} stood twice, the later counts" if gathered.twice else ""
        return f"{numbers} ported numbers loaded{twice}"

    done = in_store(data, config, work)
    _tell(complaints)
    typer.echo(done)


def _rows(
    file: Path,
    companies: "dict[str, Operator]",
    findings: "Findings",
    progress: "Progress",
) -> "Iterator[Row]":
    """The rows of a file in either format, which its first line tells."""
    from vestnik.domain import register
    from vestnik.domain.numbering import read_csv

    first = next(_octets(file), b"")
    encoding = "utf-8-sig" if _is_utf8(first) else "windows-1251"
    told = _bar(progress, file.name, file.stat().st_size)
    lines = _decoded(file, encoding, told)
    try:
        if register.is_register(first.decode(encoding, "replace")):
            yield from register.read(lines, companies, findings)
        else:
            yield from read_csv(lines)
    except (ValueError, csv.Error) as wrong:
        stop(f"{file}: {wrong}")


def _ported(
    files: list[Path],
    gathered: "Gathered | None",
    today: int,
    complaints: "Complaints",
    progress: "Progress",
) -> "list[Change]":
    """Read files of ported numbers; returns what they say of days, of changes everything."""
    from vestnik.domain import ported_file
    from vestnik.services.centre.ported import CHANGES_DAYS, Change

    recent: list[Change] = []
    for file in files:
        told = _bar(progress, file.name, file.stat().st_size if file.exists() else None)
        for number, mccmnc, day in ported_file.read(_counted(file, told), complaints):
            if gathered is None:
                recent.append(Change(today if day is None else day, number, mccmnc))
                continue
            if day is not None and today - CHANGES_DAYS < day <= today:
                recent.append(Change(day, number, mccmnc))
            if mccmnc:
                gathered.add(number, mccmnc)
    return recent


def _operators(file: Path | None) -> "dict[str, Operator]":
    """The companies that the centre knows, with the operator's own over them."""
    from vestnik.domain import register

    companies = dict(register.known_operators())
    if file is not None:
        try:
            companies |= register.read_operators(lines_of(file))
        except (ValueError, csv.Error) as wrong:
            stop(f"{file}: {wrong}")
    return companies


def _today(store: "Store", settings: "Settings") -> int:
    from zoneinfo import ZoneInfo

    from vestnik.domain.schedule import day_number

    return day_number(store.now(), ZoneInfo(settings.centre.zone))


def _octets(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            yield from opened
    except OSError as failure:
        stop(f"{file} cannot be read: {failure.strerror}")


def _counted(file: Path, told: Told) -> Iterator[bytes]:
    """A file's lines; `told` hears now and then how many octets have been read."""
    done = at = 0
    for at, line in enumerate(_octets(file)):
        done += len(line)
        if not at % 10_000:
            told(done)
        yield line
    told(done)


def _decoded(file: Path, encoding: str, told: Told) -> Iterator[str]:
    for at, line in enumerate(_counted(file, told), start=1):
        try:
            yield line.decode(encoding if at == 1 else encoding.removesuffix("-sig"))
        except UnicodeDecodeError as wrong:
            raise ValueError(f"line {at}: it is not in {encoding.removesuffix('-sig')}") from wrong


def _is_utf8(first: bytes) -> bool:
    try:
        first.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _progress() -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        yield progress


def _bar(progress: "Progress", name: str, total: int | None) -> Told:
    task = progress.add_task(name, total=total)
    return lambda done: progress.update(task, completed=done)


def _judge(complaints: "Complaints") -> None:
    """End the command when so much is wrong that the file must be of another kind."""
    if complaints.wrong_lines * WRONG_SHARE > complaints.lines:
        _tell(complaints)
        stop(f"{complaints.wrong_lines} of {complaints.lines} lines are wrong: nothing was loaded")


def _tell(complaints: "Complaints") -> None:
    for words in complaints.wrong:
        typer.echo(words, err=True)
    if complaints.wrong_lines:
        typer.echo(f"{complaints.wrong_lines} lines are left out", err=True)


def _tell_more(count: int, what: str) -> None:
    if count > UNKNOWN_TOLD:
        typer.echo(f"and {count - UNKNOWN_TOLD} more {what}", err=True)
