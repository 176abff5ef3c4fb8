import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from lookalike.embedders.model_folder import CHECKPOINT, load_model, onnx_file
from lookalike.embedders.onnx import OnnxEmbedder, open_session
from lookalike.errors import ArtifactError, ParityError
from lookalike.models.serving import ServingModel
from lookalike.release.export import ExportSettings, export
from lookalike.release.parity import ParitySettings
from lookalike.release.triton_config import TritonSettings, parse_config
from lookalike.training.checkpoint import load_checkpoint
from lookalike.training.embedder import TorchEmbedder
from lookalike.training.recipe import ProjectionSettings
from tests.evaluation.shop import make_shop
from tests.release.checkpoints import make_checkpoint
from tests.release.tiny import PREPROCESSING

SETTINGS = ExportSettings(
    triton=TritonSettings(max_batch_size=4, preferred_batch_sizes=(4,)), parity=ParitySettings(photos=10)
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A sealed checkpoint of a tiny ResNet and a sealed catalogue of 12 products."""
    root = tmp_path_factory.mktemp("parts")
    make_shop(root / "validated", products=12)
    make_checkpoint(root / "checkpoint")
    return root / "checkpoint", root / "validated"


@pytest.fixture(scope="module")
def exported(parts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("export") / "exported"
    record = export(*parts, output, SETTINGS)
    assert record.figures["parity_photos"] == 10
    return output


def test_the_export_answers_as_the_checkpoint_does(parts: tuple[Path, Path], exported: Path) -> None:
    network, checkpoint = load_checkpoint(parts[0])
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 24, 3), dtype=np.uint8)
    with torch.inference_mode():
        vectors, probabilities = ServingModel(network, PREPROCESSING)(torch.from_numpy(pixels))
    embedder = OnnxEmbedder(exported)
    found = embedder.embed(pixels)
    assert embedder.identity == checkpoint.identity
    np.testing.assert_allclose(found.vectors, vectors.numpy(), atol=1e-5)
    assert list(found.attributes) == ["shape", "colour"]
    np.testing.assert_allclose(found.attributes["shape"], probabilities.numpy()[:, :3], atol=1e-5)


def test_the_output_is_what_triton_and_people_read(exported: Path) -> None:
    model = json.loads((exported / "model.json").read_text())
    name = model["name"]
    assert name == f"embedder_{model['fingerprint'][:12]}"
    for expected in (f"{name}/config.pbtxt", f"{name}/1/model.onnx", "golden.json", "stage.json"):
        assert (exported / expected).is_file(), expected
    card = (exported / "model_card.md").read_text()
    assert model["fingerprint"] in card and "- shape: 3 values" in card
    assert "| computed by | `CPUExecutionProvider` |" in card


def test_the_checkpoint_travels_with_the_model(parts: tuple[Path, Path], exported: Path) -> None:
    assert load_checkpoint(exported / CHECKPOINT)[1] == load_checkpoint(parts[0])[1]


def test_exporting_again_reuses_the_output(parts: tuple[Path, Path], exported: Path) -> None:
    assert export(*parts, exported, SETTINGS).reused


def test_a_bound_that_is_not_kept_leaves_nothing_behind(parts: tuple[Path, Path], tmp_path: Path) -> None:
    strict = ExportSettings(triton=SETTINGS.triton, parity=ParitySettings(photos=4, min_cosine=1.1))
    with pytest.raises(ParityError, match=r"least cosine .* \(at least 1\.1\)"):
        export(*parts, tmp_path / "exported", strict)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_was_never_finished_is_refused(parts: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot read"):
        export(tmp_path, parts[1], tmp_path / "exported", SETTINGS)


def test_heads_stay_behind_where_the_settings_say_so(parts: tuple[Path, Path], exported: Path, tmp_path: Path) -> None:
    export(*parts, tmp_path / "bare", SETTINGS.model_copy(update={"heads": False}))
    bare, full = OnnxEmbedder(tmp_path / "bare"), OnnxEmbedder(exported)
    assert bare.identity.fingerprint == full.identity.fingerprint  # the vectors are the same
    assert bare.identity.attribute_labels == {}
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 24, 3), dtype=np.uint8)
    np.testing.assert_array_equal(bare.embed(pixels).vectors, full.embed(pixels).vectors)
    assert bare.embed(pixels).attributes == {}
    model = load_model(tmp_path / "bare")
    assert [output.name for output in open_session(onnx_file(tmp_path / "bare", model)).get_outputs()] == ["embedding"]
    config = parse_config((tmp_path / "bare" / model.name / "config.pbtxt").read_text())
    assert [tensor.name for tensor in config.output] == ["embedding"]
    assert "attributes" not in (tmp_path / "bare" / "model_card.md").read_text()


def test_weights_of_heads_left_behind_are_not_in_the_file(
    parts: tuple[Path, Path], exported: Path, tmp_path: Path
) -> None:
    export(*parts, tmp_path / "bare", SETTINGS.model_copy(update={"heads": False}))
    bare, full = (onnx.load(onnx_file(folder, load_model(folder))) for folder in (tmp_path / "bare", exported))
    assert _numbers(full) - _numbers(bare) >= 5 * 8  # a direction of 8 numbers for each of the 5 values


def _numbers(proto: onnx.ModelProto) -> int:
    return sum(int(np.prod(tensor.dims)) for tensor in proto.graph.initializer)


@pytest.mark.parametrize("whiten", [False, True])
def test_a_projection_is_part_of_the_exported_model_and_its_identity(
    parts: tuple[Path, Path], exported: Path, tmp_path: Path, whiten: bool
) -> None:
    make_checkpoint(tmp_path / "checkpoint", ProjectionSettings(dimension=3, whiten=whiten))
    record = export(tmp_path / "checkpoint", parts[1], tmp_path / "projected", SETTINGS)
    assert record.figures["parity_max_difference"] < 1e-4
    served, trained = OnnxEmbedder(tmp_path / "projected"), TorchEmbedder(tmp_path / "checkpoint")
    assert served.identity == trained.identity
    assert served.identity.dimension == 3
    assert served.identity.fingerprint != OnnxEmbedder(exported).identity.fingerprint
    pixels = np.random.default_rng(1).integers(0, 256, (4, 32, 24, 3), dtype=np.uint8)
    np.testing.assert_allclose(served.embed(pixels).vectors, trained.embed(pixels).vectors, atol=1e-5)
    config = parse_config(
        (tmp_path / "projected" / load_model(tmp_path / "projected").name / "config.pbtxt").read_text()
    )
    assert list(config.output[0].dims) == [3]
