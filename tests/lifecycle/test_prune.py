"""Pruning keeps what can still be reached and says what it leaves standing."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lookalike.index.protocol import CollectionInfo
from lookalike.lifecycle.prune import Pruned, prune
from lookalike.release.manifest import Release, known_releases
from lookalike.release.promote import rollback
from lookalike.release.trial import end_trial, start_trial
from lookalike.workspace import Workspace
from tests.release.releasing import Shop

NOW = datetime(2026, 1, 20, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def pruned(shop: Shop, **options: int) -> Pruned:
    return prune(Workspace(shop.root), shop.index, NOW, **options)  # type: ignore[arg-type]


def left(shop: Shop) -> set[str]:
    return {release.release_id for release in known_releases(shop.releases)}


def ids(*releases: Release) -> set[str]:
    return {release.release_id for release in releases}


def test_the_live_release_the_way_back_and_the_newest_others_stay(shop: Shop) -> None:
    made = [shop.release(day, seed) for day, seed in [(1, 1), (2, 0), (3, 0), (4, 0), (5, 0)]]
    rollback(shop.releases, shop.index)  # day 4 is live, day 5 the way back
    done = pruned(shop, keep=1)
    assert set(done.releases) == ids(made[0], made[1])
    assert left(shop) == ids(*made[2:])
    assert shop.index.collections() == sorted(release.collection for release in made[2:])
    assert done.models == [made[0].model]
    assert [path.name for path in shop.models.iterdir()] == [made[1].model]
    assert rollback(shop.releases, shop.index) == made[4]
    assert pruned(shop, keep=1) == Pruned()


def test_a_release_on_trial_stays(shop: Shop) -> None:
    tried, *_ = (shop.release(day) for day in (1, 2, 3))
    trial = start_trial(shop.releases, tried, "shadow", 1.0, NOW)
    assert pruned(shop, keep=0) == Pruned()
    end_trial(shop.releases, trial, "ended", (), NOW)
    assert pruned(shop, keep=0).releases == [tried.release_id]


def test_a_dry_run_says_the_same_and_removes_nothing(shop: Shop) -> None:
    for day, seed in [(1, 1), (2, 0), (3, 0)]:
        shop.release(day, seed)
    before = sorted(path for path in shop.root.rglob("*"))
    planned = pruned(shop, keep=0, dry_run=True)
    assert sorted(path for path in shop.root.rglob("*")) == before
    assert len(shop.index.collections()) == 3
    assert pruned(shop, keep=0) == planned
    assert len(planned.releases) == len(planned.collections) == len(planned.models) == 1


def test_a_release_that_another_alias_points_to_stays_and_is_named(shop: Shop) -> None:
    first = shop.release(day=1)
    shop.index.point_alias("frozen_for_a_study", first.collection)
    shop.release(day=2)
    shop.release(day=3)
    done = pruned(shop, keep=0)
    assert done.releases == []
    assert "frozen_for_a_study" in done.spared[first.collection]
    assert first.release_id in left(shop)


def test_a_collection_of_no_release_stays_unless_it_is_asked_for(shop: Shop) -> None:
    shop.release(day=1)
    for name in ("products_0123456789ab", "somebody_elses"):
        shop.index.create(CollectionInfo(name, "r" * 64, "m" * 64, 16, ("vertical",)))
    assert list(pruned(shop).spared) == ["products_0123456789ab"]
    assert "products_0123456789ab" in shop.index.collections()
    assert pruned(shop, unreleased=True).collections == ["products_0123456789ab"]
    assert "somebody_elses" in shop.index.collections()


def test_old_runs_and_outputs_of_killed_runs_go(shop: Shop) -> None:
    shop.release(day=1)
    runs = [shop.root / "pipeline_root" / f"training-{day}" for day in range(4)]
    aside, fresh = shop.root / ".index.abc.partial", shop.root / ".index.def.partial"
    for age, folder in enumerate([*reversed(runs), aside, fresh]):
        folder.mkdir(parents=True)
        moment = (NOW - timedelta(days=age)).timestamp() if folder != fresh else NOW.timestamp()
        os.utime(folder, (moment, moment))
    (shop.root / "pipeline_root" / ".kfp_cache").mkdir()
    deep = [
        shop.releases / ".abc.x.removed",
        shop.models / ".embedder.x.old",
        shop.releases / ".live.json.x.partial.json",
    ]
    for path in deep:
        path.mkdir() if path.suffix != ".json" else path.write_text("{")
        os.utime(path, (0, 0))
    assert set(pruned(shop, keep=1).folders) == {*runs[:2], aside, *deep}
    assert not any(path.exists() for path in deep)
    assert sorted(path.name for path in (shop.root / "pipeline_root").iterdir()) == [
        ".kfp_cache", "training-2", "training-3",
    ]  # fmt: skip
    assert fresh.is_dir()


def test_what_old_runs_learned_from_goes_with_them(shop: Shop) -> None:
    shop.release(day=1)
    learned = Workspace(shop.root).learned_feedback
    for age, name in enumerate(("newest", "newer", "old", "older")):
        (learned / name).mkdir(parents=True)
        moment = (NOW - timedelta(days=age)).timestamp()
        os.utime(learned / name, (moment, moment))
    assert set(pruned(shop, keep=1).folders) == {learned / "old", learned / "older"}
    assert {path.name for path in learned.iterdir()} == {"newest", "newer"}
