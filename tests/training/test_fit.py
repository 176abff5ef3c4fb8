"""The training stage: learning, resuming, refusing."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from lookalike.catalog.products import load_catalogue
from lookalike.errors import ArtifactError, TrainingError
from lookalike.training.checkpoint import load_checkpoint
from lookalike.training.embedder import FrozenBackbone, TorchEmbedder
from lookalike.training.fit import train
from lookalike.training.module import TrainingModule, learning_rate_share
from lookalike.training.recipe import Recipe
from lookalike.training.trained import read_trained
from tests.training.conftest import Train, tiny_recipe
from tests.training.interruption import interrupted


@pytest.mark.parametrize("at_step", [4, 9], ids=["after one epoch", "in the third epoch"])
def test_an_interrupted_run_ends_with_the_same_bytes(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at_step: int
) -> None:
    recipe = tiny_recipe(epochs=4)
    whole = trained(recipe, "whole")
    resumed = interrupted(trained, monkeypatch, recipe, at_step, resume_at=tmp_path / "state")
    assert resumed.content == whole.content
    assert (tmp_path / "resumed" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()


def test_resuming_skips_the_finished_epochs(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lookalike.training.loop")
    interrupted(trained, monkeypatch, tiny_recipe(epochs=3), 9, resume_at=tmp_path / "state")
    assert "going on after epoch 2 of 3" in caplog.text
    assert not list((tmp_path / "state").iterdir())  # a finished run leaves nothing to resume


def test_another_recipe_never_resumes_from_this_ones_state(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = {"resume_at": tmp_path / "state"}
    with monkeypatch.context() as patch:
        patch.setattr(TrainingModule, "on_train_end", lambda self: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            trained(tiny_recipe(), "first", **options)
    other = tiny_recipe(seed=1)
    assert trained(other, "with state", **options).content == trained(other, "without").content


def test_no_artifact_is_a_pickle(trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def power_cut(self: TrainingModule) -> None:
        raise OSError("power cut")

    trained(tiny_recipe(epochs=1))
    with monkeypatch.context() as patch:
        patch.setattr(TrainingModule, "on_train_end", power_cut)
        with pytest.raises(OSError, match="power cut"):
            trained(tiny_recipe(), "cut", resume_at=tmp_path / "state")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 9
    for path in files:
        assert path.suffix in (".safetensors", ".json", ".csv", ".parquet")
        assert path.read_bytes()[:2] not in (b"\x80\x04", b"\x80\x02", b"PK")


def test_training_brings_alike_products_together(trained: Train, shop: Path, tmp_path: Path) -> None:
    trained(tiny_recipe(epochs=18, learning_rate=5e-3))
    catalogue = load_catalogue(shop / "validated")
    contents = catalogue.photo_contents([f"{product}/0" for product in catalogue.products["product_id"]])
    pixels = tiny_recipe().preprocessing.batch(list(contents.values()))
    looks = (catalogue.products["attribute_shape"] + catalogue.products["attribute_colour"]).to_numpy()

    def precision(vectors: np.ndarray) -> float:
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -1)
        nearest = np.argsort(-cosines, axis=1)[:, :2]
        return float((looks[nearest] == looks[:, None]).mean())

    before = precision(FrozenBackbone(tmp_path / "checkpoint").embed(pixels).vectors)
    after = precision(TorchEmbedder(tmp_path / "checkpoint").embed(pixels).vectors)
    assert after > 0.9 > before


def test_a_checkpoint_says_what_it_was_trained_on(shop: Path, trained: Train, tmp_path: Path) -> None:
    trained(tiny_recipe(epochs=1))
    seen = read_trained(tmp_path / "checkpoint")
    named = pd.read_parquet(shop / "triplets" / "triplets.parquet", columns=["anchor", "positive", "negative"])
    assert set(seen["product_id"]) == set(named.to_numpy().ravel())
    assert seen["sha256"].str.len().eq(64).all()


@pytest.mark.parametrize("only", ["attributes", "triplets", "contrast", "reconstruction"])
def test_every_task_can_stand_alone(trained: Train, tmp_path: Path, only: str) -> None:
    tasks = dict.fromkeys(["attributes", "triplets", "contrast", "reconstruction"], 0.0) | {only: 1.0}
    trained(tiny_recipe(tasks=tasks, epochs=1))
    columns = set(pd.read_csv(tmp_path / "checkpoint" / "metrics.csv")) - {"epoch", "steps", "loss"}
    assert columns == ({"reconstruction", "kl"} if only == "reconstruction" else {only})
    network, checkpoint = load_checkpoint(tmp_path / "checkpoint")
    assert (network.decoder is not None) == (only == "reconstruction")
    assert bool(checkpoint.identity.attribute_labels) == (only == "attributes")


def test_a_loss_that_is_no_longer_a_number_names_the_step_and_leaves_nothing(trained: Train, tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"no longer a number at step \d+ of 8: .*a smaller learning_rate than 1e\+3"
    ):
        trained(tiny_recipe(learning_rate=1e30, gradient_clip=1e30))
    assert not list(tmp_path.iterdir())


def test_the_same_seed_gives_the_same_model_and_leaves_the_callers_draws_alone(trained: Train) -> None:
    torch.manual_seed(11)
    first = trained(tiny_recipe(epochs=1), "first")
    drawn = torch.rand(1)
    torch.manual_seed(11)
    assert torch.equal(drawn, torch.rand(1))
    assert trained(tiny_recipe(epochs=1), "second").content == first.content
    assert trained(tiny_recipe(epochs=1, seed=1), "third").content != first.content


def test_triplets_that_leave_the_train_split_are_refused(shop: Path, tmp_path: Path) -> None:
    splits = pd.read_parquet(shop / "splits" / "splits.parquet")
    other = tmp_path / "splits"
    other.mkdir()
    splits.assign(split=["test"] * 3 + splits["split"].tolist()[3:]).to_parquet(other / "splits.parquet")
    (other / "stage.json").write_text((shop / "splits" / "stage.json").read_text())
    with pytest.raises(TrainingError, match=r"names 3 products outside the train split .* 'p000'; mine again"):
        train(shop / "validated", other, shop / "triplets", tmp_path / "checkpoint", tiny_recipe())


def test_an_unknown_device_is_refused(trained: Train) -> None:
    with pytest.raises(TrainingError, match="device 'abacus' cannot be used"):
        trained(tiny_recipe(device="abacus"))


def test_changed_weights_are_noticed(trained: Train, tmp_path: Path) -> None:
    trained(tiny_recipe(epochs=1))
    weights = tmp_path / "checkpoint" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"weights.safetensors is missing or was changed"):
        load_checkpoint(tmp_path / "checkpoint")


def test_the_record_and_the_embedder_agree_on_identity_and_labels(trained: Train, shop: Path, tmp_path: Path) -> None:
    record = trained(tiny_recipe(epochs=1))
    embedder = TorchEmbedder(tmp_path / "checkpoint")
    assert embedder.identity.fingerprint == record.figures["fingerprint"]
    catalogue = load_catalogue(shop / "validated")
    assert embedder.identity.attribute_labels == {
        name: catalogue.attribute_values(name) for name in catalogue.attributes
    }
    answer = embedder.embed(np.zeros((3, 32, 24, 3), np.uint8))
    assert {name: values.shape for name, values in answer.attributes.items()} == {
        name: (3, len(labels)) for name, labels in embedder.identity.attribute_labels.items()
    }
    np.testing.assert_allclose(np.linalg.norm(answer.vectors, axis=1), 1, rtol=1e-5)


def test_the_frozen_backbone_is_the_encoder_before_its_first_step(trained: Train, tmp_path: Path) -> None:
    trained(tiny_recipe(epochs=1))
    backbone = load_file(tmp_path / "checkpoint" / "backbone.safetensors")
    weights = load_file(tmp_path / "checkpoint" / "weights.safetensors")
    assert {f"encoder.{name}" for name in backbone} == {name for name in weights if name.startswith("encoder.")}
    assert any(not torch.equal(value, weights[f"encoder.{name}"]) for name, value in backbone.items())
    trained(tiny_recipe(epochs=2), "longer")
    later = load_file(tmp_path / "longer" / "backbone.safetensors")
    assert all(torch.equal(value, later[name]) for name, value in backbone.items())


def test_going_on_from_a_champion_starts_with_its_weights(trained: Train, tmp_path: Path) -> None:
    trained(tiny_recipe())
    still = tiny_recipe(epochs=1, learning_rate=1e-30, weight_decay=0, encoder={"config": tiny_recipe().encoder.config})
    trained(still.model_copy(update={"encoder": tiny_recipe().encoder}), "next", start_from=tmp_path / "checkpoint")
    champion, challenger = (load_checkpoint(tmp_path / name)[0] for name in ("checkpoint", "next"))
    for name, value in champion.named_parameters():
        torch.testing.assert_close(challenger.get_parameter(name), value, rtol=0, atol=1e-12)


def test_going_on_from_another_space_is_refused(trained: Train, tmp_path: Path) -> None:
    trained(tiny_recipe(epochs=1))
    with pytest.raises(TrainingError, match="its dimension is 12, the recipe's is 16"):
        trained(tiny_recipe(dimension=16), "next", start_from=tmp_path / "checkpoint")


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    shares = [learning_rate_share(step, 100, 0.1) for step in range(101)]
    assert shares[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[100] == pytest.approx(0, abs=1e-12)
    assert all(math.isfinite(learning_rate_share(0, 1, share)) for share in (0, 0.1, 1))


def test_the_record_is_readable_json_with_the_whole_recipe(trained: Train, tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=1)
    trained(recipe)
    record = json.loads((tmp_path / "checkpoint" / "checkpoint.json").read_text())
    assert Recipe.model_validate(record["recipe"]) == recipe
