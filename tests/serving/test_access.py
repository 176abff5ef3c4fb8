"""API keys, quotas and what they leave open, over REST and gRPC."""

import logging
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import yaml

from lookalike.errors import AccessDenied, ConfigError, QuotaSpent
from serving.access.control import AccessControl, AccessSettings, is_loopback, presented_key
from serving.access.keys import load_keys, new_key
from serving.access.quota import TokenBucket
from tests.search.shop import Shop
from tests.serving.running import Client, engines_of, put_live, running, settings, until


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, str]]:
    """A server that asks for keys, and the key of "web"."""
    folder, shop = tmp_path_factory.mktemp("keyed"), Shop()
    put_live(folder / "releases", shop)
    key = new_key(folder / "keys.yaml", "web")
    access = AccessSettings(keys=f"file:{folder / 'keys.yaml'}", per_minute=6000, burst=100)
    with running(settings(folder, access=access), engines_of(shop)) as client:
        yield client, key


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/v2/health/ready"])
def test_an_orchestrator_needs_no_key(keyed: tuple[Client, str], path: str):
    assert keyed[0].http.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/products/p000/similar", "/v2/models/lookalike", "/nowhere"])
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "lk_wrong"}, {"Authorization": "Basic bGs6bGs="}], ids=str)
def test_everything_else_is_refused_without_one(keyed: tuple[Client, str], path: str, headers: dict[str, str]):
    answer = keyed[0].http.get(path, headers=headers)
    assert answer.status_code == 401
    assert "API key" in answer.json()["error"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["X-API-Key: {}", "Authorization: Bearer {}", "authorization: bearer {}"])
def test_a_key_opens_rest_in_either_header(keyed: tuple[Client, str], header: str):
    client, key = keyed
    name, value = header.format(key).split(": ", 1)
    assert client.http.get("/products/p000/similar", headers={name: value}).status_code == 200


def test_a_key_opens_grpc_in_its_metadata(keyed: tuple[Client, str]):
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2

    client, key = keyed
    asked = v2.ModelMetadataRequest(name="lookalike")
    with pytest.raises(grpc.RpcError) as refusal:
        client.stub.ModelMetadata(asked, timeout=30)
    assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED
    for sent in (("x-api-key", key), ("authorization", f"Bearer {key}")):
        assert client.stub.ModelMetadata(asked, metadata=(sent,), timeout=30).name == "lookalike"
    assert client.stub.ServerReady(v2.ServerReadyRequest(), timeout=30).ready


def test_metrics_count_by_name_and_never_show_a_key(keyed: tuple[Client, str]):
    client, key = keyed
    client.http.get("/products/p001/similar", headers={"X-API-Key": key})
    page = client.http.get("/metrics", headers={"X-API-Key": key}).text
    assert 'lookalike_admissions_total{caller="web",outcome="admitted"}' in page
    assert 'lookalike_admissions_total{caller="(no key)",outcome="denied"}' in page
    assert key not in page


def test_a_spent_quota_is_429_with_the_time_to_wait_on_both_protocols(tmp_path: Path):
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2

    shop = Shop()
    put_live(tmp_path / "releases", shop)
    key = new_key(tmp_path / "keys.yaml", "slow")
    access = AccessSettings(keys=f"file:{tmp_path / 'keys.yaml'}", per_minute=0.5, burst=2)
    with running(settings(tmp_path, access=access), engines_of(shop)) as client:
        codes = [client.http.get("/products/p000/similar", headers={"X-API-Key": key}).status_code for _ in range(2)]
        refused = client.http.get("/products/p000/similar", headers={"X-API-Key": key})
        photos = [client.http.get("/photos/p000/0", headers={"X-API-Key": key}).status_code for _ in range(5)]
        strange = client.http.get("/photos/p000/0").status_code
        with pytest.raises(grpc.RpcError) as remote:
            client.stub.ModelMetadata(
                v2.ModelMetadataRequest(name="lookalike"), metadata=(("x-api-key", key),), timeout=30
            )
    assert codes == [200, 200]
    assert (photos, strange) == ([404] * 5, 401)  # free, though not for everybody; this server shows none
    assert refused.status_code == 429
    assert "quota of this API key" in refused.json()["error"]
    assert 60 < int(refused.headers["retry-after"]) <= 120
    assert remote.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert int(dict(remote.value.trailing_metadata())["retry-after"]) > 60


