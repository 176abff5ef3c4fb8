"""The exported model in this process, by onnxruntime."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lookalike.embedders.golden import check_golden, load_golden
from lookalike.embedders.model_folder import FINGERPRINT, load_model, onnx_file, require_metadata
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.embedders.tensors import PIXELS, answer, check_pixels, in_batches, output_names
from lookalike.errors import ArtifactError, BackendUnavailable
from lookalike.storage import digest_file

CPU = "CPUExecutionProvider"


class OnnxEmbedder:
    """onnxruntime over a model folder; `embed` may be called from several threads at once.

    Opening it proves the file: digest, fingerprint in the metadata and golden vectors. Raises ArtifactError
    for a missing or changed file, ReleaseMismatch for another model's, BackendUnavailable for a provider
    that onnxruntime does not really use.
    """

    def __init__(self, model_folder: Path, threads: int | None = None, provider: str = CPU) -> None:
        self._model = load_model(model_folder)
        path = onnx_file(model_folder, self._model)
        if digest_file(path) != self._model.onnx_sha256:
            raise ArtifactError(f"{path} was changed after its export; export the model again")
        self._session = open_session(path, threads, provider)
        require_metadata(self._model, fingerprint_of(self._session), str(path))
        self._outputs = output_names(self.identity)
        check_golden(self, load_golden(model_folder), str(path))

    @property
    def identity(self) -> ModelIdentity:
        return self._model.identity

    @property
    def provider(self) -> str:
        """The execution provider that really computes."""
        return str(self._session.get_providers()[0])

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        check_pixels(pixels, self._model.preprocessing)
        return in_batches(pixels, self._model.max_batch_size, self._run)

    def _run(self, pixels: NDArray[np.uint8]) -> Embeddings:
        vectors, *probabilities = self._session.run(self._outputs, {PIXELS: pixels})
        return answer(vectors, probabilities[0] if probabilities else None, self.identity, len(pixels))


def open_session(path: Path, threads: int | None = None, provider: str = CPU) -> onnxruntime.InferenceSession:
    """Load an ONNX file. Raises ArtifactError when it cannot be read, BackendUnavailable for an absent provider."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only: its warnings about shapes mean nothing to a shop
    if threads is not None:
        options.intra_op_num_threads = threads
    if provider not in onnxruntime.get_available_providers():
        raise BackendUnavailable(f"this onnxruntime has no {provider}; it has {onnxruntime.get_available_providers()}")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=list(dict.fromkeys((provider, CPU))))
    except Exception as error:
        raise ArtifactError(f"onnxruntime cannot read {path}: {error}") from error
    if provider not in session.get_providers():  # "available" lists providers whose libraries do not load
        raise BackendUnavailable(f"onnxruntime fell back to {session.get_providers()}; {provider} was asked for")
    return session


def fingerprint_of(session: onnxruntime.InferenceSession) -> str | None:
    """The fingerprint an ONNX file carries in its metadata."""
    return session.get_modelmeta().custom_metadata_map.get(FINGERPRINT)
