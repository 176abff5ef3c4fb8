"""The overlays as they would be applied, and the command line whose verbs they run."""

from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from app.cli import app
from app.manifests.reading import Document, kustomize, read_manifests
from lookalike.errors import BackendUnavailable

OVERLAYS = Path(__file__).parents[2] / "deploy" / "overlays"
NAMES = ("local-cpu", "gpu", "production", "training")
read_once = cache(read_manifests)


@pytest.fixture(scope="session")
def root() -> TyperGroup:
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    return command


@pytest.fixture(scope="session")
def _kustomize() -> None:
    try:
        kustomize()
    except BackendUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(params=NAMES)
def overlay(request: pytest.FixtureRequest, _kustomize: None) -> list[Document]:
    """Each of the overlays."""
    return read_once(OVERLAYS / request.param)


@pytest.fixture
def local_cpu(_kustomize: None) -> list[Document]:
    return read_once(OVERLAYS / "local-cpu")


@pytest.fixture
def gpu(_kustomize: None) -> list[Document]:
    return read_once(OVERLAYS / "gpu")


@pytest.fixture
def training(_kustomize: None) -> list[Document]:
    return read_once(OVERLAYS / "training")


@pytest.fixture
def production(_kustomize: None) -> list[Document]:
    return read_once(OVERLAYS / "production")
