"""What a drill reads of a workspace, and the release that stands in for the live one."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from app.drill.delivery import write_delivery
from app.drill.drilled import find_gallery, find_validated, open_drilled
from app.drill.stand_in import stand_in
from lookalike.catalog.products import load_catalogue
from lookalike.errors import ArtifactError, ReleaseError
from lookalike.index.memory import MemoryIndex
from lookalike.lifecycle.erase import erase
from lookalike.release.manifest import live_release
from lookalike.storage import read_seal
from lookalike.workspace import Workspace
from tests.drill.shop import BORN, all_files, drilled_shop, validated_folder


def test_a_workspace_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"nothing is in service in .*, so there is nothing to drill"):
        open_drilled(Workspace(tmp_path))


def test_the_released_catalogue_is_found_wherever_it_was_validated(tmp_path: Path) -> None:
    shop = Workspace(tmp_path)
    deep = validated_folder(tmp_path / "pipeline_root" / "training-1" / "validate" / "validated")
    validated_folder(tmp_path / "drills" / "none" / "validated")
    assert find_validated(shop, read_seal(deep).content) == deep
    assert find_gallery(shop, "a model") is None
    with pytest.raises(ArtifactError, match="holds no validated catalogue 0123456789ab, the one in service"):
        find_validated(shop, "0123456789abcdef")


def test_the_stand_in_is_the_live_release_and_leaves_its_early_traffic_behind(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path / "shop")
    live = drilled.shop.releases / drilled.release.release_id
    (live / "early.parquet").write_bytes(b"kept by the real watch")
    before = all_files(tmp_path / "shop")
    standing = stand_in(drilled, "", tmp_path / "drill")
    copy = standing.shop.releases / drilled.release.release_id
    assert live_release(standing.shop.releases) == standing.release == drilled.release
    assert standing.without == frozenset()
    for name in ("reference.parquet", "stored.parquet", "model.json", "release.json"):
        assert (copy / name).read_bytes() == (live / name).read_bytes()
    assert not (copy / "early.parquet").exists()
    assert all_files(tmp_path / "shop") == before


def test_a_vertical_kept_out_is_gone_from_reference_and_index_and_makes_another_release(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path / "shop")
    standing = stand_in(drilled, "bags", tmp_path / "drill")
    products = drilled.catalogue.products.set_index("product_id")["vertical"]
    assert standing.without == set(products.index[products == "bags"])
    assert standing.release.release_id != drilled.release.release_id
    assert standing.release.model_fingerprint == drilled.release.model_fingerprint
    live = drilled.shop.releases / drilled.release.release_id
    copy = standing.shop.releases / standing.release.release_id
    stored = pd.read_parquet(copy / "stored.parquet")["product_id"]
    assert set(stored) == set(products.index[products != "bags"])
    named = pd.read_parquet(live / "evaluation" / "reference_products.parquet")["product_id"]
    kept = (named.map(products) != "bags").to_numpy()
    was, now = (pq.read_table(folder / "reference.parquet")["vector"].to_pylist() for folder in (live, copy))
    assert now == [vector for vector, stays in zip(was, kept, strict=True) if stays]
    assert 0 < len(now) < len(was)


def test_an_erasure_takes_drills_away_with_the_copies_they_hold(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path)
    write_delivery(drilled.catalogue, "poisoned", drilled.shop.drills / "poison" / "delivery", 0)
    erase(drilled.shop, MemoryIndex(), ["p003"], BORN)
    assert not drilled.shop.drills.exists()
    assert "p003" not in set(load_catalogue(drilled.shop.validated).products["product_id"])


def test_a_release_that_does_not_say_whose_photos_it_holds_keeps_nothing_out(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path / "shop")
    (drilled.shop.releases / drilled.release.release_id / "evaluation" / "reference_products.parquet").unlink()
    with pytest.raises(ArtifactError, match=r"reference_products.parquet is missing"):
        stand_in(drilled, "bags", tmp_path / "drill")
