"""What Prometheus may know of the model in Triton: whether shoppers are admitted to it, and what it took to heal it."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.triton.supervisor import Supervisor


class TritonMetrics(Collector):
    """`lookalike_triton_admitted{model}` and `lookalike_triton_reloads_total{outcome}`."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        model = self._supervisor.watched
        admitted = GaugeMetricFamily(
            "lookalike_triton_admitted",
            "1 while the model is proven, 0 while it is refused",
            labels=["model"],
        )
        if model is not None:
            admitted.add_metric([model.name], float(model.refusal is None))
        reloads = CounterMetricFamily(
            "lookalike_triton_reloads", "Attempts to heal the model in Triton by their outcome", labels=["outcome"]
        )
        for outcome, count in self._supervisor.reloads.items():
            reloads.add_metric([outcome], count)
        yield admitted
        yield reloads
