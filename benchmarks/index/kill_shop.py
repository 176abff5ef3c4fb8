"""The verbs of a shop, killed: index, release, update, roll back, erase, prune; over a faiss folder.

A verb does many things, so its middle may be seen; but each thing is as before or as after, and what is in service
is whole at every moment.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.index.kill_collection import HNSW, FaissCollections
from lookalike.catalog.images import Preprocessing
from lookalike.catalog.sample import SampleShop, draw_shop
from lookalike.catalog.validation import validate
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.model_folder import GOLDEN, MODEL, ExportedModel
from lookalike.evaluation.outputs import REFERENCE
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.protocol import VectorIndex
from lookalike.lifecycle.erase import erase
from lookalike.lifecycle.prune import prune
from lookalike.lifecycle.update import update
from lookalike.release.collections import require_collection
from lookalike.release.manifest import (
    EVALUATION,
    EXPORTED,
    STORED,
    feature_service_name,
    known_releases,
    live_release,
    release_id,
)
from lookalike.release.promote import ALIAS, promote, rollback
from lookalike.release.publish import published_models
from lookalike.storage import ASIDE, digest_bytes, digest_file, digest_json, read_seal, run_stage, write_json
from lookalike.workspace import Workspace

SMALL = IndexSettings(batch=8, rows=5, recall_queries=2, golden=2)
DAYS = {"first": 10, "grown": 14, "second": 12, "shrunk": 9, "third": 16}
"""Catalogues, by how many of the drawn products each has."""
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Inputs:
    """What the verbs read: catalogues, a model without weights, and what else a release wants."""

    root: Path

    @property
    def embedder(self) -> MemoryEmbedder:
        return MemoryEmbedder(Preprocessing(height=32, width=24), dimension=8)

    def validated(self, day: str) -> Path:
        return self.root / day / "validated"

    def identity(self, day: str) -> str:
        return release_id(self.embedder.identity.fingerprint, read_seal(self.validated(day)).content)

    def part(self, day: str, name: str) -> Path:
        return self.root / day / name

    @property
    def exported(self) -> Path:
        return self.root / "exported"


def make_inputs(root: Path) -> Inputs:
    """Draw, validate, and stand in for export, evaluation and features."""
    made = Inputs(root)
    draw_shop(root / "drawn", SampleShop(products=max(DAYS.values()), photos_per_product=2, defects=0))
    _stage(made.exported, _model(made.embedder))
    for day, products in DAYS.items():
        validate(str(root / "drawn"), made.validated(day), limit=products)
        features = {"release_id": made.identity(day), "feature_service": feature_service_name(made.identity(day))}
        challenger = {"models": {"challenger": made.embedder.identity.fingerprint}}
        promotion = {"promote": True, "reasons": []}
        _stage(made.part(day, "features"), {"features.json": features})
        _stage(made.part(day, "evaluation"), {"report.json": challenger, "promotion.json": promotion, REFERENCE: None})
    return made


class ShopVerbs:
    """The verbs in the order of a shop's life."""

    name = "verbs of a shop"

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self.acts: Sequence[str] = [name for name, _ in self._acts(Path(), FaissIndex(Path()))]

    def empty(self, root: Path) -> None:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)

    def opened(self, root: Path) -> AbstractContextManager[Sequence[Callable[[], object]]]:
        return self._opened(root)

    def view(self, root: Path) -> Any:
        shop = Workspace(root)
        found: dict[str, str | None] = {}
        with FaissIndex(root / "faiss") as index:
            live = live_release(shop.releases)
            if live is not None:
                require_collection(index, live)  # raises where what is in service is not whole
            found |= {"live": live.release_id if live else None, "alias": index.resolve_alias(ALIAS)}
            for name in index.collections():
                found |= _products(index, name)
        for release in known_releases(shop.releases):
            found |= _kept(shop.releases / release.release_id)
        return found | {f"model {name}": "published" for name in published_models(shop.model_repository)}

    def explain(self, act: int, before: Any, after: Any, seen: Any) -> str:
        if isinstance(seen, Exception):
            return f"a reader fails: {seen!r}"
        for key in sorted({*before, *after, *seen}):
            allowed = {before.get(key), after.get(key)}
            if key.startswith("product ") and len(allowed) == 2:
                allowed.add(None)  # cleared before its photos are stored again
            if seen.get(key) not in allowed:
                return f"{key} is {seen.get(key)}, not one of {allowed}"
        return ""

    def left(self, root: Path) -> list[str]:
        stray = [str(path.relative_to(root)) for pattern in ASIDE for path in root.rglob(pattern)]
        return sorted(stray) + FaissCollections().left(root / "faiss")

    @contextmanager
    def _opened(self, root: Path) -> Iterator[Sequence[Callable[[], object]]]:
        faiss.omp_set_num_threads(1)  # forked processes have lost the others
        with FaissIndex(root / "faiss", HNSW) as index:
            yield [act for _, act in self._acts(root, index)]

    def _acts(self, root: Path, index: FaissIndex) -> list[tuple[str, Callable[[], object]]]:
        shop, days = Workspace(root), iter(range(1, 99))

        def new(day: str) -> list[tuple[str, Callable[[], object]]]:
            moment = MOMENT + timedelta(days=next(days))
            return [
                ("index", partial(self._index, shop, index, day)),
                ("release", partial(self._release, shop, index, day, moment)),
            ]

        def updated(day: str) -> tuple[str, Callable[[], object]]:
            return "update", partial(self._update, shop, index, day, MOMENT + timedelta(days=next(days)))

        return [
            *new("first"),
            updated("grown"),
            *new("second"),
            updated("shrunk"),
            ("rollback", partial(self._rollback, shop, index, "first")),
            ("rollback", partial(self._rollback, shop, index, "second")),
            *new("third"),
            ("erase", partial(erase, shop, index, ["LK00003"], MOMENT + timedelta(days=50))),
            ("prune", partial(prune, shop, index, MOMENT, 0)),
            ("clear away", partial(prune, shop, index, datetime.now(UTC) + timedelta(days=2), 0)),
        ]

    def _index(self, shop: Workspace, index: VectorIndex, day: str) -> None:
        made = self._inputs
        build_index(made.validated(day), made.exported, shop.index, index, made.embedder, SMALL)

    def _release(self, shop: Workspace, index: VectorIndex, day: str, now: datetime) -> None:
        made = self._inputs
        parts = (
            made.validated(day),
            made.exported,
            made.part(day, "evaluation"),
            shop.index,
            made.part(day, "features"),
        )
        promote(*parts, shop.releases, shop.model_repository, index, now)

    def _update(self, shop: Workspace, index: VectorIndex, day: str, now: datetime) -> None:
        made = self._inputs
        update(made.validated(day), shop.releases, index, made.embedder, lambda *_: 0, now, SMALL)

    def _rollback(self, shop: Workspace, index: VectorIndex, day: str) -> None:
        """As a person does who does not know whether it came through: to a named release."""
        rollback(shop.releases, index, to=self._inputs.identity(day))


