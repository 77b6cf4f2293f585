"""`vestnik carrier`: the accounts at operators and providers that take our messages."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vestnik.commands.place import DATA, Config, Data, in_store, pairs_of, quiet, stop, table

if TYPE_CHECKING:
    from vestnik.config import Settings
    from vestnik.domain.route import Carrier
    from vestnik.store.engine import Store

app = typer.Typer(help="Carriers: who takes our messages.", no_args_is_help=True)

HIDDEN = ("password", "token", "key", "secret")  # settings that no list shows
TEST_S = 10.0
LOOK_S = 0.1

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the carrier.", show_default=False)
]
Changes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE",
        help="Settings; an empty value brings the default back.",
        show_default=False,
    ),
]


@app.command()
def add(
    name: Name,
    more: Changes = None,
    channel: Annotated[str, typer.Option(help="How it is spoken to: smpp or virtual.")] = "smpp",
    host: Annotated[str, typer.Option(help="Name or address of the carrier.")] = "",
    port: Annotated[str, typer.Option(help="Its port.")] = "",
    system_id: Annotated[str, typer.Option(help="Login that the carrier gave.")] = "",
    password: Annotated[str, typer.Option(help="Password that the carrier gave.")] = "",
    system_type: Annotated[str, typer.Option(help="System type, if it wants one.")] = "",
    window: Annotated[str, typer.Option(help="Unanswered messages at a time.")] = "",
    rate: Annotated[str, typer.Option(help="Messages a second; 0 is no limit.")] = "",
    binds: Annotated[str, typer.Option(help="How many connections.")] = "",
    on_unknown: Annotated[
        str, typer.Option(help="A message whose fate is unknown: hold or resend.")
    ] = "",
    receipt_parts: Annotated[
        str, typer.Option(help="Reports that end a long message: all, first or last parts'.")
    ] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Add a carrier; `vestnik carrier set NAME` shows all its settings."""
    from vestnik.channels import CHANNELS
    from vestnik.services.centre import carriers

    if channel not in CHANNELS:
        stop(f"there is no channel '{channel}'; there are {', '.join(sorted(CHANNELS))}")
    options = {
        "host": host,
        "port": port,
        "system_id": system_id,
        "password": password,
        "system_type": system_type,
        "window": window,
        "rate": rate,
        "binds": binds,
        "on_unknown": on_unknown,
        "receipt_parts": receipt_parts,
    }
    written = {option: value for option, value in options.items() if value}
    written |= pairs_of(more or [], "window=50")

    async def work(store: "Store", _: "Settings") -> str:
        judge = CHANNELS[channel].check
        carrier = await store.write(carriers.add, name, channel, written, judge)
        return f"carrier {carrier.name} added; lead messages to it with 'vestnik route add'"

    typer.echo(in_store(data, config, work))


@app.command("list")
def list_(data: Data = DATA, config: Config = None) -> None:
    """Show all carriers."""
    table(
        ("ID", "NAME", "CHANNEL", "IN USE", "ON UNKNOWN", "SETTINGS"),
        [
            (
                str(carrier.id),
                carrier.name,
                carrier.channel,
                "yes" if carrier.enabled else "no",
                carrier.on_unknown,
                " ".join(f"{n}={_shown(n, v)}" for n, v in carrier.settings.items()),
            )
            for carrier in _everything(data, config)
        ],
    )


@app.command("set")
def set_(
    name: Name,
    changes: Changes = None,
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Change a carrier's settings, or show them all."""
    from vestnik.channels import CHANNELS
    from vestnik.services.centre import carriers

    wanted = pairs_of(changes or [], "window=50")
    judges = {channel: kind.check for channel, kind in CHANNELS.items()}

    async def work(store: "Store", _: "Settings") -> "Carrier":
        if wanted:
            return await store.write(carriers.change, name, wanted, judges)
        return await store.read(carriers.named, name)

    rows = _settings_of(in_store(data, config, work))
    table(("NAME", "VALUE", "MEANING"), [row for row in rows if not wanted or row[0] in wanted])


@app.command()
def test(name: Name, data: Data = DATA, config: Config = None) -> None:
    """Connect to a carrier as serve would, and say how that went."""
    from vestnik.services.centre import carriers

    quiet()

    async def work(store: "Store", _: "Settings") -> tuple[bool, str]:
        return await reach(await store.read(carriers.named, name), TEST_S)

    ready, state = in_store(data, config, work)
    if not ready:
        stop(f"carrier {name} cannot be reached: {state}")
    typer.echo(f"carrier {name}: {state}")


@app.command()
def remove(name: Name, data: Data = DATA, config: Config = None) -> None:
    """Remove a carrier that no route leads to and no message waits for."""
    from vestnik.services.centre import carriers

    async def work(store: "Store", _: "Settings") -> None:
        await store.write(carriers.remove, name)

    in_store(data, config, work)
    typer.echo(f"carrier {name} removed")


async def reach(carrier: "Carrier", wait_s: float = TEST_S) -> tuple[bool, str]:
    """Connect to a carrier and leave again: whether it would take messages, and its state."""
    from vestnik.channels import CHANNELS
    from vestnik.channels.base import Hears

    channel = CHANNELS[carrier.channel].make(dict(carrier.settings), carrier.name)
    await channel.start(Hears(report=_unheard, incoming=_unheard))
    try:
        async with asyncio.timeout(wait_s):
            while not channel.ready:  # noqa: ASYNC110  a channel tells nobody that it is ready
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return False, channel.state
    else:
        return True, channel.state
    finally:
        await channel.stop(0)


async def _unheard(_: object) -> None:
    """A test listens to nothing: raising keeps the carrier's word for the serving process."""
    raise ConnectionAbortedError("this connection is only a test")


def _everything(data: Any, config: Any) -> "Sequence[Carrier]":
    from vestnik.services.centre import carriers

    async def work(store: "Store", _: "Settings") -> "Sequence[Carrier]":
        return (await store.read(carriers.everything))[0]

    return in_store(data, config, work)


def _settings_of(carrier: "Carrier") -> list[tuple[str, str, str]]:
    """Name, value and meaning of every setting of a carrier."""
    from vestnik.channels.smpp_settings import HELP

    rows = [
        ("on_unknown", carrier.on_unknown, "A message whose fate is unknown: hold or resend."),
        ("receipt_parts", carrier.receipt_parts, "Whose reports end a message: all, first, last."),
        ("enabled", str(int(carrier.enabled)), "0: it is handed no messages."),
    ]
    helped = HELP if carrier.channel == "smpp" else {"window": "Messages on their way at a time."}
    for name, meaning in helped.items():
        rows.append((name, _shown(name, carrier.settings.get(name, "")), meaning))
    return rows


def _shown(name: str, value: Any) -> str:
    return "***" if value and name in HIDDEN else str(value)
