"""How the worker is, over HTTP: `/metrics` for Prometheus, `/health` and `/ready` for whoever starts and stops workers.

It is served by a thread of the keeper: the worker has one thread, which decides.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from fraudbrain_realtime.metrics import Distribution, Family, Histogram, Measured
from fraudbrain_realtime.metrics.memory import resident_bytes

SILENT_S: Final = 10.0
"""A worker that says nothing for so long is stuck: it has something to say each second."""

_MAKERS: Final[Mapping[str, type[CounterMetricFamily] | type[GaugeMetricFamily]]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
}


class MetricsPage:
    """Listens on `host`:`port`; port 0 takes any free one. While somebody else listens there, such as the keeper of a
    worker that was killed, `port` is 0, and each `show` tries again."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self.port = 0
        self._measured: Measured | None = None
        self._told_s = 0.0
        self._saves = Histogram()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._listen()

    def show(self, measured: Measured) -> None:
        self._measured, self._told_s = measured, time.monotonic()
        if not self.port:
            self._listen()

    def saved(self, seconds: float) -> None:
        self._saves.observe(seconds)

    def _listen(self) -> None:
        with suppress(OSError):
            server = ThreadingHTTPServer(self._address, _handler(self))
            self.port = server.server_address[1]
            Thread(target=server.serve_forever, name="metrics", daemon=True).start()

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Status, content type and body for a path."""
        if path == "/metrics":
            return HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry)
        if path not in ("/health", "/ready"):
            return HTTPStatus.NOT_FOUND, "text/plain", b"there are /metrics, /health and /ready\n"
        wrong = list(self._not_healthy() if path == "/health" else self._not_ready())
        problems = list(self._measured.problems) if self._measured else []
        body = json.dumps({"ok": not wrong, "why_not": wrong, "problems": problems}).encode() + b"\n"
        return HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK, "application/json", body

    def _not_healthy(self) -> Iterator[str]:
        """A worker that starts is healthy: reading the controls may take minutes."""
        silent_s = time.monotonic() - self._told_s
        if self._measured is not None and silent_s > SILENT_S:
            yield f"the worker has said nothing for {silent_s:.0f} s"

    def _not_ready(self) -> Iterator[str]:
        yield from self._not_healthy()
        if self._measured is None:
            yield "the worker is starting"
        elif not self._measured.ready:
            yield "the worker takes no events"

    def collect(self) -> Iterator[Metric]:
        """The metrics, as Prometheus' client asks for them."""
        measured = self._measured
        if measured is None:
            return
        own = Distribution.of("flush_seconds", "Time to write the rows of one request to the store.", self._saves)
        memory = Family("keeper_memory_bytes", "Resident memory of the keeper.", "gauge", [({}, resident_bytes())])
        for family in (*measured.families, memory):
            yield _family(family, measured.labels)
        for distribution in (*measured.distributions, own):
            yield _histogram(distribution, measured.labels)


def _family(family: Family, labels: dict[str, str]) -> Metric:
    names = [*labels, *(family.samples[0][0] if family.samples else ())]
    made = _MAKERS[family.kind](f"fraudbrain_{family.name}", family.help, labels=names)
    for own, value in family.samples:
        made.add_metric([*labels.values(), *own.values()], value)
    return made


def _histogram(distribution: Distribution, labels: dict[str, str]) -> Metric:
    made = HistogramMetricFamily(f"fraudbrain_{distribution.name}", distribution.help, labels=list(labels))
    below, buckets = 0, []
    for bound, count in zip([*distribution.bounds, float("inf")], distribution.counts, strict=True):
        below += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(below)))
    made.add_metric(list(labels.values()), buckets, distribution.total)
    return made


def _handler(page: MetricsPage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = page.answer(self.path.split("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Somebody asks every few seconds: that is no news."""

    return Handler
