"""What an operator's monitoring reads: /healthz, /readyz, /metrics."""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

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


class Calls(Collector):
    """Requests, counted as they come.

    The library's own counters take a lock for each number of each request; here one thread counts,
    and the numbers become metrics when somebody asks.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = {}
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def observe(self, endpoint: str, error: int, seconds: float) -> None:
        """A request is over."""
        key = (endpoint, error)
        self._counts[key] = self._counts.get(key, 0) + 1
        buckets = self._buckets.get(endpoint)
        if buckets is None:
            buckets = self._buckets[endpoint] = [0] * (len(SECONDS) + 1)
            self._seconds[endpoint] = 0.0
        buckets[bisect_left(SECONDS, seconds)] += 1
        self._seconds[endpoint] += seconds

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        requests = CounterMetricFamily(
            "vestnik_http_requests",
            "Requests of the HTTP API by endpoint and error number (0: none).",
            labels=["endpoint", "error"],
        )
        for (endpoint, error), count in self._counts.items():
            requests.add_metric([endpoint, str(error)], count)
        yield requests
        times = HistogramMetricFamily(
            "vestnik_http_request_seconds",
            "Time from a request's head to its answer.",
            labels=["endpoint"],
        )
        for endpoint, buckets in self._buckets.items():
            upto = zip((*map(str, SECONDS), "+Inf"), accumulate(buckets), strict=True)
            times.add_metric([endpoint], list(upto), self._seconds[endpoint])
        yield times


class Monitoring:
    """Counts requests as they come; the queue and the carriers are looked at when asked."""

    def __init__(self, store: Store, current: Current, dispatchers: Dispatchers) -> None:
        self._store = store
        self._current = current
        self._dispatchers = dispatchers
        self.registry = CollectorRegistry()
        self._calls = Calls()
        self.registry.register(self._calls)
        self.observe = self._calls.observe
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
