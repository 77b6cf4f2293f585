"""Kannel as a client of the door: its bearerbox binds, its smsbox sends and hears over HTTP."""

import asyncio
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.doors.smpp.house import LOGIN, PASSWORD
from tests.serving import free_port

STEP_S_MAX = 60.0  # for each thing that is waited for
DELIVERED, REFUSED = "1", "16"  # types of Kannel's delivery reports
BOXES = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
dlr-storage = internal

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {send}
sendsms-interface = 127.0.0.1
mo-recode = true
log-file = {folder}/smsbox.log

group = sendsms-user
username = kannel
password = kannel
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = yes
max-messages = 0
get-url = "http://127.0.0.1:{hook}/incoming?from=%p&to=%P&text=%b&charset=%C"
"""
SMSC = """
group = smsc
smsc = smpp
smsc-id = vestnik
host = 127.0.0.1
{port}
smsc-username = {login}
smsc-password = {password}
system-type = ""
source-addr-autodetect = yes
dest-addr-ton = 1
dest-addr-npi = 1
"""
TRANSCEIVER = ["transceiver-mode = true\nport = {}"]
PAIR = ["port = {}", "receive-port = {}"]


class Kannel:
    """Both boxes running: what they told at their addresses, as (path, parameters)."""

    def __init__(self, ports):
        self._ports = ports
        self.told = []
        self._changed = asyncio.Event()

    async def hook(self, reader, writer):
        """Answer one call of a box."""
        with suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            address = urlsplit(head.split()[1].decode())
            asked = parse_qs(address.query, keep_blank_values=True)
            self.told.append((address.path, {name: values[0] for name, values in asked.items()}))
            self._changed.set()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    async def send(self, phone, text, **more):
        """Have a text sent and reported on; what Kannel says of it."""
        report = f"http://127.0.0.1:{self._ports['hook']}/report?phone={phone}&type=%d&words=%A"
        asked = {"username": "kannel", "password": "kannel", "from": "Shop", "to": phone}
        asked |= {"text": text, "charset": "UTF-8", "dlr-mask": "31", "dlr-url": report, **more}
        return await self._ask("send", f"/cgi-bin/sendsms?{urlencode(asked)}")

    async def ended(self, phone):
        """Wait for the last report on a message; its type and its words."""
        while True:
            for path, told in self.told:
                last = told.get("type") in (DELIVERED, REFUSED)
                if path == "/report" and told["phone"] == phone and last:
                    return told["type"], told["words"]
            await self._more()

    async def incoming(self, count):
        """Wait for so many incoming messages; their parameters."""
        while len(come := [told for path, told in self.told if path == "/incoming"]) < count:
            await self._more()
        return come

    async def _more(self):
        self._changed.clear()
        async with asyncio.timeout(STEP_S_MAX):
            await self._changed.wait()

    async def _ask(self, name, target):
        """What a box answers."""
        reader, writer = await self._opened(name)
        writer.write(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        said = await reader.read()
        writer.close()
        return said.decode()

    async def _opened(self, name):
        """A connection to a box, which may still be starting."""
        async with asyncio.timeout(STEP_S_MAX):
            while True:
                with suppress(ConnectionRefusedError):
                    return await asyncio.open_connection("127.0.0.1", self._ports[name])
                await asyncio.sleep(0.05)

    async def listens(self, name):
        """Wait until a box takes connections."""
        _, writer = await self._opened(name)
        writer.close()

    async def is_whole(self):
        """Wait until the boxes know each other; a smsbox that is asked before that breaks."""
        async with asyncio.timeout(STEP_S_MAX):
            while "smsbox:" not in await self._ask("admin", "/status.txt?password=admin"):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running(folder, port, binds):
    """Kannel bound to the door at `port` in the manner of `binds`."""
    ports = {name: free_port() for name in ("admin", "box", "send", "hook")}
    smsc = [SMSC.format(port=line.format(port), login=LOGIN, password=PASSWORD) for line in binds]
    config = folder / "kannel.conf"
    config.write_text(BOXES.format(folder=folder, **ports) + "".join(smsc))
    kannel = Kannel(ports)
    async with AsyncExitStack() as stack:
        hook = await asyncio.start_server(kannel.hook, "127.0.0.1", ports["hook"])
        stack.push_async_callback(hook.wait_closed)
        stack.callback(hook.close)
        _box(stack, "bearerbox", config)
        await kannel.listens("box")
        _box(stack, "smsbox", config)
        await kannel.is_whole()
        yield kannel


def _box(stack, name, config):
    """Start a box, which ends with the stack, and with the tests whatever becomes of them."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", name, config],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)  # it would take seconds to say good-bye
