"""From a PyTorch module to an ONNX file that takes any batch and carries its identity."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from lookalike.embedders.model_folder import FINGERPRINT
from lookalike.embedders.protocol import ModelIdentity
from lookalike.embedders.tensors import PIXELS, output_names
from lookalike.errors import ExportError

OPSET = 18
"""Operator set torch's exporter is written for; onnxruntime 1.14 and TensorRT 8.6 read it."""


def export_onnx(module: nn.Module, identity: ModelIdentity, path: Path) -> None:
    """Write `module` as ONNX with a free batch axis and the identity in its metadata.

    The module takes uint8 (B, H, W, 3) and returns the unit vectors (B, D) and the attribute probabilities
    (B, sum of C). Raises ExportError when torch cannot trace it.
    """
    size = identity.preprocessing
    names = output_names(identity)
    sample = torch.zeros(2, size.height, size.width, 3, dtype=torch.uint8)  # 1 would be taken for a constant
    batch = torch.export.Dim("batch", min=1)
    try:
        with torch.no_grad(), _quiet():
            program = torch.onnx.export(
                _FirstOutputs(module.eval(), len(names)),
                (sample,),
                input_names=[PIXELS],
                output_names=names,
                dynamic_shapes=({0: batch},),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
            assert program is not None  # only the old exporter returns None
            proto = program.model_proto
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
        raise ExportError(f"the model cannot be written as ONNX: {error}") from error
    _strip_traces(proto.graph)
    onnx.helper.set_model_props(proto, metadata(identity))
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, str(path))


def metadata(identity: ModelIdentity) -> dict[str, str]:
    """What an ONNX file says of itself; values are text, JSON where structured."""
    return {
        FINGERPRINT: identity.fingerprint,
        "preprocessing": identity.preprocessing.model_dump_json(),
        "attribute_labels": json.dumps(list(identity.attribute_labels.items())),
    }


def _strip_traces(graph: onnx.GraphProto) -> None:
    """Remove torch's stack traces: they carry this machine's paths and a third of the file."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


class _FirstOutputs(nn.Module):
    """Drops the attributes of a model without heads: ONNX readers dislike tensors without columns."""

    def __init__(self, module: nn.Module, count: int) -> None:
        super().__init__()
        self.module = module
        self.count = count

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.module(pixels))[: self.count]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress lines and its warnings about its own internals from the reader."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
