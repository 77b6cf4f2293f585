"""`vestnik demo`: the whole story on a throw-away centre.

Everything goes over HTTP, as a client's program would do it.
"""

import asyncio
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from rich.console import Console

    from vestnik.doorkeeper import Doors
    from vestnik.main import Centre

ANY_PORT = "127.0.0.1:0"
LOGIN, PASSWORD = "demo", "demo-password"
POLL_S = 0.3
PATIENCE_S = 30.0
LINES_SHOWN = 4

FINAL = (1, 2, 3, 4, 20, 22, 23, 24, 25)
READY = 2  # the status of a task whose file can be fetched


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    http: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="HTTP door; port 0 picks a free one.")
    ] = "127.0.0.1:8080",
) -> None:
    """Show the whole story on a centre that is thrown away.

    It sends, delivers, reads the history and exports it.
    """
    import uvloop

    from vestnik import logs

    logs.configure("warning", "console")
    with tempfile.TemporaryDirectory(prefix="vestnik-demo-") as folder:
        uvloop.run(_run(Path(folder), http, once))


async def _run(folder: Path, http: str, once: bool) -> None:
    from rich.console import Console

    from vestnik import config
    from vestnik.main import Centre

    console = Console(highlight=False, soft_wrap=True)
    settings = config.load(folder, None, {"VESTNIK_TASKS__PERIOD_S": "1"})
    centre = Centre(settings, folder)
    try:
        await centre.start(_doors(http))
    except OSError:  # the usual port is taken: any other tells the same story
        await centre.abandon()
        centre = Centre(settings, folder)
        await centre.start(_doors(ANY_PORT))
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    try:
        story = asyncio.create_task(_tell(console, centre))
        stopped = asyncio.create_task(told.wait())
        await asyncio.wait({story, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if story.done():
            story.result()
            if not once:
                _say_what_next(console, centre)
                typer.echo(centre.ready_line)
                await stopped
    finally:
        await centre.stop()


def _doors(http: str) -> "Doors":
    from vestnik.doorkeeper import Doors

    return Doors(http, smtp=ANY_PORT, smpp=ANY_PORT)


async def _tell(console: "Console", centre: "Centre") -> None:
    import httpx2

    host, port = centre.ports["http"]
    base = f"http://{host}:{port}"
    console.print(
        f"[bold]A fresh centre[/bold] listens on {base} and sends by the carrier "
        "[cyan]virtual[/cyan].\n"
    )
    await _add_client(centre)
    console.print(
        f"1. A client is added: [cyan]{LOGIN}[/cyan] / [cyan]{PASSWORD}[/cyan], balance 100.00."
    )
    async with httpx2.AsyncClient(base_url=base, timeout=PATIENCE_S) as client:
        await _send_and_follow(console, client)
        await _export(console, client)
        balance = await _ask(client, "balance", cur="1")
        console.print(f"\n   Balance now: [bold]{balance['balance']} {balance['currency']}[/bold]")


async def _add_client(centre: "Centre") -> None:
    from vestnik.services.clients import clients

    new = clients.New(LOGIN, clients.hashed(PASSWORD), balance=100_000_000)
    await centre.store.write(clients.add, new, centre.road.ids, centre.store.now())
    await centre.current.refresh()


async def _ask(client: "AsyncClient", endpoint: str, /, **parameters: str) -> Any:
    answer = await client.post(
        f"/sys/{endpoint}.php",
        data={"login": LOGIN, "psw": PASSWORD, "charset": "utf-8", "fmt": "3"} | parameters,
    )
    answer.raise_for_status()
    said = answer.json()
    if isinstance(said, dict) and "error" in said:
        raise RuntimeError(f"{endpoint}.php refused: {said['error']} ({said['error_code']})")
    return said


async def _send_and_follow(console: "Console", client: "AsyncClient") -> None:
    balance = await _ask(client, "balance")
    console.print(f"   Balance before: [bold]{balance['balance']}[/bold]")
    console.print("\n2. Three requests to send.php: Latin, Cyrillic, and a small list.")
    pairs: list[tuple[str, str]] = []
    for phones, fields in (
        ("79160000001", {"phones": "79160000001", "mes": "Your code is 4711"}),
        ("79260000002", {"phones": "79260000002", "mes": "Ваш заказ готов: ждём вас до 20:00"}),
        (
            "79030000003,79999999901,79050000004",
            {
                "list": "79030000003:Anna, see you at 10\n"
                "79999999901:This number does not exist\n"
                "79050000004:Пётр, до встречи в 11"
            },
        ),
    ):
        sent = await _ask(client, "send", cost="3", **fields)
        console.print(
            f"   id [cyan]{sent['id']}[/cyan]: {sent['cnt']} SMS, cost {sent['cost']}, "
            f"balance {sent['balance']}"
        )
        pairs += [(str(sent["id"]), phone) for phone in phones.split(",")]
    console.print("\n3. status.php until each has its end:")
    await _follow(console, client, pairs)


async def _follow(console: "Console", client: "AsyncClient", pairs: list[tuple[str, str]]) -> None:
    from rich.table import Table

    wait_s = 1.0  # the status of one message may be asked five times a minute
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await asyncio.sleep(wait_s)
            wait_s *= 2
            rows = [await _ask(client, "status", id=i, phone=p, all="2") for i, p in pairs]
            if all(row["status"] in FINAL for row in rows):
                break
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("  ")
    for heading in ("id", "phone", "operator", "cost", "status", ""):
        table.add_column(heading, no_wrap=True)
    for (wire_id, phone), row in zip(pairs, rows, strict=True):
        table.add_row(
            "", wire_id, phone, row["operator"], row["cost"], str(row["status"]), row["status_name"]
        )
    console.print(table)


async def _export(console: "Console", client: "AsyncClient") -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    today = datetime.now(ZoneInfo("Europe/Moscow")).strftime("%d.%m.%Y")
    console.print("\n4. A deferred export of today's messages (downloads.php):")
    ordered = await _ask(client, "downloads", add="1", start=today, name="the story so far")
    console.print(f"   task {ordered['id']} is ordered; polling the list …")
    seen = -1
    async with asyncio.timeout(PATIENCE_S):
        while True:
            # Not more than three identical list requests a minute: each names another `cnt`.
            seen += 1
            [task] = await _ask(client, "downloads", get_list="1", cnt=str(100 + seen))
            if task["status"] == READY:
                break
            await asyncio.sleep(POLL_S)
    console.print(f"   task {task['id']}: status {task['status']}, file {task['file']}\n")
    file = await client.post(
        "/sys/downloads.php",
        data={
            "login": LOGIN,
            "psw": PASSWORD,
            "charset": "utf-8",
            "get_file": "1",
            "id": str(task["id"]),
        },
    )
    lines = file.content.decode("utf-8-sig").splitlines()
    for line in lines[:LINES_SHOWN]:
        console.print(f"   [dim]{line}[/dim]", markup=True)
    console.print(f"   … {len(lines) - 1} messages in all")


def _say_what_next(console: "Console", centre: "Centre") -> None:
    host, port = centre.ports["http"]
    base = f"http://{host}:{port}"
    account = f"login={LOGIN}&psw={PASSWORD}"
    console.print(
        "\n[bold]The centre keeps serving; stop it with Ctrl-C.[/bold]  "
        "Try, in another terminal:\n\n"
        f"   curl '{base}/sys/send.php?{account}&phones=79161234567&mes=Hello&cost=3'\n"
        f"   curl '{base}/sys/status.php?{account}&phone=79161234567&id=4&fmt=3'\n"
        f"   curl '{base}/sys/balance.php?{account}'\n\n"
        "Numbers ending in 9901 are undeliverable, 9902 expire, 9903 take a minute, 9904 are\n"
        "refused at once, 9905 are never reported.  A centre that stays: vestnik serve --data DIR\n"
    )
