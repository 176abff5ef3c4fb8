"""Clear away what no release in reach needs: old releases with all that is theirs, runs, unfinished outputs."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from lookalike.errors import VectorIndexError
from lookalike.features.releases import prune_features, served_releases
from lookalike.index.build import COLLECTION_PREFIX
from lookalike.index.protocol import VectorIndex
from lookalike.release.manifest import LIVE, Release, forget_release, known_releases
from lookalike.release.promote import ALIAS
from lookalike.release.publish import published_models, remove_models
from lookalike.release.trial import running_trial
from lookalike.storage import ASIDE, read_json, remove_folder
from lookalike.workspace import Workspace

ABANDONED = timedelta(days=1)
"""Outputs written aside are complete or gone within hours; older ones were left by a run that was killed."""


@dataclass
class Pruned:
    """What was removed, or would be, and what stays though no kept release needs it."""

    releases: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    """Pipeline runs, what they learned from, and folders and files that killed runs left aside."""
    spared: dict[str, str] = field(default_factory=dict)
    """Name and reason."""


def prune(
    shop: Workspace,
    index: VectorIndex,
    now: datetime,
    keep: int = 2,
    unreleased: bool = False,
    dry_run: bool = False,
) -> Pruned:
    """Keep the releases in service, on trial and to roll back to, the newest `keep` others, what the alias points to.

    Everything of other releases goes, and of pipeline runs and what they learned from all but the newest `keep` + 1.
    Collections and feature services of no release are one being built, or leftovers: they go with `unreleased` only. A
    collection in use by an alias of somebody else stays, with its release. Servers must have let go of what is removed:
    wait as long as your longest request after a switch, and let no pipeline run meanwhile.
    """
    done = Pruned()
    releases = known_releases(shop.releases)
    old = _out_of_reach(shop.releases, releases, index, keep)
    act = _nothing if dry_run else _call
    for release in old:
        if _drop(index, release.collection, done, act):
            done.releases.append(release.release_id)
            act(partial(forget_release, shop.releases, release))  # last: an interrupted run is repeated
    kept = [release for release in releases if release.release_id not in done.releases]
    _prune_strays(index, {release.collection for release in releases}, done, act, unreleased)
    _prune_models(shop, kept, done, act)
    _prune_features(shop, releases, kept, done, act, unreleased)
    done.folders = [*_old_runs(shop, keep + 1), *_abandoned(shop, now)]
    for path in done.folders:
        act(partial(_remove, path))
    return done


Act = Callable[[Callable[[], object]], object]
"""Does what it is given, or does not, when only a plan was asked for."""


def _call(work: Callable[[], object]) -> object:
    return work()


def _nothing(work: Callable[[], object]) -> object:
    return None


def _out_of_reach(folder: Path, releases: list[Release], index: VectorIndex, keep: int) -> list[Release]:
    """Newest first."""
    live: dict[str, str | None] = read_json(folder / LIVE) if (folder / LIVE).is_file() else {}
    tried, aliased = running_trial(folder), index.resolve_alias(ALIAS)
    held = {*live.values(), None if tried is None else tried.release_id}
    newest = sorted(releases, key=lambda release: release.created, reverse=True)
    others = [release for release in newest if release.release_id not in held]
    return [release for release in others[keep:] if release.collection != aliased]


def _drop(index: VectorIndex, collection: str, done: Pruned, act: Act) -> bool:
    """False, with the reason noted, where an alias keeps it."""
    if collection not in index.collections():
        return True
    try:
        act(partial(index.drop, collection))
    except VectorIndexError as error:
        done.spared[collection] = str(error)
        return False
    done.collections.append(collection)
    return True


def _prune_strays(index: VectorIndex, released: set[str], done: Pruned, act: Act, unreleased: bool) -> None:
    strays = [name for name in index.collections() if name.startswith(COLLECTION_PREFIX) and name not in released]
    for name in strays:
        if name in done.collections or name in done.spared:
            continue
        if unreleased:
            _drop(index, name, done, act)
        else:
            done.spared[name] = "a collection of no release: one being built, or left behind (--unreleased removes it)"


def _prune_models(shop: Workspace, kept: list[Release], done: Pruned, act: Act) -> None:
    names = {release.model for release in kept}
    done.models = [name for name in published_models(shop.model_repository) if name not in names]
    act(partial(remove_models, shop.model_repository, keep=names))


def _prune_features(
    shop: Workspace, releases: list[Release], kept: list[Release], done: Pruned, act: Act, unreleased: bool
) -> None:
    services = served_releases(shop.feature_store)
    strays = set(services) - {release.feature_service for release in releases}
    keep = {release.feature_service for release in kept} | (set() if unreleased else strays)
    done.services = [name for name in services if name not in keep]
    done.spared |= {
        f"features {name}": "of no release: being prepared, or left behind (--unreleased removes them)"
        for name in sorted(strays & keep)
    }
    if done.services:
        act(partial(prune_features, shop.feature_store, keep))


def _old_runs(shop: Workspace, keep: int) -> list[Path]:
    """A run's outputs are copied into its release; the runner's cache makes again what it misses.

    What runs learned from goes likewise: a run keeps the feedback that it needs again.
    """
    return [old for root in (shop.pipeline_root, shop.learned_feedback) for old in _newest_first(root)[keep:]]


def _newest_first(root: Path) -> list[Path]:
    runs = [path for path in root.glob("*") if path.is_dir() and not path.name.startswith(".")]
    return sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)


def _abandoned(shop: Workspace, now: datetime) -> list[Path]:
    """Wherever they lie, but what lies within another one goes with it."""
    found = {path for pattern in ASIDE for path in shop.root.rglob(pattern)}
    outermost = [path for path in found if not found & set(path.parents) and not path.is_relative_to(shop.milvus)]
    limit = (now - ABANDONED).timestamp()
    return sorted(path for path in outermost if path.stat().st_mtime < limit)


def _remove(path: Path) -> None:
    if any(path.match(pattern) for pattern in ASIDE):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        remove_folder(path)
