"""Releases are switched while searches go on; the event loop is never held up by one."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.embedders.protocol import Embeddings
from lookalike.errors import ReleaseError
from lookalike.release.manifest import LIVE, Release
from lookalike.search.engine import SearchEngine
from serving.live import LiveEngine
from tests.search.shop import Shop, photo
from tests.serving.running import (
    Client,
    engines_of,
    instance,
    json_tensor,
    put_live,
    running,
    settings,
    texts_of,
    until,
)


def ask(client: Client, protocol: int) -> list[dict]:
    """Two photos in one request, by v1, v2 REST or gRPC."""
    photos = [photo(1), photo(2)]
    if protocol == 0:
        response = client.v1(*(instance(content) for content in photos))
        assert response.status_code == 200, response.text
        return response.json()["predictions"]
    if protocol == 1:
        response = client.v2(json_tensor(photos))
        assert response.status_code == 200, response.text
        return texts_of(response)
    return [json.loads(text) for text in client.grpc(photos).outputs[0].contents.bytes_contents]


def test_switching_under_load_fails_no_request_and_mixes_no_release(tmp_path: Path) -> None:
    """Another model over the same photos: vectors, collection and prices differ, so a mix would show."""
    first, second = Shop(seed=0), Shop(seed=1)
    shops = {shop.release.release_id: shop for shop in (first, second)}
    by_release = {
        name: [hit.product_id for hit in engines_of(shop)(shop.release).search(request(1)).hits]
        for name, shop in shops.items()
    }
    put_live(tmp_path / "releases", first)
    done, answers = threading.Event(), []

    def keep_asking(client: Client, protocol: int) -> None:
        while not done.is_set():
            answers.append(ask(client, protocol))

    with running(settings(tmp_path), engines_of(first, second)) as client, ThreadPoolExecutor(6) as threads:
        asking = [threads.submit(keep_asking, client, number % 3) for number in range(6)]
        for switches, shop in enumerate([second, first, second]):
            seen = len(answers)
            put_live(tmp_path / "releases", shop)
            wanted = shop.release.release_id
            until(lambda seen=seen, wanted=wanted: any(a[0]["release_id"] == wanted for a in answers[seen:]))
            until(lambda switches=switches: len(answers) > 30 * (switches + 1))
        done.set()
        for task in asking:
            task.result(30)
    assert {answer[0]["release_id"] for answer in answers} == set(shops)
    for one, other in answers:
        assert one["release_id"] == other["release_id"]
        assert one["model_fingerprint"] == shops[one["release_id"]].release.model_fingerprint
        assert [hit["product_id"] for hit in one["hits"]] == by_release[one["release_id"]]


def request(seed: int):  # type: ignore[no-untyped-def]
    from lookalike.search.query import SearchRequest

    return SearchRequest(photo=photo(seed))


class Gate:
    """A shop's embedder that waits at a gate: `arrived` says it was asked, `opened` lets it answer."""

    def __init__(self, shop: Shop) -> None:
        self.identity = shop.embedder.identity
        self.behind = shop.embedder
        self.arrived, self.opened = threading.Event(), threading.Event()

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        self.arrived.set()
        assert self.opened.wait(30)
        return self.behind.embed(pixels)


def test_health_answers_while_a_search_is_under_way(tmp_path: Path) -> None:
    shop = Shop()
    gate = Gate(shop)
    put_live(tmp_path / "releases", shop)
    make = lambda release: SearchEngine(gate, shop.index, shop.features, release)  # noqa: E731
    with running(settings(tmp_path), make) as client, ThreadPoolExecutor(2) as threads:
        slow = [threads.submit(ask, client, 0), threads.submit(ask, client, 2)]
        assert gate.arrived.wait(30)
        assert client.http.get("/v2/health/ready").status_code == 200
        assert client.http.get("/v2/models/lookalike").json()["versions"] == [shop.release.release_id]
        assert not any(task.done() for task in slow)
        gate.opened.set()
        assert all(len(task.result(30)) == 2 for task in slow)


