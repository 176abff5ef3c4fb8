"""Places that runs start at; the one on Kubeflow needs the API's description."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines.fake_kfp.server import FakeKfp, running_fake
from tests.pipelines.places import PLACES, Place


@pytest.fixture(params=list(PLACES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    schemas = request.getfixturevalue("schemas_folder") if request.param == "kubeflow" else None
    with PLACES[request.param](tmp_path, schemas) as opened:
        yield opened


@pytest.fixture
def kfp(schemas_folder: Path) -> Iterator[FakeKfp]:
    with running_fake(schemas_folder / "kfp_v2beta1.swagger.json") as fake:
        yield fake
