"""kill -9 in the middle of a window: what was answered is there, what is repeated is sent once."""

import asyncio
from types import SimpleNamespace

import pytest
from tests import serving
from tests.doors.smpp.house import SOON_S, bind, submit
from tests.serving import LOGIN, PASSWORD, Centre, free_port

from vestnik.net.smpp import LinkLost
from vestnik.wire.smpp.command_status import ESME_RSUBMITFAIL
from vestnik.wire.sms.segments import in_series, segments

pytestmark = pytest.mark.anyio

SINGLE, LONG = 240, 60
WINDOW = 40
LIMITS = ("smpp_rate=0", "flood_count=0", "identical_s=60")


@pytest.fixture(params=["sqlite", "postgres"])
def centre(request, tmp_path):
    """A centre that is furnished and not started, on each engine."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    folder = tmp_path / "data"
    words = ("client", "add", LOGIN, "--password", PASSWORD, "--balance", "100000")
    serving.command(folder, *words, url=url)
    serving.command(folder, "client", "set", LOGIN, *LIMITS, url=url)
    return Centre(folder, url)


def window():
    """Single messages and, between them, the parts of long ones."""
    pdus = [submit(f"Number {n}", f"7916{n:07d}") for n in range(SINGLE)]
    for n in range(LONG):
        text = f"Long {n} ".ljust(200, ".")
        pieces = segments(text)
        for number, piece in enumerate(pieces, 1):
            octets = in_series(b"\0" + piece.octets, n, len(pieces), number)
            pdus.insert(5 * n + number, submit(octets, f"7917{n:07d}", esm_class=0x40))
    return pdus


class Asking:
    """A client that keeps its window full; `answers` by the place of the PDU."""

    def __init__(self, esme, pdus):
        self.answers = {}
        self._esme, self._pdus = esme, pdus
        self._room = asyncio.Semaphore(WINDOW)
        self._enough = asyncio.Event()

    async def all(self):
        """Ask everything; returns when the last is answered or the connection is gone."""
        await asyncio.gather(*map(self._one, range(len(self._pdus))))
        return self.answers

    async def some(self):
        """Wait until a part is answered."""
        await self._enough.wait()

    async def _one(self, place):
        async with self._room:
            try:
                self.answers[place] = await self._esme.link.ask(self._pdus[place])
            except LinkLost:
                return
        if len(self.answers) == len(self._pdus) // 3:
            self._enough.set()


async def test_nothing_is_lost_or_doubled_by_a_kill(centre):
    address = f"127.0.0.1:{free_port()}"
    where = SimpleNamespace(port=int(address.rpartition(":")[2]))
    pdus = window()
    async with asyncio.timeout(90):
        await centre.start("--smpp", address)
        try:
            esme = await bind(where, LOGIN, PASSWORD)
            asking = Asking(esme, pdus)
            running = asyncio.ensure_future(asking.all())
            await asking.some()
            await centre.kill()
            first = await running
            await centre.start("--smpp", address)
            again = await bind(where, LOGIN, PASSWORD)
            left = [n for n in range(len(pdus)) if n not in first]
            second = await Asking(again, [pdus[n] for n in left]).all()
            rows = await centre.rows("SELECT phone, wire_id FROM messages")
            await centre.sound()
            await again.link.unbind(SOON_S)
        finally:
            await centre.kill()

    answers = first | {left[place]: frame for place, frame in second.items()}
    phones = sorted({pdu.destination_addr for pdu in pdus})
    assert 0 < len(left) < len(pdus) == len(answers)
    assert sorted(phone for phone, _ in rows) == phones
    assert {frame.status for frame in answers.values()} <= {0, ESME_RSUBMITFAIL}
    promised = {
        (pdus[n].destination_addr, frame.pdu.message_id)
        for n, frame in answers.items()
        if frame.status == 0
    }
    assert promised <= set(rows)