def test_a_bucket_gives_its_burst_and_then_its_rate():
    now = [0.0]
    bucket = TokenBucket(per_minute=60, burst=3, clock=lambda: now[0])
    for _ in range(3):
        bucket.take()
    with pytest.raises(QuotaSpent) as spent:
        bucket.take()
    assert spent.value.retry_after_seconds == pytest.approx(1)
    now[0] = 2.0
    bucket.take()
    bucket.take()
    with pytest.raises(QuotaSpent):
        bucket.take()
    now[0] = 1000.0  # what was not used in time does not pile up
    for _ in range(3):
        bucket.take()
    with pytest.raises(QuotaSpent):
        bucket.take()


def test_the_file_holds_digests_only(tmp_path: Path):
    file = tmp_path / "keys.yaml"
    first, second = new_key(file, "web"), new_key(file, "app")
    text = file.read_text()
    assert first not in text
    assert second not in text
    assert list(yaml.safe_load(text)["keys"]) == ["web", "app"]
    assert load_keys(f"file:{file}").holder(second) == "app"
    with pytest.raises(AccessDenied, match="not known"):
        load_keys(f"file:{file}").holder(first[:-1])
    with pytest.raises(ConfigError, match="'web' has a key"):
        new_key(file, "web")


def test_keys_may_come_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key = new_key(tmp_path / "keys.yaml", "web")
    monkeypatch.setenv("SEARCH_KEYS", (tmp_path / "keys.yaml").read_text())
    assert load_keys("env:SEARCH_KEYS").holder(key) == "web"


@pytest.mark.parametrize("reference", ["env:NOT_SET_ANYWHERE", "file:/nowhere/keys.yaml", "lk_a-key-by-mistake-itself"])
def test_keys_that_cannot_be_read_stop_the_server_and_are_not_repeated(reference: str):
    with pytest.raises(ConfigError) as refusal:
        AccessControl(AccessSettings(keys=reference))
    assert "by-mistake-itself" not in str(refusal.value)


def test_listening_widely_without_keys_is_said_loudly(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    key_file = tmp_path / "keys.yaml"
    new_key(key_file, "web")
    with caplog.at_level(logging.WARNING):
        for quiet in (AccessSettings(keys=f"file:{key_file}"), AccessSettings(open_to_all=True)):
            AccessControl(quiet).warn_if_wide("0.0.0.0")
        AccessControl(AccessSettings()).warn_if_wide("127.0.0.1")
        assert not caplog.records
        AccessControl(AccessSettings()).warn_if_wide("0.0.0.0")
    assert "LISTENING ON 0.0.0.0 WITHOUT API KEYS" in caplog.text


def test_loopback_is_recognised_in_every_spelling():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.1", "example.com", "")))


def test_only_a_bearer_is_read_from_authorization():
    assert presented_key(None, "Bearer abc") == "abc"
    assert presented_key("first", "Bearer abc") == "first"
    assert presented_key(None, "Basic abc") is None
    assert presented_key(None, "Bearer ") is None


def test_a_request_is_logged_with_its_callers_name(keyed: tuple[Client, str], caplog: pytest.LogCaptureFixture):
    client, key = keyed
    with caplog.at_level(logging.INFO, "serving.access"):
        client.http.get("/products/p001/similar", headers={"X-API-Key": key})
        client.http.get("/products/p001/similar")
        client.http.get("/")  # open to everybody, after a named request on the same connection
        until(lambda: len(_lines(caplog)) >= 3)
    lines = {(record.status, getattr(record, "caller", None)) for record in _lines(caplog)}  # type: ignore[attr-defined]
    assert lines == {(200, "web"), (401, None), (200, None)}  # a line may come after the next request's


def _lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Those of requests; the client of this test logs its own."""
    return [record for record in caplog.records if record.name == "serving.access"]


def test_neither_keys_nor_photos_are_logged(
    keyed: tuple[Client, str], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    client, key = keyed
    marked = b"\xff\xd8\xff\xe0PHOTO-OF-A-STRANGER" * 40
    with caplog.at_level(logging.DEBUG):
        for sent in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}, {"X-API-Key": "lk_guessed-secret"}):
            client.http.post("/search", content=marked, headers=sent)
            client.http.post("/search", files={"photo": ("mine.jpg", marked)}, headers=sent)
            client.http.post("/v1/models/lookalike:predict", content=b'{"instances": ' + marked, headers=sent)
            client.http.post("/v2/models/lookalike/infer", content=marked, headers=sent)
    printed = capfd.readouterr()
    ours = [record for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]  # the client's
    told = "\n".join([*(f"{record.getMessage()} {record.exc_text}" for record in ours), printed.out, printed.err])
    for secret in (key, key[3:], "lk_guessed-secret", "PHOTO-OF-A-STRANGER"):
        assert secret not in told
