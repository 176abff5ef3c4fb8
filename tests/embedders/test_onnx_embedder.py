import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from lookalike.embedders.choose import choose_embedder
from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ArtifactError, BackendUnavailable, ReleaseMismatch
from lookalike.storage import digest_file
from tests.embedders.contract import EmbedderContract
from tests.release.tiny import LABELS, exported, photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the tiny export that a test may damage."""
    return Path(shutil.copytree(exported(), tmp_path / "exported"))


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_onnx(folder: Path, key: str, value: str) -> None:
    """Rewrite one metadata entry, digest and all: what a careful forger would do."""
    path = onnx_file(folder, load_model(folder))
    proto = onnx.load(path)
    entries = {entry.key: entry.value for entry in proto.metadata_props} | {key: value}
    onnx.helper.set_model_props(proto, entries)
    onnx.save(proto, path)
    rewrite(folder / "model.json", onnx_sha256=digest_file(path))


class TestContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return OnnxEmbedder(exported(), threads=1)


def test_attributes_keep_the_order_of_their_heads() -> None:
    assert list(OnnxEmbedder(exported()).identity.attribute_labels.items()) == list(LABELS.items())


def test_a_model_file_changed_after_export_is_refused(folder: Path) -> None:
    path = onnx_file(folder, load_model(folder))
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ArtifactError, match=r"model\.onnx was changed after its export"):
        OnnxEmbedder(folder)


def test_a_truncated_model_file_is_refused(folder: Path) -> None:
    path = onnx_file(folder, load_model(folder))
    path.write_bytes(path.read_bytes()[:1000])
    rewrite(folder / "model.json", onnx_sha256=digest_file(path))
    with pytest.raises(ArtifactError, match="onnxruntime cannot read"):
        OnnxEmbedder(folder)


def test_a_file_of_another_model_is_refused_by_its_metadata(folder: Path) -> None:
    change_onnx(folder, "model_fingerprint", "0" * 64)
    with pytest.raises(ReleaseMismatch, match="belongs to model 000000000000"):
        OnnxEmbedder(folder)


def test_another_model_under_this_fingerprint_is_refused_by_its_golden_vectors(folder: Path) -> None:
    model, other = load_model(folder), load_model(exported(seed=1))
    shutil.copyfile(onnx_file(exported(seed=1), other), onnx_file(folder, model))
    change_onnx(folder, "model_fingerprint", model.fingerprint)
    with pytest.raises(ReleaseMismatch, match="golden photos with cosine"):
        OnnxEmbedder(folder)


def test_a_model_json_whose_fingerprint_is_not_its_own_is_refused(folder: Path) -> None:
    rewrite(folder / "model.json", weights="f" * 64)
    with pytest.raises(ReleaseMismatch, match=r"the fingerprint written in .*model\.json"):
        OnnxEmbedder(folder)


def test_a_folder_without_a_model_names_the_verb_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="run `lookalike export` first"):
        OnnxEmbedder(tmp_path)


def test_it_says_what_really_computes(folder: Path) -> None:
    assert OnnxEmbedder(folder).provider == "CPUExecutionProvider"


def test_a_provider_that_is_not_there_is_refused() -> None:
    with pytest.raises(BackendUnavailable, match="has no CUDAExecutionProvider"):
        OnnxEmbedder(exported(), provider="CUDAExecutionProvider")


def test_without_triton_the_choice_falls_to_onnxruntime_and_says_why() -> None:
    choice = choose_embedder(exported(), no_triton="Triton's wheel is built for Linux on x86_64 only")
    assert isinstance(choice.embedder, OnnxEmbedder)
    assert choice.reason == (
        "Embedding with onnxruntime in this process: Triton's wheel is built for Linux on x86_64 only."
    )
    assert np.isfinite(choice.embedder.embed(photos(2)).vectors).all()
