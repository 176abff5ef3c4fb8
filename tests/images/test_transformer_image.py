"""The serving image's own install steps, run in an empty environment, make a service that answers."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from benchmarks.cluster.image_steps import run_stage_here
from benchmarks.cluster.images import GOAL, TRANSFORMER, measured
from lookalike.workspace import Workspace
from serving.ports import LOOPBACK, free_ports
from tests.search.shop import photo
from tests.serving.real_parts import LiteServer, made_shop
from tests.serving.running import until


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_stage_here(TRANSFORMER, "build", tmp_path_factory.mktemp("image"))


@contextmanager
def service(environment: Path, shop: Workspace, milvus: str, log: Path) -> Iterator[httpx.Client]:
    """`lookalike serve` as the image's entry point starts it: nothing of this environment is seen there."""
    port, grpc_port = free_ports(2)
    command = [str(environment / "bin" / "lookalike"), "serve", "--workspace", str(shop.root), "--milvus", milvus]
    seen = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--grpc-port", str(grpc_port)],
            cwd=shop.root,
            env={**seen, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=30) as client:
            until(lambda: process.poll() is not None or ready(client), 120)
            assert process.poll() is None, log.read_text(errors="replace")[-4_000:]
            yield client
    finally:
        process.terminate()
        process.wait(60)


def ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_it_answers_by_photo_and_by_product_with_features(environment: Path, tmp_path: Path) -> None:
    shop = made_shop(tmp_path / "shop", range(12))
    milvus = LiteServer(shop.milvus)
    milvus.start()
    try:
        with service(environment, shop, milvus.uri, tmp_path / "serve.log") as client:
            by_product = client.get("/products/p001/similar?k=3")
            by_photo = client.post("/search?k=3", content=photo(1))
    finally:
        milvus.end()
    assert (by_product.status_code, by_photo.status_code) == (200, 200), by_photo.text
    assert all(hit["features"]["title"] == hit["product_id"] for hit in by_product.json()["hits"])
    assert len(by_photo.json()["hits"]) == 3


@pytest.mark.slow
def test_it_is_small_and_holds_no_framework_of_training(environment: Path) -> None:
    figure = measured(environment)
    assert figure.met, figure.how
    assert figure.value is not None and figure.value < GOAL
    assert not list(environment.glob("lib/python*/site-packages/torch"))
