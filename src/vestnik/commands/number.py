"""`vestnik number`: the centre's own numbers, for rent and for confirmation calls."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, stop, table, write_in

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.store.engine import Store

app = typer.Typer(
    help="The centre's own numbers: for rent, and to be called.", no_args_is_help=True
)

Phone = Annotated[str, typer.Argument(metavar="PHONE", help="The number.", show_default=False)]


@app.command()
def add(
    phone: Phone,
    cost: Annotated[str, typer.Option(help="What a month of its rent costs.")] = "0",
    calls: Annotated[
        bool, typer.Option("--calls", help="It is called for confirmation, and not for rent.")
    ] = False,
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Offer a number for rent, or have it called for confirmation."""
    from vestnik.services.centre import directory
    from vestnik.services.incoming import rented

    async def work(store: "Store", _: "Settings") -> Any:
        plan = (await store.read(directory.read)).numbering
        kind = rented.CALL if calls else rented.RENT
        return await store.write(rented.add, phone, kind, cost, plan)

    number = in_store(data, config, work)
    typer.echo(f"number {number.phone} added{' for calls' if calls else ''}")


@app.command("list")
def list_(data: Data = DATA, config: Config = None) -> None:
    """Show all of them, and who rents them until when."""
    from zoneinfo import ZoneInfo

    from vestnik.domain.money import money
    from vestnik.domain.schedule import format_date
    from vestnik.services.clients import clients
    from vestnik.services.incoming import rented

    async def work(store: "Store", settings: "Settings") -> Any:
        everybody = await store.read(clients.everybody)
        found = await store.read(rented.everything)
        return ZoneInfo(settings.centre.zone), everybody, found

    zone, everybody, found = in_store(data, config, work)
    logins = {client.id: client.login for client, _ in everybody}
    table(
        ("PHONE", "KIND", "COST", "COUNTRY", "CLIENT", "PAID UNTIL", "RENEWED"),
        [
            (
                number.phone,
                number.kind,
                money(number.cost),
                number.country or "-",
                logins.get(number.client_id, "-"),
                format_date(number.paid_until, zone) if number.paid_until else "-",
                "-" if not number.client_id else "no" if number.noprolong else "yes",
            )
            for number in found
        ],
    )


@app.command()
def remove(phone: Phone, data: Data = DATA, config: Config = None) -> None:
    """Remove a number that nobody rents."""
    from vestnik.services.incoming import rented

    write_in(data, config, rented.remove, phone)
    typer.echo(f"number {phone} removed")


@app.command()
def call(
    caller: Annotated[str, typer.Argument(metavar="FROM", help="Who calls.", show_default=False)],
    to: Annotated[
        str, typer.Argument(metavar="TO", help="The number that is called.", show_default=False)
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Act as if a subscriber had called a number.  Whoever waits for the call is told."""
    from vestnik.config import COMMAND_NODE
    from vestnik.domain.ids import Ids
    from vestnik.services.centre import directory
    from vestnik.services.incoming import wait_calls
    from vestnik.services.messages.settlement import Setting
    from vestnik.store import ids

    async def work(store: "Store", settings: "Settings") -> Any:
        found = await store.read(directory.read)
        now = store.now()
        own = Ids(COMMAND_NODE, await store.read(ids.last, COMMAND_NODE, now))
        setting = Setting(found, COMMAND_NODE, 0, now, lambda: own.take(store.now())[0])
        client_id = await store.write(wait_calls.heard, caller, to, setting)
        return found.clients[client_id].login if client_id in found.clients else None

    login = in_store(data, config, work)
    if login is None:
        stop(f"nobody waits for a call from {caller} to {to}")
    typer.echo(f"{login} is told that {caller} has called")
