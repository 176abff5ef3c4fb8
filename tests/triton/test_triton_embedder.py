import json
import shutil
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from opentelemetry.sdk.trace import TracerProvider

from lookalike.embedders.choose import choose_embedder
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.embedders.triton import TritonEmbedder
from lookalike.errors import BackendUnavailable, ReleaseMismatch
from serving.traces import trace_id
from serving.triton.launcher import LocalTriton
from tests.embedders.contract import EmbedderContract
from tests.release.tiny import exported, photos

NOBODY = "127.0.0.1:9"  # the discard port: nobody listens


class TestContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, loaded: TritonEmbedder) -> Embedder:
        return loaded


def test_triton_and_onnxruntime_give_the_same_vectors(loaded: TritonEmbedder) -> None:
    pixels = photos(9, seed=5)
    ours, theirs = OnnxEmbedder(exported()).embed(pixels), loaded.embed(pixels)
    np.testing.assert_allclose(theirs.vectors, ours.vectors, atol=1e-5)
    for name, probabilities in ours.attributes.items():
        np.testing.assert_allclose(theirs.attributes[name], probabilities, atol=1e-5)


def test_the_choice_is_triton_where_it_answers(triton: LocalTriton, loaded: TritonEmbedder) -> None:
    choice = choose_embedder(exported(), triton.grpc_address)
    assert isinstance(choice.embedder, TritonEmbedder)
    choice.embedder.close()
    assert choice.reason == f"Embedding in Triton at {triton.grpc_address}."


def test_the_choice_is_onnxruntime_where_nobody_answers() -> None:
    choice = choose_embedder(exported(), NOBODY, connect_seconds=0.3)
    assert isinstance(choice.embedder, OnnxEmbedder)
    assert f"no Triton answers at {NOBODY}" in choice.reason


def test_a_model_that_is_not_loaded_is_unavailable(triton: LocalTriton) -> None:
    with pytest.raises(BackendUnavailable, match="has no ready model embedder_"):
        TritonEmbedder(triton.grpc_address, exported(seed=1))


def test_a_call_past_its_deadline_is_unavailable(triton: LocalTriton, loaded: TritonEmbedder) -> None:
    with pytest.raises(BackendUnavailable, match="does not answer within 0 s"):
        TritonEmbedder(triton.grpc_address, exported(), deadline_seconds=0.0)  # past at once


def test_a_closed_embedder_is_unavailable(triton: LocalTriton, loaded: TritonEmbedder) -> None:
    embedder = TritonEmbedder(triton.grpc_address, exported())
    embedder.close()
    with pytest.raises(BackendUnavailable, match="was closed"):
        embedder.embed(photos(1))


def test_golden_vectors_of_another_model_are_noticed(
    triton: LocalTriton, loaded: TritonEmbedder, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exported(), tmp_path / "exported"))
    golden = json.loads((folder / "golden.json").read_text())
    other = json.loads((exported(seed=1) / "golden.json").read_text())
    (folder / "golden.json").write_text(json.dumps({**golden, "vectors": other["vectors"]}))
    with pytest.raises(ReleaseMismatch, match="answers the golden photos with cosine"):
        TritonEmbedder(triton.grpc_address, folder)


def test_a_trace_is_carried_to_triton(loaded: TritonEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    carried: list[dict[str, str]] = []
    infer = loaded._stub.ModelInfer

    def noted(request: object, **call: object) -> object:
        carried.append(dict(call["metadata"]))  # type: ignore[call-overload]
        return infer(request, **call)

    monkeypatch.setattr(loaded._stub, "ModelInfer", noted)
    loaded.embed(photos(1))
    with TracerProvider().get_tracer("test").start_as_current_span("search") as span:
        loaded.embed(photos(1))
    assert carried[0] == {} and trace_id(span) in carried[1]["traceparent"]


def test_what_computes_is_told_where_tensorrt_was_asked_for(
    triton: LocalTriton, loaded: TritonEmbedder, model_name: str
) -> None:
    """The production configuration, loaded unchanged where there is no GPU."""
    with urlopen(triton.metrics_url) as page:
        lines = page.read().decode().splitlines()
    [line] = [line for line in lines if line.startswith("lookalike_model_provider{")]
    assert f'model="{model_name}"' in line
    assert 'provider="CPUExecutionProvider"' in line
    assert 'asked="tensorrt"' in line
    assert line.endswith(" 1")
    assert f"{model_name} asks for TensorRT where there is a GPU; it computes with" in triton.log_file.read_text()
