import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.errors import ArtifactError, ParityError
from lookalike.models.encoder import EncoderSettings, build_encoder
from lookalike.models.serving import ServingModel
from lookalike.release.export import CHECKPOINT, ExportSettings, export
from lookalike.release.parity import ParitySettings
from lookalike.release.triton_config import TritonSettings
from lookalike.storage import run_stage
from lookalike.training.checkpoint import build_network, load_checkpoint, save_checkpoint, tensors_of
from lookalike.training.recipe import Recipe
from tests.evaluation.shop import make_shop
from tests.release.tiny import PREPROCESSING

ENCODER = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8], "depths": [1], "layer_type": "basic"}
LABELS = {"shape": ["triangle", "ellipse", "rectangle"], "colour": ["red", "blue"]}
SETTINGS = ExportSettings(
    triton=TritonSettings(max_batch_size=4, preferred_batch_sizes=(4,)), parity=ParitySettings(photos=10)
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A sealed checkpoint of a tiny ResNet and a sealed catalogue of 12 products."""
    root = tmp_path_factory.mktemp("parts")
    make_shop(root / "validated", products=12)
    recipe = Recipe(
        encoder=EncoderSettings(config=ENCODER, batch_norm="train"), preprocessing=PREPROCESSING, dimension=8, epochs=1
    )

    def work(folder: Path) -> dict[str, Any]:
        torch.manual_seed(0)
        encoder = build_encoder(recipe.encoder)
        network = build_network(encoder, recipe, LABELS)
        save_checkpoint(folder, network, recipe, LABELS, tensors_of(encoder))
        return {}

    run_stage("train", root / "checkpoint", inputs={}, settings={}, content=["weights.safetensors"], work=work)
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
