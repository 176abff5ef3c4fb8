"""The exported model in a Triton server, over gRPC with binary tensors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import grpc
import numpy as np
from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from numpy.typing import NDArray
from opentelemetry.propagate import inject

from lookalike.channels import RECONNECTING
from lookalike.deadline import Deadline
from lookalike.embedders import triton_schema
from lookalike.embedders.golden import check_golden, load_golden
from lookalike.embedders.model_folder import FINGERPRINT, load_model, require_metadata
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.embedders.tensors import ATTRIBUTES, EMBEDDING, PIXELS, answer, check_pixels, in_batches, output_names
from lookalike.errors import BackendUnavailable, DeadlineExceeded, LookalikeError

Reply = TypeVar("Reply")

NOT_ANSWERING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.NOT_FOUND,  # unloaded since
    grpc.StatusCode.INTERNAL,  # a dead worker; Triton goes on calling the model ready
)
MESSAGE_BYTES = 256 * 1024 * 1024
"""gRPC's own limit of 4 MB is less than one batch of large photos."""
CHANNEL = [
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    *RECONNECTING.items(),
]


class TritonEmbedder:
    """Calls a served model; `embed` blocks up to the deadline and may be called from several threads.

    Connecting checks, in this order, that the model is ready, that its config.pbtxt carries the
    fingerprint of `model_folder`, and that it answers the golden vectors. Raises BackendUnavailable when
    Triton does not answer in time and ReleaseMismatch when another model does.
    """

    def __init__(
        self, url: str, model_folder: Path, deadline_seconds: float = 5.0, connect_seconds: float = 10.0
    ) -> None:
        self._url = url
        self._model = load_model(model_folder)
        self._deadline = deadline_seconds
        self._golden = load_golden(model_folder)
        self._channel = grpc.insecure_channel(url, options=CHANNEL)
        self._stub = GRPCInferenceServiceStub(self._channel)
        self._outputs = output_names(self.identity)
        try:
            self._connect(connect_seconds)
            self.prove()
        except BaseException:
            self.close()
            raise

    @property
    def identity(self) -> ModelIdentity:
        return self._model.identity

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        check_pixels(pixels, self._model.preprocessing)
        return in_batches(pixels, self._model.max_batch_size, self._infer)

    def prove(self) -> None:
        """Check once more that the served model is the right one and well, as connecting does."""
        self._check_config()
        check_golden(self, self._golden, self._owner)

    def on_connection_lost(self, tell: Callable[[], None]) -> None:
        """Call `tell`, from a thread of gRPC's, whenever the connection ends; the next may lead to another server."""
        was_ready = False

        def changed(state: grpc.ChannelConnectivity) -> None:
            nonlocal was_ready
            if was_ready and state is not grpc.ChannelConnectivity.READY:
                tell()
            was_ready = state is grpc.ChannelConnectivity.READY

        self._channel.subscribe(changed)

    def ready(self) -> bool:
        """Whether Triton calls the model ready; a dead worker behind it may still make `embed` fail."""
        try:
            return self._ask_ready()
        except BackendUnavailable:
            return False

    def close(self) -> None:
        """Close the connection; the embedder cannot be used afterwards."""
        self._channel.close()

    def __enter__(self) -> "TritonEmbedder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _owner(self) -> str:
        return f"{self._model.name} in Triton at {self._url}"

    def _connect(self, seconds: float) -> None:
        try:
            grpc.channel_ready_future(self._channel).result(timeout=seconds)
        except grpc.FutureTimeoutError as error:
            raise BackendUnavailable(f"no Triton answers at {self._url} within {seconds:g} s") from error
        if not self._ask_ready():
            raise BackendUnavailable(f"Triton at {self._url} has no ready model {self._model.name}; load it first")

    def _ask_ready(self) -> bool:
        ask = v2.ModelReadyRequest(name=self._model.name)
        return bool(self._call(self._stub.ModelReady, ask, self._deadline).ready)

    def _check_config(self) -> None:
        ask = self._channel.unary_unary(triton_schema.METHOD)  # bytes in, bytes out
        reply = self._call(ask, triton_schema.request(self._model.name), self._deadline)
        require_metadata(self._model, triton_schema.served_parameters(reply).get(FINGERPRINT), self._owner)

    def _infer(self, pixels: NDArray[np.uint8]) -> Embeddings:
        reply = self._call(self._stub.ModelInfer, self._request(pixels), self._deadline)
        names = [output.name for output in reply.outputs]
        if len(reply.raw_output_contents) != len(names) or not set(self._outputs) <= set(names):
            raise LookalikeError(f"{self._owner} answered with {names}; expected raw tensors {self._outputs}")
        tensors = {
            output.name: _tensor(output, content, self._owner)
            for output, content in zip(reply.outputs, reply.raw_output_contents, strict=True)
        }
        return answer(tensors[EMBEDDING], tensors.get(ATTRIBUTES), self.identity, len(pixels))

    def _request(self, pixels: NDArray[np.uint8]) -> Any:
        request = v2.ModelInferRequest(model_name=self._model.name)
        request.inputs.add(name=PIXELS, datatype="UINT8", shape=pixels.shape)
        for name in self._outputs:
            request.outputs.add(name=name)
        request.raw_input_contents.append(np.ascontiguousarray(pixels).tobytes())
        return request

    def _call(self, method: Callable[..., Reply], request: Any, deadline: float) -> Reply:
        try:
            return method(request, timeout=Deadline.current().within(deadline), metadata=_trace())
        except grpc.RpcError as error:
            status, details = error.code(), error.details()
            if status is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise DeadlineExceeded(f"{self._owner} does not answer within {deadline:.3g} s") from error
            if status in NOT_ANSWERING:
                raise BackendUnavailable(f"{self._owner} does not answer ({status.name}): {details}") from error
            raise LookalikeError(f"{self._owner} refused the call ({status.name}): {details}") from error
        except ValueError as error:  # grpc's word for a closed channel
            raise BackendUnavailable(f"the connection to {self._owner} was closed") from error


def _trace() -> tuple[tuple[str, str], ...]:
    """The trace of the search under way, for Triton to continue; nothing where none is recorded."""
    headers: dict[str, str] = {}
    inject(headers)
    return tuple(headers.items())


def _tensor(output: Any, content: bytes, owner: str) -> NDArray[np.float32]:
    shape = tuple(output.shape)
    if output.datatype != "FP32" or len(content) != 4 * int(np.prod(shape)):
        raise LookalikeError(f"{owner} sent {len(content)} bytes for a {output.datatype} tensor of shape {shape}")
    return np.frombuffer(content, dtype="<f4").reshape(shape)
