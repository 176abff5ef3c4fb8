"""The config.pbtxt of an exported model: what Triton needs to batch, warm up and accelerate it."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from google.protobuf import text_format
from pydantic import Field, model_validator

from lookalike.config import StrictConfig
from lookalike.embedders.model_folder import FINGERPRINT, Precision
from lookalike.embedders.protocol import ModelIdentity
from lookalike.embedders.tensors import ATTRIBUTES, EMBEDDING, PIXELS, attribute_count
from lookalike.errors import ExportError

BACKEND = "onnxruntime"


class TritonSettings(StrictConfig):
    """How Triton runs the model."""

    device: Literal["cpu", "gpu"] = "cpu"
    """Where the instances live: cpu on a laptop, gpu in production; nothing else differs between the two."""
    instances: int = Field(default=1, ge=1)
    """Copies of the model per device, each with its own thread."""
    threads: int = Field(default=1, ge=1)
    """Threads inside one operator on a CPU; more instances give more throughput, more threads less latency."""
    max_batch_size: int = Field(default=32, ge=1)
    """Most photos in one call to the model."""
    preferred_batch_sizes: tuple[int, ...] = (8, 16, 32)
    """Sizes the dynamic batcher sends at once without waiting."""
    queue_delay_microseconds: int = Field(default=100, ge=0)
    """How long a request may wait for company; under load the queue fills batches by itself."""
    half_precision: bool = True
    """Let TensorRT compute in FP16 on a GPU; the golden vectors are checked after loading."""
    optimal_batch_size: int | None = Field(default=None, ge=1)
    """Batch that TensorRT chooses its kernels for; the smallest preferred one where none is named. One engine serves
    every batch from 1 to the largest."""
    engine_cache: str = "/var/cache/triton/tensorrt"
    """Folder where TensorRT keeps compiled engines, so that a restart takes seconds, not minutes; each model has its
    own in it. An engine fits one kind of GPU and one TensorRT: `serving/triton/engine_cache.sh` makes it a link to
    the folder of those two before Triton starts."""

    @model_validator(mode="after")
    def _sizes_agree(self) -> "TritonSettings":
        wrong = [size for size in self.preferred_batch_sizes if not 1 <= size <= self.max_batch_size]
        if wrong:
            raise ValueError(f"preferred_batch_sizes holds {wrong}; sizes from 1 to {self.max_batch_size} are accepted")
        if self.optimal_batch_size is not None and self.optimal_batch_size > self.max_batch_size:
            raise ValueError(
                f"optimal_batch_size is {self.optimal_batch_size}; at most {self.max_batch_size} is served"
            )
        return self

    @property
    def profile(self) -> tuple[int, int, int]:
        """Smallest, optimal and largest batch of TensorRT's engine."""
        optimal = self.optimal_batch_size or min(self.preferred_batch_sizes, default=self.max_batch_size)
        return 1, optimal, self.max_batch_size


def config_text(name: str, identity: ModelIdentity, settings: TritonSettings, precision: Precision = "float32") -> str:
    """The config.pbtxt of `name`, complete: Triton has nothing to guess. `precision` is the ONNX file's."""
    schema = _schema()
    config = schema.ModelConfig(name=name, backend=BACKEND, max_batch_size=settings.max_batch_size)
    size = identity.preprocessing
    config.input.add(name=PIXELS, data_type=schema.TYPE_UINT8, dims=[size.height, size.width, 3])
    config.output.add(name=EMBEDDING, data_type=schema.TYPE_FP32, dims=[identity.dimension])
    if identity.attribute_labels:
        config.output.add(
            name=ATTRIBUTES, data_type=schema.TYPE_FP32, dims=[attribute_count(identity.attribute_labels)]
        )
    kind = schema.ModelInstanceGroup.KIND_GPU if settings.device == "gpu" else schema.ModelInstanceGroup.KIND_CPU
    config.instance_group.add(kind=kind, count=settings.instances)
    config.parameters[FINGERPRINT].string_value = identity.fingerprint
    config.parameters["intra_op_thread_count"].string_value = str(settings.threads)  # the onnxruntime backend's name
    config.version_policy.specific.versions.append(1)
    _add_batching(config, settings)
    _add_warmup(config, schema, identity, settings)
    _add_tensorrt(config, identity, settings, precision)
    return str(text_format.MessageToString(config))


