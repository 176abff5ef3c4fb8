"""The committed OpenAPI document is what the server answers, and its answers are what the document says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from serving.asking import PHOTO_URL
from serving.openapi.whole import default_document
from serving.run import write_openapi
from tests.search.shop import Shop, photo
from tests.search.test_explaining import FUSION
from tests.serving.running import Client, bytes_tensor, instance, json_tensor, put_live, running, settings

SHOP = Shop()
COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
DOCUMENT: dict[str, Any] = json.loads(COMMITTED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("server")
    put_live(folder / "releases", SHOP)
    chosen = settings(folder, request_bytes=200_000, photos={"url": "https://cdn.example/{photo_id}.jpg"})
    with running(
        chosen, lambda release: SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, release, fusion=FUSION)
    ) as client:
        yield client


def explained(response: httpx.Response, path: str) -> httpx.Response:
    """The response, whose status and body the document must know."""
    operation = DOCUMENT["paths"][path][response.request.method.lower()]
    assert str(response.status_code) in operation["responses"], (response.status_code, response.text)
    (kind, content), *_ = operation["responses"][str(response.status_code)]["content"].items()
    assert response.headers["content-type"].startswith(kind)
    validator({**content["schema"], "components": DOCUMENT["components"]}).validate(response.json())
    return response


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    known = DOCUMENT["components"]["parameters"]
    return [known[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in operation["parameters"]]


# ---- the document


def test_the_committed_document_is_what_a_server_answers_now(client: Client) -> None:
    assert default_document() == DOCUMENT, "docs/openapi.json is stale; renew it with `lookalike openapi`"
    assert client.http.get("/openapi.json").json() == DOCUMENT


def test_a_document_is_written_only_when_it_changed(tmp_path: Path) -> None:
    assert write_openapi(tmp_path / "openapi.json")
    assert not write_openapi(tmp_path / "openapi.json")
    assert (tmp_path / "openapi.json").read_bytes() == COMMITTED.read_bytes()


def test_the_document_knows_every_field_of_a_search_and_every_reference() -> None:
    form = DOCUMENT["paths"]["/search"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == set(SearchRequest.model_fields) | {PHOTO_URL}
    assert all(described.get("description") for described in form["properties"].values())
    in_url = {parameter["name"] for parameter in parameters(DOCUMENT["paths"]["/search"]["post"])}
    assert set(form["properties"]) - {"photo"} <= in_url
    text = json.dumps(DOCUMENT)
    assert all(f"#/components/schemas/{name}" in text for name in DOCUMENT["components"]["schemas"])
    for reference in set(text.split('"#/components/schemas/')[1:]):
        assert reference.split('"')[0] in DOCUMENT["components"]["schemas"]
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_says_how_it_fails() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"] and operation.get("description") is not None, (method, path)
            if not path.endswith(("/live", "/ready", "/metrics")):
                assert {"400", "401", "429", "500", "503", "504"} <= set(operation["responses"]), (method, path)
            assert "422" not in operation["responses"]


def test_whoever_searches_may_say_how_long_they_wait_and_every_request_has_an_id(client: Client) -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            headers = {each["name"] for each in parameters(operation) if each["in"] == "header"}
            machines = path.endswith(("/health/live", "/health/ready", "/metrics"))
            assert headers == {"X-Request-ID"} | (set() if machines else {"X-Request-Timeout-Ms"})
            assert "X-Request-ID" in operation["responses"]["200"]["headers"]
    for path in ("/health/ready", "/products/p002", "/products/none"):
        assert client.http.get(path, headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"


# ---- its answers


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"k": 3, "group": "design", "explain": True, "narrow": True, "colour_weight": 0.5},
        {"category": "boost", "explain": True},
        {"category": "narrow", "crop": [0, 0, 1, 0.9]},
        {"vertical": "bags", "filters": {"colour": ["red"]}},
    ],
)
def test_answers_are_as_described(client: Client, asked: dict[str, Any]) -> None:
    explained(client.v1(instance(photo(1, side=48), **asked)), "/v1/models/{model_name}:predict")
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
    answered = client.http.post("/search", files={"photo": photo(1, side=48)}, data=form)
    assert explained(answered, "/search").json()["hits"]


def test_products_models_and_health_are_as_described(client: Client) -> None:
    for path in ("/products/p002", "/products/p003"):
        explained(client.http.get(path), "/products/{product_id}")
    explained(client.http.get("/products/p003/similar?explain=true"), "/products/{product_id}/similar")
    for path in (
        "/health/live",
        "/health/ready",
        "/v1/models",
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models",
    ):
        explained(client.http.get(path), path)
    explained(client.http.get("/v1/models/lookalike"), "/v1/models/{model_name}")
    explained(client.http.get("/v2/models/lookalike"), "/v2/models/{model_name}")
    explained(client.http.get("/v2/models/lookalike/ready"), "/v2/models/{model_name}/ready")
    explained(client.v2(json_tensor([photo(1)]), explain=True), "/v2/models/{model_name}/infer")


def test_refusals_are_as_described(client: Client) -> None:
    post = client.http.post
    refused = [
        (400, post("/search", files={"photo": b"GIF89a"}), "/search"),
        (400, post("/search?k=0", content=photo(1)), "/search"),
        (400, post("/search", content=photo(1), headers={"X-Request-Timeout-Ms": "soon"}), "/search"),
        (404, post("/search?product_id=p999"), "/search"),
        (413, post("/search", content=bytes(300_000)), "/search"),
        (415, post("/search", json={"product_id": "p003"}), "/search"),
        (404, client.http.get("/products/p999"), "/products/{product_id}"),
        (404, client.http.get("/photos/p001/9"), "/photos/{photo_id}"),
        (400, client.http.get("/products/p001/similar?narrow=true"), "/products/{product_id}/similar"),
        (400, client.v1({"k": 3}), "/v1/models/{model_name}:predict"),
        (404, post("/v1/models/other:predict", json={"instances": []}), "/v1/models/{model_name}:predict"),
        (501, post("/v1/models/lookalike:explain", json={"instances": []}), "/v1/models/{model_name}:explain"),
        (400, client.v2(bytes_tensor("image", 1)), "/v2/models/{model_name}/infer"),
        (501, post("/v2/repository/models/lookalike/load"), "/v2/repository/models/{model_name}/load"),
    ]
    for status, response, path in refused:
        assert (explained(response, path).status_code, set(response.json())) == (status, {"error"})
