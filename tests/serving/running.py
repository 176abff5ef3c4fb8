"""A real search server on free loopback ports, over parts in memory, and small clients for it."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from lookalike.release.manifest import save_release, switch_live
from lookalike.search.engine import SearchEngine
from serving.live import LiveEngine, MakeEngine
from serving.query_log import QueryLog
from serving.request_id import REQUEST_ID
from serving.server import SearchServer
from serving.settings import ServingSettings
from serving.traces import Tracing
from serving.trial import Trials, TriedEngine
from tests.search.shop import Shop


def put_live(releases: Path, shop: Shop) -> None:
    """Save a shop's release and put it in service."""
    save_release(releases, shop.release)
    switch_live(releases, shop.release)


def engines_of(*shops: Shop, tracing: Tracing | None = None) -> MakeEngine:
    """Make the engine of whichever shop's release is asked for."""
    known = {shop.release.release_id: shop for shop in shops}
    spans = None if tracing is None else tracing.stage

    def make(release: Any) -> SearchEngine:
        shop = known[release.release_id]
        return SearchEngine(shop.embedder, shop.index, shop.features, release, spans=spans)

    return make


def settings(folder: Path, **changed: Any) -> ServingSettings:
    """Settings for free ports; the paths to real parts are not used by parts in memory."""
    places = {"releases": folder / "releases", "model_repository": folder, "feature_store": folder}
    quick = {"http_port": 0, "grpc_port": 0, "poll_seconds": 0.02, "grace_seconds": 5}
    return ServingSettings(**{**places, "milvus_uri": "unused.db", **quick, **changed})


@contextmanager
def running(
    settings: ServingSettings,
    make_engine: MakeEngine,
    query_log: QueryLog | None = None,
    tracing: Tracing | None = None,
    seen: Callable[[SearchServer], None] = lambda _: None,
) -> Iterator["Client"]:
    """The server in a thread until the block ends; `seen` is given it first."""
    watching = (make_engine, settings.poll_seconds, settings.retry_seconds)
    live, trials = (
        LiveEngine(settings.releases, *watching),
        Trials(TriedEngine(settings.releases, *watching), settings.trials),
    )
    live.load()
    server, started = SearchServer(settings, live, query_log, tracing=tracing, trials=trials), threading.Event()
    seen(server)
    thread = threading.Thread(target=server.run, args=(lambda _: started.set(),))
    thread.start()
    try:
        assert started.wait(120), "the server did not start"
        with Client(server.http_port, server.grpc_port) as client:
            yield client
    finally:
        server.finish()
        thread.join(30)
        assert not thread.is_alive()


class Client:
    """The three protocols, each answering with the plain JSON of the answers."""

    def __init__(self, http_port: int, grpc_port: int) -> None:
        self.grpc_port = grpc_port
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{http_port}", timeout=30)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
        self.stub = GRPCInferenceServiceStub(self.channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.channel.close()

    def v1(self, *instances: Any) -> httpx.Response:
        return self.http.post("/v1/models/lookalike:predict", json={"instances": list(instances)})

    def v2(self, tensor: dict[str, Any], **parameters: Any) -> httpx.Response:
        return self.http.post("/v2/models/lookalike/infer", json={"inputs": [tensor], "parameters": parameters})

    def v2_binary(self, photos: list[bytes], **parameters: Any) -> httpx.Response:
        """The binary tensor extension: raw photos behind a JSON head."""
        raw = b"".join(len(photo).to_bytes(4, "little") + photo for photo in photos)
        tensor = bytes_tensor("image", len(photos)) | {"parameters": {"binary_data_size": len(raw)}}
        head = json.dumps({"inputs": [tensor], "parameters": parameters}).encode()
        headers = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
        return self.http.post("/v2/models/lookalike/infer", content=head + raw, headers=headers)

    def grpc(self, photos: list[bytes], raw: bool = False, **parameters: Any) -> Any:
        return self.grpc_named(photos, raw, **parameters)[0]

    def grpc_named(
        self, photos: list[bytes], raw: bool = False, named: str | None = None, **parameters: Any
    ) -> tuple[Any, str]:
        """An answer, and the id it has; `named` is the one the caller gives."""
        request = v2.ModelInferRequest(model_name="lookalike", id="7")
        tensor = request.inputs.add(name="image", datatype="BYTES", shape=[len(photos)])
        if raw:
            content = b"".join(len(photo).to_bytes(4, "little") + photo for photo in photos)
            request.raw_input_contents.append(content)
        else:
            tensor.contents.bytes_contents.extend(photos)
        for name, value in parameters.items():
            kinds = {bool: "bool_param", int: "int64_param", str: "string_param"}  # a fraction is sent as text
            text = str(value) if isinstance(value, float) else value
            setattr(request.parameters[name], kinds[type(text)], text)
        metadata = () if named is None else ((REQUEST_ID, named),)
        answer, call = self.stub.ModelInfer.with_call(request, timeout=30, metadata=metadata)
        return answer, dict(call.initial_metadata())[REQUEST_ID]


def instance(photo: bytes, **more: Any) -> dict[str, Any]:
    """A v1 instance."""
    return {"image": {"b64": base64.b64encode(photo).decode()}, **more}


def bytes_tensor(name: str, count: int) -> dict[str, Any]:
    return {"name": name, "datatype": "BYTES", "shape": [count]}


def json_tensor(photos: list[bytes]) -> dict[str, Any]:
    """A v2 JSON tensor of photos in base64."""
    return bytes_tensor("image", len(photos)) | {"data": [base64.b64encode(photo).decode() for photo in photos]}


def texts_of(response: httpx.Response) -> list[dict[str, Any]]:
    """The answers in a v2 JSON response."""
    (output,) = response.json()["outputs"]
    return [json.loads(text) for text in output["data"]]


def untimed(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers without what differs between two runs of the same search."""
    return [{name: value for name, value in answer.items() if name != "timings_ms"} for answer in answers]


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Poll with a deadline."""
    waiting = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if true():
            return
        waiting.wait(0.01)
    raise AssertionError(f"not true within {seconds} s")
