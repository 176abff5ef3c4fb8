"""KServe's two routes that carry photos, without reading them on the event loop as KServe's own do."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from kserve import InferRequest
from kserve.constants.constants import PredictorProtocol
from kserve.errors import ModelNotReady
from kserve.protocol.rest.v1_endpoints import V1Endpoints
from kserve.protocol.rest.v2_datamodels import InferenceRequest
from pydantic import ValidationError

from lookalike.errors import QueryError
from serving.dataplane import JSON_LENGTH, SearchDataPlane
from serving.unread import Unread

Headers = dict[str, str]
JSON = "application/json"


def protocol_routes(app: FastAPI, dataplane: SearchDataPlane) -> None:
    """Add them before KServe's, which then only describe them."""

    def v1(body: bytes, headers: Headers, _: str) -> Any:
        return dataplane.decode(body, headers)[0]

    def v2(body: bytes, headers: Headers, model_name: str) -> InferRequest:
        return read_v2(dataplane, body, headers, model_name)

    ask_v1, events = _asking(dataplane, v1), V1Endpoints(dataplane)

    async def predict(request: Request) -> Response:
        if "cloudevents" in request.headers.get("content-type", "") or "ce-specversion" in request.headers:
            return await events.predict(request.path_params["model_name"], request)  # its answer is an event again
        return await ask_v1(request)

    app.add_route("/v1/models/{model_name}:predict", predict, methods=["POST"], include_in_schema=False)
    for version in ("", "/versions/{model_version}"):
        path = f"/v2/models/{{model_name}}{version}/infer"
        app.add_route(path, _asking(dataplane, v2), methods=["POST"], include_in_schema=False)


def read_v2(dataplane: SearchDataPlane, body: bytes, headers: Headers, model_name: str) -> InferRequest:
    """A v2 request in JSON, or with the tensors' bytes behind its JSON head. Raises QueryError."""
    sent: Any = body
    if JSON_LENGTH not in headers and headers.get("content-type", JSON).startswith(JSON):
        try:
            sent = InferenceRequest.model_validate_json(body)
        except ValidationError as error:
            places = sorted({".".join(map(str, ("body", *problem["loc"]))) for problem in error.errors()})
            raise QueryError(f"the body is not a request of the v2 protocol; see {', '.join(places)[:500]}") from error
    return dataplane.decode(sent, headers, PredictorProtocol.REST_V2.value, model_name)[0]


def _asking(
    dataplane: SearchDataPlane, read: Callable[[bytes, Headers, str], Any]
) -> Callable[[Request], Awaitable[Response]]:
    async def ask(request: Request) -> Response:
        name, headers = request.path_params["model_name"], dict(request.headers)
        if "model_version" in request.path_params:
            raise NotImplementedError("a release has one model; ask without a version")
        if not await dataplane.model_ready(name, True):
            raise ModelNotReady(name)
        body = await request.body()
        answer, more = await dataplane.infer(name, Unread(lambda: read(body, headers, name)), headers)
        content, own = dataplane.encode(name, answer, headers, {})
        if not isinstance(content, bytes):
            content, own = orjson.dumps(content), {"content-type": JSON, **own}
        return Response(content, headers={**more, **own})

    return ask
