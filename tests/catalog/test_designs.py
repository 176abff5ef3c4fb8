"""What counts as one design."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lookalike.catalog.designs import colour_lexicon, design_keys, design_title, leakage_groups
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.validation import validate
from tests.catalog.test_validation import LENIENT
from tests.catalog.tiny_shop import row, write_shop

NOTHING = pd.DataFrame({"product_id": [], "group_id": []}, dtype=object)


def keys(tmp_path: Path, lines: list[dict[str, Any]], titles: bool = True) -> list[str]:
    validate(write_shop(tmp_path / "shop", lines), tmp_path / "out", LENIENT)
    return list(design_keys(load_catalogue(tmp_path / "out"), titles))


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Puma Deck Navy Blue Backpack", "puma deck backpack"),
        ("RED dress, red-trimmed", "dress trimmed"),
        ("Fred's Blackberry Tee", "fred s blackberry tee"),
        ("Blue", ""),
    ],
)
def test_colours_are_taken_off_whole_words_only(title: str, bare: str):
    assert design_title(title, frozenset({"red", "blue", "navy", "black"})) == bare


def test_the_lexicon_learns_the_shops_own_colour_words(tmp_path: Path):
    lines = [row(0, colour="Mushroom Brown"), row(1, colour="Teal"), row(2, colour=None)]
    validate(write_shop(tmp_path / "shop", lines), tmp_path / "out", LENIENT)
    learned = colour_lexicon(load_catalogue(tmp_path / "out"))
    assert {"mushroom", "brown", "teal", "red", "gray"} <= learned


def test_colour_variants_are_one_design_and_other_types_another(tmp_path: Path):
    lines = [
        row(0, title="Alma Red Shoe", type="shoe"),
        row(1, title="Alma Teal Shoe", type="shoe", colour="teal"),
        row(2, title="Alma Shoe", type="boot"),
    ]
    first, second, third = keys(tmp_path, lines)
    assert first == second != third


def test_titles_that_say_nothing_make_no_design(tmp_path: Path):
    lines = [row(0, title="Red"), row(1, title="Blue"), row(2, title=None)]
    assert len(set(keys(tmp_path, lines))) == 3


def test_without_titles_each_product_is_its_own_design(tmp_path: Path):
    same = [row(number, title="One Title", type="shoe") for number in range(3)]
    assert len(set(keys(tmp_path, same))) == 1
    assert len(set(keys(tmp_path, same, titles=False))) == 3


def test_designs_and_near_duplicates_that_touch_become_one_group():
    duplicates = pd.DataFrame({"product_id": ["b", "c"], "group_id": ["b", "b"]})
    groups = leakage_groups(["a", "b", "c", "d"], ["one", "one", "two", "three"], duplicates)
    assert list(groups) == ["a", "a", "a", "d"]


def test_groups_equal_a_naive_merge():
    ids = [f"p{number}" for number in range(12)]
    designs = [f"d{number % 7}" for number in range(12)]
    duplicates = pd.DataFrame({"product_id": ["p0", "p1", "p5", "p6"], "group_id": ["p0", "p0", "p5", "p5"]})
    naive = list(range(12))
    near = dict(zip(duplicates["product_id"], duplicates["group_id"], strict=True))
    for _ in range(12):
        for i in range(12):
            for j in range(12):
                same_picture = ids[i] in near and near.get(ids[i]) == near.get(ids[j])
                if designs[i] == designs[j] or same_picture:
                    naive[i] = naive[j] = min(naive[i], naive[j])
    groups = leakage_groups(ids, designs, duplicates)
    assert all((groups[i] == groups[j]) == (naive[i] == naive[j]) for i in range(12) for j in range(12))


def test_a_group_keeps_its_name_when_ids_count_on():
    """As text '1000' comes before '999'; as ids are given out it comes after."""
    assert list(leakage_groups(["999"], ["one"], NOTHING)) == ["999"]
    assert list(leakage_groups(["1000", "999"], ["one", "one"], NOTHING)) == ["999", "999"]
