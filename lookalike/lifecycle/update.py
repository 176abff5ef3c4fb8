"""Bring the live release to a changed catalogue without building it anew.

The collection is changed in place: a new product is found as soon as its photos are stored, a removed one no longer.
An update that was interrupted is finished by the next one, with the same catalogue or another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from lookalike.catalog.groups import product_groups
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.embedders.protocol import Embedder
from lookalike.errors import VectorIndexError
from lookalike.index.build import IndexSettings
from lookalike.index.embedding import embed_gallery
from lookalike.index.gallery import Gallery, gallery_batches, gallery_fields
from lookalike.index.proof import require_count, require_golden
from lookalike.index.protocol import CollectionInfo, GalleryBatch, VectorIndex
from lookalike.index.stored import Changes, find_changes, stored_photos
from lookalike.release.collections import require_collection
from lookalike.release.manifest import require_live
from lookalike.release.update_log import Update, UpdateLog
from lookalike.storage import read_seal


class RefreshFeatures(Protocol):
    """Serves a release's features as this catalogue has them; returns how many products changed.

    `since` is the time of the last finished update, `gone` are products to be served no longer.
    """

    def __call__(self, catalogue: Catalogue, since: datetime, gone: Sequence[str]) -> int: ...


def update(
    validated: Path,
    releases: Path,
    index: VectorIndex,
    embedder: Embedder,
    refresh_features: RefreshFeatures,
    now: datetime,
    settings: IndexSettings | None = None,
) -> Update | None:
    """Apply a validated catalogue to the live release; None where it holds that catalogue already.

    Raises ReleaseError before the first release, ReleaseMismatch when model or collection are not the release's,
    and VectorIndexError when the catalogue has other attributes or the collection does not hold what was recorded.
    """
    release = require_live(releases)
    require_collection(index, release)
    embedder.identity.require(release.model_fingerprint, f"release {release.release_id[:12]}")
    record = UpdateLog(releases, release)
    with record.alone():
        target = _Target(index, index.describe(release.collection), embedder, settings or IndexSettings())
        return _update(validated, record, target, refresh_features, now)


@dataclass(frozen=True)
class _Target:
    """What is changed, and by which model."""

    index: VectorIndex
    info: CollectionInfo
    embedder: Embedder
    settings: IndexSettings


def _update(
    validated: Path,
    record: UpdateLog,
    target: _Target,
    refresh_features: RefreshFeatures,
    now: datetime,
) -> Update | None:
    catalogue, digest, unsure = load_catalogue(validated), read_seal(validated).content, record.pending()
    if digest == record.catalogue_digest() and not unsure:
        return None
    groups = product_groups(catalogue, target.settings.titles)
    have, want = record.stored(), stored_photos(catalogue, groups)
    _require_same_shape(target, catalogue, None if unsure else len(have))
    changes = find_changes(have, want, unsure)
    record.begin({*changes.touched, *unsure})
    known = have[~have["product_id"].isin(unsure) & have["sha256"].isin(changes.store["sha256"])]
    part = _only(catalogue, changes.store["photo_id"])
    gallery, embedded = embed_gallery(
        part, target.embedder, target.settings.batch, _held_vectors(target, have, set(known["product_id"]))
    )
    since = datetime.fromisoformat(record.since())
    features = refresh_features(catalogue, since, changes.removed)
    _apply(target, gallery_batches(part, gallery, groups, target.settings.rows), gallery, changes)
    require_count(target.index, target.info.name, len(want))
    done = Update(
        number=record.next_number(),
        catalogue_digest=digest,
        added=len(changes.added),
        changed=len(changes.changed),
        removed=len(changes.removed),
        photos_embedded=embedded,
        features_changed=features,
        applied=now.isoformat(),
    )
    record.finish(want, done)
    return done


def _require_same_shape(target: _Target, catalogue: Catalogue, recorded: int | None) -> None:
    """Refuse other attributes, and a collection that something else has changed; None: it is known to be in between."""
    name, index = target.info.name, target.index
    fields = set(gallery_fields(catalogue))
    if fields != set(target.info.fields):
        raise VectorIndexError(
            f"the catalogue has the fields {sorted(fields)}, collection {name} stores {sorted(target.info.fields)}; "
            "other attributes need a new release: run `lookalike index`, `features` and `release`"
        )
    if recorded is not None and index.count(name) != recorded:
        raise VectorIndexError(
            f"collection {name} holds {index.count(name)} photos, its release recorded {recorded}; "
            "an erasure was interrupted (run it again), or something else changed it (build a new release)"
        )


def _held_vectors(target: _Target, have: pd.DataFrame, products: set[str]) -> Gallery:
    """The photos of some products with their vectors, read from the collection."""
    photos = have[have["product_id"].isin(products)].sort_values("photo_id")
    vectors = [np.empty((0, target.info.dimension), dtype=np.float32)]
    order = []
    for product, rows in photos.groupby("product_id"):
        vectors.append(target.index.vectors(target.info.name, str(product)))  # (P, D), by photo id
        order.append(rows)
    held = pd.concat(order, ignore_index=True) if order else photos
    return Gallery(held, np.concatenate(vectors))


def _only(catalogue: Catalogue, photo_ids: "pd.Series[str]") -> Catalogue:
    return replace(catalogue, photos=catalogue.photos[catalogue.photos["photo_id"].isin(photo_ids)])


def _apply(target: _Target, batches: Iterator[GalleryBatch], gallery: Gallery, changes: Changes) -> None:
    """Remove, store, and look whether the collection now gives what was stored."""
    index, name = target.index, target.info.name
    index.delete(name, [*changes.removed, *changes.clear])
    for batch in batches:
        index.upsert(name, batch)
    if len(gallery.photos):
        rows = np.random.default_rng(target.settings.seed).permutation(len(gallery.photos))
        require_golden(index, target.info, gallery, rows[: target.settings.golden])
