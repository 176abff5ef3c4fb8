"""A shop ready to release: the five parts of a release, made small, over a real export and an index in memory."""

import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.embedders.model_folder import load_model
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch, VectorIndex
from lookalike.release.manifest import Release, collection_name, feature_service_name, release_id
from lookalike.release.promote import Prepare, promote
from lookalike.signing.keys import SigningKey
from lookalike.storage import read_seal, run_stage, write_json
from tests.release.tiny import DIMENSION, exported


@dataclass
class Shop:
    root: Path
    index: VectorIndex = field(default_factory=MemoryIndex)

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def models(self) -> Path:
        return self.root / "model_repository"

    def parts(self, day: int, seed: int = 0, **changes: Any) -> list[Path]:
        """The catalogue of a day and the model of a seed, evaluated, indexed and with features."""
        folder = self.root / f"day{day}-{seed}"
        validated = stage(folder / "validated", {"mapping.json": {}, "products.json": {"day": day}})
        model = load_model(exported(seed))
        identity = release_id(model.fingerprint, read_seal(validated).content)
        evaluation = {
            "report.json": {"models": {"challenger": model.fingerprint}},
            "promotion.json": {"promote": True, "reasons": []},
            "reference.parquet": {},
        }
        index = {"release_id": identity, "model_fingerprint": model.fingerprint}
        features = {"release_id": identity, "feature_service": feature_service_name(identity)}
        self.collect(identity, model.fingerprint)
        return [
            validated,
            exported(seed),
            stage(folder / "evaluation", {**evaluation, **changes.get("evaluation", {})}),
            stage(folder / "index", {"index.json": {**index, **changes.get("index", {})}, "stored.parquet": {}}),
            stage(folder / "features", {"features.json": {**features, **changes.get("features", {})}}),
        ]

    def collect(self, identity: str, fingerprint: str) -> None:
        """Store the release's collection, with a single photo."""
        name = collection_name(identity)
        if name in self.index.collections():
            return
        self.index.create(CollectionInfo(name, identity, fingerprint, DIMENSION, ("vertical",)))
        vector = np.eye(1, DIMENSION, dtype=np.float32)
        self.index.upsert(name, GalleryBatch(["a/0"], ["a"], vector, {"vertical": ["bags"]}))
        self.index.seal(name)

    def promote(
        self, parts: list[Path], day: int = 1, prepare: Prepare | None = None, signer: SigningKey | None = None
    ) -> Release:
        now = datetime(2026, 1, day, tzinfo=UTC)
        return promote(*parts, self.releases, self.models, self.index, now, prepare, signer=signer)

    def release(self, day: int, seed: int = 0, signer: SigningKey | None = None) -> Release:
        return self.promote(self.parts(day, seed), day, signer=signer)


def stage(folder: Path, files: dict[str, Any]) -> Path:
    def work(aside: Path) -> dict[str, Any]:
        for name, value in files.items():
            write_json(aside / name, value)
        return {}

    shutil.rmtree(folder, ignore_errors=True)
    run_stage(folder.name, folder, inputs={}, settings={"files": json.dumps(files)}, content=list(files), work=work)
    return folder
