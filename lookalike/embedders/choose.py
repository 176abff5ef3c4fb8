"""Which embedder a laptop uses: Triton where it answers, onnxruntime in this process elsewhere."""

import logging
from dataclasses import dataclass
from pathlib import Path

from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.errors import BackendUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """An embedder and the sentence that says why it was chosen."""

    embedder: Embedder
    reason: str


def choose_embedder(
    model_folder: Path,
    triton_url: str | None = None,
    no_triton: str = "no Triton was asked for",
    threads: int | None = None,
    connect_seconds: float = 10.0,
) -> Choice:
    """Triton at `triton_url` if it answers, else onnxruntime; the reason is logged too.

    `no_triton` says why there is no address, such as a platform without a Triton build. Only silence makes
    it fall back: a Triton that serves another model raises ReleaseMismatch.
    """
    choice = _choose(model_folder, triton_url, no_triton, threads, connect_seconds)
    log.info(choice.reason)
    return choice


def _choose(
    model_folder: Path, triton_url: str | None, no_triton: str, threads: int | None, connect_seconds: float
) -> Choice:
    if triton_url is not None:
        # KServe's stubs take a second to import and belong to the serve extra: only where Triton is used.
        from lookalike.embedders.triton import TritonEmbedder

        try:
            return Choice(
                TritonEmbedder(triton_url, model_folder, connect_seconds=connect_seconds),
                f"Embedding in Triton at {triton_url}.",
            )
        except BackendUnavailable as error:
            no_triton = str(error)
    return Choice(OnnxEmbedder(model_folder, threads), f"Embedding with onnxruntime in this process: {no_triton}.")
