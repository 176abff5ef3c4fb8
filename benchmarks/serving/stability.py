"""The same bytes by every way to a vector: how far apart do the answers lie?"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from numpy.typing import NDArray

from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder, Embeddings, ModelIdentity
from lookalike.features.memory import MemoryFeatures
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.release.manifest import Release, save_release, switch_live
from lookalike.search.engine import SearchEngine
from serving.live import LiveEngine
from serving.server import SearchServer
from serving.settings import ServingSettings
from serving.triton.launcher import LocalTriton

Vectors = NDArray[np.float32]
SIZES = (1, 2, 3, 4, 5, 7, 8, 11, 16, 23, 31, 32)
"""Batch sizes tried, up to the largest served."""


def gaps(triton: LocalTriton, name: str, folder: Path, photos: Sequence[bytes], scratch: Path) -> dict[str, float]:
    """The largest difference of any number, per way, from onnxruntime in this process, one photo at a time."""
    here, two = OnnxEmbedder(folder, threads=1), OnnxEmbedder(folder, threads=2)
    pixels = here.identity.preprocessing.batch(photos)
    expected = _cut(here, pixels, 1)
    found = {f"onnxruntime, batches of {size}": _cut(here, pixels, size) for size in SIZES}
    found["onnxruntime, two threads"] = _cut(two, pixels, 1)
    with triton.load(name) as served:
        found |= {f"Triton, batches of {size}": _cut(served, pixels, size) for size in SIZES}
        with ThreadPoolExecutor(8) as pool:
            rows = pool.map(lambda row: served.embed(pixels[row : row + 1]).vectors[0], range(len(pixels)))
            found["Triton, eight at once"] = np.stack(list(rows))
        found |= {f"service, {way}": vectors for way, vectors in _over_protocols(served, photos, scratch).items()}
    with triton.heal(name) as again:
        found["Triton, model loaded again"] = _cut(again, pixels, 1)
    triton.restart()
    with triton.load(name) as restarted:
        found["Triton, started again"] = _cut(restarted, pixels, 1)
    return {way: float(np.abs(vectors - expected).max()) for way, vectors in found.items()}


def _cut(embedder: Embedder, pixels: NDArray[np.uint8], size: int) -> Vectors:
    return np.concatenate([embedder.embed(pixels[at : at + size]).vectors for at in range(0, len(pixels), size)])


class _Recorder:
    """Keeps what the embedder behind it answered last."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.last: Vectors | None = None

    @property
    def identity(self) -> ModelIdentity:
        return self._embedder.identity

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        answer = self._embedder.embed(pixels)
        self.last = answer.vectors
        return answer


def _over_protocols(served: Embedder, photos: Sequence[bytes], scratch: Path) -> dict[str, Vectors]:
    recorder = _Recorder(served)
    with _service(recorder, scratch) as (http, channel):
        found = {}
        for way, ask in _ways(http, channel).items():
            vectors: list[Vectors] = []
            for photo in photos:
                recorder.last = None
                ask(photo)
                assert recorder.last is not None, f"{way} did not embed"
                vectors.append(recorder.last[0])
            found[way] = np.stack(vectors)
        return found


@contextmanager
def _service(embedder: Embedder, scratch: Path) -> Iterator[tuple[httpx.Client, grpc.Channel]]:
    """A search server over a collection of one photo."""
    release = Release.of(embedder.identity.fingerprint, "stability", datetime.now(UTC))
    index, dimension = MemoryIndex(), embedder.identity.dimension
    index.create(CollectionInfo(release.collection, release.release_id, release.model_fingerprint, dimension, ()))
    index.upsert(release.collection, GalleryBatch(["a/0"], ["a"], np.eye(1, dimension, dtype=np.float32), {}))
    index.seal(release.collection)
    save_release(scratch / "releases", release)
    switch_live(scratch / "releases", release)
    places: dict[str, Any] = {"releases": scratch / "releases", "model_repository": scratch, "feature_store": scratch}
    settings = ServingSettings(**places, milvus_uri="unused", http_port=0, grpc_port=0)
    live = LiveEngine(settings.releases, lambda known: SearchEngine(embedder, index, MemoryFeatures({}), known))
    live.load()
    server, started = SearchServer(settings, live, None), threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _: started.set(),))
    thread.start()
    started.wait(60)
    try:
        address = f"http://127.0.0.1:{server.http_port}"
        with (
            httpx.Client(base_url=address, timeout=60) as http,
            grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
        ):
            yield http, channel
    finally:
        server.finish()
        thread.join()


def _ways(http: httpx.Client, channel: grpc.Channel) -> dict[str, Callable[[bytes], None]]:
    stub = GRPCInferenceServiceStub(channel)

    def plain(photo: bytes) -> None:
        http.post("/search?k=1", content=photo).raise_for_status()

    def form(photo: bytes) -> None:
        http.post("/search", files={"photo": photo}, data={"k": "1"}).raise_for_status()

    def v1(photo: bytes) -> None:
        instances = [{"image": {"b64": base64.b64encode(photo).decode()}, "k": 1}]
        http.post("/v1/models/lookalike:predict", json={"instances": instances}).raise_for_status()

    def v2_json(photo: bytes) -> None:
        tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [base64.b64encode(photo).decode()]}
        http.post("/v2/models/lookalike/infer", json={"inputs": [tensor]}).raise_for_status()

    def v2_binary(photo: bytes) -> None:
        raw = len(photo).to_bytes(4, "little") + photo
        tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(raw)}}
        head = json.dumps({"inputs": [tensor]}).encode()
        headers = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
        http.post("/v2/models/lookalike/infer", content=head + raw, headers=headers).raise_for_status()

    def over_grpc(photo: bytes) -> None:
        request = v2.ModelInferRequest(model_name="lookalike")
        request.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(photo)
        stub.ModelInfer(request, timeout=60)

    return {
        "POST /search": plain,
        "multipart": form,
        "v1": v1,
        "v2 JSON": v2_json,
        "v2 binary": v2_binary,
        "gRPC": over_grpc,
    }
