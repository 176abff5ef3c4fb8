"""v1, v2 REST and v2 gRPC give one answer; the wrong request gets a sentence, the outage a 503."""

import http.client
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2

from lookalike.errors import BackendUnavailable, DeadlineExceeded
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from serving.failures import INTERNAL
from tests.search.shop import Shop, photo
from tests.serving.running import (
    Client,
    bytes_tensor,
    engines_of,
    instance,
    json_tensor,
    put_live,
    running,
    settings,
    texts_of,
    untimed,
)

SHOP = Shop()
PREDICT = "/v1/models/lookalike:predict"
INFER = "/v2/models/lookalike/infer"


class Outage(Exception):
    """Stands for a bug; its message must not leave the server."""


class Breaking:
    """The shop's embedder until it is told to raise."""

    def __init__(self) -> None:
        self.identity = SHOP.embedder.identity
        self.error: Exception | None = None

    def embed(self, pixels):  # type: ignore[no-untyped-def]
        if self.error is not None:
            raise self.error
        return SHOP.embedder.embed(pixels)


EMBEDDER = Breaking()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("server")
    put_live(folder / "releases", SHOP)
    chosen = settings(folder, request_bytes=200_000, most_instances=3)
    with running(chosen, lambda release: SearchEngine(EMBEDDER, SHOP.index, SHOP.features, release)) as client:
        yield client


@pytest.fixture(autouse=True)
def _mended() -> Iterator[None]:
    yield
    EMBEDDER.error = None


def expected(*photos: bytes, **more: object) -> list[dict]:
    engine = engines_of(SHOP)(SHOP.release)
    return untimed([engine.search(SearchRequest(photo=content, **more)).as_json() for content in photos])  # type: ignore[arg-type]


# ---- one answer


def test_every_protocol_gives_the_same_answer(client: Client) -> None:
    photos, filters = [photo(1), photo(2)], {"colour": ["red", "blue"]}
    wanted = expected(*photos, k=5, filters=filters)
    v1 = client.v1(*(instance(content, k=5, filters=filters) for content in photos))
    assert v1.status_code == 200
    assert untimed(v1.json()["predictions"]) == wanted
    as_json = client.v2(json_tensor(photos), k=5, filters=json.dumps(filters))
    assert untimed(texts_of(as_json)) == wanted
    binary = client.v2_binary(photos, k=5, filters=json.dumps(filters))
    assert untimed(texts_of(binary)) == wanted
    remote = client.grpc(photos, k=5, filters=json.dumps(filters))
    assert untimed([json.loads(text) for text in remote.outputs[0].contents.bytes_contents]) == wanted


def test_raw_grpc_tensors_are_answered_raw(client: Client) -> None:
    answer = client.grpc([photo(1)], raw=True)
    (content,) = answer.raw_output_contents
    (length,) = struct.unpack_from("<I", content)
    assert untimed([json.loads(content[4 : 4 + length])]) == expected(photo(1))


def test_a_product_query_goes_through_every_protocol(client: Client) -> None:
    engine = engines_of(SHOP)(SHOP.release)
    wanted = untimed([engine.search(SearchRequest(product_id="p003", k=4)).as_json()])
    assert untimed(client.v1({"product_id": "p003", "k": 4}).json()["predictions"]) == wanted
    assert untimed(texts_of(client.v2(bytes_tensor("product_id", 1) | {"data": ["p003"]}, k=4))) == wanted


def test_every_response_names_the_release(client: Client) -> None:
    release = SHOP.release.release_id
    assert client.v1(instance(photo(1))).json()["release_id"] == release
    rest = client.v2(json_tensor([photo(1)])).json()
    assert (rest["model_version"], rest["parameters"]["release_id"]) == (release, release)
    assert rest["parameters"]["model_fingerprint"] == SHOP.release.model_fingerprint
    remote = client.grpc([photo(1)])
    assert (remote.id, remote.model_version, remote.parameters["release_id"].string_param) == ("7", release, release)


def test_metadata_and_health_tell_the_truth(client: Client) -> None:
    assert client.http.get("/v2/health/live").json() == {"live": True}
    assert client.http.get("/v2/health/ready").json() == {"ready": True}
    described = client.http.get("/v2/models/lookalike").json()
    assert described["versions"] == [SHOP.release.release_id]
    assert [tensor["name"] for tensor in described["inputs"] + described["outputs"]] == ["image", "answer"]
    remote = client.stub.ModelMetadata(v2.ModelMetadataRequest(name="lookalike"))
    assert list(remote.versions) == [SHOP.release.release_id]
    assert client.stub.ServerReady(v2.ServerReadyRequest()).ready
    assert "request_predict_seconds_count" in client.http.get("/metrics").text


