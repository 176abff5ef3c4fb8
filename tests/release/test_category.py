"""The fusion a release carries, and whose it must be."""

from pathlib import Path

import pytest

from lookalike.embedders.model_folder import MODEL
from lookalike.errors import ReleaseMismatch
from lookalike.fusion import FUSION, Fusion
from lookalike.release.category import release_fusion
from lookalike.release.manifest import EVALUATION
from lookalike.storage import read_json, write_json
from tests.release.releasing import Shop


def fusion(fingerprint: str) -> dict[str, object]:
    weights = {"sharpness": 2.0, "head_weight": 0.0, "sure": 1.0, "boost": 0.0}
    return {"model_fingerprint": fingerprint, "verticals": ["a"], "attribute": None, "by_value": {}, **weights}


def test_a_release_keeps_the_fusion_of_its_evaluation(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    first = shop.release(1)
    assert release_fusion(shop.releases, first) is None
    written = fusion(first.model_fingerprint)
    write_json(shop.releases / first.release_id / EVALUATION / FUSION, written)
    assert release_fusion(shop.releases, first) == Fusion.model_validate(written)


def test_a_fusion_of_another_model_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    release = shop.release(1)
    write_json(shop.releases / release.release_id / EVALUATION / FUSION, fusion("0" * 64))
    with pytest.raises(ReleaseMismatch, match="calibrated on model 000000000000"):
        release_fusion(shop.releases, release)


def test_a_rounded_copy_tells_verticals_as_the_model_it_came_from(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    release = shop.release(1)
    folder = shop.releases / release.release_id
    write_json(folder / EVALUATION / FUSION, fusion("f" * 64))
    write_json(folder / MODEL, {**read_json(folder / MODEL), "rounded_from": "f" * 64})
    assert release_fusion(shop.releases, release) is not None
