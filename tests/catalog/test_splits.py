"""No design, near-duplicate or product stands in two splits."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lookalike.catalog.designs import design_keys
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.splits import SplitSettings, check_no_leak, place_of, split
from lookalike.catalog.validation import validate
from lookalike.errors import ArtifactError, CatalogueError
from tests.catalog.test_validation import LENIENT
from tests.catalog.tiny_shop import photo, row, write_shop


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty products: ten designs in two or three colours, and two photos shared across designs."""
    folder = tmp_path_factory.mktemp("shop")
    lines = [
        row(number, id=str(number), title=f"Design{number % 12} {('Red', 'Blue')[number % 2]}", type="shoe")
        for number in range(30)
    ]
    lines[3]["photo"], lines[16]["photo"] = photo(4), photo(17)
    validate(write_shop(folder / "shop", lines), folder / "validated", LENIENT)
    return folder / "validated"


def table(validated: Path, output: Path, **settings: Any) -> pd.DataFrame:
    split(validated, output, SplitSettings(**{"validation": 0.3, "test": 0.3, "max_group": 0.5} | settings))
    return pd.read_parquet(output / "splits.parquet")


def test_every_product_is_placed_once(validated: Path, tmp_path: Path):
    placed = table(validated, tmp_path / "out")
    assert placed["product_id"].tolist() == load_catalogue(validated).products["product_id"].tolist()
    assert set(placed["split"]) == {"train", "validation", "test"}


def test_nothing_leaks(validated: Path, tmp_path: Path):
    placed = table(validated, tmp_path / "out").set_index("product_id")["split"]
    spread = defaultdict(set)
    for product_id, design in zip(placed.index, design_keys(load_catalogue(validated)), strict=True):
        spread[design].add(placed[product_id])
    for product_id, group in pd.read_parquet(validated / "duplicates.parquet").itertuples(index=False, name=None):
        spread["near " + group].add(placed[product_id])
    assert len(spread) == 12 + 2
    assert all(len(splits) == 1 for splits in spread.values())


def test_a_leak_is_caught():
    placed = pd.DataFrame({"product_id": ["a", "b"], "group_id": ["a", "b"], "split": ["train", "test"]})
    none = pd.DataFrame({"product_id": [], "group_id": []}, dtype=object)
    apart, same = pd.Series(["one", "two"]), pd.Series(["one", "one"])
    check_no_leak(placed, apart, none)
    with pytest.raises(CatalogueError, match="the design 'one' leaks into 2 splits"):
        check_no_leak(placed, same, none)
    with pytest.raises(CatalogueError, match="near-duplicate group 'a' leaks"):
        check_no_leak(placed, apart, pd.DataFrame({"product_id": ["a", "b"], "group_id": ["a", "a"]}))
    with pytest.raises(CatalogueError, match="'a' was split more than once"):
        check_no_leak(pd.concat([placed, placed]), pd.concat([apart, apart]), none)


def test_a_group_is_placed_by_its_name_alone():
    settings = SplitSettings(validation=0.1, test=0.2)
    places = pd.Series([place_of(str(number), settings) for number in range(20_000)]).value_counts(normalize=True)
    assert abs(places["test"] - 0.2) < 0.01
    assert abs(places["validation"] - 0.1) < 0.01
    assert place_of("7", settings) == place_of("7", settings)


def test_a_larger_test_share_only_adds_to_the_test_split():
    small, large = SplitSettings(test=0.2), SplitSettings(test=0.3)
    tested = [number for number in range(500) if place_of(str(number), small) == "test"]
    assert all(place_of(str(number), large) == "test" for number in tested)


def test_another_seed_is_another_split(validated: Path, tmp_path: Path):
    first, second = table(validated, tmp_path / "one"), table(validated, tmp_path / "two", seed=3)
    assert (first["split"] != second["split"]).any()


def test_a_growing_catalogue_keeps_its_split(tmp_path: Path):
    lines = [row(number, id=str(number + 90)) for number in range(40)]
    for name, count in (("small", 30), ("grown", 40)):
        validate(write_shop(tmp_path / name, lines[:count]), tmp_path / f"{name}.validated", LENIENT)
    before = table(tmp_path / "small.validated", tmp_path / "before").set_index("product_id")["split"]
    after = table(tmp_path / "grown.validated", tmp_path / "after").set_index("product_id")["split"]
    assert after[before.index].equals(before)


def test_the_same_catalogue_is_split_once(validated: Path, tmp_path: Path):
    settings = SplitSettings(validation=0.3, test=0.3, max_group=0.5)
    assert not split(validated, tmp_path / "out", settings).reused
    assert split(validated, tmp_path / "out", settings).reused


def test_one_giant_group_is_refused_by_name(tmp_path: Path):
    lines = [row(number, title=f"Shirt {('Red', 'Blue')[number % 2]}", type="shoe") for number in range(8)]
    validate(write_shop(tmp_path / "shop", lines), tmp_path / "validated", LENIENT)
    with pytest.raises(CatalogueError, match=r"one group holds 8 of 8 products.*'shirt \| shoe'.*titles: false"):
        split(tmp_path / "validated", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_too_few_groups_for_three_splits_are_refused(tmp_path: Path):
    validate(write_shop(tmp_path / "shop", [row(0), row(1)]), tmp_path / "validated", LENIENT)
    with pytest.raises(CatalogueError, match="2 groups of 2 products are too few"):
        split(tmp_path / "validated", tmp_path / "out", SplitSettings(max_group=1))


def test_shares_that_leave_no_training_are_refused():
    with pytest.raises(ValueError, match=r"validation 0\.5 and test 0\.5 leave nothing to train on"):
        SplitSettings(validation=0.5, test=0.5)


def test_an_unvalidated_folder_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match="not a finished stage output"):
        split(tmp_path, tmp_path / "out")


def test_the_public_set_splits_without_a_leak(fpi_folder: Path, tmp_path: Path):
    validate(str(fpi_folder), tmp_path / "validated", limit=400)
    record = split(tmp_path / "validated", tmp_path / "out")
    placed = pd.read_parquet(tmp_path / "out" / "splits.parquet")
    naive = naive_designs(tmp_path / "validated")
    spread = placed.groupby(naive)["split"].nunique()
    assert (spread == 1).all()
    assert record.figures["train"] + record.figures["validation"] + record.figures["test"] == 400


def naive_designs(validated: Path) -> np.ndarray:
    """Title, type and gender, the colour attribute's own words taken off one by one."""
    products = load_catalogue(validated).products
    names = []
    for _, line in products.iterrows():
        words = line["title"].lower().replace("-", " ").split()
        words = [word for word in words if word not in line["attribute_colour"].lower().split()]
        names.append((" ".join(words), line["attribute_type"], line["attribute_gender"]))
    return np.array([str(name) for name in names])
