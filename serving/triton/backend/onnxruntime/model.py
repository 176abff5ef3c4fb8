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
        self._session = onnxruntime.InferenceSession(str(path), _options(config), providers=["CPUExecutionProvider"])
        self._check_names(config["name"])

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
