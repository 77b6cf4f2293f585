"""`vestnik serve`: the centre, until it is told to stop."""

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from vestnik.commands.place import DATA, Config, Data, settings_of, stop

if TYPE_CHECKING:
    from vestnik.doorkeeper import Doors
    from vestnik.main import Centre


def serve(
    http: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="HTTP door; port 0 picks a free one, off closes it."
        ),
    ] = None,
    smtp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="SMTP door.")] = None,
    smpp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="SMPP door.")] = None,
    smpps: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="SMPP door over TLS.")
    ] = None,
    roles: Annotated[
        str,
        typer.Option(
            metavar="ROLES",
            help="What this node does, comma-separated: doors, dispatch, exports, housekeeping;"
            " everything, if it is not given.",
        ),
    ] = "",
    data: Data = DATA,
    config: Config = None,
) -> None:
    """Run the centre.  When every door is open it prints one line: "vestnik ready http=…"."""
    import uvloop

    from vestnik import logs
    from vestnik.doorkeeper import Doors
    from vestnik.main import ROLES, Centre

    settings = settings_of(data, config)
    chosen = frozenset(role.strip() for role in roles.split(",") if role.strip()) or ROLES
    if wrong := chosen - ROLES:
        stop(f"there is no role '{min(wrong)}'; there are: {', '.join(sorted(ROLES))}")
    logs.configure(settings.log.level, settings.log.format)
    try:
        centre = Centre(settings, data)
    except ValueError as reason:
        stop(f"[store] url: {reason}")
    uvloop.run(_run(centre, Doors(http, smtp, smpp, smpps), chosen))


async def _run(centre: "Centre", doors: "Doors", roles: frozenset[str]) -> None:
    from vestnik.config import SettingsWrong
    from vestnik.domain.refusals import StoreUnavailable
    from vestnik.doorkeeper import DoorClosed
    from vestnik.main import AlreadyServing

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    try:
        await centre.start(doors, roles)
    except (AlreadyServing, DoorClosed, SettingsWrong, StoreUnavailable) as reason:
        await centre.abandon()
        stop(str(reason))
    except OSError as reason:
        await centre.abandon()
        stop(str(reason))
    typer.echo(centre.ready_line)
    await told.wait()
    await centre.stop()
