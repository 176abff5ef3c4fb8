"""What moved, stream by stream, with no more false names than stated."""

import numpy as np
import pytest

from monitoring.calibration import calibrate, judge
from monitoring.samples import Sample
from monitoring.settings import DriftSettings
from monitoring.streams import StreamResult, constant_streams, family_of, holm, never_seen
from monitoring.weighing import stream_results
from tests.monitoring.shop import World, sample

SETTINGS = DriftSettings(alpha=0.05, draws=199, proof_draws=0)
WORLD = World(4, dimension=32)


def compared(reference: Sample, current: Sample) -> list[StreamResult]:
    calibration = calibrate(reference, len(current), SETTINGS)
    return stream_results(calibration, judge(calibration, reference, current, 0), reference, current)


def test_a_halved_margin_and_a_new_favourite_colour_are_named_first() -> None:
    current = sample(WORLD, 200, 2, margin=0.03, shares=(0.1, 0.1, 0.1, 0.7))
    results = compared(sample(WORLD, 200, 1), current)
    moved = [result.name for result in results if result.moved]
    assert sorted(moved) == ["colour", "margin"] == sorted(result.name for result in results[:2])
    words = {result.name: result.words for result in results}
    assert words["margin"].startswith("margin: the median went from 0.0")
    assert words["colour"].startswith("colour: 'white' went from")


def test_clean_windows_rarely_name_any_stream() -> None:
    reference = sample(WORLD, 400, 1)
    named = [any(one.moved for one in compared(reference, sample(WORLD, 100, seed))) for seed in range(2, 32)]
    assert sum(named) <= 6  # 99.9 % of binomial(30, 0.05)


def test_a_stream_that_the_window_hardly_has_is_left_out() -> None:
    current = sample(WORLD, 100, 2)
    current.numbers["margin"][:90] = np.nan  # ten left are too few
    assert "margin" not in {one.name for one in compared(sample(WORLD, 200, 1), current)}


def test_a_value_nobody_predicted_before_is_a_change() -> None:
    current = sample(WORLD, 200, 2)
    current.labels["colour"][:60] = "green"
    moved = {one.name: one for one in compared(sample(WORLD, 200, 1), current)}["colour"]
    assert moved.moved
    assert "'green' went from 0.0% to 30.0%" in moved.words


def test_what_was_always_the_same_is_judged_by_fisher_s_exact_test() -> None:
    reference, current = sample(WORLD, 60, 1), sample(WORLD, 40, 2)
    assert "empty_answers" in constant_streams(reference)
    assert never_seen(reference, current, "empty_answers") == 1.0
    current.numbers["empty_answers"][:2] = 1.0
    # both of the two empty answers among a hundred fall into the 40: 40/100 * 39/99
    assert never_seen(reference, current, "empty_answers") == pytest.approx(40 / 100 * 39 / 99)


def test_every_stream_has_a_family() -> None:
    reference = sample(WORLD, 60, 1)
    families = {name: family_of(name, reference) for name in ("embeddings", "colour", "margin", "sharpness")}
    assert families == {"embeddings": "queries", "colour": "queries", "margin": "answers", "sharpness": "photos"}


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
