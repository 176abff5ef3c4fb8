"""Real parts that are slow or gone under a running service: bounded, typed answers, and recovery without a restart."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest

from lookalike.deadline import Deadline
from lookalike.embedders.model_folder import load_model
from lookalike.errors import BackendUnavailable
from lookalike.index.milvus import MilvusIndex
from lookalike.workspace import Workspace
from serving.settings import ServingSettings
from serving.triton.launcher import LocalTriton
from tests.index.stages import drawn_photo
from tests.release.tiny import exported
from tests.serving.real_parts import LiteServer, assembled, made_shop
from tests.serving.running import Client, until
from tests.triton.local import triton_environment

pytestmark = pytest.mark.slow
QUICK = {"index_seconds": 0.5, "model_seconds": 0.5, "breaker": {"failures": 3, "open_seconds": 0.2}}
SLOW, GONE = signal.SIGSTOP, signal.SIGKILL


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return made_shop(tmp_path_factory.mktemp("shop"), range(12))


@pytest.fixture
def milvus(shop: Workspace) -> Iterator[LiteServer]:
    server = LiteServer(shop.milvus)
    server.start()
    try:
        yield server
    finally:
        server.end()


def chosen(shop: Workspace, uri: str, **more: object) -> ServingSettings:
    return ServingSettings.of_workspace(shop, uri, http_port=0, grpc_port=0, limits=QUICK, **more)


def by_photo(client: Client, **headers: str) -> httpx.Response:
    return client.http.post("/search?k=3", content=drawn_photo(4), headers=headers)


def by_product(client: Client) -> httpx.Response:
    return client.http.get("/products/p001/similar?k=3")


def degraded(client: Client) -> list[str]:
    ready = client.http.get("/health/ready")
    assert ready.status_code == 200  # no outage of a part takes the service out of rotation
    return list(ready.json()["degraded"])


@pytest.mark.parametrize("outage", [SLOW, GONE])
def test_without_milvus_answers_are_bounded_refusals_until_it_is_back(
    shop: Workspace, milvus: LiteServer, outage: signal.Signals
) -> None:
    with assembled(chosen(shop, milvus.uri)) as client:
        before = by_photo(client).json()["hits"]
        milvus.signal(outage)
        for _ in range(4):
            refused = by_photo(client)
            assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
            assert refused.json()["error"] == "the index does not answer at the moment; try again later"
            assert str(milvus.port) not in refused.text
        assert degraded(client) == ["the index"]
        if outage == SLOW:
            milvus.signal(signal.SIGCONT)
        else:
            milvus.start()
        until(lambda: by_photo(client).status_code == 200)
        assert (by_photo(client).json()["hits"], degraded(client)) == (before, [])


def test_a_caller_who_waits_less_than_a_slow_milvus_gets_the_callers_own_deadline(
    shop: Workspace, milvus: LiteServer
) -> None:
    with assembled(chosen(shop, milvus.uri)) as client:
        milvus.signal(SLOW)
        late = by_photo(client, **{"X-Request-Timeout-Ms": "100"})
        assert (late.status_code, late.json()["error"]) == (504, "the answer was not there in time")
        assert degraded(client) == []  # one impatient caller says nothing about Milvus
        milvus.signal(signal.SIGCONT)
        until(lambda: by_photo(client).status_code == 200)


def test_every_read_of_a_stopped_milvus_ends_with_its_caller_s_deadline(milvus: LiteServer) -> None:
    """Long before the client's own limit of 30 s."""
    with MilvusIndex(milvus.uri) as index:
        [collection] = index.collections()
        query = np.ones((1, index.describe(collection).dimension), np.float32)
        query /= np.linalg.norm(query)
        reads = (
            lambda: index.search(collection, query, 3),
            lambda: index.vectors(collection, "p001"),
            lambda: index.photos(collection, "p001"),
            lambda: index.describe(collection),
        )
        for read in reads:
            read()
        milvus.signal(SLOW)
        try:
            began = time.monotonic()
            for read in reads:
                with Deadline.after(0.2).in_force(), pytest.raises(BackendUnavailable):
                    read()
            assert time.monotonic() - began < 15
        finally:
            milvus.signal(signal.SIGCONT)


def test_without_feast_answers_come_without_features_until_it_is_back(shop: Workspace, milvus: LiteServer) -> None:
    online = sqlite3.connect(shop.feature_store / "online.db", isolation_level=None)
    with closing(online), assembled(chosen(shop, milvus.uri)) as client:
        assert all("features" in hit for hit in by_photo(client).json()["hits"])
        [(table,)] = online.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        online.execute(f'ALTER TABLE "{table}" RENAME TO elsewhere')
        try:
            for _ in range(5):
                answer = by_photo(client)
                assert answer.status_code == 200
                assert all(hit["features_absent"] for hit in answer.json()["hits"])
            assert degraded(client) == ["the feature store"]
        finally:
            online.execute(f'ALTER TABLE elsewhere RENAME TO "{table}"')
        until(lambda: all("features" in hit for hit in by_photo(client).json()["hits"]))
        assert degraded(client) == []


def test_without_triton_products_are_found_and_photos_refused_until_it_is_back(
    shop: Workspace, milvus: LiteServer, tmp_path: Path
) -> None:
    with LocalTriton(triton_environment(), shop.model_repository, tmp_path / "triton.log") as triton:
        triton.load(load_model(exported()).name).close()
        with assembled(chosen(shop, milvus.uri, triton_url=triton.grpc_address)) as client:
            before = by_photo(client).json()["hits"]
            os.kill(triton.server_pid, SLOW)
            for _ in range(4):
                refused = by_photo(client)
                assert refused.status_code == 503
                assert refused.json()["error"] == "the model does not answer at the moment; try again later"
                assert by_product(client).status_code == 200
            assert degraded(client) == ["the model"]
            os.kill(triton.server_pid, signal.SIGCONT)
            until(lambda: by_photo(client).status_code == 200)
            assert (by_photo(client).json()["hits"], degraded(client)) == (before, [])
