"""What moved, stream by stream, with no more false names than stated."""

import numpy as np
import pytest

from monitoring.samples import Sample
from monitoring.streams import compare_streams, holm


def sample(seed: int, rows: int = 200, margin: float = 0.1, black: float = 0.5) -> Sample:
    rng = np.random.default_rng(seed)
    return Sample(
        vectors=np.empty((rows, 0), np.float32),
        numbers={
            "margin": rng.exponential(margin, rows),
            "top1_score": rng.normal(0.8, 0.05, rows),
            "photo_width": np.full(rows, 60.0),
        },
        labels={"colour": np.where(rng.random(rows) < black, "black", "white").astype(object)},
    )


def test_a_halved_margin_and_a_new_favourite_colour_are_named_first() -> None:
    results = compare_streams(sample(1), sample(2, margin=0.03, black=0.9), alpha=0.05)
    assert [result.name for result in results if result.moved] == ["margin", "colour"]
    assert [result.moved for result in results] == [True, True, False, False]
    assert "margin: the median went from 0.0" in results[0].words
    assert "'black' went from" in results[1].words


def test_a_side_by_side_of_the_same_rows_moves_nothing() -> None:
    results = compare_streams(sample(1), sample(1), alpha=0.05)
    assert all(result.statistic == 0 and result.p_adjusted == 1 for result in results)


def test_clean_windows_rarely_name_any_stream() -> None:
    named = [any(r.moved for r in compare_streams(sample(0), sample(seed), alpha=0.05)) for seed in range(1, 101)]
    assert sum(named) <= 12  # 99.9 % of binomial(100, 0.05)


def test_missing_values_are_not_values() -> None:
    reference, current = sample(1), sample(2)
    current.numbers["margin"][:190] = np.nan  # ten left are too few to test
    assert "margin" not in {result.name for result in compare_streams(reference, current, alpha=0.05)}


def test_a_value_nobody_predicted_before_is_a_change() -> None:
    reference, current = sample(1), sample(2)
    current.labels["colour"][:60] = "red"
    moved = {result.name: result for result in compare_streams(reference, current, alpha=0.05)}["colour"]
    assert moved.moved
    assert "'red' went from 0.0% to 30.0%" in moved.words


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3x0.01, then 2x0.03, then max(1x0.04, 0.06)
        ([0.5, 0.9], [1.0, 1.0]),
    ],
)
def test_holm_s_correction_step_by_step(given: list[float], adjusted: list[float]) -> None:
    assert holm(given) == pytest.approx(adjusted)
