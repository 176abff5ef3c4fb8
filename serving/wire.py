"""KServe's v1 and v2 messages to search requests, and answers back to them."""

import base64
import binascii
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from kserve import InferInput, InferOutput, InferRequest, InferResponse

from lookalike.errors import QueryError
from lookalike.search.answer import SearchAnswer
from lookalike.search.query import SearchRequest
from serving.asking import PHOTO, PHOTO_URL, Ask
from serving.texts import FIELDS, read_text

IMAGE, PRODUCT, ANSWER = "image", "product_id", "answer"
ASKED = (IMAGE, PRODUCT, PHOTO_URL)
"""What a search may go by."""


def v1_requests(body: Any, most: int, ask: Ask) -> list[SearchRequest]:
    """`{"instances": [{"image": {"b64": …}, "k": 10, "filters": {…}}]}`; `product_id` or `photo_url` may stand for
    `image`."""
    if not isinstance(body, Mapping):
        raise QueryError('the body must be JSON like {"instances": [...]}; send Content-Type: application/json')
    instances = body.get("instances")
    if not isinstance(instances, list):
        raise QueryError(f"'instances' must be a list of searches; the body has {sorted(map(str, body))}")
    _check_count(len(instances), most)
    return [ask(_v1_values(instance)) for instance in instances]


def _v1_values(instance: Any) -> dict[str, Any]:
    if not isinstance(instance, Mapping):
        raise QueryError("an instance must be a JSON object with 'image' or 'product_id'")
    values = dict(instance)
    if IMAGE in values:
        image = values.pop(IMAGE)
        values[PHOTO] = from_base64(image.get("b64") if isinstance(image, Mapping) else image)
    return values


def from_base64(text: Any) -> bytes:
    """A photo from its base64 text. Raises QueryError."""
    if not isinstance(text, str):
        raise QueryError('an image must be {"b64": "<the photo in base64>"}')
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise QueryError(f"the image is not valid base64: {error}") from error


def v2_requests(request: InferRequest, most: int, ask: Ask) -> list[SearchRequest]:
    """A BYTES tensor `image` (raw photos in binary requests and gRPC, base64 text in JSON), `product_id` or
    `photo_url`.

    The parameters are a request's other fields and hold for every photo of it; those that are neither texts, whole
    numbers nor true or false may be texts as in a URL, since gRPC knows no others.
    """
    tensors = {tensor.name: tensor for tensor in request.inputs}
    if len(request.inputs) != 1 or not set(tensors) <= set(ASKED):
        accepted = ", ".join(repr(name) for name in ASKED)
        raise QueryError(f"the request has the tensors {sorted(tensors)}; one is accepted: {accepted}")
    name, tensor = tensors.popitem()
    elements = _elements(tensor)
    _check_count(len(elements), most)
    parameters = _v2_parameters({**_plain(request.parameters), **_plain(tensor.parameters)})
    if name == IMAGE:
        return [ask({PHOTO: _photo(element), **parameters}) for element in elements]
    return [ask({name: _text(element), **parameters}) for element in elements]


def _elements(tensor: InferInput) -> list[Any]:
    if tensor.datatype != "BYTES":
        raise QueryError(f"'{tensor.name}' has datatype {tensor.datatype}; BYTES is accepted")
    try:
        return list(tensor.as_numpy().reshape(-1))
    except (ValueError, TypeError, struct.error) as error:
        raise QueryError(f"'{tensor.name}' does not hold the elements its shape {tensor.shape} promises") from error


def _photo(element: Any) -> bytes:
    return element if isinstance(element, bytes) else from_base64(element)


def _text(element: Any) -> str:
    return element.decode("utf-8", errors="replace") if isinstance(element, bytes) else str(element)


def _plain(parameters: Any) -> dict[str, Any]:
    """REST parameters as they are, gRPC ones by the value that was set. Raises QueryError for one without a value."""
    return {
        name: _chosen(name, value) if hasattr(value, "WhichOneof") else value
        for name, value in (parameters or {}).items()
    }


def _chosen(name: str, parameter: Any) -> Any:
    choice = parameter.WhichOneof("parameter_choice")
    if choice is None:
        raise QueryError(f"the parameter {name[:80]!r} has no value")
    return getattr(parameter, choice)


def _v2_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields among the parameters; KServe and its clients add others."""
    values = {name: given[name] for name in sorted(FIELDS - set(ASKED)) if name in given}
    return {name: read_text(name, value) if isinstance(value, str) else value for name, value in values.items()}


def _check_count(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise QueryError(f"the request asks {count} searches; 1..{most} are accepted in one request")


def v1_response(answers: Sequence[SearchAnswer]) -> dict[str, Any]:
    """`{"predictions": [...], "release_id": …}`."""
    return {"predictions": [answer.as_json() for answer in answers], "release_id": answers[0].release_id}


def v2_response(request: InferRequest, answers: Sequence[SearchAnswer]) -> InferResponse:
    """One BYTES tensor `answer` of JSON texts; the release is the model's version."""
    texts = [json.dumps(answer.as_json(), ensure_ascii=False) for answer in answers]
    first = answers[0]
    return InferResponse(
        response_id=request.id or "",
        model_name=request.model_name,
        model_version=first.release_id,
        infer_outputs=[InferOutput(ANSWER, [len(texts)], "BYTES", data=texts)],
        parameters={"release_id": first.release_id, "model_fingerprint": first.model_fingerprint},
        use_binary_outputs=request.use_binary_outputs,
    )
