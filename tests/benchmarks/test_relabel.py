"""Hidden labels: the exact share, of the train split alone, the same under one seed."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.embedding.relabel import hidden, hide_labels
from lookalike.catalog.products import load_catalogue
from tests.evaluation.shop import make_shop, make_splits

COLUMNS = ["attribute_shape", "attribute_colour"]


def products(count: int) -> pd.DataFrame:
    table = pd.DataFrame({"product_id": [f"p{n}" for n in range(count)]})
    shapes: list[str | None] = ["round", "square"] * (count // 2)
    shapes[:3] = [None] * 3
    return table.assign(attribute_shape=shapes, attribute_colour=["red"] * count)


def test_exactly_the_share_of_known_labels_is_hidden_and_only_in_the_given_rows() -> None:
    table, rows = products(40), np.arange(40) < 30
    found = hidden(table, COLUMNS, rows, 0.3, seed=0)
    known = int(table.loc[rows, COLUMNS].notna().sum().sum())
    assert known == 57
    assert int(found.loc[rows, COLUMNS].notna().sum().sum()) == known - round(0.3 * known)
    pd.testing.assert_frame_equal(found[~rows], table[~rows])


def test_labels_that_stay_are_the_ones_that_were() -> None:
    table = products(40)
    found = hidden(table, COLUMNS, np.ones(40, bool), 0.6, seed=0)
    stayed = found[COLUMNS].notna()
    assert (found[COLUMNS].where(stayed) == table[COLUMNS].where(stayed)).where(stayed, True).all().all()


def test_the_same_seed_hides_the_same_labels_and_another_seed_others() -> None:
    table, rows = products(40), np.ones(40, bool)
    one, same, other = (hidden(table, COLUMNS, rows, 0.5, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)


def test_the_catalogue_with_hidden_labels_keeps_everything_else(tmp_path: Path) -> None:
    catalogue = make_shop(tmp_path / "validated")
    splits = make_splits(tmp_path / "splits", catalogue)
    hide_labels(tmp_path / "validated", splits, tmp_path / "hidden", 0.5, seed=0)
    found = load_catalogue(tmp_path / "hidden")
    training = pd.read_parquet(splits / "splits.parquet")["split"].to_numpy() == "train"
    assert int(found.products.loc[training, COLUMNS].isna().sum().sum()) == int(training.sum())
    pd.testing.assert_frame_equal(found.products[~training], catalogue.products[~training])
    pd.testing.assert_frame_equal(found.photos, catalogue.photos)
