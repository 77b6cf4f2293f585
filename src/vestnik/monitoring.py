"""What an operator's monitoring reads: /healthz, /readyz, /metrics."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from vestnik.domain.refusals import StoreUnavailable
from vestnik.doors.http.server import Page
from vestnik.services.centre.directory import Current
from vestnik.store import queue
from vestnik.store.engine import Store
from vestnik.store.queue import Stage
from vestnik.workers.dispatch import Dispatchers

PLAIN = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Monitoring:
    """Counts requests as they come; the queue and the carriers are looked at when asked."""

    def __init__(self, store: Store, current: Current, dispatchers: Dispatchers) -> None:
        self._store = store
        self._current = current
        self._dispatchers = dispatchers
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "vestnik_http_requests",
            "Requests of the HTTP API by endpoint and error number (0: none).",
            ["endpoint", "error"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "vestnik_http_request_seconds",
            "Time from a request's head to its answer.",
            ["endpoint"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._calls: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._queue = Gauge(
            "vestnik_queue_messages",
            "Messages that are not finished, by carrier and stage.",
            ["carrier", "stage"],
            registry=self.registry,
        )
        self._up = Gauge(
            "vestnik_carrier_up",
            "1 while the carrier takes messages.",
            ["carrier"],
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "vestnik_carrier_in_flight",
            "Messages handed to the carrier whose outcome is not on record yet.",
            ["carrier"],
            registry=self.registry,
        )

    def observe(self, endpoint: str, error: int, seconds: float) -> None:
        """A call of the HTTP API is over."""
        known = self._calls.get((endpoint, error))
        if known is None:
            known = self._requests.labels(endpoint, error), self._seconds.labels(endpoint)
            self._calls[endpoint, error] = known
        known[0].inc()
        known[1].observe(seconds)

    def pages(self) -> Mapping[str, Callable[[], Awaitable[Page]]]:
        """All of them, for those who look after the centre."""
        return {"/readyz": self._ready, "/metrics": self._metrics, **self.public_pages()}

    def public_pages(self) -> Mapping[str, Callable[[], Awaitable[Page]]]:
        """Those that cost nothing and tell strangers nothing."""
        return {"/healthz": self._health}

    async def _health(self) -> Page:
        return Page(200, PLAIN, b"ok")

    async def _ready(self) -> Page:
        try:
            await self._store.read(queue.depth)
        except StoreUnavailable as reason:
            return Page(503, PLAIN, str(reason).encode())
        return Page(200, PLAIN, b"ready")

    async def _metrics(self) -> Page:
        names = {c.id: c.name for c in self._current.value.carriers.values()}
        self._queue.clear()
        for carrier, stage, rows in await self._store.read(queue.depth):
            name = names.get(carrier, str(carrier))
            self._queue.labels(name, Stage(stage).name.lower()).set(rows)
        for dispatcher in self._dispatchers.all():
            name = dispatcher.carrier.name
            self._up.labels(name).set(int(dispatcher.channel.ready))
            self._in_flight.labels(name).set(dispatcher.in_flight)
        return Page(200, METRICS, generate_latest(self.registry))
