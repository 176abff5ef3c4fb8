"""Shops that are served: a workspace with releases of given models over the whole catalogue, made by the stages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import feature_repo
from benchmarks.serving.plan import Plan
from lookalike.embedders.model_folder import ONNX, VERSION, load_model
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.features.materialise import materialise
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.choose import open_index
from lookalike.index.protocol import VectorIndex
from lookalike.release.manifest import Release, save_release, switch_live
from lookalike.release.publish import publish_model
from lookalike.storage import read_seal
from lookalike.workspace import Workspace

DEFINITIONS = Path(feature_repo.__file__).parent
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Shop:
    """A workspace with releases, the last of them live, and the address of their collections."""

    workspace: Workspace
    uri: str
    releases: tuple[Release, ...]

    @property
    def live(self) -> Release:
        return self.releases[-1]


def make_shop(plan: Plan, name: str, models: Sequence[Path]) -> Shop:
    """A release for every export, searched by faiss in the service's process; finished parts are kept."""
    workspace = Workspace(plan.places.shop(name))
    uri = f"faiss://{workspace.root / 'faiss'}"
    with open_index(uri) as index:
        releases = tuple(_release(plan, workspace, index, exported) for exported in models)
    for release in releases:
        switch_live(workspace.releases, release)
    return Shop(workspace, uri, releases)


def model_words(shop: Shop) -> str:
    """What is served, for the sentence beside a figure."""
    folder = shop.workspace.model_repository / shop.live.model
    size, megabytes = load_model(folder).preprocessing, (folder / VERSION / ONNX).stat().st_size / 1e6
    return f"model of {megabytes:.1f} MB at {size.height}x{size.width}"


def store_also(plan: Plan, shop: Shop, models: Sequence[Path], index: VectorIndex) -> None:
    """The same collections in another index, from the vectors that are there already."""
    for exported in models:
        _index(plan, shop.workspace, index, exported)


def index_folder(workspace: Workspace, fingerprint: str) -> Path:
    """The index stage's output for a model."""
    return workspace.root / f"index_{fingerprint[:12]}"


def _release(plan: Plan, workspace: Workspace, index: VectorIndex, exported: Path) -> Release:
    _index(plan, workspace, index, exported)
    model = load_model(exported)
    publish_model(exported, workspace.model_repository)
    release = Release.of(model.fingerprint, read_seal(plan.places.validated).content, CREATED, model.name)
    identity = release.release_id
    features = workspace.root / f"features_{identity[:12]}"
    materialise(plan.places.validated, features, workspace.feature_store, identity, CREATED, DEFINITIONS)
    save_release(workspace.releases, release)
    return release


def _index(plan: Plan, workspace: Workspace, index: VectorIndex, exported: Path) -> None:
    folder = index_folder(workspace, load_model(exported).fingerprint)
    settings = IndexSettings(recall_queries=20) if plan.quick else IndexSettings()
    build_index(plan.places.validated, exported, folder, index, OnnxEmbedder(exported), settings)
