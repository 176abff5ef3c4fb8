"""Erase products: from what is searched and served, and from every file of the workspace that names or shows them.

First the products are noted, by digests of their ids, so that no later delivery brings them back; then each place is
cleared. Everything can be repeated: an erasure that was interrupted is finished by running it again.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from lookalike.catalog.erasures import add_erasures
from lookalike.errors import ConfigError
from lookalike.evaluation.outputs import PAGE, REFERENCE, SHEET
from lookalike.features.forget import forget_online
from lookalike.features.materialise import served_releases
from lookalike.index.build import COLLECTION_PREFIX
from lookalike.index.faiss_folder import COLLECTION
from lookalike.index.protocol import VectorIndex
from lookalike.lifecycle.erase_artifacts import erase_from_artifact
from lookalike.lifecycle.erase_rows import erase_rows
from lookalike.release.manifest import EVALUATION, known_releases
from lookalike.release.update_log import Update, UpdateLog
from lookalike.search.query_log_keeping import keeping
from lookalike.selection.scratch import sweep_folder
from lookalike.storage import ASIDE, SEAL, atomic_file, recover_folder
from lookalike.workspace import Workspace


@runtime_checkable
class Purges(Protocol):
    """An index that keeps deleted rows on disk when a collection is sealed again."""

    def purge(self, collection: str) -> str:
        """Let deleted rows leave the disk; returns a sentence where they stay for a while, else nothing."""
        ...


@runtime_checkable
class Recovers(Protocol):
    """An index whose purge can be interrupted half-way."""

    def recover(self) -> None:
        """Finish or undo it."""
        ...


LEFT = (
    "trained weights: what a model learned from the product stays until it is trained anew",
    "the delivery it came in: take it out there; until then validation sets it aside as 'erased'",
    "backups and copies outside {root}, and log files",
    "queries and feedback a running service has not written yet: run this again after ten seconds",
)


@dataclass
class Erased:
    """What was removed, and what could not be."""

    removed: Counter[str] = field(default_factory=Counter)
    """Place to rows, photos or files."""
    left: list[str] = field(default_factory=list)
    """A sentence per thing that cannot be erased from here."""


def erase(
    shop: Workspace,
    index: VectorIndex,
    product_ids: Sequence[str],
    now: datetime,
    cache: Path | None = None,
) -> Erased:
    """Erase products from the workspace; `cache` is a folder of decoded photos that training kept.

    Run it alone: outputs being written at the same time are removed. Products that are nowhere are noted all the same.
    Raises ConfigError for no product or an empty id.
    """
    if not product_ids or not all(product_ids):
        raise ConfigError(f"the products to erase are {list(product_ids)}; one id or more is accepted, none empty")
    done = Erased(left=[sentence.format(root=shop.root) for sentence in LEFT])
    add_erasures(shop.erasures, product_ids, now)
    with ExitStack() as held:
        for release in known_releases(shop.releases):
            held.enter_context(UpdateLog(shop.releases, release).alone())
        _erase_collections(index, product_ids, done)
        _erase_online(shop, product_ids, done)
        _erase_files(shop, product_ids, cache, done)
        _record(shop, len(product_ids), now)
    done.removed += Counter()  # drops what came to nothing
    return done


def _erase_collections(index: VectorIndex, product_ids: Sequence[str], done: Erased) -> None:
    if isinstance(index, Recovers):
        index.recover()
    for name in index.collections():
        if name.startswith(COLLECTION_PREFIX):
            before = index.count(name)
            index.delete(name, product_ids)
            done.removed[f"collection {name}, photos"] += before - index.count(name)
            index.seal(name)  # what is in memory or apart is folded into the files
            stays = index.purge(name) if isinstance(index, Purges) else ""
            done.left += [stays] if stays else []


def _erase_online(shop: Workspace, product_ids: Sequence[str], done: Erased) -> None:
    services = served_releases(shop.feature_store)
    try:
        done.removed["online features, values"] += (
            forget_online(shop.feature_store, services, product_ids) if services else 0
        )
    except ConfigError as error:
        done.left.append(str(error))


def _erase_files(shop: Workspace, product_ids: Sequence[str], cache: Path | None, done: Erased) -> None:
    for old in shop.root.rglob(".*.old"):
        recover_folder(old.parent / old.name[1:].rsplit(".", 2)[0])
    for unfinished in _unfinished(shop):
        shutil.rmtree(unfinished) if unfinished.is_dir() else unfinished.unlink()
    for folder in _artifacts(shop):
        done.removed[f"{folder.relative_to(shop.root)}, rows"] += erase_from_artifact(folder, product_ids)
    for kept in shop.releases.glob(f"*/{EVALUATION}/{REFERENCE}"):
        with atomic_file(kept.parents[1] / REFERENCE) as aside:
            shutil.copyfile(kept, aside)
    with keeping(shop.query_log), keeping(shop.feedback):  # joining parts meanwhile would bring the rows back
        for path in _loose_tables(shop):
            done.removed[f"{path.parent.relative_to(shop.root)}, rows"] += erase_rows(path, product_ids)
    for path in _pictures(shop, cache):
        path.unlink()
        done.removed["pictures and pages of the demo, decoded photos, files"] += 1
    if cache is None:
        done.left.append("photos decoded by `train --cache FOLDER`: give that folder with --cache")


def _artifacts(shop: Workspace) -> list[Path]:
    """Sealed folders; those inside others first, so that what contains them is sealed last."""
    found = {seal.parent for seal in shop.root.rglob(SEAL) if _is_ours(shop, seal)}
    return sorted(found, key=lambda folder: len(folder.parts), reverse=True)


def _loose_tables(shop: Workspace) -> list[Path]:
    """Tables outside sealed folders: features, query log, what the releases' collections hold."""
    sealed = _artifacts(shop)
    found = [path for path in shop.root.rglob("*.parquet") if _is_ours(shop, path)]
    return sorted(path for path in found if not any(path.is_relative_to(folder) for folder in sealed))


def _is_ours(shop: Workspace, path: Path) -> bool:
    """The drawn shop is a delivery, and the files of a vector index are its own."""
    in_faiss = any((parent / COLLECTION).is_file() for parent in path.parents[:2])
    return not (in_faiss or path.is_relative_to(shop.drawn_shop) or path.is_relative_to(shop.milvus))


def _unfinished(shop: Workspace) -> list[Path]:
    """What killed runs left aside, a sweep's vectors among it, reports of refused deliveries, and drills, which show
    photos under other ids."""
    found = {path for pattern in ASIDE for path in shop.root.rglob(pattern)}
    outermost = [path for path in found if not found & set(path.parents)]
    whole = [folder for folder in (sweep_folder(shop.index_selection), shop.drills) if folder.is_dir()]
    return [path for path in [*outermost, *whole, *shop.root.glob("*.rejected")] if _is_ours(shop, path)]


def _pictures(shop: Workspace, cache: Path | None) -> list[Path]:
    """Pages that show photos of many products, and photos decoded for training: made again when they are wanted."""
    decoded = [*cache.glob("*.npy"), *cache.glob("*.json")] if cache is not None else []
    return [path for path in (shop.root / SHEET, shop.root / PAGE, *decoded) if path.is_file()]


def _record(shop: Workspace, products: int, now: datetime) -> None:
    """Number the erasure in every release's log; the catalogue it holds is still known by the same digest."""
    for release in known_releases(shop.releases):
        log = UpdateLog(shop.releases, release)
        digest, number = log.catalogue_digest(), log.next_number()
        log.record(Update(number=number, catalogue_digest=digest, erased=products, applied=now.isoformat()))
