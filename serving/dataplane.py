"""KServe's data plane, told the truth about readiness, releases and binary photos."""

from typing import Any

import orjson
from kserve import InferInput, InferRequest
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from pydantic import ValidationError

from lookalike import __version__
from lookalike.errors import QueryError
from serving.model import SearchModel

NOT_HERE = "models are switched by releasing (`lookalike release`, `lookalike rollback`), not over the network"
JSON_LENGTH = "inference-header-content-length"


class SearchDataPlane(DataPlane):
    """KServe's own answers `ready` before any model is and refuses raw photos in binary REST requests."""

    def metadata(self) -> dict[str, Any]:
        return {"name": "lookalike", "version": __version__, "extensions": ["binary_tensor_data"]}

    async def ready(self) -> bool:
        models = self.model_registry.get_models().values()
        return bool(models) and all([await model.healthy() for model in models])

    async def model_metadata(self, model_name: str) -> dict[str, Any]:
        """KServe's, with the release in service as the model's version."""
        described = await super().model_metadata(model_name)
        model = self.get_model_from_registry(model_name)
        release = model.release_id if isinstance(model, SearchModel) else None
        return {**described, "platform": "lookalike", "versions": [release] if release else []}

    def decode_inference_request(self, body: Any, headers: dict[str, str], model_name: str) -> InferRequest:
        if isinstance(body, bytes) and JSON_LENGTH in headers:
            return binary_request(body, headers[JSON_LENGTH], model_name)
        if isinstance(body, bytes):
            raise QueryError(
                f"a binary request needs the header {JSON_LENGTH}; JSON needs Content-Type: application/json"
            )
        return super().decode_inference_request(body, headers, model_name)

    def encode(self, model_name: str, response: Any, headers: Any, req_attributes: Any) -> tuple[Any, dict[str, str]]:
        """v1 answers as JSON bytes: KServe would build the ORJSONResponse that FastAPI no longer wants."""
        encoded, response_headers = super().encode(model_name, response, headers, req_attributes)
        if isinstance(response, dict) and isinstance(encoded, dict):
            return orjson.dumps(encoded), {"content-type": "application/json", **response_headers}
        return encoded, response_headers


def binary_request(body: bytes, json_length: str, model_name: str) -> InferRequest:
    """A v2 request of the binary tensor extension: a JSON head, then the tensors' bytes. Raises QueryError."""
    if not json_length.isdecimal() or int(json_length) > len(body):
        raise QueryError(f"{JSON_LENGTH} is {json_length[:20]!r}; a number up to the body's {len(body)} is accepted")
    start = int(json_length)
    try:
        head = orjson.loads(body[:start])
        tensors = []
        for described in head["inputs"]:
            tensor, start = _tensor(described, body, start)
            tensors.append(tensor)
        return InferRequest(model_name, tensors, request_id=head.get("id"), parameters=head.get("parameters"))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise QueryError(f"the JSON head of the binary request is not a v2 request: {error!r}") from error


def _tensor(described: dict[str, Any], body: bytes, start: int) -> tuple[InferInput, int]:
    """One tensor and where the next one's bytes start."""
    parameters = described.get("parameters") or {}
    tensor = InferInput(described["name"], described["shape"], described["datatype"], described.get("data"), parameters)
    if "binary_data_size" not in parameters:
        return tensor, start
    end = start + int(parameters["binary_data_size"])
    if not start <= end <= len(body):
        raise QueryError(f"tensor '{tensor.name}' ends at byte {end} of a body of {len(body)}")
    tensor._raw_data = body[start:end]  # what KServe's own parser sets; there is no public way
    return tensor, end


class NoRepository(ModelRepositoryExtension):
    """Nobody may load or unload the search from outside."""

    async def load(self, model_name: str) -> None:
        raise NotImplementedError(NOT_HERE)

    async def unload(self, model_name: str) -> None:
        raise NotImplementedError(NOT_HERE)
