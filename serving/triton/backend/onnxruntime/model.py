"""The `onnxruntime` backend of local Triton, for servers without the compiled one.

Runs inside Triton's Python worker (its own environment, numpy 1.26) and reads any model's config: inputs,
outputs and `intra_op_thread_count` have the names and meaning of Triton's own onnxruntime backend.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton

TENSORRT, CUDA, CPU = "TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"


class TritonPythonModel:
    """One instance of an ONNX model; Triton hands it the requests its batcher put together."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        path = (
            Path(args["model_repository"])
            / args["model_version"]
            / (config.get("default_model_filename") or "model.onnx")
        )
        self._inputs = [entry["name"] for entry in config["input"]]
        self._outputs = [entry["name"] for entry in config["output"]]
        self._types = {
            entry["name"]: triton.triton_string_to_numpy(entry["data_type"])
            for entry in (*config["input"], *config["output"])
        }
        wanted = _providers(config, args["model_instance_kind"], int(args["model_instance_device_id"]))
        self._session = onnxruntime.InferenceSession(str(path), _options(config), providers=wanted)
        self._check_names(config["name"])
        self._tell_provider(config)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request, in order, from one run over all their rows."""
        try:
            batches = [self._read(request) for request in requests]
            rows = [len(batch[self._inputs[0]]) for batch in batches]
            together = {name: np.concatenate([batch[name] for batch in batches]) for name in self._inputs}
            outputs = self._session.run(self._outputs, together)
        except Exception as error:  # noqa: BLE001 - whatever fails belongs in the answer; the worker goes on
            failed = triton.InferenceResponse(error=triton.TritonError(str(error)))
            return [failed for _ in requests]
        return self._cut(outputs, rows)

    def _tell_provider(self, config: dict[str, Any]) -> None:
        """Say in Triton's log and metrics what computes: onnxruntime lists providers whose libraries do not load."""
        runs, asked = self._session.get_providers()[0], _accelerators(config)
        self._family = triton.MetricFamily(
            name="lookalike_model_provider",
            description="1 for the onnxruntime provider that a model's instance computes with",
            kind=triton.MetricFamily.GAUGE,
        )
        labels = {"model": config["name"], "provider": runs, "asked": ",".join(asked) or "none"}
        self._metric = self._family.Metric(labels=labels)
        self._metric.set(1)
        if "tensorrt" in asked and runs != TENSORRT:
            triton.Logger.log_warn(f"{config['name']} asks for TensorRT where there is a GPU; it computes with {runs}")

    def _read(self, request: Any) -> dict[str, np.ndarray]:
        return {name: triton.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}

    def _cut(self, outputs: list[np.ndarray], rows: list[int]) -> list[Any]:
        responses, start = [], 0
        for count in rows:
            tensors = [
                triton.Tensor(name, np.ascontiguousarray(values[start : start + count], dtype=self._types[name]))
                for name, values in zip(self._outputs, outputs, strict=True)
            ]
            responses.append(triton.InferenceResponse(output_tensors=tensors))
            start += count
        return responses

    def _check_names(self, model: str) -> None:
        """Refuse a config.pbtxt whose tensors are not the file's: a version that cannot answer must not load."""
        have = {entry.name for entry in (*self._session.get_inputs(), *self._session.get_outputs())}
        missing = sorted({*self._inputs, *self._outputs} - have)
        if missing:
            raise triton.TritonModelException(f"{model}: the ONNX file has no tensors {missing}; it has {sorted(have)}")


def _options(config: dict[str, Any]) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    threads = config.get("parameters", {}).get("intra_op_thread_count", {}).get("string_value")
    if threads:
        options.intra_op_num_threads = int(threads)
    return options


def _providers(config: dict[str, Any], kind: str, device: int) -> list[Any]:
    """As Triton's own onnxruntime backend chooses: accelerators of GPU instances, the CPU behind all."""
    if kind != "GPU":
        return [CPU]
    return [*((TENSORRT, _tensorrt(block, device)) for block in _blocks(config)), (CUDA, {"device_id": device}), CPU]


def _tensorrt(block: dict[str, Any], device: int) -> dict[str, Any]:
    given = block.get("parameters", {})
    return {
        "device_id": device,
        "trt_fp16_enable": given.get("precision_mode") == "FP16",
        "trt_int8_enable": given.get("precision_mode") == "INT8",
        "trt_engine_cache_enable": given.get("trt_engine_cache_enable") == "1",
        "trt_engine_cache_path": given.get("trt_engine_cache_path", ""),
        **{name: value for name, value in given.items() if name.startswith("trt_profile_")},
    }


def _accelerators(config: dict[str, Any]) -> list[str]:
    return [block["name"] for block in _blocks(config)]


def _blocks(config: dict[str, Any]) -> list[dict[str, Any]]:
    accelerators = config.get("optimization", {}).get("execution_accelerators", {})
    return accelerators.get("gpu_execution_accelerator", [])
