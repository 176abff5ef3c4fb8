"""One order of answers, however it is computed."""

import numpy as np
import pytest

from lookalike.index.planner import goes_exact, graph_effort, wide_graph, wide_probes
from lookalike.index.ranking import order_rows, round_scores


def test_scores_and_rows_sorted_as_one_number_come_as_sorted_by_two_keys() -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(-1.1, 1.1, (20, 50)).astype(np.float32)
    scores[:, ::3] = scores[:, :1]  # ties
    rows = np.array([random.choice(2**32 - 1, 50, replace=False) for _ in range(20)])
    ordered, names = order_rows(scores, rows)
    for line, mine, found, named in zip(round_scores(scores), rows, ordered, names, strict=True):
        wanted = sorted(zip((-line).tolist(), mine.tolist(), strict=True))
        assert list(zip((-found).tolist(), named.tolist(), strict=True)) == wanted


def test_a_filter_makes_a_graph_look_further_and_never_less_far() -> None:
    assert wide_graph(128, 40, 0.5) == 128
    assert wide_graph(128, 40, 0.01) == 2_000
    assert wide_graph(16, 40, 1.0) == 40
    assert (wide_probes(16, 100, 0.25), wide_probes(16, 100, 0.01)) == (32, 100)
    assert goes_exact(5_000, 5_000)
    assert not goes_exact(5_001, 5_000)


def test_comparing_and_a_graph_cost_the_same_where_about_the_root_of_the_photos_pass() -> None:
    def meet(photos: int) -> int:
        return next(n for n in range(1, photos) if n > graph_effort(wide_graph(16, 40, n / photos)))

    assert meet(1_000_000) == pytest.approx(5 * meet(40_000), rel=0.05)
