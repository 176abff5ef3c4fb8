"""The part of Triton's ModelConfig call that says which model is served.

KServe's generated stubs lack this call, and Triton's own generated stubs cannot live in one process with
KServe's (both define `inference.ModelInferRequest`). These three messages, in a pool of their own, can.
Field numbers are those of Triton's `model_config.proto` and `grpc_service.proto`.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

METHOD = "/inference.GRPCInferenceService/ModelConfig"

_FIELD = descriptor_pb2.FieldDescriptorProto


def request(model_name: str) -> bytes:
    """An encoded ModelConfigRequest."""
    return _message("ModelConfigRequest")(name=model_name).SerializeToString()


def served_parameters(response: bytes) -> dict[str, str]:
    """The `parameters` of the served config.pbtxt, from an encoded ModelConfigResponse."""
    config = _message("ModelConfigResponse").FromString(response).config
    return {entry.key: entry.value.string_value for entry in config.parameters}


@cache
def _message(name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_schema())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"lookalike.triton.{name}"))


def _schema() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="lookalike/triton_model_config.proto", package="lookalike.triton", syntax="proto3"
    )
    _add(file, "ModelConfigRequest", name=(1, None))
    _add(file, "ModelParameter", string_value=(1, None))
    _add(file, "ParametersEntry", key=(1, None), value=(2, "ModelParameter"))  # a map, as it is on the wire
    _add(file, "ModelConfig", parameters=(14, "ParametersEntry"))
    _add(file, "ModelConfigResponse", config=(1, "ModelConfig"))
    repeated = next(message for message in file.message_type if message.name == "ModelConfig").field[0]
    repeated.label = _FIELD.LABEL_REPEATED
    return file


def _add(file: descriptor_pb2.FileDescriptorProto, message: str, **fields: tuple[int, str | None]) -> None:
    """Add a message whose fields are text, or another message by name."""
    target = file.message_type.add(name=message)
    for name, (number, kind) in fields.items():
        field = target.field.add(name=name, number=number, label=_FIELD.LABEL_OPTIONAL)
        field.type = _FIELD.TYPE_STRING if kind is None else _FIELD.TYPE_MESSAGE
        if kind is not None:
            field.type_name = f".lookalike.triton.{kind}"
