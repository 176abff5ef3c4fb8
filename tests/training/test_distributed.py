"""Several processes on one batch learn what one would, fail together and leave nobody behind."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from lookalike.catalog.products import load_catalogue
from lookalike.errors import TrainingError
from lookalike.models.encoder import build_encoder
from lookalike.training.checkpoint import build_network
from lookalike.training.data import load_training_set
from lookalike.training.launch import launch, processes_here
from lookalike.training.loop import run_epochs
from lookalike.training.ranks import Ranks
from tests.training.conftest import Train, tiny_recipe
from tests.training.rank_work import (
    die_on_the_second,
    example,
    fail_on_the_second,
    gather_and_differentiate,
    pairwise,
    tell_what_is_there,
)

LOSS_TOLERANCE, WEIGHT_TOLERANCE = 1e-4, 1e-3
"""Relative and absolute: sums over a batch are taken in another order, and AdamW magnifies what rounding leaves."""


@pytest.mark.parametrize(("count", "world"), [(96, 2), (18, 4), (3, 4), (7, 3), (5, 1)])
def test_the_ranks_rows_cover_a_batch_in_order_and_in_equal_parts(count: int, world: int) -> None:
    parts = [Ranks(rank, world).rows(count) for rank in range(world)]
    assert len({len(part) for part in parts}) == 1
    np.testing.assert_array_equal(np.concatenate(parts)[:count], np.arange(count))


def test_two_processes_learn_what_one_does(trained: Train, tmp_path: Path) -> None:
    encoder = {"config": tiny_recipe().encoder.config, "batch_norm": "frozen"}
    recipe = tiny_recipe(encoder=encoder, tasks={"instance": 1}, twins={"count": 7}, epochs=2)
    trained(recipe, "one")
    trained(recipe, "two", processes=2)
    one, two = (pd.read_csv(tmp_path / name / "metrics.csv") for name in ("one", "two"))
    np.testing.assert_allclose(two, one, rtol=LOSS_TOLERANCE)
    alone, shared = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    for name, weights in alone.items():
        torch.testing.assert_close(shared[name], weights, rtol=0, atol=WEIGHT_TOLERANCE)
    assert multiprocessing.active_children() == []


def test_a_loss_over_pairs_of_the_whole_batch_has_the_gradient_of_one_process(tmp_path: Path) -> None:
    launch(2, gather_and_differentiate, tmp_path)
    vectors, weight = example()
    pairwise(vectors @ weight).backward()
    for rank in range(2):
        np.testing.assert_allclose(np.load(tmp_path / f"{rank}.npy"), weight.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (fail_on_the_second, "training process 2 of 2 failed: the second one cannot go on"),
        (die_on_the_second, "training process 2 of 2 failed: process 1 terminated with signal SIGKILL"),
    ],
)
def test_a_failing_process_ends_the_others_with_one_error(work: object, reason: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=reason):
        launch(2, work, tmp_path)
    assert multiprocessing.active_children() == []
    for file in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.name), 0)


def test_statistics_of_a_part_of_a_batch_are_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    recipe, catalogue = tiny_recipe(), load_catalogue(shop / "validated")
    data = load_training_set(catalogue, shop / "triplets", recipe.preprocessing)
    network = build_network(build_encoder(recipe.encoder), recipe, {})
    with pytest.raises(TrainingError, match=r"batch_norm is 'train': .* of which 2 processes see a part each"):
        run_epochs(network, data, recipe)


def test_processes_that_were_started_start_no_others(monkeypatch: pytest.MonkeyPatch, trained: Train) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="processes is 3, but this is one of 2 that were started"):
        trained(tiny_recipe(), processes=3)


def test_a_store_that_outlives_its_processes_is_refused_where_they_may_be_started_again(
    monkeypatch: pytest.MonkeyPatch, trained: Train
) -> None:
    for name, value in {"WORLD_SIZE": "2", "USE_AGENT_STORE": "True", "MAX_RESTARTS": "3"}.items():
        monkeypatch.setenv(name if name == "WORLD_SIZE" else f"TORCHELASTIC_{name}", value)
    with pytest.raises(TrainingError, match="set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"):
        trained(tiny_recipe())


def test_a_machine_trains_with_a_process_for_each_gpu_that_the_recipe_can_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    frozen = {"config": tiny_recipe().encoder.config, "batch_norm": "frozen"}
    assert processes_here(tiny_recipe(encoder=frozen, device="auto")) == 4
    assert processes_here(tiny_recipe(encoder=frozen, device="cpu")) == 1
    assert processes_here(tiny_recipe(device="auto")) == 1  # its batch norms want whole batches


def test_the_others_return_the_record_that_the_first_one_finds_and_learn_nothing(tmp_path: Path) -> None:
    launch(2, tell_what_is_there, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"0.json", "1.json"}
    assert (tmp_path / "0.json").read_text() == (tmp_path / "1.json").read_text()
