"""What the fresh evidence for the gate and against poison rests on: what counts as worse, and that attackers do it."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from benchmarks.drift.fresh_models import ARMS, CASES, MODELS, PAIRS, coarse, grey, noisy, pruned, rounded
from benchmarks.drift.gate_fresh import BETTER, UNDECIDED, WORSE, kind
from benchmarks.drift.lessons import relabelled
from benchmarks.drift.poison_fresh import ATTACKS, COLOURS, COPIES, HIDDEN, RENAMED, Scene
from benchmarks.drift.poison_listings import delivered, photographed_again
from benchmarks.drift.poison_traffic import alike
from benchmarks.drift.poison_trained import exposure
from lookalike.training.data import TrainingSet
from tests.benchmarks.test_planted_challengers import market

RNG = np.random.default_rng


def differences(precision: tuple[float, float], recall: tuple[float, float]) -> dict:
    return {"precision": {"interval": list(precision)}, "recall": {"interval": list(recall)}}


@pytest.mark.parametrize(
    ("precision", "recall", "expected"),
    [
        ((0.01, 0.03), (-0.01, 0.02), BETTER),
        ((0.01, 0.03), (-0.03, -0.01), UNDECIDED),
        ((-0.03, -0.01), (-0.01, 0.02), WORSE),
        ((-0.01, 0.02), (-0.03, -0.01), WORSE),
        ((-0.03, -0.01), (0.01, 0.02), UNDECIDED),
        ((-0.01, 0.02), (0.01, 0.02), UNDECIDED),
    ],
)
def test_only_what_surely_rose_is_better_and_what_surely_fell_worse(
    precision: tuple[float, float], recall: tuple[float, float], expected: str
) -> None:
    assert kind(differences(precision, recall)) == expected


def test_every_pair_is_judged_both_ways_and_every_model_is_known() -> None:
    assert len(CASES) == len(set(CASES)) == 2 * len(PAIRS)
    assert {(other, one) for one, other in CASES} == set(CASES)
    assert {name for pair in PAIRS for name in pair} == {*ARMS, *MODELS, "finished"}


def test_weights_are_spoilt_as_much_as_is_said() -> None:
    weight = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    assert (noisy(0.1)(weight) - weight).std() == pytest.approx(0.1 * weight.std().item(), rel=0.1)
    assert len(rounded(4)(weight).unique()) <= 15
    assert (pruned(0.5)(weight) == 0).float().mean() == pytest.approx(0.5, abs=0.01)


def test_pixels_keep_their_size_and_lose_what_is_said() -> None:
    pixels = RNG(0).integers(0, 256, (2, 16, 12, 3), dtype=np.uint8)
    assert coarse(pixels).shape == pixels.shape
    assert coarse(pixels).std() < pixels.std()
    assert (grey(pixels) == grey(pixels)[..., :1]).all()


def test_labels_keep_their_values_under_another_model_s_numbers() -> None:
    photos, none = np.zeros((3, 2, 2, 3), np.uint8), np.empty((0, 3), np.int64)
    labels = np.array([[0], [1], [-1]])
    data = TrainingSet(photos, np.arange(3), np.ones(3, int), labels, ("colour",), (0,), none, np.empty(0, np.float32))
    told = relabelled(data, {"colour": ["Red", "Teal"]}, {"colour": ["Blue", "Red"]})
    assert told.labels.ravel().tolist() == [1, -1, -1]


def test_a_target_counts_as_shown_where_it_is_among_the_ten_nearest() -> None:
    vectors = np.eye(24, dtype=np.float32)
    vectors[:, 0] += np.linspace(0.9, 0, 24)  # the first query finds them in this order
    ids = np.array([f"p{n}" for n in range(24)], object)
    assert exposure(vectors[:1], vectors, ids, np.array(["p9"], object)) == 1.0
    assert exposure(vectors[:1], vectors, ids, np.array(["p10"], object)) == 0.0


def test_attackers_click_what_they_want() -> None:
    shop, rng = market(), RNG(1)
    scene = Scene(np.arange(20), shop.codes[:, 0] == 1, 60)
    clicks = {each.name: each.clicks(shop, scene, rng) for each in ATTACKS if each.clicks}
    pushed, shopping = clicks["promotion under cover"]
    assert set(shopping.sessions) == set(pushed.sessions)
    assert len(clicks["a ring of sellers"]) == 20
    assert len(clicks["a slow drip"][0].asked) == 40
    (swapped,), (mimicked,) = clicks["substitution within a type"], clicks["mimicry of shoppers"]
    assert scene.victim[swapped.asked].all()
    shown, _ = shop.answers(mimicked.asked)
    unlike = ~alike(shop, mimicked.asked, shown)[1]
    assert mimicked.clicked[unlike].mean() > 5 * mimicked.clicked[~unlike].mean()


def photo(shade: int) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (60, 80), (shade, 120, 200)).save(encoded, "JPEG")
    return encoded.getvalue()


def shop_of(products: int) -> pd.DataFrame:
    kinds, colours = np.array(["Shoes", "Shirts", "Bags"]), np.array(["Red", "Blue"])
    place = np.arange(products)
    told = {"id": place.astype(str), "articleType": kinds[place % 3], "baseColour": colours[place % 2]}
    return pd.DataFrame({**told, "title": "x", "image": [photo(n) for n in range(products)]})


def test_listings_are_poisoned_as_their_names_say() -> None:
    shop = shop_of(60)
    copies, colours, hidden, renamed = (
        delivered(shop, name, 7, "Shoes", RNG(2)) for name in (COPIES, COLOURS, HIDDEN, RENAMED)
    )
    assert copies["copied"].all() and len(copies) == 9
    assert len(set(copies["image"])) == 9  # photographed anew every time
    assert sorted(colours["baseColour"]) == sorted(shop["baseColour"].iloc[[int(n) for n in colours.index]])
    assert 1 <= hidden["copied"].sum() < len(hidden) / 5
    assert len(renamed) == 20 and "Shoes" not in set(renamed["articleType"])
    assert not {*copies["id"]} & {*shop["id"]}


def test_a_photo_taken_again_is_another_file_of_the_same_size() -> None:
    again = photographed_again(photo(40), RNG(3))
    assert again != photo(40)
    assert Image.open(io.BytesIO(again)).size == (60, 80)
