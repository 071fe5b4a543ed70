"""What a service counts, and how it is shown."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol
from wsgiref.simple_server import WSGIServer

import prometheus_client
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ._endpoint import ListenError, parse_address
from .hook_points import HookPoint

#: Upper bounds of the durations, in seconds; one more for all above.
DURATIONS = (0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
#: Upper bounds of the calls in one batch.
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Histogram:
    """Plain numbers: one addition per observation."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulated, as they are shown."""
        shown: list[tuple[str, float]] = []
        sum_ = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            sum_ += count
            shown.append((bound, sum_))
        return shown


class PointCounters:
    """Of one hook point."""

    __slots__ = ("durations", "expired", "failures", "late", "parked", "refused", "results")

    def __init__(self) -> None:
        #: Calls with a result.
        self.results = 0
        #: Calls whose callout failed.
        self.failures = 0
        #: Calls whose time ran out, before they started or later.
        self.expired = 0
        #: Calls that were not started, because too many are open.
        self.refused = 0
        #: Replies that came after the server stopped waiting for them.
        self.late = 0
        #: Packets held.
        self.parked = 0
        #: From the receipt of a call to its final reply.
        self.durations = Histogram(DURATIONS)


class Gauges(Protocol):
    """What is now, not what was."""

    def sessions(self) -> int:
        """Sessions that are open."""

    def open_calls(self) -> int:
        """Calls without a final reply."""

    def held(self) -> int:
        """Those of them whose packet is held."""


class Counters:
    """Of one process."""

    __slots__ = ("batches", "by_point", "sessions", "unknown")

    def __init__(self) -> None:
        self.by_point = {int(point): PointCounters() for point in HookPoint}
        #: Of hook points that this SDK does not know.
        self.unknown = PointCounters()
        self.batches = Histogram(BATCHES)
        #: Sessions opened.
        self.sessions = 0


class HookCollector(Collector):
    """Shows the counters of this process."""

    def __init__(self, counters: Counters, gauges: Gauges) -> None:
        self._counters = counters
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        counters = self._counters
        calls = CounterMetricFamily(
            "outrigger_hooks_calls", "Calls by what came of them.", labels=["hook_point", "outcome"]
        )
        late = CounterMetricFamily(
            "outrigger_hooks_late_replies",
            "Replies that came after the server stopped waiting for them.",
            labels=["hook_point"],
        )
        parked = CounterMetricFamily("outrigger_hooks_parked", "Packets held with PARK.", labels=["hook_point"])
        durations = HistogramMetricFamily(
            "outrigger_hooks_call_duration_seconds",
            "From the receipt of a call to its final reply.",
            labels=["hook_point"],
        )
        for name, point in self._points():
            for outcome in ("results", "failures", "expired", "refused"):
                calls.add_metric([name, outcome.removesuffix("s")], getattr(point, outcome))
            late.add_metric([name], point.late)
            parked.add_metric([name], point.parked)
            durations.add_metric([name], point.durations.buckets(), point.durations.total)
        yield from (calls, late, parked, durations)
        batches = HistogramMetricFamily("outrigger_hooks_call_batch_size", "Calls that came in one message.")
        batches.add_metric([], counters.batches.buckets(), counters.batches.total)
        yield batches
        yield CounterMetricFamily("outrigger_hooks_sessions_opened", "Sessions opened.", value=counters.sessions)
        gauges = self._gauges
        for name, text, value in (
            ("sessions", "Sessions that are open.", gauges.sessions()),
            ("open_calls", "Calls without a final reply.", gauges.open_calls()),
            ("held_packets", "Packets that wait for a final reply after PARK.", gauges.held()),
        ):
            yield GaugeMetricFamily(f"outrigger_hooks_{name}", text, value=value)

    def _points(self) -> Iterator[tuple[str, PointCounters]]:
        """Those that were called."""
        for number, point in self._counters.by_point.items():
            if point.durations.counts != [0] * len(point.durations.counts):
                yield HookPoint(number).name.lower(), point
        if self._counters.unknown.failures:
            yield "unknown", self._counters.unknown


#: Families as they travel from a worker to its parent: name, help, type, samples of name, labels, value.
Families = list[tuple[str, str, str, list[tuple[str, dict[str, str], float]]]]

#: Of a process, not of the service: their sums say nothing.
_OF_PROCESS = ("process_", "python_")


def families(collector: Collector) -> Families:
    """What `collector` shows, apart from the process's own metrics."""
    return [
        (family.name, family.documentation, family.type, [(s.name, s.labels, s.value) for s in family.samples])
        for family in collector.collect()
        if not family.name.startswith(_OF_PROCESS)
    ]


class Sums(Collector):
    """Sums of what the workers count, those that ended included."""

    def __init__(self) -> None:
        #: The latest of each worker that lives.
        self._living: dict[object, Families] = {}
        #: Counters of those that ended.
        self._ended: Families = []

    def update(self, worker: object, shown: Families) -> None:
        """What a worker says."""
        self._living[worker] = shown

    def end(self, worker: object) -> None:
        """Its counters stay, its gauges go."""
        last = self._living.pop(worker, [])
        kept = [family for family in last if family[2] in ("counter", "histogram", "summary")]
        self._ended = [_entry(family) for family in _sum([self._ended, kept])]

    def collect(self) -> Iterable[Metric]:
        return _sum([self._ended, *list(self._living.values())])


def _entry(family: Metric) -> tuple[str, str, str, list[tuple[str, dict[str, str], float]]]:
    return family.name, family.documentation, family.type, [(s.name, s.labels, s.value) for s in family.samples]


#: Values by sample and labels.
_Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _sum(every: Iterable[Families]) -> list[Metric]:
    metrics: dict[str, tuple[Metric, _Values]] = {}
    for shown in every:
        for name, text, kind, samples in shown:
            _, values = metrics.setdefault(name, (Metric(name, text, kind), {}))
            for sample, labels, value in samples:
                # When something began is no number to add up.
                if not sample.endswith("_created"):
                    key = (sample, tuple(labels.items()))
                    values[key] = values.get(key, 0.0) + value
    for metric, values in metrics.values():
        for (sample, pairs), value in values.items():
            metric.add_sample(sample, dict(pairs), value)
    return [metric for metric, _ in metrics.values()]


def parse_metrics_address(text: str) -> tuple[str, int]:
    """`host:port`. Raises `EndpointError`."""
    return parse_address(text, "host:port", text)


class Endpoint:
    """Shows metrics over HTTP, in a thread of its own."""

    def __init__(self, text: str, registry: Any) -> None:
        """Listens on `host:port`. Raises `ListenError` or `EndpointError`."""
        host, port = parse_metrics_address(text)
        try:
            self._server: WSGIServer
            self._server, self._thread = prometheus_client.start_http_server(port, host, registry)
        except OSError as error:
            raise ListenError(f"cannot show metrics on {text}: {error.strerror or error}") from error
        self.address = f"{host}:{self._server.server_port}"

    def close(self) -> None:
        """The end of it."""
        self._server.shutdown()
        self._server.server_close()
