import re

import pytest

from lookalike.config import parse_config as parse_settings
from lookalike.embedders.protocol import ModelIdentity
from lookalike.errors import ConfigError, ExportError
from lookalike.release.triton_config import TritonSettings, config_text, parse_config
from tests.release.tiny import PREPROCESSING, identity


def test_the_configuration_says_all_triton_needs() -> None:
    config = parse_config(config_text("embedder_abc", identity(0), TritonSettings()))
    assert (config.name, config.backend, config.max_batch_size) == ("embedder_abc", "onnxruntime", 32)
    assert [(tensor.name, list(tensor.dims)) for tensor in config.input] == [("pixels", [32, 24, 3])]
    assert [(tensor.name, list(tensor.dims)) for tensor in config.output] == [("embedding", [16]), ("attributes", [5])]
    assert config.parameters["model_fingerprint"].string_value == identity(0).fingerprint
    assert [sample.batch_size for sample in config.model_warmup] == [1, 32]
    [accelerator] = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert (accelerator.name, accelerator.parameters["precision_mode"]) == ("tensorrt", "FP16")
    assert accelerator.parameters["trt_engine_cache_enable"] == "1"


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
