"""What is drilled: the release in service, its model, the catalogue it holds and what it was trained on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ArtifactError, ReleaseError
from lookalike.evaluation.delivery import CHECKPOINT
from lookalike.index.build import INDEX
from lookalike.index.gallery import Gallery, load_gallery
from lookalike.release.manifest import Release, live_release
from lookalike.release.promote import kept_export
from lookalike.release.update_log import UpdateLog
from lookalike.storage import SEAL, read_json, read_seal
from lookalike.training.trained import read_trained
from lookalike.workspace import Workspace


@dataclass(frozen=True)
class Drilled:
    """The parts of a workspace that a drill reads; it writes none of them."""

    shop: Workspace
    release: Release
    catalogue: Catalogue
    """As validated; its folder is a finished output of the validate stage."""
    embedder: Embedder
    trained: frozenset[str]
    """Products that the model was trained on."""
    gallery: Gallery | None = None
    """Vectors that the index stage left; None where they have to be computed again."""


def open_drilled(shop: Workspace) -> Drilled:
    """Find everything in a workspace. Raises ReleaseError before the first release, ArtifactError for what is gone."""
    release = live_release(shop.releases)
    if release is None:
        raise ReleaseError(f"nothing is in service in {shop.root}, so there is nothing to drill; make a release first")
    validated = find_validated(shop, UpdateLog(shop.releases, release).catalogue_digest())
    trained = read_trained(kept_export(shop.releases, release.release_id) / CHECKPOINT)
    return Drilled(
        shop,
        release,
        load_catalogue(validated),
        OnnxEmbedder(shop.model_repository / release.model, threads=1),
        frozenset(trained["product_id"]),
        find_gallery(shop, release.model_fingerprint),
    )


def find_validated(shop: Workspace, digest: str) -> Path:
    """The validate output of that content, wherever in the workspace it lies. Raises ArtifactError."""
    for folder in _folders_with(shop, SEAL):
        seal = read_seal(folder)
        if seal.stage == "validate" and seal.content == digest:
            return folder
    raise ArtifactError(
        f"{shop.root} holds no validated catalogue {digest[:12]}, the one in service; validate that delivery again"
    )


def find_gallery(shop: Workspace, model_fingerprint: str) -> Gallery | None:
    """The newest vectors that this model made of a gallery, None where the index stage left none."""
    found = [
        folder
        for folder in _folders_with(shop, INDEX)
        if (folder / SEAL).is_file() and read_json(folder / INDEX)["model_fingerprint"] == model_fingerprint
    ]
    newest = max(found, key=lambda folder: (folder / INDEX).stat().st_mtime, default=None)
    return None if newest is None else load_gallery(newest)


def _folders_with(shop: Workspace, name: str) -> Iterator[Path]:
    for path in sorted(shop.root.rglob(name)):
        hidden = any(part.startswith(".") for part in path.relative_to(shop.root).parts)
        if not hidden and not path.is_relative_to(shop.drills):
            yield path.parent
