"""How answers are judged, and by which rule a confidence is chosen."""

import numpy as np
import pytest

from benchmarks.narrowing import CONFIDENCES, PLAIN, best_confidence
from benchmarks.narrowing_shop import ANSWERS, Answered, judge
from lookalike.evaluation.truth import Truth

RED, BLUE = (0, 0), (0, 1)  # type, colour
CODES = np.array([RED, RED, RED, BLUE, BLUE, RED], dtype=np.int32)
TRUTH = Truth(
    attributes=("type", "colour"),
    values={"type": ["shoe"], "colour": ["red", "blue"]},
    codes=CODES,
    coarse=(0,),
    fine=(0, 1),
    verticals=np.array(["shoe"] * 6, dtype=object),
    splits=np.array(["test"] * 6, dtype=object),
    groups=np.arange(6),
    items=np.array([0, 0, 1, 2, 3, 4]),  # products 0 and 1 are one item
)


def ranking(*rows: int) -> np.ndarray:
    return np.array([[*rows, *[-1] * (ANSWERS - len(rows))]])


@pytest.mark.parametrize(
    ("rows", "found", "fine"),
    [
        ((0, 1, 2, 3, 4, 5), 1.0, 2 / 4),  # own item left out: red, blue, blue, red
        ((2, 5, 3), 0.0, 2 / 4),  # a missing fourth answer agrees with nothing
        ((1, 2), 0.0, 1 / 4),  # a duplicate listing is neither found nor counted
    ],
)
def test_answers_are_judged_without_the_own_item(rows: tuple[int, ...], found: float, fine: float) -> None:
    judged = judge(TRUTH, np.array([0]), ranking(*rows), np.zeros(1))
    assert (judged.found[0], judged.fine[0], judged.colour[0]) == (found, fine, fine)


def answered(fine: float, found: float) -> Answered:
    return Answered(np.array([found]), np.array([fine]), np.array([fine]), np.zeros(1))


def test_the_confidence_chosen_is_the_best_of_those_that_lose_little() -> None:
    clean = {f"narrowing_{value:g}": answered(1 - value, 1.0) for value in CONFIDENCES}
    damaged = {f"narrowing_{value:g}": answered(0, 0.95 if value >= 0.8 else 0.9) for value in CONFIDENCES}
    assert best_confidence(clean, damaged | {PLAIN: answered(0, 0.955)}) == 0.8
    assert best_confidence(clean, damaged | {PLAIN: answered(0, 0.99)}) == CONFIDENCES[-1]
