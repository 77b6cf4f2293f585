"""What a centre is made of: its services and its workers, put together from settings."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vestnik import config
from vestnik.domain.money import parse_money
from vestnik.domain.refusals import StoreUnavailable
from vestnik.doorkeeper import Inside
from vestnik.doors.http.services import Services
from vestnik.monitoring import Monitoring
from vestnik.net.http import HttpClient
from vestnik.notifier.local import LocalNotifier
from vestnik.road import Road
from vestnik.services.clients.access import Access, AccessSettings
from vestnik.services.clients.subclients import Subclients
from vestnik.services.contacts.books import Contacts
from vestnik.services.history.listing import History
from vestnik.services.history.statistics import Statistics
from vestnik.services.history.task_files import Files, files_of
from vestnik.services.history.tasks import Tasks
from vestnik.services.incoming.commands import SmsCommands
from vestnik.services.incoming.mailboxes import Mailboxes
from vestnik.services.mailings.jobs import Jobs
from vestnik.services.mailings.runs import Runs
from vestnik.services.messages.by_id import ById
from vestnik.services.messages.status import Statuses
from vestnik.services.money.billing import Billing
from vestnik.services.numbers import numbers
from vestnik.services.paperwork import Paperwork
from vestnik.services.sending.parts import PartsIn
from vestnik.services.sending.requests import Sending
from vestnik.workers.callbacks import Callbacks
from vestnik.workers.commands import Commands
from vestnik.workers.forwards import Forwards
from vestnik.workers.housekeeping import Housekeeping
from vestnik.workers.mailings import Mailings
from vestnik.workers.papers import Papers
from vestnik.workers.retention import Retention
from vestnik.workers.tasks import Exports
from vestnik.workers.tasks import Settings as ExportSettings

CLICKS_S = 1.0
CARRIERS_S = 60.0  # dispatchers look by themselves; this is for bells of other nodes
MAILINGS_S = 1.0
NEWS_S = 1.0
HOUSEKEEPING_S = 1.0
PAPERS_S = 300.0
NUMBERS_S = 600.0
RETENTION_S = 3_600.0


class Work(NamedTuple):
    """A worker: the topic that wakes it, how often it looks, and which role of a node it is of."""

    name: str
    role: str
    period_s: float
    run_once: Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything above the road; `works` repeat for as long as the centre serves."""

    services: Services
    inside: Inside
    works: tuple[Work, ...]
    exports: Exports
    callbacks: Callbacks
    http: HttpClient

    async def close(self) -> None:
        """End what runs beside the workers."""
        with suppress(StoreUnavailable):  # clicks since the last turn are then not counted
            await self.services.numbers.links.flush()
        await self.exports.close()
        await self.callbacks.close()
        await self.http.close()


def assemble(
    settings: config.Settings, data: Path, road: Road, notifier: LocalNotifier
) -> Assembly:
    """Put the services and the workers of a centre together."""
    store, current = road.store, road.current
    zone = ZoneInfo(settings.centre.zone)
    files = files_of(store, data)
    services, sending = _services(settings, road, notifier, files)
    exports = _exports(settings, data, road, notifier, files)
    http = HttpClient(private=settings.callbacks.private)
    callbacks = Callbacks(road.outboxes, current.current, http, store.now)
    inside = Inside(
        http=services,
        sending=sending,
        parts=PartsIn(store, road.new_id, sending.send),
        by_id=ById(store, road.setting),
        outboxes=road.outboxes,
        mailboxes=Mailboxes(current.current),
        client=road.client,
        monitoring=Monitoring(store, current, road.dispatchers),
    )
    forwards = Forwards(road.outboxes, current.current, sending.send, store.now)
    by_sms = SmsCommands(store, services.billing, inside.by_id, services.jobs, sending.send)
    commands = Commands(road.outboxes, current.current, by_sms, store.now)
    runs = Runs(store, road.setting, road.ids, zone)
    mailings = Mailings(store, road.ids, road.setting, road.dispatchers, runs)
    fee = parse_money(settings.senders.fee)
    papers = Papers(store, current.current, services.paperwork.habits, fee, road.new_id)
    works = (
        Work("clicks", "doors", CLICKS_S, services.numbers.links.flush),
        Work("exports", "exports", settings.tasks.period_s, exports.run_once),
        Work("carriers", "dispatch", CARRIERS_S, road.look),
        Work("mailings", "dispatch", MAILINGS_S, mailings.run_once),
        Work("news http", "housekeeping", NEWS_S, callbacks.run_once),
        Work("news command", "housekeeping", NEWS_S, commands.run_once),
        Work("news forward", "housekeeping", NEWS_S, forwards.run_once),
        Work(
            "housekeeping",
            "housekeeping",
            HOUSEKEEPING_S,
            Housekeeping(store, road.setting).run_once,
        ),
        Work("papers", "housekeeping", PAPERS_S, papers.run_once),
        Work("numbers", "housekeeping", NUMBERS_S, services.numbers.run_once),
        Work("retention", "housekeeping", RETENTION_S, Retention(store, current.current).run_once),
    )
    return Assembly(services, inside, works, exports, callbacks, http)


def _services(
    settings: config.Settings, road: Road, notifier: LocalNotifier, files: Files
) -> tuple[Services, Sending]:
    store, current, directory = road.store, road.current, road.current.current
    zone, language = ZoneInfo(settings.centre.zone), settings.centre.language
    contacts = Contacts(store, lambda: directory().clients, current.refresh, language)
    sending = Sending(directory, road.intake, zone, contacts)
    services = Services(
        access=_access(settings, road),
        sending=sending,
        billing=Billing(store, directory),
        status=Statuses(store, directory, road.setting),
        history=History(store, directory, language),
        tasks=Tasks(store, files, lambda: notifier.ring("exports")),
        jobs=Jobs(store, directory, road.ids, lambda: notifier.ring("mailings")),
        contacts=contacts,
        subclients=Subclients(store, current.refresh, road.ids),
        statistics=Statistics(store, directory, zone),
        paperwork=Paperwork(
            *(store, current, sending.send),
            registration=settings.senders.registration,
            language=language,
            zone=zone,
        ),
        numbers=numbers(
            *(store, directory, road.setting, sending, zone),
            language=language,
            links_days=settings.links.keep_days,
            ring=road.outboxes.ring,
        ),
    )
    return services, sending


def _access(settings: config.Settings, road: Road) -> Access:
    given = settings.access
    return Access(
        road.current.current,
        AccessSettings(
            wrong_requests=given.wrong_requests,
            wrong_window_s=given.wrong_window_s,
            block_s=given.block_s,
            verdict_s=given.verdict_s,
            memory=given.memory,
        ),
        road.current.value.key_secret,
    )


def _exports(
    settings: config.Settings, data: Path, road: Road, notifier: LocalNotifier, files: Files
) -> Exports:
    return Exports(
        road.store,
        files,
        road.current.current,
        ExportSettings(
            url=settings.store.url,
            data=data,
            node=road.node,
            language=settings.centre.language,
            lease_s=settings.tasks.lease_s,
            keep_days=settings.tasks.keep_days,
        ),
        ring=lambda: notifier.ring("exports"),
    )
