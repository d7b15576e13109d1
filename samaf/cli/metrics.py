"""Metrics of streams as text for Prometheus, on this machine only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from samaf.cli.delivery import Delivery
from samaf.errors import SamafError
from samaf.events import StreamStatus

LOOPBACK = "127.0.0.1"
# Name, type, meaning and value of what is given for each stream.
STREAMS: Sequence[tuple[str, Any, str, Any]] = (
    ("connected", GaugeMetricFamily, "Whether sound is received.", lambda s: s.connected),
    ("sound_seconds", CounterMetricFamily, "Sound received.", lambda s: s.seconds),
    ("matches", CounterMetricFamily, "Matches.", lambda s: s.matches),
    ("gaps", CounterMetricFamily, "Gaps that are over.", lambda s: s.gaps),
    ("gap_seconds", CounterMetricFamily, "Time without sound.", lambda s: s.gap_seconds),
    ("lag_seconds", GaugeMetricFamily, "Delay of the search.", lambda s: s.lag),
)
DELIVERIES: Sequence[tuple[str, Any, str, Any]] = (
    ("waiting", GaugeMetricFamily, "Records that wait.", lambda d: d.waiting),
    ("delivered", CounterMetricFamily, "Records delivered.", lambda d: d.delivered),
    ("failed_tries", CounterMetricFamily, "Tries that failed.", lambda d: d.failed_tries),
    ("dropped", CounterMetricFamily, "Records given up.", lambda d: d.dropped),
)


class StreamCollector(Collector):
    """Keeps the newest status of each stream."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._statuses: dict[str, StreamStatus] = {}
        self._deliveries = deliveries

    def update(self, status: StreamStatus) -> None:
        """Take how a stream is doing."""
        self._statuses[status.stream] = status

    def collect(self) -> Iterator[Any]:
        """Yield all metrics."""
        statuses = dict(self._statuses)
        for name, kind, meaning, value in STREAMS:
            family = kind(f"samaf_stream_{name}", meaning, labels=["stream"])
            for stream, status in statuses.items():
                family.add_metric([stream], float(value(status)))
            yield family
        for name, kind, meaning, value in DELIVERIES:
            family = kind(f"samaf_delivery_{name}", meaning, labels=["receiver"])
            for delivery in self._deliveries:
                family.add_metric([delivery.receiver.name], float(value(delivery)))
            yield family


@contextmanager
def served(port: int, deliveries: Sequence[Delivery]) -> Iterator[StreamCollector]:
    """Serve metrics at a port of this machine.

    Raises
    ------
    SamafError
        The port is in use, or may not be used.
    """
    registry = CollectorRegistry()
    collector = StreamCollector(deliveries)
    registry.register(collector)
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, LOOPBACK, registry)
    except OSError as error:
        raise SamafError(
            f"--metrics {port}: cannot be served there ({error.strerror}); choose another port"
        ) from None
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