def test_more_requests_than_the_server_takes_are_refused_at_once(tmp_path: Path) -> None:
    shop = Shop()
    gate = Gate(shop)
    put_live(tmp_path / "releases", shop)
    make = lambda release: SearchEngine(gate, shop.index, shop.features, release)  # noqa: E731
    chosen = settings(tmp_path, overload={"threads": 1, "most_waiting": 0})
    with running(chosen, make) as client, ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask, client, 0)
        assert gate.arrived.wait(30)
        refused = client.v1(instance(photo(1)))
        assert (refused.status_code, "try again" in refused.text, first.done()) == (429, True, False)
        gate.opened.set()
        assert len(first.result(30)) == 2


def test_a_request_under_way_finishes_on_the_release_it_started_with(tmp_path: Path) -> None:
    first, second = Shop(seed=0), Shop(seed=1)
    gate = Gate(first)
    put_live(tmp_path / "releases", first)

    def make(release: Release) -> SearchEngine:
        if release == first.release:
            return SearchEngine(gate, first.index, first.features, release)
        return engines_of(second)(release)

    with running(settings(tmp_path), make) as client, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(ask, client, 0)
        assert gate.arrived.wait(30)
        put_live(tmp_path / "releases", second)
        until(lambda: client.http.get("/v2/models/lookalike").json()["versions"] == [second.release.release_id])
        assert ask(client, 1)[0]["release_id"] == second.release.release_id
        gate.opened.set()
        assert {answer["release_id"] for answer in slow.result(30)} == {first.release.release_id}


# ---- the watcher alone


def test_a_release_that_cannot_be_loaded_leaves_the_old_one_in_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, now = Shop(seed=0), Shop(seed=1), [0.0]
    broken, tried = True, []

    def make(release: Release) -> SearchEngine:
        tried.append(release.release_id)
        if release == second.release and broken:
            raise ReleaseError("Triton could not load it")
        return engines_of(first, second)(release)

    live = LiveEngine(tmp_path, make, retry_seconds=30, clock=lambda: now[0])
    put_live(tmp_path, first)
    live.look()
    put_live(tmp_path, second)
    live.look()
    assert live.current is not None and live.current.release == first.release
    assert f"still serving {first.release.release_id[:12]}: Triton could not load it" in caplog.text
    live.look()
    assert len(tried) == 2  # not tried again at once
    broken, now[0] = False, 31.0
    live.look()
    assert live.current.release == second.release


def test_going_back_does_not_wait_for_the_retry(tmp_path: Path) -> None:
    first, second = Shop(seed=0), Shop(seed=1)
    live = LiveEngine(tmp_path, engines_of(first), retry_seconds=1e9)
    for shop in (first, second, first):  # the second one's parts do not exist: a KeyError, no LookalikeError
        put_live(tmp_path, shop)
        live.look()
        assert live.current is not None and live.current.release == first.release


def test_the_same_release_again_is_not_loaded_again(tmp_path: Path) -> None:
    shop, made = Shop(), []
    live = LiveEngine(tmp_path, lambda release: made.append(release) or engines_of(shop)(release))  # type: ignore[func-returns-value]
    put_live(tmp_path, shop)
    live.look()
    put_live(tmp_path, shop)
    live.look()
    assert made == [shop.release]


@pytest.mark.parametrize("content", ["{", "{}", '{"release_id": "unknown", "previous": null}', "[]"])
def test_a_broken_switch_leaves_the_old_release_in_service(tmp_path: Path, content: str) -> None:
    shop = Shop()
    put_live(tmp_path, shop)
    live = LiveEngine(tmp_path, engines_of(shop))
    live.look()
    (tmp_path / LIVE).write_text(content)
    live.look()
    assert live.current is not None and live.current.release == shop.release
