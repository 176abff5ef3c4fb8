"""Labelled recent traffic: places nobody looks at are made up for, and the order that was shown wins nothing by it."""

import numpy as np
import pandas as pd
import pytest

from lookalike.errors import EvaluationError
from lookalike.evaluation.recent import compare_recent, cosines, gains, read_recent

SHOWN = 6
LOOKED = 1.0 / (1.0 + np.arange(SHOWN))


def traffic(answers: int, worth: np.ndarray, seed: int) -> pd.DataFrame:
    """Answers in a random order of products p0 to p5, which are liked by `worth` and looked at from the top."""
    rng = np.random.default_rng(seed)
    rows = []
    for answer in range(answers):
        shown = rng.permutation(SHOWN)
        clicked = rng.random(SHOWN) < worth[shown] * LOOKED
        for place, product in enumerate(shown):
            weight = clicked[place] / LOOKED[place]
            rows.append((answer, "q", f"p{product}", place, weight, f"s{answer}"))
    return pd.DataFrame(rows, columns=["request_id", "query", "product_id", "position", "weight", "source"])


def order_of(*products: int):
    """A model that ranks the products so."""
    place = {f"p{product}": -rank for rank, product in enumerate(products)}
    return lambda queries, shown: np.array([place[product] for product in shown], float)


def test_the_better_order_wins_although_another_was_shown() -> None:
    worth = np.array([0.9, 0.7, 0.5, 0.3, 0.2, 0.1])
    rows = traffic(1500, worth, 0)
    best, worst = order_of(0, 1, 2, 3, 4, 5), order_of(5, 4, 3, 2, 1, 0)
    found = compare_recent(rows, best, worst, 200, 0.95, 0)
    assert found is not None
    assert found.challenger.mean() > found.champion.mean() + 0.2


def test_the_gain_is_what_full_attention_would_have_given() -> None:
    worth = np.array([0.9, 0.1, 0.5, 0.3, 0.2, 0.1])
    rows = traffic(6000, worth, 1)
    ranked = order_of(2, 0, 1, 3, 4, 5)
    rank = np.array([2, 3, 1, 4, 5, 6])
    expected = (worth / np.log2(1 + rank)).sum() / worth.sum()
    assert gains(rows[rows.groupby("request_id")["weight"].transform("sum") > 0], ranked).mean() == pytest.approx(
        expected, abs=0.02
    )


def test_the_shown_order_gains_nothing_from_having_been_shown() -> None:
    """All products alike in worth: no order is better, though nearly all clicks are at the top."""
    rows = traffic(4000, np.full(SHOWN, 0.3), 2)
    shown = dict(zip(zip(rows["request_id"], rows["product_id"], strict=True), -rows["position"], strict=True))
    as_shown = pd.Series([shown[key] for key in zip(rows["request_id"], rows["product_id"], strict=True)])
    gain = [
        gains(rows.assign(row=np.arange(len(rows))), lambda q, p, values=values: values).mean()
        for values in (as_shown.to_numpy(float), -as_shown.to_numpy(float))
    ]
    assert gain[0] == pytest.approx(gain[1], abs=0.05)


def test_answers_without_a_label_are_no_evidence() -> None:
    rows = traffic(3, np.zeros(SHOWN), 0)
    assert compare_recent(rows, order_of(*range(6)), order_of(*range(6)), 100, 0.95, 0) is None


def test_a_source_counts_once_however_often_it_asked() -> None:
    rows = traffic(40, np.full(SHOWN, 0.9), 0).assign(source="one")
    found = compare_recent(rows, order_of(*range(6)), order_of(*range(6)), 100, 0.95, 0)
    assert found is not None
    assert found.resamples.cluster.max() == 0


def test_similarities_are_cosines_of_the_named_products() -> None:
    found = cosines(pd.Index(["a", "b"]), np.float32([[1, 0], [0.6, 0.8]]))
    assert found(np.array(["a", "b"], object), np.array(["b", "b"], object)) == pytest.approx([0.6, 1.0])


def test_a_table_of_other_columns_is_refused(tmp_path) -> None:
    traffic(1, np.ones(SHOWN), 0).drop(columns="source").to_parquet(tmp_path / "recent.parquet")
    with pytest.raises(EvaluationError, match="has no column 'source'"):
        read_recent(tmp_path)
