"""The command line: `vestnik`, or `python -m vestnik`."""

import os
import sys
from typing import Annotated, Any

import typer

from vestnik import __version__
from vestnik.commands import (
    alarm,
    carrier,
    client,
    contacts,
    currency,
    demo,
    doctor,
    document,
    number,
    numbering,
    rate,
    route,
    sender,
    serve,
    store,
)

app = typer.Typer(
    name="vestnik",
    help="A self-hosted messaging centre.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"vestnik {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """What stands before the name of a command."""


app.command()(serve.serve)
app.command()(demo.demo)
app.command()(store.migrate)
app.command()(store.check)
app.command()(doctor.doctor)
app.add_typer(client.app, name="client")
app.add_typer(contacts.app, name="contacts")
app.add_typer(currency.app, name="currency")
app.add_typer(sender.app, name="sender")
app.add_typer(document.app, name="document")
app.add_typer(carrier.app, name="carrier")
app.add_typer(route.app, name="route")
app.add_typer(rate.app, name="rate")
app.add_typer(numbering.app, name="numbering")
app.add_typer(number.app, name="number")
app.add_typer(alarm.app, name="alarm")


def run() -> None:
    """Run the command of this process; what is wrong with it is one sentence and exit code 1."""
    os.umask(0o077)  # texts, key secrets and carriers' passwords are for their owner alone
    try:
        ended = app(prog_name="vestnik", standalone_mode=False)
    except typer.Abort as abort:
        if not isinstance(abort.__context__, EOFError):
            sys.exit(130)
        typer.echo("\nvestnik: the input ended before every question was answered", err=True)
        sys.exit(1)
    except Exception as wrong:
        # Typer has a copy of click inside and no public name for the base of its errors.
        if not hasattr(wrong, "format_message"):
            raise
        typer.echo(_sentence(wrong), err=True)
        sys.exit(1)
    sys.exit(ended if isinstance(ended, int) else 0)


def _sentence(wrong: Any) -> str:
    words = str(wrong.format_message())
    if words.startswith("Usage:"):  # a group without a command: its help
        return words
    context = getattr(wrong, "ctx", None)
    if not context:
        return f"vestnik: {words.rstrip('.')}"
    hint = f"see '{context.command_path} --help'"
    if words.endswith("?"):  # which name was meant
        return f"vestnik: {words} Or {hint}"
    return f"vestnik: {words.rstrip('.')}; {hint}"


if __name__ == "__main__":
    run()
