import shutil
from pathlib import Path

import pytest

from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.errors import ArtifactError, BackendUnavailable, ReleaseError, ReleaseMismatch, StorageError
from lookalike.release import promote as module
from lookalike.release.manifest import (
    TRAINED_VECTORS,
    Release,
    collection_name,
    known_releases,
    live_release,
    load_release,
)
from lookalike.release.promote import ALIAS, kept_evaluation, kept_export, rollback, way_back
from lookalike.storage import read_seal
from tests.release.releasing import Shop
from tests.release.tiny import identity


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_release_switches_model_collection_and_features_together(shop: Shop) -> None:
    release = shop.release(day=1)
    assert live_release(shop.releases) == release
    assert release.model_fingerprint == identity(0).fingerprint
    assert shop.index.resolve_alias(ALIAS) == release.collection == collection_name(release.release_id)
    assert release.feature_service == f"products_{release.release_id[:12]}"
    assert release.created == "2026-01-01T00:00:00+00:00"
    assert OnnxEmbedder(shop.models / release.model).identity == identity(0)


def test_the_release_s_folder_is_all_that_is_needed_later(shop: Shop) -> None:
    release = shop.release(day=1)
    folder = shop.releases / release.release_id
    assert {path.name for path in folder.iterdir()} == {
        "release.json", "model.json", "golden.json", "mapping.json", "reference.parquet", "exported", "evaluation",
        "stored.parquet",
    }  # fmt: skip
    shutil.rmtree(shop.root / "day1-0")
    export = kept_export(shop.releases, release.release_id[:8])
    assert OnnxEmbedder(export).identity == identity(0)
    assert read_seal(export).stage == "export"
    assert read_seal(kept_evaluation(shop.releases, release.release_id)).stage == "evaluation"


def test_vectors_of_what_the_model_was_trained_on_come_along_where_the_index_has_them(shop: Shop) -> None:
    parts = shop.parts(day=1)
    (parts[3] / TRAINED_VECTORS).write_bytes(b"vectors")
    release = shop.promote(parts)
    assert (shop.releases / release.release_id / TRAINED_VECTORS).read_bytes() == b"vectors"


def test_releasing_the_same_again_keeps_the_record_and_the_way_back(shop: Shop) -> None:
    first, second = shop.release(day=1), shop.release(day=2)
    assert shop.promote(shop.parts(day=2), day=9) == second
    assert rollback(shop.releases, shop.index) == first


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("index", {"index": {"model_fingerprint": "f" * 64}}),
        ("index", {"index": {"release_id": "f" * 64}}),
        ("features", {"features": {"release_id": "f" * 64}}),
        ("features", {"features": {"feature_service": "products_of_yesterday"}}),
        ("evaluation", {"evaluation": {"report.json": {"models": {"challenger": "f" * 64}}}}),
    ],
)
def test_a_part_of_another_release_is_refused(shop: Shop, part: str, changes: dict[str, object]) -> None:
    before = shop.release(day=1)
    with pytest.raises(ReleaseMismatch, match=part):
        shop.promote(shop.parts(day=2, **changes), day=2)
    assert live_release(shop.releases) == before
    assert known_releases(shop.releases) == [before]
    assert shop.index.resolve_alias(ALIAS) == before.collection


def test_a_model_the_gate_held_back_is_refused_with_its_reasons(shop: Shop) -> None:
    held = {"promotion.json": {"promote": False, "reasons": ["fine precision fell by 0.04", "recall fell"]}}
    with pytest.raises(ReleaseError, match=r"fine precision fell by 0\.04; recall fell"):
        shop.promote(shop.parts(day=1, evaluation=held))
    assert live_release(shop.releases) is None


def test_an_unfinished_part_is_refused(shop: Shop) -> None:
    parts = shop.parts(day=1)
    (parts[3] / "stage.json").unlink()
    with pytest.raises(ArtifactError, match="is not a finished stage output"):
        shop.promote(parts)


def test_a_collection_that_is_gone_is_refused(shop: Shop) -> None:
    parts = shop.parts(day=1)
    [collection] = shop.index.collections()
    shop.index.drop(collection)
    with pytest.raises(ReleaseMismatch, match=f"has no collection {collection}"):
        shop.promote(parts)


