"""A workspace over faiss whose releases went through promotion and were signed there."""

from dataclasses import dataclass
from datetime import UTC, datetime

from lookalike.embedders.model_folder import load_model
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.features.materialise import materialise
from lookalike.index.build import build_index
from lookalike.index.faiss import FaissIndex
from lookalike.release.manifest import Release, collection_name, release_id
from lookalike.release.promote import promote
from lookalike.signing.keys import SigningKey
from lookalike.storage import read_seal
from lookalike.workspace import Workspace
from serving.settings import ServingSettings
from tests.index.stages import validated_folder
from tests.release.releasing import stage
from tests.release.tiny import exported
from tests.serving.real_parts import DEFINITIONS
from tests.signing.keyring import Keyring

VERDICT = {"promote": True, "reasons": []}


@dataclass(frozen=True)
class SignedShop:
    place: Workspace
    keys: Keyring

    @property
    def address(self) -> str:
        return f"faiss://{self.place.root / 'faiss'}"

    @property
    def index(self) -> FaissIndex:
        return FaissIndex(self.place.root / "faiss")

    def settings(self, **chosen: object) -> ServingSettings:
        """Of a server that trusts the shop's keys."""
        quick = {"http_port": 0, "grpc_port": 0, "poll_seconds": 0.02, "retry_seconds": 0.05}
        trusting = {"trusted_keys": self.keys.reference, **quick, **chosen}
        return ServingSettings.of_workspace(self.place, self.address, **trusting)

    def release(self, products: range, signer: SigningKey | None) -> Release:
        """Every part but the evaluation made by its own stage."""
        place, export, now = self.place, exported(), datetime(2026, 11, 21, tzinfo=UTC)
        validated = validated_folder(place.root / f"validated-{products.stop}", products)
        build_index(validated, export, place.index, self.index, OnnxEmbedder(export))
        fingerprint = load_model(export).fingerprint
        identity = release_id(fingerprint, read_seal(validated).content)
        materialise(validated, place.features, place.feature_store, identity, now, DEFINITIONS)
        judged = {"report.json": {"models": {"challenger": fingerprint}}, "promotion.json": VERDICT}
        evaluation = stage(place.evaluation, {**judged, "reference.parquet": {}})
        assert collection_name(identity) in self.index.collections()
        parts = (validated, export, evaluation, place.index, place.features)
        return promote(*parts, place.releases, place.model_repository, self.index, now, signer=signer)
