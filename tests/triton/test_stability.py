"""The tolerance that docs/triton.md states, held on every way from bytes to a vector."""

from pathlib import Path

import pytest

from benchmarks.serving.stability import gaps
from benchmarks.serving.triton import TOLERANCE
from serving.triton.environment import TritonEnvironment
from serving.triton.launcher import LocalTriton
from tests.search.shop import photo


@pytest.mark.slow
def test_the_same_bytes_give_the_same_vector_by_every_way(
    environment: TritonEnvironment, repository: Path, model_name: str, tmp_path: Path
) -> None:
    photos = [photo(seed) for seed in range(9)]
    with LocalTriton(environment, repository, tmp_path / "triton.log") as triton:
        found = gaps(triton, model_name, repository / model_name, photos, tmp_path)
    assert {"service, v1", "service, v2 binary", "service, gRPC", "service, multipart"} <= set(found)
    assert {way for way, gap in found.items() if not gap <= TOLERANCE} == set()
