"""Rows compared in place, side by side or as a shortlist: the same numbers as a plain loop."""

import numpy as np
import pytest

from lookalike.index import comparing
from lookalike.index.comparing import exact, rerank
from tests.index.shop import random_gallery

VECTORS = random_gallery(200, 16).vectors


@pytest.mark.parametrize("queries", [1, comparing.FEW, comparing.FEW + 1, 20])
@pytest.mark.parametrize("count", [1, 9, 70, 500])
def test_the_best_of_some_rows_are_those_of_a_plain_loop(
    monkeypatch: pytest.MonkeyPatch, queries: int, count: int
) -> None:
    monkeypatch.setattr(comparing, "PIECE", 32)  # several pieces, the last one shorter
    asked, rows = random_gallery(queries, 16, seed=1).vectors, np.arange(0, 200, 3)
    scores, found = exact(VECTORS, asked, rows, count)
    for query, line, named in zip(asked, scores, found, strict=True):
        wanted = sorted(((float(VECTORS[row] @ query), int(row)) for row in rows), reverse=True)[:count]
        assert sorted(named.tolist()) == sorted(row for _, row in wanted)
        assert sorted(line.tolist(), reverse=True) == pytest.approx([score for score, _ in wanted], abs=1e-6)


def test_a_shortlist_is_ranked_by_whole_vectors_and_what_was_not_found_comes_last() -> None:
    queries = random_gallery(3, 16, seed=1).vectors
    rows = np.array([[5, 9, -1, 40], [7, -1, -1, -1], [1, 2, 3, 4]])
    scores, found = rerank(VECTORS, queries, rows, 4)
    for query, line, named, given in zip(queries, scores, found, rows, strict=True):
        assert sorted(named.tolist()) == sorted(given.tolist())
        assert line.tolist() == pytest.approx([VECTORS[r] @ query if r >= 0 else -np.inf for r in named], abs=1e-6)
    assert rerank(VECTORS, queries, rows, 1)[1].tolist() == [
        [named[np.argmax(line)]] for line, named in zip(scores, found, strict=True)
    ]
