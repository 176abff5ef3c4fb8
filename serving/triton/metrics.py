"""What Prometheus may know of the model in Triton: whether shoppers are admitted to it, and what it took to heal it."""

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.triton.supervision import OUTCOMES, Supervision


class TritonMetrics(Collector):
    """`lookalike_triton_admitted{model}` and `lookalike_triton_reloads_total{outcome}`."""

    def __init__(self, supervision: Callable[[], Supervision]) -> None:
        self._supervision = supervision

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        state = self._supervision()
        admitted = GaugeMetricFamily(
            "lookalike_triton_admitted",
            "1 while the model is proven, 0 while it is refused",
            labels=["model"],
        )
        for model, proven in state.admitted.items():
            admitted.add_metric([model], float(proven))
        reloads = CounterMetricFamily(
            "lookalike_triton_reloads", "Attempts to heal the model in Triton by their outcome", labels=["outcome"]
        )
        for outcome in OUTCOMES:
            reloads.add_metric([outcome], state.reloads[outcome])
        yield admitted
        yield reloads
