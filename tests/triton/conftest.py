from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.embedders.model_folder import load_model
from lookalike.embedders.triton import TritonEmbedder
from lookalike.release.publish import publish_model
from serving.triton.environment import TritonEnvironment
from serving.triton.launcher import LocalTriton
from tests.release.tiny import exported
from tests.triton.local import triton_environment


@pytest.fixture(scope="session")
def environment() -> TritonEnvironment:
    return triton_environment()


@pytest.fixture(scope="session")
def triton(environment: TritonEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTriton]:
    """One running server for tests that leave it as they found it."""
    root = tmp_path_factory.mktemp("triton")
    publish_model(exported(), root / "models")
    with LocalTriton(environment, root / "models", root / "triton.log") as server:
        yield server


@pytest.fixture(scope="session")
def model_name() -> str:
    return load_model(exported()).name


@pytest.fixture(scope="session")
def loaded(triton: LocalTriton, model_name: str) -> Iterator[TritonEmbedder]:
    embedder = triton.load(model_name)
    yield embedder
    embedder.close()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of its own, for tests that damage models or servers."""
    publish_model(exported(), tmp_path / "models")
    return tmp_path / "models"
