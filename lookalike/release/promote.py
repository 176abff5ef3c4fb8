"""Put a model, its collection and its features in service together, and go back."""

import logging
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lookalike.catalog.products import MAPPING
from lookalike.embedders.model_folder import GOLDEN, MODEL
from lookalike.release.collections import Collections, require_collection
from lookalike.release.manifest import (
    EVALUATION,
    EXPORTED,
    RECORD,
    REFERENCE,
    STORED,
    TRAINED_VECTORS,
    Release,
    live_release,
    load_release,
    previous_release,
    switch_live,
)
from lookalike.release.parts import ReleaseParts
from lookalike.release.publish import publish_model
from lookalike.release.signed import sign_release
from lookalike.signing.keys import SigningKey
from lookalike.storage import atomic_folder, write_json

log = logging.getLogger(__name__)

ALIAS = "products_live"
"""Alias of the live collection, for readers outside this project; ours read `live.json`."""

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
    hold: bool = False,
    signer: SigningKey | None = None,
) -> Release:
    """Check that the parts belong together, publish the model, keep the record, and switch, unless `hold`.

    Until the last step readers see the old release; after it the new one. The release's folder keeps all
    that is needed to go back to it, to continue training from it and to watch it; a `signer` signs it before anybody
    loads it. Raises ReleaseMismatch for parts of several releases and ReleaseError for a model the gate held back.
    """
    parts = ReleaseParts(validated, exported, evaluation, index_record, features)
    release = parts.describe(now)
    require_collection(index, release)
    publish_model(exported, model_repository)
    release = _keep(parts, releases, release)
    if signer is not None:
        sign_release(releases, model_repository, release, index, signer)
    if prepare is not None:
        prepare(release)
    if not hold:
        _switch(releases, index, release)
    return release


def rollback(releases: Path, index: Collections, prepare: Prepare | None = None, to: str = "") -> Release:
    """Put the release before the live one back in service; once more returns to the newer one.

    `to` names one, by id or unambiguous prefix: asked for again, that stays in service, and what an interrupted switch
    left undone is done. Raises ReleaseError where there is none, and ReleaseMismatch where its collection is gone.
    """
    release = way_back(releases, to)
    require_collection(index, release)
    if prepare is not None and release != live_release(releases):
        prepare(release)
    _switch(releases, index, release)
    return release


def way_back(releases: Path, to: str = "") -> Release:
    """The release a rollback goes to. Raises ReleaseError where there is none."""
    return load_release(releases, to) if to else previous_release(releases)


def kept_export(releases: Path, wanted: str) -> Path:
    """The model folder of a release, with its checkpoint, by id or unambiguous prefix."""
    return releases / load_release(releases, wanted).release_id / EXPORTED


def kept_evaluation(releases: Path, wanted: str) -> Path:
    """The evaluation a release was promoted on."""
    return releases / load_release(releases, wanted).release_id / EVALUATION


def _keep(parts: ReleaseParts, releases: Path, release: Release) -> Release:
    """Copy into the release's folder, seen whole or not at all; a release kept before stays as it was."""
    folder = releases / release.release_id
    if (folder / RECORD).is_file():
        log.info("Release %s is known already; its record of then stays.", release.release_id[:12])
        return load_release(releases, release.release_id)
    with atomic_folder(folder) as aside:
        shutil.copytree(parts.exported, aside / EXPORTED)
        shutil.copytree(parts.evaluation, aside / EVALUATION)
        for source in (parts.exported / MODEL, parts.exported / GOLDEN, parts.validated / MAPPING):
            shutil.copyfile(source, aside / source.name)
        shutil.copyfile(parts.evaluation / REFERENCE, aside / REFERENCE)
        shutil.copyfile(parts.index / STORED, aside / STORED)
        if (parts.index / TRAINED_VECTORS).is_file():
            shutil.copyfile(parts.index / TRAINED_VECTORS, aside / TRAINED_VECTORS)
        write_json(aside / RECORD, release.model_dump())
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
