"""What a recipe minimises, and that all it learns beside the network survives an interruption and is not exported."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from safetensors.torch import load_file

from lookalike.training.recipe import Recipe
from tests.training.conftest import Train, tiny_recipe
from tests.training.interruption import interrupted

BY_CLASS = {"loss": "proxy_anchor", "attributes": ("shape",), "photos_per_class": 4}


def _learning_beside_the_network(**settings: object) -> Recipe:
    """Every task that batches by class can have, proxies and learnt weights among what is learnt."""
    values = {"loss_weighting": "uncertainty", "label_ranking": BY_CLASS, "triplets_per_batch": 4, "epochs": 3}
    return tiny_recipe(tasks={"triplets": 0, "label_ranking": 1}, **{**values, **settings})


@pytest.mark.parametrize("at_step", [8, 13], ids=["after one epoch", "in the second epoch"])
def test_proxies_and_learnt_weights_go_on_where_they_were(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at_step: int
) -> None:
    recipe = _learning_beside_the_network()
    whole = trained(recipe, "whole")
    resumed = interrupted(trained, monkeypatch, recipe, at_step, resume_at=tmp_path / "state")
    assert resumed.content == whole.content
    assert (tmp_path / "resumed" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()


def test_the_model_keeps_nothing_of_what_was_learnt_beside_it(trained: Train, tmp_path: Path) -> None:
    trained(_learning_beside_the_network(epochs=1))
    trained(tiny_recipe(epochs=1), "plain")
    names = [set(load_file(tmp_path / run / "weights.safetensors")) for run in ("checkpoint", "plain")]
    assert names[0] == names[1]


def test_learnt_weights_are_told_per_epoch_and_move_towards_the_surer_task(trained: Train, tmp_path: Path) -> None:
    trained(_learning_beside_the_network(epochs=4))
    table = pd.read_csv(tmp_path / "checkpoint" / "metrics.csv")
    learnt = {name for name in table.columns if name.startswith("weight_")}
    assert learnt == {f"weight_{task}" for task in ("attributes", "contrast", "label_ranking", "reconstruction")}
    # The squared error of a thumbnail is far below 1 / 2 and the cross-entropies are above: one rises, others fall.
    assert table["weight_reconstruction"].is_monotonic_increasing
    assert table["weight_contrast"].is_monotonic_decreasing


def test_the_same_starting_weights_cost_the_same_fixed_or_learnt(trained: Train, tmp_path: Path) -> None:
    """Log variances start at 0, where a cross-entropy weighs 1 and a squared error a half."""
    tasks = {"attributes": 1, "triplets": 1, "contrast": 1, "reconstruction": 0.5}
    still = {"tasks": tasks, "epochs": 1, "learning_rate": 1e-30, "anchors_per_epoch": 8}
    losses = {}
    for weighting in ("fixed", "uncertainty"):
        trained(tiny_recipe(loss_weighting=weighting, **still), weighting)
        losses[weighting] = pd.read_csv(tmp_path / weighting / "metrics.csv")["loss"][0]
    assert losses["fixed"] == pytest.approx(losses["uncertainty"], rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"tasks": {"label_ranking": 1}}, r"triplets \(1.0\) and label_ranking \(1.0\) draw different batches"),
        (
            {"tasks": {"label_ranking": 1, "triplets": 0}, "label_ranking": {"photos_per_class": 5}},
            "a batch of 24 photos .* two or more whole classes of label_ranking.photos_per_class = 5",
        ),
        (
            {"tasks": {"label_ranking": 1, "triplets": 0}, "label_ranking": {"photos_per_class": 24}},
            "a batch of 24 photos .* two or more whole classes",
        ),
        ({"label_ranking": {"loss": "arcface"}}, "'semi_hard', 'proxy_anchor' or 'multi_similarity'"),
        ({"label_ranking": {"photos_per_class": 1}}, "greater than or equal to 2"),
    ],
)
def test_contradictory_ranking_settings_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        tiny_recipe(**settings)


def test_more_twins_than_photos_of_a_batch_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"twins.count is 25; a batch has 24 photos"):
        tiny_recipe(tasks={"instance": 1}, twins={"count": 25})
