"""The same search over every protocol of the service; each answers with the plain JSON of the answers."""

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from benchmarks.serving.connection import LOOPBACK, TIMEOUT_SECONDS, Connection, Reply, photo_request, post
from benchmarks.serving.service import Service

PROTOCOLS = ("plain", "v1", "v2", "grpc")
AT_ONCE = {"plain": 1, "v1": 2, "v2": 2, "grpc": 2}
"""Photos in one request: what one request asks, one release has to answer."""


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: str
    """HTTP's number, or gRPC's or the connection's word."""
    answers: list[dict[str, Any]]
    """One per photo; none where the status is not `200`."""


Asker = Callable[[Sequence[bytes]], Answered]
"""Asks for some photos in one request; never raises for what the service or the network does."""


@contextmanager
def asking(protocol: str, service: Service, k: int) -> Iterator[Asker]:
    """A client of one protocol; a connection that was lost is opened again with the next request."""
    client = _Grpc(service, k) if protocol == "grpc" else _Rest(service, k, *_REST[protocol])
    try:
        yield client.ask
    finally:
        client.close()


class _Rest:
    """HTTP with one connection at a time."""

    def __init__(
        self,
        service: Service,
        k: int,
        request: Callable[[Sequence[bytes], int], bytes],
        read: Callable[[bytes], list[dict[str, Any]]],
    ) -> None:
        self._service, self._k, self._request, self._read = service, k, request, read
        self._connection: Connection | None = None

    def ask(self, photos: Sequence[bytes]) -> Answered:
        try:
            reply = self._reply(self._request(photos, self._k))
        except OSError as error:
            self.close()
            return Answered(type(error).__name__, [])
        return Answered(str(reply.status), self._read(reply.body) if reply.status == HTTPStatus.OK else [])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _reply(self, request: bytes) -> Reply:
        if self._connection is None:
            self._connection = Connection(self._service.http_port)
        return self._connection.ask(request)


class _Grpc:
    """KServe's own client."""

    def __init__(self, service: Service, k: int) -> None:
        import grpc
        from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2
        from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

        self._messages, self._failure, self._k = v2, grpc.RpcError, k
        self._channel = grpc.insecure_channel(f"{LOOPBACK}:{service.grpc_port}")
        self._stub = GRPCInferenceServiceStub(self._channel)

    def ask(self, photos: Sequence[bytes]) -> Answered:
        request = self._messages.ModelInferRequest(model_name="lookalike")
        tensor = request.inputs.add(name="image", datatype="BYTES", shape=[len(photos)])
        tensor.contents.bytes_contents.extend(photos)
        request.parameters["k"].int64_param = self._k
        try:
            reply = self._stub.ModelInfer(request, timeout=TIMEOUT_SECONDS)
        except self._failure as error:
            return Answered(error.code().name, [])
        return Answered("200", [orjson.loads(text) for text in reply.outputs[0].contents.bytes_contents])

    def close(self) -> None:
        self._channel.close()


def _plain(photos: Sequence[bytes], k: int) -> bytes:
    (photo,) = photos
    return photo_request(photo, k)


def _v1(photos: Sequence[bytes], k: int) -> bytes:
    instances = [{"image": {"b64": base64.b64encode(photo).decode()}, "k": k} for photo in photos]
    return post("/v1/models/lookalike:predict", orjson.dumps({"instances": instances}), "application/json")


def _v2(photos: Sequence[bytes], k: int) -> bytes:
    """The binary tensor extension: raw photos behind a JSON head."""
    raw = b"".join(len(photo).to_bytes(4, "little") + photo for photo in photos)
    tensor = {
        "name": "image",
        "datatype": "BYTES",
        "shape": [len(photos)],
        "parameters": {"binary_data_size": len(raw)},
    }
    head = orjson.dumps({"inputs": [tensor], "parameters": {"k": k}})
    sizes = {"Inference_Header_Content_Length": str(len(head))}
    return post("/v2/models/lookalike/infer", head + raw, "application/octet-stream", **sizes)


def _v2_answers(body: bytes) -> list[dict[str, Any]]:
    (output,) = orjson.loads(body)["outputs"]
    return [orjson.loads(text) for text in output["data"]]


_REST: dict[str, tuple[Callable[[Sequence[bytes], int], bytes], Callable[[bytes], list[dict[str, Any]]]]] = {
    "plain": (_plain, lambda body: [orjson.loads(body)]),
    "v1": (_v1, lambda body: orjson.loads(body)["predictions"]),
    "v2": (_v2, _v2_answers),
}