# ---- the caller's mistakes


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"instances": [{"image": {"b64": "no base64!"}}]}, "not valid base64"),
        ({"instances": [{"image": 3}]}, "the photo in base64"),
        ({"instances": [instance(b"GIF89a")]}, "the photo is"),
        ({"instances": [instance(photo(1)[:70])]}, "the photo is damaged"),
        ({"instances": [instance(b"")]}, "the photo is empty"),
        ({"instances": [{"k": 3}]}, "exactly one of photo and product_id"),
        ({"instances": [instance(photo(1), k=1000)]}, "k is 1000"),
        ({"instances": [instance(photo(1), filters={"color": "red"})]}, "accepted: colour, size, vertical"),
        ({"instances": [instance(photo(1)), "text"]}, "must be a JSON object"),
        ({"instances": []}, "asks 0 searches; 1..3 are accepted"),
        ({"instances": [instance(photo(1))] * 4}, "asks 4 searches"),
        ({"instances": "text"}, "'instances' must be a list"),
        ({"inputs": []}, "'instances' must be a list"),
        (["text"], "the body must be JSON like"),
    ],
)
def test_a_wrong_v1_request_is_refused_with_a_sentence(client: Client, body: object, sentence: str) -> None:
    response = client.http.post(PREDICT, json=body)
    assert (response.status_code, sentence in response.json()["error"]) == (400, True), response.text


@pytest.mark.parametrize(
    ("tensor", "parameters", "sentence"),
    [
        (json_tensor([b"GIF89a"]), {}, "the photo is"),
        (json_tensor([photo(1)]), {"k": 0}, "k is 0"),
        (json_tensor([photo(1)]), {"filters": "{"}, "filters is '{', which is not JSON"),
        (json_tensor([photo(1)]), {"filters": '["red"]'}, "filters is ['red']"),
        (json_tensor([photo(1)]) | {"shape": [2]}, {}, "its shape [2] promises"),
        (json_tensor([photo(1)]) | {"datatype": "FP32"}, {}, "BYTES is accepted"),
        (json_tensor([photo(1)]) | {"name": "picture"}, {}, "'image', 'product_id', 'photo_url'"),
        (bytes_tensor("image", 1), {}, "not a request of the v2 protocol"),
    ],
)
def test_a_wrong_v2_request_is_refused_with_a_sentence(
    client: Client, tensor: dict, parameters: dict, sentence: str
) -> None:
    response = client.v2(tensor, **parameters)
    assert (response.status_code, sentence in response.json()["error"]) == (400, True), response.text


@pytest.mark.parametrize("length", ["", "abc", "99999999"])
def test_a_binary_request_with_a_wrong_head_is_refused(client: Client, length: str) -> None:
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": length}
    response = client.http.post(INFER, content=photo(1), headers=headers)
    assert response.status_code == 400


def test_a_raw_photo_as_the_body_is_refused_without_repeating_it(client: Client) -> None:
    for path in (PREDICT, INFER):
        for kind in ("image/png", "application/json", "application/octet-stream"):
            response = client.http.post(path, content=photo(1), headers={"Content-Type": kind})
            assert (response.status_code, len(response.content) < 300) == (400, True), response.text


@pytest.mark.parametrize(
    ("photos", "parameters", "sentence"),
    [([b"GIF89a"], {}, "the photo is"), ([photo(1)], {"k": 0}, "k is 0"), ([], {}, "asks 0 searches")],
)
def test_a_wrong_grpc_request_is_refused_with_a_sentence(
    client: Client, photos: list, parameters: dict, sentence: str
) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        client.grpc(photos, **parameters)
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
    assert sentence in refusal.value.details()  # type: ignore[attr-defined]


def test_a_request_beyond_the_size_limit_is_refused(client: Client) -> None:
    large = bytes(300_000)
    promised = client.http.post(PREDICT, content=large)
    streamed = client.http.post(PREDICT, content=iter([large[:150_000], large[150_000:]]))
    for response in (promised, streamed):
        assert (response.status_code, set(response.json())) == (413, {"error"}), response.text
    with pytest.raises(grpc.RpcError) as refusal:
        client.grpc([large])
    assert refusal.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]


def test_an_unknown_model_is_not_found_and_nobody_unloads_the_search(client: Client) -> None:
    assert client.http.post("/v1/models/other:predict", json={"instances": []}).status_code == 404
    for verb in ("load", "unload"):
        refused = client.http.post(f"/v2/repository/models/lookalike/{verb}")
        assert (refused.status_code, "by releasing" in refused.json()["error"]) == (501, True)
    with pytest.raises(grpc.RpcError) as refusal:
        client.stub.RepositoryModelUnload(v2.RepositoryModelUnloadRequest(model_name="lookalike"))
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]
    assert client.v1(instance(photo(1))).status_code == 200


# ---- outages and bugs


@pytest.mark.parametrize(
    ("error", "status", "code", "sentence"),
    [
        (BackendUnavailable("no Triton at hunter2:8001"), 503, grpc.StatusCode.UNAVAILABLE, "does not answer"),
        (DeadlineExceeded("hunter2:8001 is slow"), 503, grpc.StatusCode.UNAVAILABLE, "the model does not answer"),
        (Outage("password=hunter2"), 500, grpc.StatusCode.INTERNAL, "its operator finds the reason in the log"),
    ],
)
def test_outages_are_named_and_bugs_are_not(
    client: Client, error: Exception, status: int, code: grpc.StatusCode, sentence: str
) -> None:
    EMBEDDER.error = error
    answers: list[httpx.Response] = [client.v1(instance(photo(1))), client.v2(json_tensor([photo(1)]))]
    assert [(a.status_code, sentence in a.text, "hunter2" in a.text) for a in answers] == [(status, True, False)] * 2
    with pytest.raises(grpc.RpcError) as refusal:
        client.grpc([photo(1)])
    assert refusal.value.code() == code  # type: ignore[attr-defined]
    assert sentence in refusal.value.details() and "hunter2" not in refusal.value.details()  # type: ignore[attr-defined]
    EMBEDDER.error = None
    assert client.v1(instance(photo(1))).status_code == 200


