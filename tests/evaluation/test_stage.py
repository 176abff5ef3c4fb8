"""The stage over a real checkpoint: tiny networks with random weights."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from lookalike.catalog.images import Preprocessing
from lookalike.errors import ArtifactError, EvaluationError
from lookalike.evaluation.evaluate import evaluate
from lookalike.evaluation.settings import EvaluationSettings, GateSettings
from lookalike.models.encoder import EncoderSettings, build_encoder
from lookalike.storage import run_stage, write_json
from lookalike.training.checkpoint import WEIGHTS, build_network, save_checkpoint, tensors_of
from lookalike.training.recipe import Recipe
from tests.evaluation.shop import make_shop, make_splits
from tests.release import tiny

SETTINGS = EvaluationSettings(damaged_queries=8, queries_per_damage=2, repeats=100, sheet_rows=2)
ENCODER = {"model_type": "mobilenet_v1", "depth_multiplier": 0.25, "image_size": 32}


def make_checkpoint(folder: Path, encoder: EncoderSettings) -> Path:
    """Train's output without the training."""
    recipe = Recipe(encoder=encoder, epochs=1, dimension=16, preprocessing=Preprocessing(height=32, width=24))
    labels = {"colour": ["blue", "green", "grey", "red"], "shape": ["ellipse", "rectangle", "triangle"]}

    def work(aside: Path) -> dict[str, float]:
        torch.manual_seed(0)
        untrained = build_encoder(encoder)
        backbone = {name: value.clone() for name, value in tensors_of(untrained).items()}
        save_checkpoint(aside, build_network(untrained, recipe, labels), recipe, labels, backbone)
        return {}

    run_stage("train", folder, inputs={}, settings={}, content=[WEIGHTS], work=work)
    return folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("stage")
    catalogue = make_shop(folder / "validated", 24)
    splits = make_splits(folder / "splits", catalogue)
    return folder / "validated", splits, make_checkpoint(folder / "checkpoint", EncoderSettings(config=ENCODER))


def test_the_stage_is_reused_until_the_champion_or_a_setting_changes(
    inputs: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    first = evaluate(*inputs, tmp_path / "evaluation", SETTINGS)
    assert not first.reused
    assert evaluate(*inputs, tmp_path / "evaluation", SETTINGS).reused
    report = json.loads((tmp_path / "evaluation" / "report.json").read_text())
    assert set(report["models"]) == {"challenger"}  # random weights have no baseline worth the name

    again = evaluate(*inputs, tmp_path / "evaluation", SETTINGS, champion=tiny.exported())
    assert not again.reused
    report = json.loads((tmp_path / "evaluation" / "report.json").read_text())
    assert report["models"]["champion"] == tiny.identity(0).fingerprint
    promotion = json.loads((tmp_path / "evaluation" / "promotion.json").read_text())
    assert any("the champion's" in reason for reason in promotion["reasons"])


def test_the_exported_challenger_is_timed_and_what_others_found_holds_it_back(
    inputs: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    model = tiny.exported()
    found = evaluate(
        *inputs, tmp_path / "evaluation", SETTINGS, champion=model, exported=model, alarms=("a person must look",)
    )
    assert found.figures["promote"] is False
    assert "a person must look" in found.figures["reasons"]
    assert any("times as long; 1.25 times is tolerated" in reason for reason in found.figures["reasons"])
    assert any("has no trained.parquet" in reason for reason in found.figures["reasons"])


def collected(folder: Path, alarms: list[str]) -> Path:
    """What collected feedback is: answers to test products, and one to a product that has left the shop."""
    rows = [
        (f"a{n}", asked, shown, 0, 1.0, "s") for n, asked in enumerate(("p020", "p021")) for shown in ("p022", "p023")
    ]
    rows += [("gone", "p020", "sold out", 0, 1.0, "s")]

    def work(aside: Path) -> dict[str, int]:
        columns = ["request_id", "query", "product_id", "position", "weight", "source"]
        pd.DataFrame(rows, columns=columns).to_parquet(aside / "recent.parquet")
        write_json(aside / "guard.json", {"alarms": alarms})
        return {}

    run_stage("collect_feedback", folder, inputs={}, settings={}, content=["recent.parquet"], work=work)
    return folder


def test_recent_traffic_is_compared_and_its_alarms_hold_a_challenger_back(
    inputs: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    gate = GateSettings(recent_answers=2)
    settings = SETTINGS.model_copy(update={"gate": gate})
    recent = collected(tmp_path / "recent", ["the feedback looks poisoned"])
    found = evaluate(*inputs, tmp_path / "evaluation", settings, champion=tiny.exported(), recent=recent)
    reasons = found.figures["reasons"]
    assert "the feedback looks poisoned" in reasons
    assert any("gain on labelled recent traffic differs from the champion's by" in reason for reason in reasons)
    assert any("(n=2" in reason for reason in reasons if "recent traffic" in reason)


def test_the_same_inputs_give_the_same_figures(inputs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    contents = [evaluate(*inputs, tmp_path / name, SETTINGS).content for name in ("one", "two")]
    assert contents[0] == contents[1]


def test_a_checkpoint_from_pretrained_weights_is_compared_with_them(
    inputs: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "pretrained"
    torch.manual_seed(1)
    build_encoder(EncoderSettings(config=ENCODER)).backbone.save_pretrained(folder)
    checkpoint = make_checkpoint(tmp_path / "checkpoint", EncoderSettings(source=str(folder)))
    record = evaluate(*inputs[:2], checkpoint, tmp_path / "evaluation", SETTINGS)
    assert "baseline_fine_precision_at_4" in record.figures
    assert any("frozen backbone" in reason for reason in record.figures["reasons"])


def test_a_split_too_small_to_search_is_refused(tmp_path: Path, inputs: tuple[Path, Path, Path]) -> None:
    catalogue = make_shop(tmp_path / "validated", 3)
    splits = make_splits(tmp_path / "splits", catalogue)
    few = SETTINGS.model_copy(update={"split": "validation"})
    with pytest.raises(EvaluationError, match="the validation split has 0 products; evaluation needs at least 2"):
        evaluate(tmp_path / "validated", splits, inputs[2], tmp_path / "evaluation", few)
    assert not (tmp_path / "evaluation").exists()


def test_an_unfinished_input_is_refused(inputs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not a finished stage output"):
        evaluate(inputs[0], inputs[1], tmp_path, tmp_path / "evaluation", SETTINGS)
