"""What the centre does with numbers beside sending to them, in one place for doors and `main`."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vestnik.domain.numbering import Numbering
from vestnik.services.alarms import Alarms, Sending
from vestnik.services.centre.directory import Directory
from vestnik.services.centre.ported import PortedNumbers
from vestnik.services.incoming.rented import Rented
from vestnik.services.incoming.wait_calls import WaitCalls
from vestnik.services.messages.links import Links, drop_old
from vestnik.services.messages.settlement import Setting
from vestnik.services.money.prices import Prices
from vestnik.store.engine import Store

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """The services of info.md, and of ping.php; `plan` is the present numbering plan."""

    plan: Callable[[], Numbering]
    prices: Prices
    ported: PortedNumbers
    links: Links
    rented: Rented
    wait_calls: WaitCalls
    alarms: Alarms
    store: Store
    links_days: int

    async def run_once(self) -> bool:
        """What time does to them: rents are renewed, old attempts and links forgotten."""
        await self.rented.run_once()
        now = self.store.now()
        await self.wait_calls.drop_old(now)
        while self.links_days and await self.store.write(drop_old, now - self.links_days * DAY_MS):
            pass  # slice by slice
        return False


def numbers(
    store: Store,
    directory: Callable[[], Directory],
    setting: Callable[[], Setting],
    sending: Sending,
    zone: ZoneInfo,
    *,
    language: str = "ru",
    links_days: int = 0,
    ring: Callable[[], None] = lambda: None,
) -> Numbers:
    """All of them over one store; `zone` is the centre's, `ring` is told when clients may have
    news, `links_days` is how long short links are kept (0: for ever)."""

    def plan() -> Numbering:
        return directory().numbering

    return Numbers(
        plan=plan,
        prices=Prices(directory, language),
        ported=PortedNumbers(store, plan),
        links=Links(store, setting, zone, ring),
        rented=Rented(store, setting, zone),
        wait_calls=WaitCalls(store, zone),
        alarms=Alarms(store, sending),
        store=store,
        links_days=links_days,
    )
