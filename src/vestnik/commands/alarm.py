"""`vestnik alarm`: whom ping.php tells, and in which words."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, table, write_in

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.store.engine import Store

app = typer.Typer(help="Alarms that ping.php raises.", no_args_is_help=True)

Login = Annotated[
    str, typer.Argument(metavar="LOGIN", help="Whose alarm it is.", show_default=False)
]


@app.command()
def add(
    login: Login,
    to: Annotated[
        str, typer.Option(help="Numbers and e-mail addresses, by commas.", show_default=False)
    ],
    name: Annotated[str, typer.Option(help="What it is called in the list.")] = "",
    kinds: Annotated[
        str, typer.Option(help="What numbers are sent, by commas: sms, call, viber …")
    ] = "sms",
    text: Annotated[
        str, typer.Option(help="Text of a failure, with {NAME}, {HOST} and {INFO} in it.")
    ] = "",
    recovery: Annotated[str, typer.Option(help="Text when it works again, likewise.")] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Make an alarm group, and print the id that ping.php takes."""
    from vestnik.services import alarms

    async def work(store: "Store", _: "Settings") -> int:
        made = await store.write(
            alarms.add,
            *(login, name, to, kinds),
            text or alarms.FAILURE,
            recovery or alarms.RECOVERY,
        )
        return made.id

    typer.echo(f"alarm {in_store(data, config, work)} of {login} added")


@app.command("list")
def list_(data: Data = DATA, config: Config = None) -> None:
    """Show all alarm groups."""
    from vestnik.services import alarms
    from vestnik.services.clients import clients

    async def work(store: "Store", _: "Settings") -> Any:
        return await store.read(clients.everybody), await store.read(alarms.everything)

    everybody, found = in_store(data, config, work)
    logins = {client.id: client.login for client, _ in everybody}
    table(
        ("CLIENT", "ID", "NAME", "KINDS", "TO", "TEXT"),
        [
            (
                logins.get(alarm.client_id, str(alarm.client_id)),
                str(alarm.id),
                alarm.name or "-",
                alarm.kinds,
                alarm.recipients,
                alarm.failure,
            )
            for alarm in found
        ],
    )


@app.command()
def remove(
    login: Login,
    alarm: Annotated[
        int, typer.Argument(metavar="ID", help="Number in the list.", show_default=False)
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Remove an alarm group."""
    from vestnik.services import alarms

    write_in(data, config, alarms.remove, login, alarm)
    typer.echo(f"alarm {alarm} of {login} removed")
