"""Ways to compute one exported model, each from pixels in the machine's memory to vectors there."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from benchmarks.study import Skipped
from lookalike.embedders.model_folder import CHECKPOINT, Precision, load_model, onnx_file
from lookalike.embedders.onnx import CPU
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.embedders.tensors import PIXELS, answer, in_batches, output_names
from lookalike.models.serving import ServingModel
from lookalike.release.rounding import round_model
from lookalike.release.triton_config import TritonSettings, config_text, parse_config
from lookalike.training.checkpoint import load_checkpoint

TENSORRT, CUDA = "TensorrtExecutionProvider", "CUDAExecutionProvider"
LARGEST = 32
OPTIONS = {"FP16": "trt_fp16_enable", "INT8": "trt_int8_enable"}

Run = Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]


@dataclass(frozen=True)
class Candidate:
    """One way, as an embedder."""

    name: str
    identity: ModelIdentity
    run: Run
    """(B, H, W, 3) pixels to (B, D) vectors and, where the model has heads, (B, sum of C) probabilities."""

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        return in_batches(pixels, LARGEST, self._embed)

    def _embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        vectors, *rest = self.run(pixels)
        return answer(vectors, rest[0] if rest else None, self.identity, len(pixels))


Open = Callable[[], Candidate]
"""Raises Skipped where this way is not at hand."""


def require_device(device: str) -> str:
    """What the device is called. Raises Skipped for a GPU that is not there."""
    if device == "cpu":
        return "CPU"
    if not torch.cuda.is_available():
        raise Skipped(
            "no GPU is here (PyTorch sees none), so nothing was measured; --device cpu tries the script itself"
        )
    return torch.cuda.get_device_name()


@contextmanager
def ways(exported: Path, device: str, calibration: NDArray[np.uint8]) -> Iterator[list[tuple[str, Open]]]:
    """The first is plain PyTorch, against which the others are held; for a GPU in FP16.

    calibration: (N, H, W, 3) photos that the 8-bit copy takes its ranges from.
    """
    model = load_model(exported)
    identity, full = model.identity, onnx_file(exported, model)

    def plain() -> Candidate:
        return Candidate("pytorch", identity, _torch(exported, identity, device))

    def session(name: str, file: Path, provider: str, options: dict[str, Any]) -> Candidate:
        return Candidate(name, identity, _onnx(file, identity, provider, options))

    if device == "cpu":
        yield [("pytorch", plain), ("onnxruntime", lambda: session("onnxruntime", full, CPU, {}))]
        return
    with tempfile.TemporaryDirectory(prefix="lookalike-gpu-") as scratch:
        here = Path(scratch)

        def rounded(precision: Precision) -> Path:
            round_model(full, here / f"{precision}.onnx", precision, identity, calibration)
            return here / f"{precision}.onnx"

        def tensorrt(name: str, precision: Precision) -> Candidate:
            file = full if precision == "float32" else rounded(precision)
            return session(name, file, TENSORRT, _tensorrt_options(identity, precision, here / name))

        yield [
            ("pytorch", plain),
            ("onnxruntime_cuda", lambda: session("onnxruntime_cuda", full, CUDA, {})),
            ("onnxruntime_cuda_fp16", lambda: session("onnxruntime_cuda_fp16", rounded("float16"), CUDA, {})),
            ("tensorrt_fp16", lambda: tensorrt("tensorrt_fp16", "float32")),
            ("tensorrt_int8", lambda: tensorrt("tensorrt_int8", "int8_tensorrt")),
        ]


def _torch(exported: Path, identity: ModelIdentity, device: str) -> Run:
    network, _ = load_checkpoint(exported / CHECKPOINT)
    module = ServingModel(network, identity.preprocessing).to(device)
    count = len(output_names(identity))

    def run(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        with torch.inference_mode(), torch.autocast(device, torch.float16, enabled=device != "cpu"):
            outputs = module(torch.from_numpy(pixels).to(device))[:count]
            return [output.float().cpu().numpy() for output in outputs]

    return run


def _onnx(file: Path, identity: ModelIdentity, provider: str, options: dict[str, Any]) -> Run:
    """Raises Skipped for a provider that does not compute: "available" lists some whose libraries do not load."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    if provider not in onnxruntime.get_available_providers():
        raise Skipped(f"this onnxruntime has no {provider}")
    providers = [(provider, options), *([] if provider == CPU else [(CPU, {})])]
    opened = onnxruntime.InferenceSession(str(file), settings, providers=providers)
    if opened.get_providers()[0] != provider:
        raise Skipped(f"onnxruntime fell back to {opened.get_providers()[0]}; {provider} was asked for")
    names = output_names(identity)
    return lambda pixels: opened.run(names, {PIXELS: pixels})


def _tensorrt_options(identity: ModelIdentity, precision: Precision, cache: Path) -> dict[str, Any]:
    """Those of the model's config.pbtxt, as onnxruntime itself calls them."""
    settings = TritonSettings(engine_cache=str(cache), max_batch_size=LARGEST)
    [block] = parse_config(
        config_text("m", identity, settings, precision)
    ).optimization.execution_accelerators.gpu_execution_accelerator
    given = dict(block.parameters)
    return {OPTIONS[given.pop("precision_mode")]: True, **given}
