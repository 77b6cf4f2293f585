"""`vestnik sender`: names that accounts show, their registrations, texts for operators."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, read_in, stop, table, write_in

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.services.senders.fees import Fees
    from vestnik.store.engine import Store

app = typer.Typer(help="Sender names: who may show which.", no_args_is_help=True)
texts = typer.Typer(help="Texts that accounts register with operators.", no_args_is_help=True)
app.add_typer(texts, name="template")

Login = Annotated[
    str, typer.Argument(metavar="LOGIN", help="Login of the client.", show_default=False)
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The sender name.", show_default=False)]
Number = Annotated[
    int, typer.Argument(metavar="ID", help="Number in the list.", show_default=False)
]
Reason = Annotated[str, typer.Option(help="Why, for people.")]
Only = Annotated[str, typer.Option("--client", help="Login of a client; empty: all.")]

_STATUSES = ("waits", "approved", "refused", "needs documents")
_VERDICTS = ("waits", "approved", "rejected")


@app.command("list")
def list_(client: Only = "", data: Data = DATA, config: Config = None) -> None:
    """Show all sender names, their operators and their documents."""
    from vestnik.services.senders import moderation

    table(
        ("CLIENT", "ID", "NAME", "STATUS", "OPERATORS", "DOCUMENTS", "COMMENT", "REASON"),
        [
            (
                one.login,
                str(one.sender.id),
                one.sender.name,
                _STATUSES[one.sender.status],
                ",".join(f"{r.operator}:{_state(r.status)}" for r in one.registrations) or "-",
                str(one.documents),
                " ".join(one.sender.cmt.split()) or "-",
                one.sender.reason,
            )
            for one in read_in(data, config, moderation.everybodys, client)
        ],
    )


@app.command()
def approve(login: Login, name: Name, data: Data = DATA, config: Config = None) -> None:
    """Let a client show a name."""
    _judge(login, name, "approved", "", data, config)


@app.command()
def refuse(
    login: Login, name: Name, reason: Reason = "", data: Data = DATA, config: Config = None
) -> None:
    """Refuse a name.  It comes back with new documents or registrations."""
    _judge(login, name, "refused", reason, data, config)


@app.command()
def ask_documents(
    login: Login, name: Name, reason: Reason = "", data: Data = DATA, config: Config = None
) -> None:
    """Say that a name needs documents before it is judged."""
    _judge(login, name, "needs documents", reason, data, config)


@app.command()
def operator(
    login: Login,
    name: Name,
    place: Annotated[
        str, typer.Argument(metavar="OPERATOR", help="mts, mega, bee …", show_default=False)
    ],
    state: Annotated[
        str,
        typer.Argument(
            metavar="STATE",
            help="asked, in-work, registered, refused or off.",
            show_default=False,
        ),
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Note where a name stands with an operator.  A paid one that is connected is charged for."""
    from vestnik.services.senders import moderation

    if state not in moderation.STATES:
        stop(f"'{state}' is no state; there are: {', '.join(moderation.STATES)}")

    async def work(store: "Store", settings: "Settings") -> None:
        fees = await _fees(store, settings)
        meant = moderation.STATES[state]
        await store.write(moderation.set_operator, login, name, place, meant, fees)

    in_store(data, config, work)
    typer.echo(f"{name} of {login} is {state} at {place} now")


@app.command()
def documents(
    login: Login,
    name: Name,
    folder: Annotated[Path, typer.Option(help="Folder to put them into.")] = Path(),
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Put the documents of a name into a folder."""
    from vestnik.services.senders import moderation

    for file, octets in read_in(data, config, moderation.documents, login, name):
        path = folder / f"{login}_{name}_{file.number}_{file.name}"
        try:
            path.write_bytes(octets)
        except OSError as failure:
            stop(f"{path} cannot be written: {failure.strerror}")
        typer.echo(f"{path}  {file.about}".rstrip())


@texts.command("list")
def template_list(data: Data = DATA, config: Config = None) -> None:
    """Show all texts that were registered with operators."""
    from vestnik.services.senders import templates

    table(
        ("CLIENT", "ID", "SENDER", "KIND", "STATUS", "TEXT"),
        [
            (
                login,
                str(one.id),
                one.sender,
                one.kind,
                _VERDICTS[one.status],
                " ".join(one.message.split()),
            )
            for login, one in read_in(data, config, templates.everybodys)
        ],
    )


@texts.command("approve")
def template_approve(login: Login, text: Number, data: Data = DATA, config: Config = None) -> None:
    """Let a client send such texts."""
    from vestnik.services.senders.templates import APPROVED

    _judge_text(login, text, APPROVED, data, config)
    typer.echo(f"template {text} of {login} is approved")


@texts.command("reject")
def template_reject(login: Login, text: Number, data: Data = DATA, config: Config = None) -> None:
    """Reject a text."""
    from vestnik.services.senders.templates import REJECTED

    _judge_text(login, text, REJECTED, data, config)
    typer.echo(f"template {text} of {login} is rejected")


def _judge(
    login: str, name: str, verdict: str, reason: str, data: Path, config: Path | None
) -> None:
    from vestnik.domain.sender import Status
    from vestnik.services.senders import moderation

    status = Status(_STATUSES.index(verdict))

    async def work(store: "Store", _: "Settings") -> str:
        judged = await store.write(moderation.judge, login, name, status, reason, store.now())
        return judged.name

    typer.echo(f"{in_store(data, config, work)} of {login}: {verdict}")


def _judge_text(login: str, text: int, status: int, data: Path, config: Path | None) -> None:
    from vestnik.services.senders import templates

    write_in(data, config, templates.judge, login, text, status)


async def _fees(store: "Store", settings: "Settings") -> "Fees":
    """What a month costs now, booked under the ids of a node that no serving process has."""
    from zoneinfo import ZoneInfo

    from vestnik.config import COMMAND_NODE
    from vestnik.domain.ids import Ids
    from vestnik.domain.money import parse_money
    from vestnik.domain.rate import payers
    from vestnik.services.clients import clients
    from vestnik.services.money.documents import month_of
    from vestnik.services.senders.fees import Fees
    from vestnik.store import ids

    everybody = {client.id: client for client, _ in await store.read(clients.everybody)}
    now = store.now()
    own = Ids(COMMAND_NODE, await store.read(ids.last, COMMAND_NODE, now))
    return Fees(
        amount=parse_money(settings.senders.fee),
        month=month_of(now, ZoneInfo(settings.centre.zone)),
        payers={client.id: payers(client, everybody) for client in everybody.values()},
        new_id=lambda: own.take(now)[0],
        now_ms=now,
    )


def _state(status: int) -> str:
    from vestnik.services.senders.moderation import STATES

    return next(name for name, value in STATES.items() if value == status)
