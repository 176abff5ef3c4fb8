"""What Prometheus may know of a trial: which release is tried, and how both have answered since it began."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from serving.live_comparison import MEASURES
from serving.trial import Trials


class TrialMetrics(Collector):
    """`lookalike_trial_info`, `lookalike_trial_requests{arm}` and the means of what is compared, by arm."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials

    def collect(self) -> Iterable[InfoMetricFamily | GaugeMetricFamily]:
        trial = self._trials.tried.trial
        told = (
            {} if trial is None else {"release_id": trial.release_id, "mode": trial.mode, "share": f"{trial.share:g}"}
        )
        yield InfoMetricFamily("lookalike_trial", "The release on trial", value=told)
        requests = GaugeMetricFamily("lookalike_trial_requests", "Requests since the trial began", labels=["arm"])
        means = GaugeMetricFamily(
            "lookalike_trial_mean",
            "Means since the trial began; similarity is (1 + cosine) / 2",
            labels=["arm", "measure"],
        )
        comparison = self._trials.comparison
        for arm, streams in (("champion", comparison.champion), ("challenger", comparison.challenger)):
            requests.add_metric([arm], float(streams["errors"].count) if "errors" in streams else 0.0)
            for measure in MEASURES:
                mean = streams[measure].mean if measure in streams else None
                if mean is not None:
                    means.add_metric([arm, measure], mean)
        yield requests
        yield means