def test_a_bug_does_not_cost_the_client_its_connection(client: Client) -> None:
    EMBEDDER.error = Outage("a bug")
    connection = http.client.HTTPConnection("127.0.0.1", client.http.base_url.port, timeout=30)
    connection.connect()
    connection.auto_open = 0  # a connection that was cut is not opened again
    for _ in range(5):
        connection.request("POST", "/search", photo(1))
        response = connection.getresponse()
        assert (response.status, response.read()) == (
            500,
            json.dumps({"error": INTERNAL}, separators=(",", ":")).encode(),
        )
    connection.close()


def test_no_release_means_not_ready_instead_of_a_crash(tmp_path: Path) -> None:
    with running(settings(tmp_path), engines_of(SHOP)) as client:
        assert client.http.get("/v2/health/live").status_code == 200
        assert client.http.get("/v2/health/ready").status_code == 503
        assert not client.stub.ServerReady(v2.ServerReadyRequest()).ready
        assert client.v1(instance(photo(1))).status_code == 503
        with pytest.raises(grpc.RpcError) as refusal:
            client.grpc([photo(1)])
        assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE  # type: ignore[attr-defined]


# ---- the plain routes


def test_a_photo_as_the_body_gives_the_same_answer(client: Client) -> None:
    wanted = expected(photo(1), k=5, filters={"colour": ["red", "blue"]})
    answered = client.http.post("/search?k=5&colour=red&colour=blue", content=photo(1))
    assert untimed([answered.json()]) == wanted


@pytest.mark.parametrize("group", ["item", "design"])
def test_every_protocol_folds_narrows_weighs_and_turns_pages_alike(client: Client, group: str) -> None:
    asked: dict[str, object] = {"k": 3, "group": group, "narrow": True, "colour_weight": 0.5}
    (first,) = client.v1(instance(photo(1), **asked)).json()["predictions"]
    assert untimed([first]) == expected(photo(1), **asked)
    asked["cursor"] = first["next_cursor"]
    second = untimed(client.v1(instance(photo(1), **asked)).json()["predictions"])
    assert second == expected(photo(1), **asked)
    assert untimed(texts_of(client.v2(json_tensor([photo(1)]), **asked))) == second
    remote = client.grpc([photo(1)], **asked).outputs[0].contents.bytes_contents
    assert untimed([json.loads(text) for text in remote]) == second
    address = f"/search?k=3&group={group}&narrow=true&colour_weight=0.5&cursor={asked['cursor']}"
    assert untimed([client.http.post(address, content=photo(1)).json()]) == second


def test_a_product_in_the_path_gives_the_same_answer(client: Client) -> None:
    wanted = client.v1({"product_id": "p003", "k": 4, "group": "photo"}).json()["predictions"]
    answered = client.http.get("/products/p003/similar?k=4&group=photo")
    assert untimed([answered.json()]) == untimed(wanted)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/search", "the photo is empty"),
        ("/products/p001/similar?k=many", "k is 'many'"),
        ("/products/p001/similar?k=0", "k is 0"),
        ("/products/p001/similar?colour_weight=much", "colour_weight is 'much'"),
        ("/products/p001/similar?colour_weight=0.3", "colour_weight goes by a photo's colours"),
        ("/products/p001/similar?color=red", "cannot filter by color"),
    ],
)
def test_a_wrong_plain_request_is_refused_with_a_sentence(client: Client, address: str, sentence: str) -> None:
    response = client.http.request("POST" if address == "/search" else "GET", address)
    assert (response.status_code, sentence in response.json()["error"]) == (400, True), response.text


# ---- metrics


def test_metrics_count_answers_and_name_the_release(client: Client) -> None:
    def figure(line: str) -> float:
        rows = [row for row in client.http.get("/metrics").text.splitlines() if row.startswith(line)]
        return float(rows[0].split()[-1]) if rows else 0.0

    embedded = f'lookalike_search_seconds_count{{release="{SHOP.release.release_id[:12]}",stage="embed"}}'
    names = ("lookalike_hits_total", "lookalike_features_absent_total", embedded)
    before = [figure(name) for name in names]
    answer = client.v1(instance(photo(1), k=7)).json()["predictions"][0]
    absent = sum("features_absent" in hit for hit in answer["hits"])
    assert [figure(name) for name in names] == [before[0] + 7, before[1] + absent, before[2] + 1]
    release = f'release_id="{SHOP.release.release_id}"'
    assert any(release in row for row in client.http.get("/metrics").text.splitlines() if "lookalike_release" in row)
