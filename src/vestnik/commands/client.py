"""`vestnik client`: accounts, money, passwords, keys, limits."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, pairs_of, read_in, table, write_in

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.domain.ids import Ids
    from vestnik.store.engine import Store

app = typer.Typer(help="Clients: accounts, money, passwords, keys, limits.", no_args_is_help=True)
keys = typer.Typer(help="API keys of a client.", no_args_is_help=True)
app.add_typer(keys, name="key")

Login = Annotated[
    str, typer.Argument(metavar="LOGIN", help="Login of the client.", show_default=False)
]
NewPassword = Annotated[
    str,
    typer.Option(
        help="Password, 8 characters or more; asked for if it is not given.",
        prompt=True,
        hide_input=True,
        confirmation_prompt=True,
        show_default=False,
    ),
]
Note = Annotated[str, typer.Option(help="What it is for, for people.")]


@app.command()
def add(
    login: Login,
    password: NewPassword,
    balance: Annotated[str, typer.Option(help="Opening balance in whole units of money.")] = "0",
    parent: Annotated[str, typer.Option(help="Login of the main account: makes a subclient.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="An operator of the centre.")] = False,
    currency: Annotated[
        str, typer.Option(help="Currency, if not the centre's; a subclient has its parent's.")
    ] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Add a client."""
    from vestnik.domain.money import money, parse_money
    from vestnik.services.clients import clients

    async def work(store: "Store", settings: "Settings") -> str:
        new = clients.New(
            login=login,
            password_hash=clients.hashed(password),
            parent=parent,
            admin=admin,
            balance=parse_money(balance),
            currency=currency or settings.centre.currency,
            zone=settings.centre.zone,
        )
        client = await store.write(clients.add, new, _entry_ids(), store.now())
        return f"client {client.login} added with {money(new.balance)} {client.currency}"

    typer.echo(in_store(data, config, work))


@app.command("list")
def list_(data: Data = DATA, config: Config = None) -> None:
    """Show all clients with their balances."""
    from vestnik.domain.money import money
    from vestnik.services.clients import clients

    found = read_in(data, config, clients.everybody)
    logins: dict[int | None, str] = {client.id: client.login for client, _ in found}
    table(
        ("ID", "LOGIN", "PARENT", "TYPE", "BALANCE", "HELD", "CREDIT", "CURRENCY", "MARKS"),
        [
            (
                str(client.id),
                client.login,
                logins.get(client.parent_id, ""),
                str(client.type) if client.parent_id is not None else "",
                money(account.posted - account.held),
                money(account.held),
                money(account.credit),
                account.currency,
                " ".join(
                    word
                    for word, there in (
                        ("admin", client.admin),
                        ("locked", client.limits.locked),
                        ("test", client.limits.test),
                    )
                    if there
                ),
            )
            for client, account in found
        ],
    )


@app.command(context_settings={"ignore_unknown_options": True})
def topup(
    login: Login,
    amount: Annotated[
        str,
        typer.Argument(
            metavar="AMOUNT",
            help="Whole units of money, such as 100.50; negative to correct.",
            show_default=False,
        ),
    ],
    note: Note = "",
    purse: Annotated[
        int, typer.Option(min=0, max=1, help="1: the electronic balance, not the usual one.")
    ] = 0,
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Add money to a balance, or take some back."""
    from vestnik.domain.money import money, parse_money
    from vestnik.services.clients import clients

    async def work(store: "Store", _: "Settings") -> str:
        micro = parse_money(amount)
        client, account = await store.write(
            clients.top_up, login, micro, note, _entry_ids(), store.now(), purse
        )
        return f"{client.login} has {money(account.posted - account.held)} {account.currency} now"

    typer.echo(in_store(data, config, work))


@app.command()
def passwd(login: Login, password: NewPassword, data: Data = DATA, config: Config = None) -> None:
    """Set a new password; the API keys stay."""
    from vestnik.services.clients import clients

    async def work(store: "Store", _: "Settings") -> str:
        stored = clients.hashed(password)
        client = await store.write(clients.set_password, login, stored, store.now())
        return f"{client.login} has a new password"

    typer.echo(in_store(data, config, work))


@app.command("set")
def set_(
    login: Login,
    changes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE",
            help="What to change; an empty value brings the default back.  None: show all.",
            show_default=False,
        ),
    ] = None,
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Change a client's limits, rights and settings, or show them."""
    from vestnik.services.clients import clients

    wanted = pairs_of(changes or [], "day_limit=500")

    async def work(store: "Store", _: "Settings") -> Any:
        if wanted:
            changed = await store.write(clients.change, login, wanted, _entry_ids(), store.now())
            return await store.read(clients.show, changed.login)
        return await store.read(clients.show, login)

    shown = in_store(data, config, work)
    if wanted:
        shown = [one for one in shown if one.name in wanted]
    table(
        ("NAME", "VALUE", "USUAL", "MEANING"), [(s.name, s.value, s.usual, s.help) for s in shown]
    )


@keys.command("add")
def key_add(login: Login, note: Note = "", data: Data = DATA, config: Config = None) -> None:
    """Make an API key and show it, this once."""
    from vestnik.services.clients import clients

    async def work(store: "Store", _: "Settings") -> str:
        return await store.write(clients.add_key, login, note, store.now())

    typer.echo(in_store(data, config, work))


@keys.command("list")
def key_list(login: Login, data: Data = DATA, config: Config = None) -> None:
    """Show a client's API keys, though not the keys themselves."""
    from vestnik.services.clients import clients

    table(
        ("ID", "MADE", "NOTE"),
        [
            (str(key.id), time.strftime("%Y-%m-%d", time.gmtime(key.created_at / 1000)), key.note)
            for key in read_in(data, config, clients.keys, login)
        ],
    )


@keys.command("remove")
def key_remove(
    login: Login,
    key: Annotated[
        int, typer.Argument(metavar="ID", help="Number of the key in the list.", show_default=False)
    ],
    data: Data = DATA,
    config: Config = None,
) -> None:
    """End an API key."""
    from vestnik.services.clients import clients

    write_in(data, config, clients.remove_key, login, key)
    typer.echo(f"key {key} of {login} removed")


def _entry_ids() -> "Ids":
    """Ids of a node that no serving process has."""
    from vestnik.config import COMMAND_NODE
    from vestnik.domain.ids import Ids

    return Ids(COMMAND_NODE)
