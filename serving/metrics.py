"""What Prometheus may know: how long each stage takes, whose release answers, whether features arrive."""

from collections.abc import Iterable

from fastapi import Request, Response
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.core import InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from lookalike.search.answer import SearchAnswer
from serving.live import LiveEngine

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class SearchMetrics:
    """One server's figures; served beside KServe's own, which count requests of every protocol."""

    def __init__(self, live: LiveEngine) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "lookalike_search_seconds",
            "Time of an answered search by stage",
            ["stage"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._hits = Counter("lookalike_hits", "Products answered", registry=self._registry)
        self._absent = Counter(
            "lookalike_features_absent", "Products answered without their features", registry=self._registry
        )
        self._empty = Counter("lookalike_empty_answers", "Searches that found nothing", registry=self._registry)
        self._registry.register(_LiveRelease(live))

    def register(self, collector: Collector) -> None:
        """Serve a part's own figures as well."""
        self._registry.register(collector)

    def answered(self, answer: SearchAnswer) -> None:
        """Count one answer."""
        for stage, spent in answer.timings_ms.items():
            self._seconds.labels(stage).observe(spent / 1000)
        self._hits.inc(len(answer.hits))
        self._absent.inc(sum(hit.features is None for hit in answer.hits))
        self._empty.inc(not answer.hits)

    async def endpoint(self, request: Request) -> Response:
        """GET /metrics."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        both = _Joined((REGISTRY, self._registry))
        return Response(encode(both), headers={"content-type": content_type})


class _LiveRelease(Collector):
    """`lookalike_release_info{release_id, model_fingerprint} 1` of the release in service when asked."""

    def __init__(self, live: LiveEngine) -> None:
        self._live = live

    def collect(self) -> Iterable[InfoMetricFamily]:
        engine = self._live.current
        served = (
            {}
            if engine is None
            else {"release_id": engine.release.release_id, "model_fingerprint": engine.release.model_fingerprint}
        )
        yield InfoMetricFamily("lookalike_release", "The release in service", value=served)


class _Joined(CollectorRegistry):
    """Several registries as one page."""

    def __init__(self, parts: tuple[CollectorRegistry, ...]) -> None:
        super().__init__()
        for part in parts:
            self.register(part)
