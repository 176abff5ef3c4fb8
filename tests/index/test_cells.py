"""Cells find a filter's photos wherever they lie, and give back what was written."""

from pathlib import Path

import numpy as np

from lookalike.index.attributes import chosen_rows
from lookalike.index.cells import Cells
from tests.index.shop import random_gallery

VECTORS = random_gallery(4_000, 8).vectors
QUERIES = random_gallery(20, 8, seed=1).vectors


def test_the_nearest_of_the_chosen_rows_come_from_the_cells_around_a_query(tmp_path: Path) -> None:
    chosen = chosen_rows(VECTORS[:, 0] < 0.1)
    built = Cells.build(VECTORS, seed=0)
    scores, rows = built.nearest(VECTORS, QUERIES, 10, chosen)
    wanted = [chosen.rows[np.argsort(-(VECTORS[chosen.rows] @ query))[:10]] for query in QUERIES]
    assert np.mean([len(set(a) & set(b)) for a, b in zip(rows.tolist(), wanted, strict=True)]) >= 9.5
    np.testing.assert_allclose(scores, np.vecdot(VECTORS[rows], QUERIES[:, np.newaxis]), atol=1e-6)
    built.save(tmp_path)
    again = Cells.load(tmp_path)
    assert again is not None
    assert np.array_equal(again.nearest(VECTORS, QUERIES, 10, chosen)[1], rows)


def test_where_few_rows_are_chosen_all_are_compared() -> None:
    chosen = chosen_rows(np.arange(len(VECTORS)) % 100 == 7)
    _, rows = Cells.build(VECTORS, seed=0).nearest(VECTORS, QUERIES, len(chosen.rows), chosen)
    assert all(sorted(line) == chosen.rows.tolist() for line in rows.tolist())


def test_a_collection_without_cells_has_none(tmp_path: Path) -> None:
    assert Cells.load(tmp_path) is None
