import re
from typing import Any

import pytest

from lookalike.config import parse_config as parse_settings
from lookalike.embedders.model_folder import Precision
from lookalike.embedders.protocol import ModelIdentity
from lookalike.errors import ConfigError, ExportError
from lookalike.release.export import ExportSettings
from lookalike.release.triton_config import TritonSettings, config_text, parse_config
from tests.release.tiny import PREPROCESSING, identity


def test_the_configuration_says_all_triton_needs() -> None:
    config = parse_config(config_text("embedder_abc", identity(0), TritonSettings()))
    assert (config.name, config.backend, config.max_batch_size) == ("embedder_abc", "onnxruntime", 32)
    assert [(tensor.name, list(tensor.dims)) for tensor in config.input] == [("pixels", [32, 24, 3])]
    assert [(tensor.name, list(tensor.dims)) for tensor in config.output] == [("embedding", [16]), ("attributes", [5])]
    assert config.parameters["model_fingerprint"].string_value == identity(0).fingerprint
    assert [sample.batch_size for sample in config.model_warmup] == [1, 8, 32]
    [accelerator] = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert (accelerator.name, accelerator.parameters["precision_mode"]) == ("tensorrt", "FP16")
    assert accelerator.parameters["trt_engine_cache_enable"] == "1"


TENSORRT_PARAMETERS = {"precision_mode", "trt_engine_cache_enable", "trt_engine_cache_path"} | {
    f"trt_profile_{bound}_shapes" for bound in ("min", "opt", "max")
}
"""Used of the names that Triton's onnxruntime backend takes (its README and src/onnxruntime.cc); with any other name a
model does not load."""


def tensorrt(precision: Precision = "float32", **settings: Any) -> dict[str, str]:
    """What the configuration tells TensorRT."""
    config = parse_config(config_text("m", identity(0), TritonSettings(**settings), precision))
    [accelerator] = config.optimization.execution_accelerators.gpu_execution_accelerator
    return dict(accelerator.parameters)


def test_one_engine_of_tensorrt_serves_every_batch() -> None:
    told = tensorrt(max_batch_size=24, preferred_batch_sizes=(4, 16))
    shapes = [told[f"trt_profile_{bound}_shapes"] for bound in ("min", "opt", "max")]
    assert shapes == ["pixels:1x32x24x3", "pixels:4x32x24x3", "pixels:24x32x24x3"]
    assert tensorrt(optimal_batch_size=16)["trt_profile_opt_shapes"] == "pixels:16x32x24x3"
    assert tensorrt(preferred_batch_sizes=())["trt_profile_opt_shapes"] == "pixels:32x32x24x3"


def test_tensorrt_is_told_nothing_that_triton_does_not_know() -> None:
    assert tensorrt().keys() == TENSORRT_PARAMETERS


def test_the_batches_of_the_profile_are_computed_before_the_model_is_ready() -> None:
    config = parse_config(config_text("m", identity(0), TritonSettings(optimal_batch_size=20)))
    assert [sample.batch_size for sample in config.model_warmup] == [1, 20, 32]


@pytest.mark.parametrize(
    ("precision", "half", "mode"),
    [
        ("float32", True, "FP16"),
        ("float32", False, "FP32"),
        ("float16", True, "FP16"),
        ("int8_tensorrt", True, "INT8"),
        ("int8_tensorrt", False, "INT8"),
    ],
)
def test_tensorrt_computes_in_the_precision_of_the_file(precision: Precision, half: bool, mode: str) -> None:
    assert tensorrt(precision, half_precision=half)["precision_mode"] == mode


def test_integers_that_tensorrt_cannot_read_are_not_exported_for_a_gpu() -> None:
    chosen = {"triton": {"device": "gpu"}, "variants": {"published": "int8"}}
    with pytest.raises(ConfigError, match="on a gpu int8_tensorrt is accepted"):
        parse_settings(ExportSettings, chosen, "settings.export")


def test_an_optimal_batch_beyond_the_largest_is_refused() -> None:
    with pytest.raises(ConfigError, match="optimal_batch_size is 64; at most 32 is served"):
        parse_settings(TritonSettings, {"optimal_batch_size": 64}, "settings.export.triton")


def test_laptop_and_gpu_differ_in_the_instances_alone() -> None:
    cpu = config_text("m", identity(0), TritonSettings(device="cpu"))
    gpu = config_text("m", identity(0), TritonSettings(device="gpu"))
    assert cpu.replace("KIND_CPU", "KIND_GPU") == gpu


def test_the_batcher_has_no_queue_limit() -> None:
    """With one, Triton 2.51 lets requests wait half a second now and then."""
    config = parse_config(config_text("m", identity(0), TritonSettings()))
    assert not config.dynamic_batching.HasField("default_queue_policy")
    assert list(config.dynamic_batching.preferred_batch_size) == [8, 16, 32]


def test_without_attribute_heads_there_is_one_output() -> None:
    config = parse_config(config_text("m", ModelIdentity("w", PREPROCESSING, 16, {}), TritonSettings()))
    assert [tensor.name for tensor in config.output] == ["embedding"]


def test_a_misspelled_field_is_refused() -> None:
    text = config_text("m", identity(0), TritonSettings())
    with pytest.raises(ExportError, match=re.escape('has no field named "max_batchsize"')):
        parse_config(text.replace("max_batch_size", "max_batchsize"))


def test_preferred_sizes_beyond_the_largest_batch_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"preferred_batch_sizes holds \[64\]; sizes from 1 to 32 are accepted"):
        parse_settings(TritonSettings, {"preferred_batch_sizes": [8, 64]}, "settings.export")
