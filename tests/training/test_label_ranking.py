"""Batches by class, and training on them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lookalike.catalog.products import load_catalogue
from lookalike.errors import TrainingError
from lookalike.training.batches import NumberedBatches
from lookalike.training.data import TrainingSet, load_training_set
from lookalike.training.plans import ClassPlan, TripletPlan, class_numbers, epoch_plan
from lookalike.training.recipe import Recipe
from tests.training.conftest import Train, tiny_recipe

ALONE = {"attributes": 0, "triplets": 0, "contrast": 0, "reconstruction": 0, "label_ranking": 1}


def by_class(loss: str = "semi_hard", triplets_per_batch: int = 3, **settings: object) -> Recipe:
    ranking = {"loss": loss, "photos_per_class": 3, "attributes": ("shape",), **settings}
    return tiny_recipe(tasks=ALONE, label_ranking=ranking, triplets_per_batch=triplets_per_batch)


def of_sizes(*sizes: int) -> TrainingSet:
    """Products with one photo each and one attribute, so many of each value, every product an anchor."""
    labels = np.repeat(np.arange(len(sizes)), sizes)[:, None]
    products = np.arange(len(labels))
    return TrainingSet(
        photos=np.zeros((len(labels), 32, 24, 3), np.uint8),
        first_photo=products,
        photo_count=np.ones_like(products),
        labels=labels,
        attributes=("shape",),
        alike=(0,),
        triplets=np.stack([products] * 3, axis=1),
        margins=np.zeros(len(labels), np.float32),
    )


@pytest.fixture(scope="module")
def data(shop: Path) -> TrainingSet:
    return load_training_set(load_catalogue(shop / "validated"), shop / "triplets", tiny_recipe().preprocessing)


def test_classes_are_products_alike_in_every_attribute_and_neither_unsure_nor_alone() -> None:
    labels = np.array([[0, 1], [2, 2], [0, 1], [0, -1], [0, -1], [3, 0], [2, 2]])
    assert class_numbers(labels).tolist() == [0, 1, 0, -1, -1, -1, 1]


@pytest.mark.parametrize("draw", ["products", "classes"])
def test_a_batch_holds_whole_classes_and_no_product_twice(data: TrainingSet, draw: str) -> None:
    plan = ClassPlan(data, by_class(draw=draw))
    shape = data.labels[:, data.attributes.index("shape")]
    for epoch in range(3):
        for products, margins, classes in plan.draws(epoch):
            assert len(margins) == 0
            assert len(products) == 9 == len(set(products))
            numbers, counts = np.unique(classes, return_counts=True)
            assert counts.tolist() == [3] * len(numbers)
            assert len(set(zip(classes, shape[products], strict=True))) == 3


def test_a_class_too_small_repeats_its_products_evenly() -> None:
    plan = ClassPlan(of_sizes(2, 2, 9), by_class(photos_per_class=3))
    for products, _, classes in plan.draws(0):
        for number, repeats in ((0, [1, 2]), (1, [1, 2]), (2, [1, 1, 1])):
            assert sorted(np.unique(products[classes == number], return_counts=True)[1]) == repeats


def test_every_way_of_drawing_has_the_same_budget(data: TrainingSet) -> None:
    for anchors in (None, 7):
        one = by_class().model_copy(update={"anchors_per_epoch": anchors})
        other = tiny_recipe(triplets_per_batch=3, anchors_per_epoch=anchors)
        assert ClassPlan(data, one).steps == TripletPlan(data, other).steps
        assert len(ClassPlan(data, one).draws(0)) == ClassPlan(data, one).steps


@pytest.mark.parametrize(("draw", "expected"), [("products", 0.5 * (0.7 + 0.3 * 42 / 58)), ("classes", 0.1)])
def test_classes_come_as_often_as_they_have_products_or_equally_often(draw: str, expected: float) -> None:
    plan = ClassPlan(of_sizes(42, *[2] * 9), by_class(draw=draw, triplets_per_batch=2, photos_per_class=3))
    drawn = np.stack([d.classes[::3] for epoch in range(60) for d in plan.draws(epoch)])  # (batches, 2)
    # The large class has 42 of 60 products and fills at most half a batch: it comes first, or second if it did not.
    assert abs((drawn == 0).mean() - expected) < 0.03


def test_a_batch_by_class_is_the_same_whenever_it_is_asked_for(data: TrainingSet) -> None:
    recipe = by_class()
    first, again = (NumberedBatches(data, recipe, epoch_plan(data, recipe), 1)[2] for _ in range(2))
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    other = NumberedBatches(data, recipe, epoch_plan(data, recipe), 2)[2]
    assert not torch.equal(first.pixels, other.pixels)


def test_too_few_classes_and_unknown_attributes_are_refused(data: TrainingSet) -> None:
    with pytest.raises(TrainingError, match="a batch wants 4 classes of two or more products, and there are 3"):
        ClassPlan(data, by_class().model_copy(update={"triplets_per_batch": 4}))
    with pytest.raises(TrainingError, match=r"label_ranking.attributes names \['weight'\]; the catalogue has"):
        ClassPlan(data, by_class(attributes=("weight",)))


@pytest.mark.parametrize("loss", ["semi_hard", "proxy_anchor", "multi_similarity"])
def test_every_label_loss_trains(trained: Train, loss: str) -> None:
    figures = trained(by_class(loss)).figures
    assert figures["label_ranking"] == figures["loss"] >= 0