def test_a_model_that_cannot_be_loaded_never_goes_live(shop: Shop) -> None:
    before = shop.release(day=1)

    def refuse(release: Release) -> None:
        assert (shop.models / release.model / "config.pbtxt").is_file()
        raise BackendUnavailable("Triton is not there")

    with pytest.raises(BackendUnavailable):
        shop.promote(shop.parts(day=2, seed=1), day=2, prepare=refuse)
    assert live_release(shop.releases) == before
    assert shop.index.resolve_alias(ALIAS) == before.collection


def test_a_switch_that_fails_half_way_is_taken_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shop.release(day=1)

    def full(releases: Path, release: Release) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(module, "switch_live", full)
    with pytest.raises(StorageError):
        shop.release(day=2)
    assert live_release(shop.releases) == before
    assert shop.index.resolve_alias(ALIAS) == before.collection


def test_a_copy_that_was_interrupted_is_made_again(shop: Shop) -> None:
    parts = shop.parts(day=1)
    release = shop.promote(parts)
    folder = shop.releases / release.release_id
    (folder / "release.json").unlink()
    (folder / "golden.json").unlink()
    (shop.releases / "live.json").unlink()
    assert shop.promote(parts) == release
    assert (folder / "golden.json").is_file()


def test_a_release_half_copied_or_half_removed_is_none(shop: Shop) -> None:
    release = shop.release(day=1)
    for left in (".abc.x1y2z3w4.partial", ".abc.x1y2z3w4.removed"):
        shutil.copytree(shop.releases / release.release_id, shop.releases / left)
    assert known_releases(shop.releases) == [release]
    assert load_release(shop.releases, release.release_id[:8]) == release


def test_rollback_is_one_step_back_and_again_one_forward(shop: Shop) -> None:
    first, second = shop.release(day=1, seed=0), shop.release(day=1, seed=1)
    assert first.model != second.model and first.release_id != second.release_id
    prepared: list[Release] = []
    assert rollback(shop.releases, shop.index, prepared.append) == first
    assert prepared == [first]
    assert live_release(shop.releases) == first
    assert shop.index.resolve_alias(ALIAS) == first.collection
    assert rollback(shop.releases, shop.index) == second


def test_there_is_nothing_to_roll_back_to_at_first(shop: Shop) -> None:
    with pytest.raises(ReleaseError, match="no earlier release"):
        rollback(shop.releases, shop.index)
    shop.release(day=1)
    with pytest.raises(ReleaseError, match="no earlier release"):
        rollback(shop.releases, shop.index)


def test_rollback_refuses_a_release_whose_collection_is_gone(shop: Shop) -> None:
    first, second = shop.release(day=1), shop.release(day=2)
    shop.index.drop(first.collection)
    with pytest.raises(ReleaseMismatch, match="has no collection"):
        rollback(shop.releases, shop.index)
    assert live_release(shop.releases) == second


def test_rollback_goes_to_the_release_that_is_named(shop: Shop) -> None:
    first, _, third = [shop.release(day) for day in (1, 2, 3)]
    assert rollback(shop.releases, shop.index, to=first.release_id[:10]) == first
    assert shop.index.resolve_alias(ALIAS) == first.collection
    assert rollback(shop.releases, shop.index) == third
    with pytest.raises(ReleaseError, match="'unknown' names 0 releases"):
        rollback(shop.releases, shop.index, to="unknown")
    assert live_release(shop.releases) == third


def test_a_rollback_by_name_may_be_repeated_and_finishes_what_was_interrupted(shop: Shop) -> None:
    first, second = [shop.release(day) for day in (1, 2)]
    assert way_back(shop.releases) == way_back(shop.releases, first.release_id[:10]) == first
    shop.index.point_alias(ALIAS, first.collection)  # killed between alias and live.json
    for _ in range(2):
        assert rollback(shop.releases, shop.index, to=first.release_id) == first
        assert live_release(shop.releases) == first
        assert shop.index.resolve_alias(ALIAS) == first.collection
        assert way_back(shop.releases) == second