def parse_config(text: str) -> Any:
    """Parse a config.pbtxt into Triton's ModelConfig. Raises ExportError for a field Triton does not know."""
    try:
        return text_format.Parse(text, _schema().ModelConfig())
    except text_format.ParseError as error:
        raise ExportError(f"config.pbtxt is not a Triton model configuration: {error}") from error


def _add_batching(config: Any, settings: TritonSettings) -> None:
    """Batch by size and delay, without a queue limit.

    A limit (`max_queue_size`) turns off the batcher's prefetching, and Triton 2.51 then misses a wake-up now
    and then: requests waited 500 ms, up to 8 in 31 with one client. Callers' deadlines bound the wait instead.
    """
    batching = config.dynamic_batching
    batching.preferred_batch_size.extend(settings.preferred_batch_sizes)
    batching.max_queue_delay_microseconds = settings.queue_delay_microseconds


def _add_warmup(config: Any, schema: ModuleType, identity: ModelIdentity, settings: TritonSettings) -> None:
    """Run the batches of TensorRT's profile once before the model calls itself ready: engines are built by then."""
    size = identity.preprocessing
    for batch in sorted(set(settings.profile)):
        sample = config.model_warmup.add(name=f"batch_{batch}", batch_size=batch)
        pixels = schema.ModelWarmup.Input(
            data_type=schema.TYPE_UINT8, dims=[size.height, size.width, 3], random_data=True
        )
        sample.inputs[PIXELS].CopyFrom(pixels)


def _add_tensorrt(config: Any, identity: ModelIdentity, settings: TritonSettings, precision: Precision) -> None:
    """Ask for TensorRT on GPU instances; CPU instances ignore the block, so it may always be there.

    onnxruntime names an engine's file by the graph, not by its weights: two trainings of one architecture would
    take each other's, so the fingerprint is in the path. Without a profile it builds an engine anew whenever a batch
    is larger or smaller than any before, while shoppers wait.
    """
    accelerator = config.optimization.execution_accelerators.gpu_execution_accelerator.add(name="tensorrt")
    accelerator.parameters["precision_mode"] = _tensorrt_precision(settings, precision)
    accelerator.parameters["trt_engine_cache_enable"] = "1"
    accelerator.parameters["trt_engine_cache_path"] = f"{settings.engine_cache}/{identity.fingerprint}"
    size = identity.preprocessing
    for bound, batch in zip(("min", "opt", "max"), settings.profile, strict=True):
        shape = f"{PIXELS}:{batch}x{size.height}x{size.width}x3"
        accelerator.parameters[f"trt_profile_{bound}_shapes"] = shape


def _tensorrt_precision(settings: TritonSettings, precision: Precision) -> str:
    """Triton's backend takes one: beside integers, whatever is not between Q and DQ is computed in FP32."""
    if precision == "int8_tensorrt":
        return "INT8"
    return "FP16" if settings.half_precision else "FP32"


@cache
def _schema() -> ModuleType:
    """Triton's generated ModelConfig, loaded by its file.

    `import tritonclient.grpc` would also define `inference.ModelInferRequest`, and a process that has
    KServe's definition of it refuses a second one; model_config_pb2 alone clashes with nothing.
    """
    package = importlib.util.find_spec("tritonclient")
    if package is None or not package.submodule_search_locations:
        raise ExportError("tritonclient is not installed; install lookalike[export]")
    path = Path(package.submodule_search_locations[0]) / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("triton_model_config_pb2", path)
    assert spec is not None and spec.loader is not None  # the file name ends with .py
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
