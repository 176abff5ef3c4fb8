"""A Redis that stops and starts under a running service: answers lose their features, in time, and get them back."""

import os
import signal
from collections.abc import Iterator

import pytest

from lookalike.features.settings import FeatureSettings
from lookalike.workspace import Workspace
from serving.settings import ServingSettings
from tests.features.redis_server import RedisServer
from tests.index.stages import drawn_photo
from tests.serving.real_parts import assembled, made_shop
from tests.serving.running import Client, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), ["--appendfsync", "always"]).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def shop(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    settings = FeatureSettings(online_store="redis", connection=redis.url)
    return made_shop(tmp_path_factory.mktemp("shop"), range(12), settings)


def serving(shop: Workspace) -> ServingSettings:
    limits = {"feature_deadline_seconds": 0.5, "breaker": {"failures": 3, "open_seconds": 0.2}}
    return ServingSettings.of_workspace(shop, str(shop.milvus), http_port=0, grpc_port=0, limits=limits)


def answers_with(client: Client, key: str) -> bool:
    """`features`, or `features_absent`, in every hit of an answer, which is there either way."""
    answer = client.http.post("/search?k=3", content=drawn_photo(4))
    assert answer.status_code == 200
    hits = answer.json()["hits"]
    return len(hits) == 3 and all(key in hit for hit in hits)


def degraded(client: Client) -> list[str]:
    return list(client.http.get("/health/ready").json()["degraded"])


def test_without_redis_answers_come_without_features_until_it_is_back(redis: RedisServer, shop: Workspace) -> None:
    with assembled(serving(shop)) as client:
        assert answers_with(client, "features")
        redis.stop()
        for _ in range(5):
            assert answers_with(client, "features_absent")
        assert degraded(client) == ["the feature store"]
        redis.start()
        until(lambda: answers_with(client, "features"))
        assert degraded(client) == []


def test_a_redis_that_hangs_costs_an_answer_no_more_than_its_deadline(redis: RedisServer, shop: Workspace) -> None:
    with assembled(serving(shop)) as client:
        assert answers_with(client, "features")
        assert redis.process is not None
        os.kill(redis.process.pid, signal.SIGSTOP)
        try:
            answer = client.http.post("/search?k=3", content=drawn_photo(4)).json()
            assert all("features_absent" in hit for hit in answer["hits"])
            until(lambda: answers_with(client, "features_absent") and degraded(client) == ["the feature store"])
        finally:
            os.kill(redis.process.pid, signal.SIGCONT)
        until(lambda: answers_with(client, "features"))


def test_a_service_starts_without_redis_and_finds_it_later(redis: RedisServer, shop: Workspace) -> None:
    redis.stop()
    try:
        with assembled(serving(shop)) as client:
            assert answers_with(client, "features_absent")
            redis.start()
            until(lambda: answers_with(client, "features"))
    finally:
        if redis.process is None:
            redis.start()
