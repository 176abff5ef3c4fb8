"""The queue's and the parts' state for Prometheus."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.model import SearchModel


class OverloadMetrics(Collector):
    """How much is under way and waiting when asked, how long a search takes lately, and which parts failed."""

    def __init__(self, model: SearchModel) -> None:
        self._model = model

    def collect(self) -> Iterable[GaugeMetricFamily]:
        queue = self._model.queue
        yield GaugeMetricFamily("lookalike_searches_under_way", "Search threads at work", queue.under_way)
        yield GaugeMetricFamily("lookalike_searches_waiting", "Requests waiting for a thread", queue.waiting)
        wait = queue.expected_seconds()
        yield GaugeMetricFamily("lookalike_expected_wait_seconds", "Wait of a request that came now", wait)
        degraded = GaugeMetricFamily("lookalike_part_degraded", "Parts that failed lately", labels=["part"])
        for part in self._model.degraded:
            degraded.add_metric([part], 1.0)
        yield degraded
