"""What the local backend tells onnxruntime's TensorRT, from a configuration as Triton hands it over."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from lookalike.embedders.model_folder import Precision
from lookalike.release.triton_config import TritonSettings, config_text, parse_config
from serving.triton import launcher
from tests.release.tiny import identity

BACKEND = Path(launcher.__file__).parent / "backend" / "onnxruntime" / "model.py"


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file as Triton's worker imports it; what only the worker has is not asked here."""
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", ModuleType("triton_python_backend_utils"))
    spec = importlib.util.spec_from_file_location("onnxruntime_backend", BACKEND)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def config(precision: Precision = "float32") -> dict[str, Any]:
    parsed = parse_config(config_text("m", identity(0), TritonSettings(), precision))
    made: dict[str, Any] = MessageToDict(parsed, preserving_proto_field_name=True)
    return made


def test_a_gpu_instance_asks_tensorrt_first_with_its_profile(backend: ModuleType) -> None:
    [(first, options), (second, _), last] = backend._providers(config(), "GPU", 1)
    assert (first, second, last) == (backend.TENSORRT, backend.CUDA, backend.CPU)
    assert options == {
        "device_id": 1,
        "trt_fp16_enable": True,
        "trt_int8_enable": False,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": f"/var/cache/triton/tensorrt/{identity(0).fingerprint}",
        "trt_profile_min_shapes": "pixels:1x32x24x3",
        "trt_profile_opt_shapes": "pixels:8x32x24x3",
        "trt_profile_max_shapes": "pixels:32x32x24x3",
    }


def test_integers_are_told_to_tensorrt(backend: ModuleType) -> None:
    [(_, options), *_] = backend._providers(config("int8_tensorrt"), "GPU", 0)
    assert (options["trt_int8_enable"], options["trt_fp16_enable"]) == (True, False)


def test_a_processor_s_instance_asks_for_the_processor_alone(backend: ModuleType) -> None:
    assert backend._providers(config(), "CPU", 0) == [backend.CPU]
