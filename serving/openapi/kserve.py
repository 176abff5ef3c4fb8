"""KServe's own routes, described as this server answers them: KServe says little of bodies and nothing of errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kserve.protocol.rest.v2_datamodels import InferenceRequest, InferenceResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from lookalike.client.answers import Failure, Predictions, Told
from serving.openapi.asked import Schema, instance
from serving.openapi.responses import failures


class ModelState(Told):
    """Whether a model of KServe's v1 protocol is ready."""

    name: str
    ready: bool


class ModelNames(Told):
    """The models of KServe's v1 protocol."""

    models: tuple[str, ...]


MODELS: tuple[type[BaseModel], ...] = (
    Failure,
    Predictions,
    ModelState,
    ModelNames,
    InferenceRequest,
    InferenceResponse,
)
REF = "#/components/schemas/{model}"


@dataclass(frozen=True)
class Described:
    """What is to be said of one operation."""

    summary: str
    statuses: tuple[int, ...] = ()
    """Failures beyond those that any request may meet."""
    answers: type[BaseModel] | None = None
    """What a success carries, where KServe does not say it."""
    asks: Schema | None = None
    """The body's content."""


_SEARCH = (400, 404, 413)
_V1: Schema = {
    "type": "object",
    "properties": {"instances": {"type": "array", "items": instance(), "minItems": 1}},
    "required": ["instances"],
}
_V2: Schema = {"$ref": REF.format(model=InferenceRequest.__name__)}
OPERATIONS: Mapping[tuple[str, str], Described] = {
    ("get", "/v1/models"): Described("The models", answers=ModelNames),
    ("get", "/v1/models/{model_name}"): Described("Whether the model is ready", (404,), ModelState),
    ("post", "/v1/models/{model_name}:predict"): Described(
        "Search with photos or products, several in one request",
        _SEARCH,
        Predictions,
        {"application/json": {"schema": _V1}},
    ),
    ("post", "/v1/models/{model_name}:explain"): Described(
        "Not offered; ask for `explain` in a search", (*_SEARCH, 501)
    ),
    ("get", "/v2"): Described("The server"),
    ("get", "/v2/health/live"): Described("Whether the server runs"),
    ("get", "/v2/health/ready"): Described("Whether it can answer"),
    ("get", "/v2/models"): Described("The models"),
    ("get", "/v2/models/{model_name}"): Described("The model's inputs and outputs, and the release in service", (404,)),
    ("get", "/v2/models/{model_name}/ready"): Described("Whether the model is ready", (404,)),
    ("get", "/v2/models/{model_name}/versions/{model_version}/ready"): Described("Whether the model is ready", (404,)),
    ("post", "/v2/models/{model_name}/infer"): Described(
        "Search with one tensor of photos, product ids or addresses; other fields are parameters",
        _SEARCH,
        InferenceResponse,
        {
            "application/json": {"schema": _V2},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    ),
    ("post", "/v2/repository/models/{model_name}/load"): Described("Not offered: releases switch models", (404, 501)),
    ("post", "/v2/repository/models/{model_name}/unload"): Described("Not offered: releases switch models", (404, 501)),
}


def schemas() -> dict[str, Schema]:
    """The models these operations speak of, by name."""
    _, described = models_json_schema([(model, "serialization") for model in MODELS], ref_template=REF)
    return described["$defs"]


def describe(method: str, path: str, operation: dict[str, Any]) -> None:
    """Complete the description of one of KServe's operations, in place. Raises KeyError for one nobody knows."""
    known = OPERATIONS[method, path]
    operation["summary"] = operation["description"] = known.summary
    success = operation["responses"]["200"]
    if known.answers is not None:
        schema = {"$ref": REF.format(model=known.answers.__name__)}
        success["content"] = {"application/json": {"schema": schema}}
    if known.asks is not None:
        operation["requestBody"] = {"required": True, "content": known.asks}
    refused = {"application/json": {"schema": {"$ref": REF.format(model=Failure.__name__)}}}
    for status, response in failures(*known.statuses).items():
        response.pop("model")
        operation["responses"][str(status)] = {**response, "content": refused}
