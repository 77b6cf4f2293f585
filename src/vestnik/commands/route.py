"""`vestnik route`: which carrier takes which messages."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, table, write_in

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.services.centre.carriers import Trace
    from vestnik.store.engine import Store

app = typer.Typer(help="Routes: which carrier takes which messages.", no_args_is_help=True)

Channel = Annotated[str, typer.Option(help="Kind of message: sms, hlr, mail, call, viber …")]


@app.command()
def add(
    carrier: Annotated[str, typer.Option(help="Carrier that takes them.", show_default=False)],
    prefix: Annotated[str, typer.Option(help="First digits of the phone; empty: any.")] = "",
    operator: Annotated[str, typer.Option(help="MCC and MNC of the network; empty: any.")] = "",
    client: Annotated[str, typer.Option(help="Login of the client; empty: any.")] = "",
    sender: Annotated[str, typer.Option(help="Sender name; empty: any.")] = "",
    channel: Channel = "sms",
    priority: Annotated[int, typer.Option(help="Higher is tried first.")] = 0,
    weight: Annotated[int, typer.Option(help="Share among routes of the same priority.")] = 1,
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Add a route."""
    from vestnik.services.centre import carriers

    new = carriers.NewRoute(
        carrier=carrier,
        channel=channel,
        prefix=prefix,
        operator=operator,
        client=client,
        sender=sender,
        priority=priority,
        weight=weight,
    )

    async def work(store: "Store", _: "Settings") -> int:
        return (await store.write(carriers.add_route, new)).id

    typer.echo(f"route {in_store(data, config, work)} added")


@app.command("list")
def list_(data: Data = DATA, config: Config = None) -> None:
    """Show all routes in the order in which they are tried."""
    from vestnik.services.centre import carriers
    from vestnik.services.clients import clients

    async def work(store: "Store", _: "Settings") -> Any:
        return await store.read(carriers.everything), await store.read(clients.everybody)

    (all_carriers, routes), everybody = in_store(data, config, work)
    names = {carrier.id: carrier.name for carrier in all_carriers}
    logins = {client.id: client.login for client, _ in everybody}
    table(
        (
            "ID",
            "PRIORITY",
            "WEIGHT",
            "CHANNEL",
            "PREFIX",
            "OPERATOR",
            "CLIENT",
            "SENDER",
            "CARRIER",
        ),
        [
            (
                str(route.id),
                str(route.priority),
                str(route.weight),
                route.channel,
                route.prefix or "*",
                route.operator or "*",
                logins.get(route.client_id, "*"),
                route.sender or "*",
                names[route.carrier_id],
            )
            for route in routes
        ],
    )


@app.command()
def remove(
    route: Annotated[
        int, typer.Argument(metavar="ID", help="Number in the list.", show_default=False)
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Remove a route."""
    from vestnik.services.centre import carriers

    write_in(data, config, carriers.remove_route, route)
    typer.echo(f"route {route} removed")


@app.command()
def trace(
    phone: Annotated[
        str, typer.Argument(metavar="PHONE", help="Phone of the recipient.", show_default=False)
    ],
    channel: Channel = "sms",
    client: Annotated[str, typer.Option(help="Login of the client that sends.")] = "",
    sender: Annotated[str, typer.Option(help="Sender name.")] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Say who would take a message to a phone, and at what price.  Its network is told too."""
    from vestnik.services.centre import carriers, directory

    async def work(store: "Store", _: "Settings") -> "Trace":
        found = await store.read(directory.read)
        return carriers.trace(found, phone, channel, client, sender)

    _print(in_store(data, config, work))


def _print(found: "Trace") -> None:
    from vestnik.domain.money import money

    network = found.network
    places = (network.country, network.operator, network.region, network.mccmnc, network.zone)
    typer.echo(f"phone     {found.phone}")
    typer.echo(f"network   {', '.join(filter(None, places)) or 'not known'}")
    typer.echo(f"routes    {', '.join(str(route.id) for route in found.routes) or 'none fits'}")
    carriers = ", then ".join(carrier.name for carrier in found.carriers)
    typer.echo(f"carriers  {carriers or 'none: a message would end with status 25, err 248'}")
    typer.echo(f"price     {money(found.price)} a part")
