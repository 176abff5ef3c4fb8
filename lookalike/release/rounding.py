"""Copies of an exported model in smaller numbers: half precision, or 8-bit integers calibrated on photos.

Integers come in two kinds, since processors and TensorRT ask for different ones; both are QDQ graphs of ONNX.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from lookalike.embedders.model_folder import Precision
from lookalike.embedders.protocol import ModelIdentity
from lookalike.embedders.tensors import PIXELS
from lookalike.errors import ExportError
from lookalike.release.onnx_export import metadata
from lookalike.storage import digest_bytes, digest_json

ROUNDED: tuple[Precision, ...] = get_args(Precision)[1:]
"""Those that are copies."""

CALIBRATION_BATCH = 16
IN_INTEGERS = ["Conv", "Clip", "Relu", "Add", "ReduceMean", "GlobalAveragePool", "MaxPool"]
"""Convolutions and what lies between them; each missing one would widen the numbers and round them again."""
FOR_PROCESSORS: dict[str, Any] = {"op_types_to_quantize": IN_INTEGERS, "activation_type": QuantType.QUInt8}
"""Unsigned activations beside signed weights are what onnxruntime's kernels for Intel and AMD are made for."""
WEIGHTED = ["Conv", "Add"]
FOR_TENSORRT: dict[str, Any] = {
    "op_types_to_quantize": WEIGHTED,
    "activation_type": QuantType.QInt8,
    "extra_options": {
        "ActivationSymmetric": True,
        "WeightSymmetric": True,
        "AddQDQPairToWeight": True,
        "DedicatedQDQPair": True,
        "OpTypesToExcludeOutputQuantization": WEIGHTED,
        "QuantizeBias": False,
    },
}
"""TensorRT reads signed numbers with zero point 0 only, has biases in full, and wants a pair of Q and DQ before what
computes with weights and before sums; it fuses the rest. The pairs are placed as onnxruntime's own example for
TensorRT has them (onnxruntime-inference-examples, quantization/nlp/bert/trt)."""


def round_model(
    full: Path, rounded: Path, precision: Precision, identity: ModelIdentity, calibration: NDArray[np.uint8]
) -> ModelIdentity:
    """Write a copy of the ONNX file `full` in `precision`, with an identity of its own; returns that identity.

    Its vectors are near those of `full` and not the same, so it is another model: the digest over its own numbers
    stands for the weights. calibration: (N, H, W, 3) photos; int8 takes the ranges of activations from them.
    Raises ExportError.
    """
    try:
        proto = _half(full) if precision == "float16" else _integers(full, calibration, precision)
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        raise ExportError(f"the model cannot be rounded to {precision}: {error}") from error
    own = replace(identity, weights=weights_digest(proto))
    onnx.helper.set_model_props(proto, metadata(own))
    onnx.save(proto, str(rounded))
    return own


def weights_digest(proto: onnx.ModelProto) -> str:
    """SHA-256 over every stored tensor, by name, type, shape and bytes."""
    return digest_json(
        {
            tensor.name: [tensor.data_type, list(tensor.dims), digest_bytes(numpy_helper.to_array(tensor).tobytes())]
            for tensor in proto.graph.initializer
        }
    )


def _half(full: Path) -> onnx.ModelProto:
    """Tensors going in and out keep their types, and so does all behind the last convolution: vectors keep length 1."""
    proto = onnx.load(str(full))
    rounded: onnx.ModelProto = convert_float_to_float16(proto, keep_io_types=True, node_block_list=_tail(proto.graph))
    _drop_repeated(rounded.graph)
    _skip_round_trips(rounded.graph)
    return rounded


def _tail(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes behind the last convolution, all of them where there is none before."""
    last = max((place for place, node in enumerate(graph.node) if node.op_type == "Conv"), default=-1)
    return [node.name for node in graph.node[last + 1 :]]


def _drop_repeated(graph: onnx.GraphProto) -> None:
    """The converter casts a tensor once for each kept reader, all under one name, which no reader of ONNX takes."""
    nodes = {tuple(node.output): node for node in reversed(graph.node)}  # the first of each
    kept = [node for node in graph.node if node is nodes[tuple(node.output)]]
    del graph.node[:]
    graph.node.extend(kept)


def _skip_round_trips(graph: onnx.GraphProto) -> None:
    """Between two kept nodes the converter rounds a tensor and widens it again: hand it on as it is."""
    rounded = {node.output[0]: node.input[0] for node in graph.node if _casts_to(node, onnx.TensorProto.FLOAT16)}
    for node in graph.node:
        if _casts_to(node, onnx.TensorProto.FLOAT) and node.input[0] in rounded:
            original = rounded[node.input[0]]
            node.CopyFrom(onnx.helper.make_node("Identity", [original], list(node.output), name=node.name))


def _casts_to(node: onnx.NodeProto, kind: int) -> bool:
    return node.op_type == "Cast" and onnx.helper.get_node_attr_value(node, "to") == kind


def _integers(full: Path, calibration: NDArray[np.uint8], precision: Precision) -> onnx.ModelProto:
    """Convolutions in 8 bits with a scale for every output channel; depthwise ones lose too much with one for all.

    The few matrix products at the end, whose outputs are the vectors themselves, stay as they are.
    """
    with tempfile.TemporaryDirectory(prefix="lookalike-int8-") as scratch:
        prepared, quantised = Path(scratch) / "prepared.onnx", Path(scratch) / "int8.onnx"
        quant_pre_process(str(full), str(prepared), skip_symbolic_shape=True)
        kind = FOR_PROCESSORS if precision == "int8" else _for_tensorrt(prepared)
        quantize_static(
            str(prepared),
            str(quantised),
            _Photos(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            weight_type=QuantType.QInt8,
            **kind,
        )
        return onnx.load(str(quantised))


def _for_tensorrt(prepared: Path) -> dict[str, Any]:
    """Sums behind the last convolution belong to the vectors' own arithmetic and stay in full."""
    return {**FOR_TENSORRT, "nodes_to_exclude": _tail(onnx.load(str(prepared)).graph)}


class _Photos(CalibrationDataReader):
    """Hands the photos to onnxruntime in batches."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._batches: Iterator[NDArray[np.uint8]] = (
            pixels[start : start + CALIBRATION_BATCH] for start in range(0, len(pixels), CALIBRATION_BATCH)
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {PIXELS: batch}
