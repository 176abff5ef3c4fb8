"""Any table can be drawn: one candidate, none found, all found, none chosen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lookalike.selection.plot import draw_pareto

TABLE = pd.DataFrame(
    {
        "name": ["flat", "binary", "hnsw"],
        "kind": ["flat", "binary", "hnsw"],
        "recall": [1.0, 0.0, 0.95],
        "queries_per_second": [400.0, 20_000.0, 9_000.0],
        "total_bytes": [2**26, 2**25, 2**27],
        "k": 10,
        "threads": 1,
        "rows": 40_000,
        "dimension": 192,
    }
)


def drawn(table: pd.DataFrame, path: Path, chosen: str | None) -> np.ndarray:
    draw_pareto(table, path, chosen, recall=0.9)
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int32)


@pytest.mark.parametrize("rows", [[0], [1], [2], [0, 1, 2]])
def test_every_table_is_drawn_and_the_chosen_one_is_marked(rows: list[int], tmp_path: Path) -> None:
    table = TABLE.iloc[rows]
    plain = drawn(table, tmp_path / "plain.png", None)
    marked = drawn(table, tmp_path / "marked.png", table["name"].iloc[0])
    assert plain.std() > 0
    assert plain.shape != marked.shape or not np.array_equal(plain, marked)


def test_the_same_table_is_drawn_byte_for_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        draw_pareto(TABLE, tmp_path / name, "hnsw", 0.9)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
