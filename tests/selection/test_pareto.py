"""The front holds what nothing beats."""

from hypothesis import given
from hypothesis import strategies as st

from lookalike.selection.pareto import pareto_front

FEW = st.integers(0, 6).map(float)  # few values, so that ties are common


@given(st.lists(st.tuples(FEW, FEW), min_size=1, max_size=30))
def test_the_front_is_that_of_a_naive_double_loop(points: list[tuple[float, float]]) -> None:
    naive = [
        not any(a >= recall and b >= speed and (a > recall or b > speed) for a, b in points) for recall, speed in points
    ]
    assert pareto_front([a for a, _ in points], [b for _, b in points]).tolist() == naive
