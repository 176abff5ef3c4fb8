"""The files beside an exported model that say which vector space it makes.

A model folder is an export's output, or the model's own folder in a Triton repository: both hold
`model.json` and `golden.json`; the release record keeps the two as well.
"""

from pathlib import Path
from typing import Any, Literal

from lookalike.catalog.images import Preprocessing
from lookalike.config import StrictConfig, load_config
from lookalike.embedders.protocol import ModelIdentity
from lookalike.errors import ArtifactError, ReleaseMismatch

MODEL = "model.json"
GOLDEN = "golden.json"
VERSION = "1"
ONNX = "model.onnx"
CHECKPOINT = "checkpoint"
"""The checkpoint travels with the model: the next training continues from it, the next gate compares with it."""
FINGERPRINT = "model_fingerprint"
"""Key of the fingerprint in the ONNX metadata and in the parameters of Triton's config.pbtxt."""

Precision = Literal["float32", "float16", "int8", "int8_tensorrt"]
"""Of the numbers between the first layer and the last convolution. There are two kinds of integers: processors compute
fastest with unsigned activations, TensorRT reads signed ones only."""


class ExportedModel(StrictConfig):
    """`model.json`: the exported model's identity and what was measured when it was exported."""

    name: str
    """Name in the Triton repository."""
    fingerprint: str
    """See ModelIdentity.fingerprint."""
    weights: str
    """SHA-256 over the trained weights."""
    preprocessing: Preprocessing
    """The pixels the model takes."""
    dimension: int
    """D, the embedding size."""
    attribute_labels: list[tuple[str, list[str]]]
    """Attributes in the order of the output's columns, each with its values; JSON objects lose their order."""
    max_batch_size: int
    """Most photos in one call; embedders split larger batches."""
    opset: int
    """ONNX operator set."""
    onnx_sha256: str
    """Digest of the model file."""
    parity: dict[str, float]
    """How closely onnxruntime repeats PyTorch; in float32, also where this is a rounded copy."""
    precision: Precision = "float32"
    """What the file computes in."""
    rounded_from: str | None = None
    """Fingerprint of the trained model that this is a rounded copy of; its vectors are near those, not the same."""

    @classmethod
    def of(cls, identity: ModelIdentity, name: str, **measured: Any) -> "ExportedModel":
        """The model of an identity; `measured` are the other fields: batch size, operators, digest and parity."""
        return cls(
            name=name,
            fingerprint=identity.fingerprint,
            weights=identity.weights,
            preprocessing=identity.preprocessing,
            dimension=identity.dimension,
            attribute_labels=list(identity.attribute_labels.items()),
            **measured,
        )

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(self.weights, self.preprocessing, self.dimension, dict(self.attribute_labels))


def load_model(folder: Path) -> ExportedModel:
    """Read `model.json`. Raises ReleaseMismatch when its fingerprint is not that of its own contents."""
    if not (folder / MODEL).is_file():
        raise ArtifactError(f"{folder} holds no {MODEL}; run `lookalike export` first")
    model = load_config(ExportedModel, folder / MODEL)
    model.identity.require(model.fingerprint, f"the fingerprint written in {folder / MODEL}")
    return model


def onnx_file(folder: Path, model: ExportedModel) -> Path:
    """The model file of an export or of a published model. Raises ArtifactError where there is none."""
    for path in (folder / model.name / VERSION / ONNX, folder / VERSION / ONNX):
        if path.is_file():
            return path
    raise ArtifactError(f"{folder} holds no {model.name}/{VERSION}/{ONNX}; export the model again")


def require_metadata(model: ExportedModel, found: str | None, owner: str) -> None:
    """Raise ReleaseMismatch unless `found`, a fingerprint carried by `owner`, is this model's."""
    if found is None:
        raise ReleaseMismatch(f"{owner} carries no {FINGERPRINT}; it was not exported by Lookalike")
    model.identity.require(found, owner)
