"""OpenTelemetry traces across the legs of a search: the request, its stages, and on to Triton.

A caller's `traceparent` (W3C) is continued. Nothing is global: each server has a provider of its own, and without an
address for the spans there is none, and no cost.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Tracer, format_trace_id
from pydantic import Field

from lookalike import __version__
from lookalike.config import StrictConfig

logger = logging.getLogger(__name__)


class TraceSettings(StrictConfig):
    """Where spans go."""

    endpoint: str | None = None
    """OTLP over HTTP, such as http://collector:4318/v1/traces; without one nothing is traced."""
    share: float = Field(default=0.1, gt=0, le=1)
    """Share of requests that are traced where the caller has not decided."""
    service: str = "lookalike"
    """Name the spans carry."""


class Tracing:
    """One server's spans; `close` sends the rest."""

    def __init__(self, settings: TraceSettings) -> None:
        resource = Resource.create({SERVICE_NAME: settings.service, SERVICE_VERSION: __version__})
        self._provider = TracerProvider(
            resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.share)), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=settings.endpoint)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer: Tracer = self._provider.get_tracer("lookalike", __version__)

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str]) -> Iterator[Span]:
        """A request's span, under the caller's where the headers name one."""
        with self.tracer.start_as_current_span(name, extract(headers), SpanKind.SERVER) as span:
            yield span

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage of a search, under its request's span."""
        with self.tracer.start_as_current_span(name):
            yield

    @contextmanager
    def continued(self, headers: Mapping[str, str]) -> Iterator[None]:
        """What happens inside belongs to the trace that another process carried here."""
        token = attach(extract(headers))
        try:
            yield
        finally:
            detach(token)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


def tracing_of(settings: TraceSettings) -> Tracing | None:
    """None without an address for spans."""
    return None if settings.endpoint is None else Tracing(settings)


def carried() -> dict[str, str]:
    """The trace in force here, for another process to continue; empty where there is none."""
    headers: dict[str, str] = {}
    inject(headers)
    return headers


def trace_id(span: Span) -> str:
    """As logs and people name it."""
    return format_trace_id(span.get_span_context().trace_id)
