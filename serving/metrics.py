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
BYTES = (3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
RELEASE = "release"


class SearchMetrics:
    """One server's figures; served beside KServe's own, which count requests of every protocol."""

    def __init__(self, live: LiveEngine) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "lookalike_search_seconds",
            "Time of an answered search by stage",
            ["stage", RELEASE],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._hits = self._counter("lookalike_hits", "Products answered")
        self._absent = self._counter("lookalike_features_absent", "Products answered without their features")
        self._empty = self._counter("lookalike_empty_answers", "Searches that found nothing")
        self._photos = Histogram(
            "lookalike_photo_bytes", "Size of photos asked with", [RELEASE], buckets=BYTES, registry=self._registry
        )
        self._requests = Counter(
            "lookalike_requests",
            "Requests by what became of them",
            ["protocol", "route", "status"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "lookalike_request_seconds",
            "Time of a request from its head to the end of its answer",
            ["protocol", "route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._registry.register(_LiveRelease(live))

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(name, meaning, [RELEASE], registry=self._registry)

    def register(self, collector: Collector) -> None:
        """Serve a part's own figures as well."""
        self._registry.register(collector)

    def answered(self, answer: SearchAnswer) -> None:
        """Count one answer under its release, by as many letters as people see."""
        release = answer.release_id[:12]
        for stage, spent in answer.timings_ms.items():
            self._seconds.labels(stage, release).observe(spent / 1000)
        self._hits.labels(release).inc(len(answer.hits))
        self._absent.labels(release).inc(sum(hit.features is None for hit in answer.hits))
        self._empty.labels(release).inc(not answer.hits)
        if answer.observation is not None:
            self._photos.labels(release).observe(answer.observation.photo_bytes)

    def requested(self, protocol: str, route: str, status: int | str, seconds: float) -> None:
        """Count one request, answered or not; `route` is one of the server's own, never a path."""
        self._requests.labels(protocol, route, str(status)).inc()
        self._request_seconds.labels(protocol, route).observe(seconds)

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
