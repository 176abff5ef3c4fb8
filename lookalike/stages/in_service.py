"""From a collection to a release in service, and what happens to it there."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import ReleaseError
from lookalike.stages.arguments import NONE, Settings, collections_at, settings_for
from lookalike.stages.trust import signing_key, verifier
from lookalike.storage import StageRecord, atomic_folder, read_json
from lookalike.workspace import Workspace

if TYPE_CHECKING:
    from lookalike.features.filling import Filled
    from lookalike.index.protocol import VectorIndex
    from lookalike.lifecycle.erase import Erased
    from lookalike.lifecycle.prune import Pruned
    from lookalike.release.manifest import Release
    from lookalike.release.promote import Prepare
    from lookalike.release.trial import Mode, Trial
    from lookalike.release.update_log import Update


def features(
    validated: str, index: str, output: str, *, workspace: str, definitions: str, settings: Settings = NONE
) -> StageRecord:
    """Apply and materialise the release's features; `definitions` is the folder of a Feast repository."""
    from lookalike.features.materialise import materialise
    from lookalike.features.settings import FeatureSettings

    release = read_json(Path(index) / "index.json")["release_id"]
    store = Workspace(Path(workspace)).feature_store
    chosen = settings_for(FeatureSettings, settings, "features")
    return materialise(Path(validated), Path(output), store, release, datetime.now(UTC), Path(definitions), chosen)


def refill_features(*, workspace: str, settings: Settings = NONE) -> "dict[str, Filled]":
    """Write every release's features to the online store again, from the tables that the feature store keeps."""
    from lookalike.features.refill import refill
    from lookalike.features.settings import FeatureSettings

    return refill(Workspace(Path(workspace)).feature_store, settings_for(FeatureSettings, settings, "features"))


def release(
    validated: str,
    exported: str,
    evaluation: str,
    index: str,
    features: str,
    *,
    workspace: str,
    milvus_uri: str,
    hold: bool = False,
    key: str = "",
) -> str:
    """Publish the model and put the release in service, or with `hold` keep it ready for a trial; returns its id.

    It is signed where `key` or the environment refers to a key, and proven where keys are trusted.
    """
    from lookalike.release.promote import promote

    shop = Workspace(Path(workspace))
    parts = (Path(validated), Path(exported), Path(evaluation), Path(index), Path(features))
    places, signer = (shop.releases, shop.model_repository), signing_key(key)
    with collections_at(milvus_uri) as store:
        proof = _proof(shop, store)
        return promote(*parts, *places, store, datetime.now(UTC), proof, hold, signer).release_id


def rollback(*, workspace: str, milvus_uri: str, to: str = "", trusted_keys: str = "") -> "Release":
    """Put the release before the live one, or a named one, back in service; proven first, where keys are trusted."""
    from lookalike.release.promote import rollback

    shop = Workspace(Path(workspace))
    with collections_at(milvus_uri) as store:
        return rollback(shop.releases, store, _proof(shop, store, trusted_keys), to)


def start_trial(release: str, *, workspace: str, mode: "Mode", share: float, again: bool = False) -> "Trial":
    """Try a release that was kept on a share of the traffic."""
    from lookalike.release.manifest import load_release
    from lookalike.release.trial import start_trial

    releases = Workspace(Path(workspace)).releases
    return start_trial(releases, load_release(releases, release), mode, share, datetime.now(UTC), again)


def end_trial(*, workspace: str, milvus_uri: str = "", promote: bool = False) -> "Trial":
    """End the trial under way; with `promote`, put its release in service. Raises ReleaseError where there is none."""
    from lookalike.release.trial import end_trial, running_trial

    releases = Workspace(Path(workspace)).releases
    trial = running_trial(releases)
    if trial is None:
        raise ReleaseError(f"nothing is on trial under {releases}")
    if promote:
        rollback(workspace=workspace, milvus_uri=milvus_uri, to=trial.release_id)
    end_trial(releases, trial, "promoted" if promote else "ended", ("asked for",), datetime.now(UTC))
    return trial


def way_back(*, workspace: str, to: str = "") -> "Release":
    """The release that `rollback` would put in service."""
    from lookalike.release.promote import way_back

    return way_back(Workspace(Path(workspace)).releases, to)


def prune(*, workspace: str, milvus_uri: str, keep: int, unreleased: bool, dry_run: bool) -> "Pruned":
    """Clear away releases out of reach, and all that is theirs."""
    from lookalike.lifecycle.prune import prune

    with collections_at(milvus_uri) as store:
        return prune(Workspace(Path(workspace)), store, datetime.now(UTC), keep, unreleased, dry_run)


def update(validated: str, *, workspace: str, milvus_uri: str, settings: Settings = NONE) -> "Update | None":
    """Apply a validated catalogue to the live release in place; None where it holds that catalogue already."""
    from lookalike.embedders.onnx import OnnxEmbedder
    from lookalike.features.refresh import refresh
    from lookalike.features.settings import FeatureSettings
    from lookalike.index.build import IndexSettings
    from lookalike.lifecycle.update import update
    from lookalike.release.manifest import require_live

    shop, now = Workspace(Path(workspace)), datetime.now(UTC)
    live = require_live(shop.releases)
    chosen = settings_for(IndexSettings, settings, "index")
    filling = settings_for(FeatureSettings, settings, "features")
    features = partial(refresh, shop.feature_store, live.feature_service, now, filling)
    with collections_at(milvus_uri) as store:
        prove = _proof(shop, store)
        if prove is not None:
            prove(live)
        embedder = OnnxEmbedder(shop.model_repository / live.model)
        return update(Path(validated), shop.releases, store, embedder, features, now, chosen)


def erase(product_ids: Sequence[str], *, workspace: str, milvus_uri: str, cache: str = "") -> "Erased":
    """Erase products from the workspace and note them, so that no delivery brings them back."""
    from lookalike.lifecycle.erase import erase

    shop = Workspace(Path(workspace))
    with collections_at(milvus_uri) as store:
        return erase(shop, store, product_ids, datetime.now(UTC), Path(cache) if cache else None)


def live_model(exported: str, evaluation: str, *, workspace: str, release: str) -> None:
    """Copy the model and evaluation of `release`, the live one, out. Raises ReleaseError before the first release."""
    from lookalike.release.promote import kept_evaluation, kept_export

    releases = Workspace(Path(workspace)).releases
    if not release:
        raise ReleaseError(f"nothing is in service under {releases}; run the training pipeline first")
    copies = {exported: kept_export(releases, release), evaluation: kept_evaluation(releases, release)}
    for target, source in copies.items():
        with atomic_folder(Path(target)) as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)


def _proof(shop: Workspace, store: "VectorIndex", trusted_keys: str = "") -> "Prepare | None":
    """Proves a release before it is put in service; None where no keys are trusted."""
    proving = verifier(shop, trusted_keys)
    return None if proving is None else lambda release: proving.release(release, store)
