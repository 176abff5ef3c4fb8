"""What is planted is as bad as it says, and nothing else is touched."""

import numpy as np
import pytest

from benchmarks.drift.gate_changes import collapsed, narrowed, noise, signs
from benchmarks.drift.poison_shop import learn_map, unit
from benchmarks.drift.poison_traffic import Market, against_order, at_once, honest, logs, promotion
from lookalike.feedback.joining import MATCHED, UNKNOWN
from lookalike.mining.triplets import Triplets

RNG = np.random.default_rng(0)
VECTORS = unit(RNG.standard_normal((60, 12)).astype(np.float32))
ROWS = np.arange(60)


def market() -> Market:
    codes = (ROWS[:, None] % np.array([3, 2])).astype(np.int32)
    ids = np.array([f"p{row}" for row in ROWS], object)
    return Market(ids, VECTORS, codes, fine=(0, 1), coarse=(0,))


def test_noise_is_as_long_as_it_says() -> None:
    added = noise(0.5, 0)(VECTORS, ROWS) - VECTORS
    assert np.linalg.norm(added, axis=1).mean() == pytest.approx(0.5, rel=0.1)


def test_a_collapsed_embedding_lies_near_its_mean() -> None:
    moved = collapsed(VECTORS, 0.05)(VECTORS, ROWS)
    assert np.linalg.norm(moved - VECTORS.mean(axis=0), axis=1).max() < 0.2


def test_narrowing_and_signs_keep_what_they_say() -> None:
    assert narrowed(VECTORS, 4)(VECTORS, ROWS).shape == (60, 4)
    assert set(np.unique(np.sign(signs()(VECTORS, ROWS)))) <= {-1.0, 1.0}


def test_the_map_brings_positives_nearer_than_negatives() -> None:
    anchor, positive, negative = ROWS, ROWS, (ROWS + 1) % 60
    shaken = unit(VECTORS + 0.4 * RNG.standard_normal(VECTORS.shape).astype(np.float32) * (np.arange(12) < 6))
    both = np.concatenate([VECTORS, shaken])
    level = np.ones(60, np.int8)
    learned = learn_map(both, Triplets(anchor, positive + 60, negative, level, level))
    before, after = (
        [np.einsum("nd,nd->n", each[anchor], each[others]).mean() for others in (positive + 60, negative)]
        for each in (both, unit(both @ learned))
    )
    assert after[0] - after[1] > before[0] - before[1]


def test_visits_come_back_from_the_logs_as_they_were_made() -> None:
    shop, rng = market(), np.random.default_rng(1)
    visits = honest(shop, 50, rng)
    joined = logs(shop, [visits])
    assert joined.events[MATCHED] == visits.clicked.sum()
    assert len(joined.shown) == 50 * 10
    assert (joined.shown["query"] != joined.shown["product_id"]).all()


def test_attackers_do_what_their_names_say() -> None:
    shop, rng = market(), np.random.default_rng(1)
    pushed = promotion(shop, 7, 40, rng, sessions=1)
    shown, _ = shop.answers(pushed.asked)
    assert (shown[pushed.clicked] == 7).all()
    assert pushed.clicked.any()
    assert set(pushed.sessions) == {"attacker 0"}
    assert against_order(shop, 5, rng, 5).clicked[:, -3:].all()
    hour = at_once(pushed).times
    assert (max(hour) - min(hour)).total_seconds() < 3600


def test_forged_events_match_nothing() -> None:
    shop = market()
    visits = honest(shop, 30, np.random.default_rng(2))
    forged = type(visits)(**{**visits.__dict__, "forged": True})
    assert set(logs(shop, [forged]).events) == {UNKNOWN}