def _products(index: VectorIndex, name: str) -> dict[str, str]:
    """Per product of a collection its photos; nothing for one that is not finished, which nobody can search."""
    if not index.count(name):
        return {}
    query = np.eye(1, index.describe(name).dimension, dtype=np.float32)
    try:
        [hits] = index.search(name, query, index.count(name))
    except Exception as error:
        if "unfinished" in str(error):
            return {}
        raise
    rows: dict[str, list[Any]] = {}
    for hit in hits:
        rows.setdefault(hit.product_id, []).append([hit.photo_id, sorted(hit.fields.items())])
    return {
        f"product {product} in {name}": digest_json(
            [sorted(photos), digest_bytes(index.vectors(name, product).tobytes())]
        )
        for product, photos in rows.items()
    }


def _kept(release: Path) -> dict[str, str]:
    """What a release's folder holds for later, by part."""
    stored = pq.read_table(release / STORED).to_pylist()
    seals = {part: read_seal(release / part).content for part in (EXPORTED, EVALUATION)}
    files = {name: digest_file(release / name) for name in ("release.json", MODEL, GOLDEN, REFERENCE)}
    whole = seals | files | {STORED: digest_json(sorted(stored, key=lambda row: row["photo_id"]))}
    return {f"release {release.name[:12]} {part}": digest for part, digest in whole.items()}


def _model(embedder: MemoryEmbedder) -> dict[str, Any]:
    identity = embedder.identity
    name = f"embedder_{identity.fingerprint[:12]}"
    model = ExportedModel.of(identity, name, max_batch_size=8, opset=18, onnx_sha256="", parity={})
    served = {f"{model.name}/config.pbtxt": "", f"{model.name}/1/model.onnx": ""}
    return {MODEL: model.model_dump(mode="json"), GOLDEN: {}, **served}


def _stage(folder: Path, files: dict[str, Any]) -> None:
    """A sealed output of JSON files, and of tables where no value is given."""

    def work(aside: Path) -> dict[str, Any]:
        for name, value in files.items():
            if value is None:
                pq.write_table(pa.table({"value": [0.5]}), aside / name)
            else:
                write_json(aside / name, value)
        return {}

    shutil.rmtree(folder, ignore_errors=True)
    run_stage(folder.name, folder, inputs={}, settings={}, content=list(files), work=work)
