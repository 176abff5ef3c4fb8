"""Traces arrive at a real collector over OTLP, with the request's stages under it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from serving.traces import TraceSettings, Tracing, tracing_of
from tests.search.shop import Shop, photo
from tests.serving.running import engines_of, instance, put_live, running, settings

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector(HTTPServer):
    """Keeps every span that is sent to it."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        assert isinstance(self.server, Collector)
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_search_is_one_trace_of_its_stages_under_the_callers_span(collector: Collector, tmp_path: Path) -> None:
    shop = Shop()
    put_live(tmp_path / "releases", shop)
    tracing = Tracing(TraceSettings(endpoint=collector.endpoint, share=1.0))
    with running(settings(tmp_path), engines_of(shop, tracing=tracing), tracing=tracing) as client:
        asked = {"files": {"photo": photo(1)}, "headers": {"traceparent": f"00-{TRACE}-{PARENT}-01"}}
        assert client.http.post("/search", **asked).status_code == 200
        client.grpc([photo(1)])
    rest = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    (root,) = [span for span in rest if span.parent_span_id.hex() == PARENT]
    assert root.name == "POST /search" and root.kind == Span.SPAN_KIND_SERVER
    stages = {span.name for span in rest if span.parent_span_id == root.span_id}
    assert {"decode", "embed", "search", "features"} <= stages
    (remote,) = [span for span in collector.spans if span.name.endswith("ModelInfer")]
    assert {span.name for span in collector.spans if span.parent_span_id == remote.span_id} >= {"decode", "embed"}


def test_what_a_caller_does_not_want_traced_is_not(collector: Collector, tmp_path: Path) -> None:
    shop = Shop()
    put_live(tmp_path / "releases", shop)
    tracing = Tracing(TraceSettings(endpoint=collector.endpoint, share=1.0))
    with running(settings(tmp_path), engines_of(shop, tracing=tracing), tracing=tracing) as client:
        client.http.post("/search", files={"photo": photo(1)}, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert collector.spans == []


def test_a_collector_that_is_gone_costs_no_answer(tmp_path: Path) -> None:
    shop = Shop()
    put_live(tmp_path / "releases", shop)
    tracing = Tracing(TraceSettings(endpoint="http://127.0.0.1:9/v1/traces", share=1.0))
    with running(settings(tmp_path), engines_of(shop, tracing=tracing), tracing=tracing) as client:
        assert client.v1(instance(photo(1))).status_code == 200


def test_without_an_address_nothing_is_traced() -> None:
    assert tracing_of(TraceSettings()) is None
