"""The gate refuses what is worse, in words, and lets through what is not."""

from dataclasses import replace

import numpy as np
import pytest

from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.protocol import Embeddings
from lookalike.errors import EvaluationError
from lookalike.evaluation.bootstrap import draw_resamples
from lookalike.evaluation.gate import decide_promotion
from lookalike.evaluation.measure import Evaluation, Measured
from lookalike.evaluation.queries import PhotoSet, QuerySet
from lookalike.evaluation.retrieval import Gallery, Ranking
from lookalike.evaluation.settings import GateSettings
from lookalike.evaluation.truth import Truth

Q = 200
SHOES = 40
"""The first queries are shoes, the others bags."""


def truth(products: int = Q) -> Truth:
    rows = np.arange(products)
    codes = np.zeros((products, 1), dtype=np.int32)
    verticals = np.array(["shoes"] * SHOES + ["bags"] * (products - SHOES), dtype=object)
    splits = np.full(products, "test", dtype=object)
    return Truth(("type",), {"type": ["a"]}, codes, (0,), (0,), verticals, splits, rows, rows)


def evaluation(fine: np.ndarray, coarse: float = 0.9, recall: float = 0.9) -> Evaluation:
    """An evaluation whose queries have the given fine precision@4."""
    rows = np.arange(len(fine))
    resamples = draw_resamples(rows, 400, 0.95, 0)
    nothing = Embeddings(np.zeros((Q, 2), np.float32), {})
    ranking = Ranking(rows[:, None], np.ones((Q, 1), np.float32))
    values = {
        "fine_precision_at_4": fine,
        "coarse_precision_at_4": np.full(Q, coarse),
        "known_item_recall_at_10": (rows < recall * Q).astype(float),
    }
    sets = {
        name: Measured(QuerySet(name, PhotoSet([b""] * Q, rows)), nothing, ranking, values, resamples)
        for name in ("catalogue", "damaged")
    }
    return Evaluation(MemoryEmbedder().identity, Q, Gallery(nothing.vectors, rows, rows), sets)


def spread(mean: float, seed: int = 0) -> np.ndarray:
    """Per-query precisions around a mean."""
    return np.clip(mean + np.random.default_rng(seed).normal(0, 0.1, Q), 0, 1)


def decide(challenger: Evaluation, champion: Evaluation | None, baseline: Evaluation | None = None):
    return decide_promotion(challenger, champion, truth(), GateSettings(), baseline)


def test_a_worse_challenger_is_refused_with_the_difference_in_words() -> None:
    champion = evaluation(spread(0.40))
    promotion = decide(evaluation(spread(0.40) - 0.05), champion)
    assert not promotion.promote
    assert promotion.reasons[0] == (
        "fine precision@4 on catalogue photos differs from the champion's by "
        "-0.050 (n=200, interval -0.050 to -0.050), which may fall below the tolerated -0.010"
    )


def test_a_challenger_that_may_be_worse_is_refused_even_when_its_mean_is_not() -> None:
    champion = spread(0.40)
    noisy = np.clip(champion + np.random.default_rng(7).normal(0, 0.4, Q), 0, 1)
    noisy += champion.mean() - noisy.mean()
    assert not decide(evaluation(noisy), evaluation(champion)).promote


def test_an_equal_challenger_passes_since_it_may_know_newer_products() -> None:
    model = evaluation(spread(0.40))
    promotion = decide(model, model)
    assert promotion.promote
    assert sum("the champion's by" in reason for reason in promotion.reasons) == 4  # precision, recall, two verticals


def test_a_better_challenger_passes() -> None:
    assert decide(evaluation(spread(0.40) + 0.05), evaluation(spread(0.40))).promote


def test_a_challenger_that_no_longer_finds_damaged_photos_is_refused() -> None:
    promotion = decide(evaluation(spread(0.5), recall=0.80), evaluation(spread(0.4), recall=0.85))
    assert not promotion.promote
    assert promotion.reasons[0].startswith(
        "known-item recall@10 on damaged photos differs from the champion's by -0.050"
    )


def test_a_challenger_that_gives_up_one_vertical_is_refused_whatever_it_gains_elsewhere() -> None:
    fine = spread(0.4) + 0.1
    fine[:SHOES] -= 0.2
    promotion = decide(evaluation(fine), evaluation(spread(0.4)))
    assert not promotion.promote
    assert "within shoes" in promotion.reasons[0]
    lenient = GateSettings(vertical_queries=SHOES + 1)
    assert decide_promotion(evaluation(fine), evaluation(spread(0.4)), truth(), lenient).promote


def test_a_first_release_must_clear_every_floor() -> None:
    assert decide(evaluation(spread(0.4)), None).promote
    promotion = decide(evaluation(np.zeros(Q), recall=0.1), None)
    assert not promotion.promote
    assert promotion.reasons[0] == (
        "fine precision@4 on catalogue photos is 0.000 (n=200, interval 0.000 to 0.000) and is below the floor of 0.020"
    )
    assert "known-item recall@10 on damaged photos is 0.100" in promotion.reasons[1]


def test_a_first_release_trained_from_pretrained_weights_must_beat_them() -> None:
    frozen = evaluation(spread(0.4))
    assert decide(evaluation(spread(0.5)), None, frozen).promote
    promotion = decide(frozen, None, frozen)
    assert not promotion.promote
    assert "does not clearly beat the frozen backbone: difference +0.000" in promotion.reasons[0]


def test_once_there_is_a_champion_the_baseline_decides_nothing() -> None:
    champion = evaluation(spread(0.4))
    assert decide(champion, champion, evaluation(spread(0.9))).promote


def test_a_challenger_that_could_not_be_judged_is_refused() -> None:
    unknown = evaluation(np.full(Q, np.nan))
    assert not decide(unknown, evaluation(spread(0.4))).promote
    assert not decide(unknown, None).promote


def test_models_that_answered_different_queries_are_not_compared() -> None:
    champion = evaluation(spread(0.4))
    moved = replace(champion.sets["catalogue"], queries=QuerySet("catalogue", PhotoSet([b""] * Q, np.arange(Q)[::-1])))
    with pytest.raises(EvaluationError, match="different catalogue queries"):
        decide(champion, replace(champion, sets={**champion.sets, "catalogue": moved}))
