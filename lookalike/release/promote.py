"""Put a model, its collection and its features in service together, go back, and clear away the old."""

import logging
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lookalike.catalog.products import MAPPING
from lookalike.embedders.model_folder import GOLDEN, MODEL
from lookalike.release.collections import Collections, require_collection
from lookalike.release.manifest import (
    LIVE,
    Release,
    forget_release,
    known_releases,
    load_release,
    previous_release,
    save_release,
    switch_live,
)
from lookalike.release.parts import ReleaseParts
from lookalike.release.publish import publish_model, remove_models
from lookalike.storage import read_json

log = logging.getLogger(__name__)

ALIAS = "products_live"
"""Alias of the live collection, for readers outside this project; ours read `live.json`."""
EXPORTED = "exported"
EVALUATION = "evaluation"
REFERENCE = "reference.parquet"

Prepare = Callable[[Release], object]
"""Loads a release where it will be served and proves it there; raises what keeps it from service."""


def promote(
    validated: Path,
    exported: Path,
    evaluation: Path,
    index_record: Path,
    features: Path,
    releases: Path,
    model_repository: Path,
    index: Collections,
    now: datetime,
    prepare: Prepare | None = None,
) -> Release:
    """Check that the parts belong together, publish the model, keep the record, and switch.

    Until the last step readers see the old release; after it the new one. The release's folder keeps all
    that is needed to go back to it, to continue training from it and to watch it. Raises ReleaseMismatch
    for parts of several releases and ReleaseError for a model the gate held back.
    """
    parts = ReleaseParts(validated, exported, evaluation, index_record, features)
    release = parts.describe(now)
    require_collection(index, release)
    publish_model(exported, model_repository)
    release = _keep(parts, releases, release)
    if prepare is not None:
        prepare(release)
    _switch(releases, index, release)
    return release


def rollback(releases: Path, index: Collections, prepare: Prepare | None = None) -> Release:
    """Put the release before the live one back in service; once more returns to the newer one."""
    release = previous_release(releases)
    require_collection(index, release)
    if prepare is not None:
        prepare(release)
    _switch(releases, index, release)
    return release


def prune(releases: Path, model_repository: Path, index: Collections, keep: int = 3) -> list[str]:
    """Remove all but the newest `keep` releases, the live one and the one before; returns the removed ids.

    Their models and collections go too. Servers must have let go of them: wait as long as your longest
    request after a switch.
    """
    newest = sorted(known_releases(releases), key=lambda release: release.created, reverse=True)
    reachable = _in_reach(releases)
    old = [release for release in newest[keep:] if release.release_id not in reachable]
    for release in old:
        if release.collection in index.collections():
            index.drop(release.collection)
        forget_release(releases, release)  # last, so that an interrupted prune can be run again
    remove_models(model_repository, keep={release.model for release in newest if release not in old})
    return [release.release_id for release in old]


def kept_export(releases: Path, wanted: str) -> Path:
    """The model folder of a release, with its checkpoint, by id or unambiguous prefix."""
    return releases / load_release(releases, wanted).release_id / EXPORTED


def kept_evaluation(releases: Path, wanted: str) -> Path:
    """The evaluation a release was promoted on."""
    return releases / load_release(releases, wanted).release_id / EVALUATION


def _keep(parts: ReleaseParts, releases: Path, release: Release) -> Release:
    """Copy into the release's folder, its record last; a release kept before stays as it was."""
    folder = releases / release.release_id
    if (folder / "release.json").is_file():
        log.info("Release %s is known already; its record of then stays.", release.release_id[:12])
        return load_release(releases, release.release_id)
    shutil.rmtree(folder, ignore_errors=True)  # left by a run that was interrupted: it has no record
    shutil.copytree(parts.exported, folder / EXPORTED)
    shutil.copytree(parts.evaluation, folder / EVALUATION)
    for source in (parts.exported / MODEL, parts.exported / GOLDEN, parts.validated / MAPPING):
        shutil.copyfile(source, folder / source.name)
    shutil.copyfile(parts.evaluation / REFERENCE, folder / REFERENCE)
    save_release(releases, release)
    return release


def _switch(releases: Path, index: Collections, release: Release) -> None:
    """Move the alias, then `live.json`; if the second fails, the first is taken back."""
    before = index.resolve_alias(ALIAS)
    index.point_alias(ALIAS, release.collection)
    try:
        switch_live(releases, release)
    except BaseException:
        if before is not None:
            index.point_alias(ALIAS, before)
        raise
    log.info("Release %s is in service: %s, %s.", release.release_id[:12], release.model, release.collection)


def _in_reach(releases: Path) -> set[str]:
    """Ids of the live release and of the one rollback would return to."""
    live: dict[str, str | None] = read_json(releases / LIVE) if (releases / LIVE).is_file() else {}
    return {identity for identity in live.values() if identity is not None}
