"""Batches are a function of seed, epoch and step, and hold what the triplets say."""

from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lookalike.catalog.products import load_catalogue
from lookalike.errors import TrainingError
from lookalike.training.batches import EpochBatches, NumberedBatches
from lookalike.training.data import TrainingSet, load_training_set
from lookalike.training.plans import TripletPlan
from lookalike.training.ranks import Ranks
from tests.training.conftest import tiny_recipe


@pytest.fixture(scope="module")
def data(shop: Path) -> TrainingSet:
    return load_training_set(load_catalogue(shop / "validated"), shop / "triplets", tiny_recipe().preprocessing)


def test_every_photo_of_every_training_product_is_decoded_once(shop: Path, data: TrainingSet) -> None:
    catalogue = load_catalogue(shop / "validated")
    splits = pd.read_parquet(shop / "splits" / "splits.parquet")
    training = sorted(splits.loc[splits["split"] == "train", "product_id"])
    assert len(data.photos) == 2 * len(training) == data.photo_count.sum()
    for number in (0, 17, 29):
        for position in range(2):
            photo = f"{training[number]}/{position}"
            expected = tiny_recipe().preprocessing.pixels(catalogue.photo_contents([photo])[photo])
            np.testing.assert_array_equal(data.photos[data.first_photo[number] + position], expected)


def test_every_anchor_comes_once_before_any_comes_twice_across_epochs_too(data: TrainingSet) -> None:
    plan = TripletPlan(data, tiny_recipe(anchors_per_epoch=7))
    drawn = np.concatenate([np.concatenate(plan.batches(epoch)) for epoch in range(9)])
    anchors = data.triplets[drawn, 0]
    assert sorted(anchors[:30]) == sorted(anchors[30:60]) == list(range(30))


def test_steps_count_the_batches_and_the_last_one_may_be_smaller(data: TrainingSet) -> None:
    plan = TripletPlan(data, tiny_recipe())
    assert plan.steps == 4
    assert [len(batch) for batch in plan.batches(0)] == [8, 8, 8, 6]


def test_an_anchor_gets_different_triplets_in_different_epochs(data: TrainingSet) -> None:
    plan = TripletPlan(data, tiny_recipe())
    seen = {number for epoch in range(12) for batch in plan.batches(epoch) for number in batch.tolist()}
    assert len(seen) > 120  # of 240 mined, 30 per epoch


def test_a_batch_is_the_same_whenever_it_is_asked_for(data: TrainingSet) -> None:
    recipe = tiny_recipe()
    plan = TripletPlan(data, recipe)
    first, again = (NumberedBatches(data, recipe, plan, 1)[2] for _ in range(2))
    other = NumberedBatches(data, recipe, plan, 2)[2]
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first.pixels, other.pixels)


def test_a_batch_holds_anchors_then_positives_then_negatives(data: TrainingSet) -> None:
    recipe = tiny_recipe(damage="none")
    plan = TripletPlan(data, recipe)
    batch, triplets = NumberedBatches(data, recipe, plan, 0)[0], plan.batches(0)[0]
    assert batch.pixels.shape == (24, 32, 24, 3)
    for role in range(3):
        products = data.triplets[triplets, role]
        np.testing.assert_array_equal(batch.labels[8 * role : 8 * (role + 1)], data.labels[products])
        for photo, product in zip(batch.pixels[8 * role :], products, strict=False):
            own = data.photos[data.first_photo[product] : data.first_photo[product] + 2]
            assert (own == photo.numpy()).all(axis=(1, 2, 3)).any()
    np.testing.assert_array_equal(batch.margins, data.margins[triplets])


def test_damage_touches_the_pixels_and_not_the_decoders_target(data: TrainingSet) -> None:
    batch = NumberedBatches(data, tiny_recipe(), TripletPlan(data, tiny_recipe()), 0)[0]
    changed = (batch.pixels != batch.clean).flatten(1).any(dim=1)
    assert changed.float().mean() > 0.7
    half = NumberedBatches(data, tiny_recipe(damage_share=0.5), TripletPlan(data, tiny_recipe()), 0)[0]
    assert 0.1 < (half.pixels != half.clean).flatten(1).any(dim=1).float().mean() < 0.6
    clean = NumberedBatches(data, tiny_recipe(damage="none"), TripletPlan(data, tiny_recipe()), 0)[0]
    assert torch.equal(clean.pixels, batch.clean)


def test_twins_are_the_first_photos_damaged_anew_and_change_nothing_else(data: TrainingSet) -> None:
    recipe = tiny_recipe(tasks={"instance": 1}, twins={"count": 5}, damage="none")
    batch = NumberedBatches(data, recipe, TripletPlan(data, recipe), 0)[0]
    changed = (batch.twins != batch.clean[:5]).flatten(1).any(dim=1)
    assert len(batch.twins) == 5
    assert changed.float().mean() >= 0.8
    without = tiny_recipe(damage="none")
    plain = NumberedBatches(data, without, TripletPlan(data, without), 0)[0]
    assert len(plain.twins) == 0
    for name in ("pixels", "clean", "labels", "products", "margins"):
        assert torch.equal(getattr(batch, name), getattr(plain, name))


def test_ranks_damage_their_twins_as_one_process_would(data: TrainingSet) -> None:
    recipe = tiny_recipe(tasks={"instance": 1}, twins={"count": 5})
    plan = TripletPlan(data, recipe)
    whole = NumberedBatches(data, recipe, plan, 0)[0].twins
    parts = [NumberedBatches(data, recipe, plan, 0, Ranks(rank, 2))[0].twins for rank in range(2)]
    assert torch.equal(torch.cat(parts)[:5], whole)


def test_workers_prepare_the_same_batches(data: TrainingSet) -> None:
    inline, beside = (
        list(EpochBatches(data, recipe, TripletPlan(data, recipe), 0))
        for recipe in (tiny_recipe(), tiny_recipe(workers=1))
    )
    assert all(torch.equal(a.pixels, b.pixels) for a, b in zip(inline, beside, strict=True))


def test_mapped_photos_travel_to_workers_as_the_path_of_their_file(shop: Path, tmp_path: Path) -> None:
    catalogue, recipe = load_catalogue(shop / "validated"), tiny_recipe()
    mapped = load_training_set(catalogue, shop / "triplets", recipe.preprocessing, tmp_path)
    sent = ForkingPickler.dumps(mapped)
    assert len(sent) < mapped.photos.nbytes / 2
    arrived = ForkingPickler.loads(sent)
    assert isinstance(arrived.photos, np.memmap)
    np.testing.assert_array_equal(arrived.photos, mapped.photos)
    np.testing.assert_array_equal(arrived.triplets, mapped.triplets)


def test_triplets_of_unknown_products_are_refused(shop: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(shop / "triplets" / "triplets.parquet")
    table.loc[3, "negative"] = "p999"
    table.to_parquet(tmp_path / "triplets.parquet")
    with pytest.raises(TrainingError, match=r"products the validated catalogue does not have: \['p999'\]"):
        load_training_set(load_catalogue(shop / "validated"), tmp_path, tiny_recipe().preprocessing)
