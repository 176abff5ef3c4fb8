"""A delivery whose products copy one another or contradict their photos is told from an honest one."""

import numpy as np

from lookalike.evaluation.new_products import Looks, SuspicionSettings, suspect

LABELS = 4


def looks(count: int, seed: int, wrong: float = 0.0) -> Looks:
    """Products spread over the space; the model is sure of each one's value, a share claims another."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    true = rng.integers(0, LABELS, count)
    probabilities = np.full((count, LABELS), 0.002, np.float32)
    probabilities[np.arange(count), true] = 0.994
    claimed = np.where(rng.random(count) < wrong, (true + 1) % LABELS, true)
    return Looks(vectors, {"type": probabilities}, {"type": claimed})


def test_an_honest_delivery_alarms_nobody() -> None:
    assert suspect(looks(200, 1), looks(200, 2), SuspicionSettings()).alarms == ()


def test_values_that_contradict_the_photos_alarm() -> None:
    found = suspect(looks(200, 1, wrong=0.2), looks(200, 2, wrong=0.01), SuspicionSettings())
    assert "described by values that their photos contradict" in found.alarms[0]
    assert 20 <= found.contradicted.sum() <= 60


def test_a_shop_that_always_mislabels_is_judged_by_its_own_habit() -> None:
    assert suspect(looks(400, 1, wrong=0.2), looks(400, 2, wrong=0.2), SuspicionSettings()).alarms == ()


def test_a_flood_of_copies_alarms_and_names_the_copies() -> None:
    new = looks(200, 1)
    new.vectors[:40] = new.vectors[0]
    found = suspect(new, looks(200, 2), SuspicionSettings())
    assert "copies of one another" in found.alarms[0]
    assert np.flatnonzero(found.copied).tolist() == list(range(40))


def test_a_few_new_products_are_not_judged_and_unknown_values_contradict_nothing() -> None:
    new = looks(20, 1, wrong=1.0)
    assert suspect(new, looks(200, 2), SuspicionSettings()).alarms == ()
    unknown = Looks(new.vectors, new.probabilities, {"type": np.full(20, -1)})
    assert not suspect(unknown, looks(200, 2), SuspicionSettings()).contradicted.any()
