"""The release that a drill watches: a copy of what the watch reads of the live one, in the drill's own workspace.

Where a vertical is to arrive as a new one, the copy is the release as it would be without: its products are taken out
of the reference and of what the index holds, and since that is another catalogue, the copy has another identity.
"""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.drill.drilled import Drilled
from lookalike.embedders.model_folder import MODEL
from lookalike.errors import ArtifactError
from lookalike.evaluation.outputs import REFERENCE_PRODUCTS
from lookalike.release.manifest import (
    EVALUATION,
    STORED,
    Release,
    known_releases,
    save_release,
    switch_live,
)
from lookalike.release.update_log import UPDATES
from lookalike.storage import digest_json
from lookalike.workspace import Workspace
from monitoring.sketch import REFERENCE


@dataclass(frozen=True)
class StandIn:
    """The drill's release and where it lies."""

    shop: Workspace
    """The drill's own workspace."""
    release: Release
    without: frozenset[str]
    """Products it does not know."""


def stand_in(drilled: Drilled, kept_out: str, folder: Path) -> StandIn:
    """Copy the live release into `folder`, without the vertical `kept_out` where that is not empty.

    Early traffic that the live release kept is left behind: the drill's own is the early traffic of the copy.
    Raises ArtifactError where the release does not say whose photos its reference holds.
    """
    shop, live = Workspace(folder), drilled.shop.releases / drilled.release.release_id
    release, without = drilled.release, frozenset[str]()
    if kept_out:
        products = drilled.catalogue.products
        without = frozenset(products.loc[products["vertical"] == kept_out, "product_id"])
        other = digest_json({"catalogue": release.catalogue_digest, "without": kept_out})
        born = datetime.fromisoformat(release.created)
        release = Release.of(release.model_fingerprint, other, born, release.model)
    for known in known_releases(drilled.shop.releases):
        save_release(shop.releases, known)  # the age of a model is that of its first release
    copy = save_release(shop.releases, release)
    shutil.copyfile(live / MODEL, copy / MODEL)
    _copy_rows(live / STORED, copy / STORED, live / STORED, without)
    _copy_rows(live / REFERENCE, copy / REFERENCE, live / EVALUATION / REFERENCE_PRODUCTS, without)
    if not kept_out and (live / UPDATES).is_dir():
        shutil.copytree(live / UPDATES, copy / UPDATES)
    switch_live(shop.releases, release)
    return StandIn(shop, release, without)


def _copy_rows(source: Path, target: Path, named_by: Path, without: Collection[str]) -> None:
    """Copy a table but for the rows of some products; row i of `named_by` says whose row i of the table is."""
    for needed in (source, *([named_by] if without else [])):
        if not needed.is_file():
            raise ArtifactError(f"{needed} is missing, so release {source.parent.name[:12]} cannot be drilled")
    if not without:
        shutil.copyfile(source, target)
        return
    ids = pq.read_table(named_by, columns=["product_id"])["product_id"]
    kept = pc.invert(pc.is_in(ids, value_set=pa.array(sorted(without), pa.string())))
    pq.write_table(pq.read_table(source).filter(kept), target)
